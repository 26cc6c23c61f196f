"""Who is told of incidents, how often, and how many mails a storm may make."""

from __future__ import annotations

import re
import string
from math import inf
from typing import Literal

from msgspec import Struct

from netmon.errors import WrongValueError

_ADDRESS = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")
# A line or two of a mail.
_MOST_CHARS = 120


def refuse_addresses(name: str, addresses: tuple[str, ...]) -> None:
    """Refuse what is no mail address.

    Raises:
        WrongValueError: with the name of the setting.
    """
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise WrongValueError("no_mail_address", name=name, value=address)


class RecipientSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Addresses by audience.

    ``service`` gets every mail, together with ``mail.recipients``. ``district``
    has the addresses of a Campusbezirk under its name as the inventory writes it.
    """

    service: tuple[str, ...] = ()
    noc: tuple[str, ...] = ()
    district: dict[str, tuple[str, ...]] = {}

    def __post_init__(self) -> None:
        """Refuse what is no address; msgspec names the field's path."""
        refuse_addresses("service", self.service)
        refuse_addresses("noc", self.noc)
        for name, addresses in self.district.items():
            if not name.strip():
                raise WrongValueError("district_without_name", name="district")
            refuse_addresses(f'district."{name}"', addresses)


class ContactSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a mail names as responsible, each in a few words: a name, a number to call.

    ``provider`` has the fault desk of a provider under its name as the inventory writes
    it. No names of persons: mails are kept.
    """

    service: str = ""
    devices: str = ""
    noc: str = ""
    provider: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse what does not fit into a line; msgspec names the field's path."""
        for name in ("service", "devices", "noc"):
            _in_a_line(name, getattr(self, name))
        for name, text in self.provider.items():
            if not name.strip():
                raise WrongValueError("provider_without_name", name="provider")
            _in_a_line(f'provider."{name}"', text)


def _in_a_line(name: str, text: str) -> None:
    if not text.isprintable() or len(text) > _MOST_CHARS:
        raise WrongValueError("no_line", name=name, longest=_MOST_CHARS)


class EscalationStep(Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever else is told when nobody has acknowledged for ``after_s``."""

    after_s: float
    audience: Literal["service", "district", "noc"]

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        if not 0 < self.after_s < inf:
            raise WrongValueError("not_more_than_0", name="after_s", value=self.after_s)


class ReminderSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """When a mail is repeated while an incident is open and not acknowledged.

    First ``after_s`` after the alarm mail, 0 for never, then ``every_s``.
    """

    after_s: float = 4 * 3600.0
    every_s: float = 24 * 3600.0
    steps: tuple[EscalationStep, ...] = ()

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        if not 0 <= self.after_s < inf:
            raise WrongValueError("below_0", name="after_s", value=self.after_s)
        if not 60 <= self.every_s < inf:
            raise WrongValueError(
                "too_small", name="every_s", value=self.every_s, low=60
            )
        waits = [step.after_s for step in self.steps]
        if waits != sorted(set(waits)):
            raise WrongValueError("steps_order", name="steps")


class NotifySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How mails are paced.

    What follows an alarm within ``batch_s`` is told together; a thread takes
    followers up to ``follow_s`` after its last news. Within ``storm_window_s`` at most
    ``storm_mails`` mails are made, the morning digest not counted. ``outside_lessons``
    says what becomes of an alarm that concerns lessons only: the next ``digest`` tells
    it, or a ``mail`` at once. ``ticket`` is how the ticket system calls an incident,
    with ``{number}`` in it, or empty.
    """

    batch_s: float = 120.0
    follow_s: float = 3600.0
    storm_window_s: float = 900.0
    storm_mails: int = 10
    outside_lessons: Literal["digest", "mail"] = "digest"
    ticket: str = ""

    def __post_init__(self) -> None:
        """Refuse values that make no sense; msgspec names the field's path."""
        for name in ("batch_s", "follow_s", "storm_window_s"):
            value = getattr(self, name)
            if not 0 < value < inf:
                raise WrongValueError("not_more_than_0", name=name, value=value)
        if self.storm_mails < 1:
            raise WrongValueError(
                "too_small", name="storm_mails", value=self.storm_mails, low=1
            )
        try:
            fields = {name for _, name, _, _ in string.Formatter().parse(self.ticket)}
        except ValueError:
            raise WrongValueError("ticket", name="ticket") from None
        if self.ticket and fields - {None} != {"number"}:
            raise WrongValueError("ticket", name="ticket")
