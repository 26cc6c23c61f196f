"""What a mail is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from alerts.evidence import Evidence
from netmon.notify_settings import ContactSettings
from netmon.storage.records import Incident, MailEvent


class Aside(StrEnum):
    """What an update may tell beside followers, each once a thread.

    ``FLAPPING``: what was told comes and goes, so that its end will be late.
    ``PROGRESS``: most of it is over, and the mail that tells the end is not near.
    """

    FLAPPING = "flapping"
    PROGRESS = "progress"


NO_CONTACTS = ContactSettings()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something people are to be told.

    ``members`` are the incidents of the thread, the first one gives the number; a mail
    that is about some of them names those in ``about``. ``at_ms`` is the time of the
    mail, or when the last of them ended; ``last`` is the evidence of that moment, None
    where it is not at hand. ``segment`` is what all buildings share, ``reference`` how
    the ticket system calls the incident; both may be empty. ``aside`` is what an update
    tells instead of followers. ``muted_until_ms`` is when maintenance or a silence ended
    that held the mail back, None for neither; ``in_lessons`` whether any of the
    buildings has lessons now; ``contacts`` how to reach who is responsible.
    """

    event: MailEvent
    members: tuple[Incident, ...]
    at_ms: int
    last: Evidence | None = None
    about: tuple[Incident, ...] = ()
    segment: str = ""
    reference: str = ""
    aside: Aside | None = None
    muted_until_ms: int | None = None
    in_lessons: bool = True
    contacts: ContactSettings = NO_CONTACTS

    @property
    def incident(self) -> Incident:
        """The incident whose number the mail bears.

        That of the thread; of an end that tells some people of a part, the part's.
        """
        part = self.event is MailEvent.RECOVERY and self.members[0] not in self.told
        return self.told[0] if part else self.members[0]

    @property
    def told(self) -> Sequence[Incident]:
        """What the mail is about."""
        return self.about or self.members
