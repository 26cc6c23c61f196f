"""What the state store keeps for how long, and how much of its disk it leaves free."""

from __future__ import annotations

from msgspec import Struct

from netmon.errors import WrongValueError

# Ten years: beyond that a span is a slip of the pen, not a wish.
_MAX_DAYS = 3660
_MAX_MB = 1_000_000


class StoreSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How many days single measurements stay; `netmon.retention.KEPT` says which kinds.

    ``keep_tests_days`` of the tests of lines, ``keep_lines_days`` of what else is
    measured of lines, ``keep_polled_days`` of all that collectors poll. Hourly and
    daily values stay for good. Below ``min_free_mb`` MB of free disk the gateway takes
    nothing, so that alarms, mails and the removal itself have room; 0: never.
    """

    keep_tests_days: int = 400
    keep_lines_days: int = 35
    keep_polled_days: int = 3
    min_free_mb: int = 500

    def __post_init__(self) -> None:
        """Refuse what the pages need, and an order in which a sweep finds nothing."""
        # The pages show single measurements of the last 24 hours.
        self._between("keep_lines_days", 2, _MAX_DAYS)
        self._between("keep_polled_days", 1, _MAX_DAYS)
        self._between("keep_tests_days", 2, _MAX_DAYS)
        self._between("min_free_mb", 0, _MAX_MB)
        for name, other in (
            ("keep_tests_days", "keep_lines_days"),
            ("keep_lines_days", "keep_polled_days"),
        ):
            if getattr(self, name) < getattr(self, other):
                raise WrongValueError(
                    "shorter_than",
                    name=name,
                    value=getattr(self, name),
                    other=other,
                    least=getattr(self, other),
                )

    def _between(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise WrongValueError("outside", name=name, value=value, low=low, high=high)

    @property
    def min_free_bytes(self) -> int:
        """The free disk below which nothing is taken."""
        return self.min_free_mb * 1_000_000
