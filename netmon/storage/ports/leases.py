"""The port to the slots of the measurement servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from netmon.storage.lease_records import LeaseBook, LeaseChange

_Answer = TypeVar("_Answer")


class LeaseStore(Protocol):
    """Leases that run and requests that wait."""

    def settle(
        self,
        now_ms: int,
        forget_before_ms: int,
        decide: Callable[[LeaseBook], tuple[LeaseChange, _Answer]],
    ) -> _Answer:
        """Decide on the current book and write the change, in ONE transaction.

        Leases that expired by ``now_ms`` and requests due by ``forget_before_ms``
        are deleted before. ``decide`` returns what to write and the answer; nobody
        else decides meanwhile. A grant ends the waiting of its place. What
        ``decide`` raises undoes everything.
        """

    def book(self, now_ms: int) -> LeaseBook:
        """Return the leases not expired, and all who wait, oldest first."""

    def release(self, lease_id: str, building_id: str) -> bool:
        """End a lease of a building; False where it has none of that id."""
