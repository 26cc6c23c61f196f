"""How many mails a storm window has room for; pure."""

from __future__ import annotations

from alerts.classes import Audience, Severity
from alerts.notify.facts import Known


class Budget:
    """How many mails may still be made in this storm window."""

    def __init__(self, known: Known) -> None:
        self._limit = known.settings.notify.storm_mails
        self._spent = sum(ms > known.now_ms - known.window_ms for ms in known.made_ms)
        # One grave alarm always finds room, whatever else happens.
        grave = known.routing.addresses((Audience.SERVICE, Audience.NOC))
        self._kept = len(grave) if 2 * len(grave) < self._limit else 0
        self.refused = False

    def take(self, mails: int, severity: Severity | None = None) -> bool:
        """Say whether so many mails may be made, and count them.

        After a quiet window one thing is always told, to however many it concerns.
        """
        kept = 0 if severity is Severity.CRITICAL else self._kept
        if self._spent and self._spent + mails > self._limit - kept:
            self.refused = True
            return False
        self._spent += mails
        return True
