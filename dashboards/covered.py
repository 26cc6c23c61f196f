"""How many teaching rooms of a building have LAN and WLAN, as recorded; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from netmon.metrics import KINDS
from netmon.storage.records import Latest

KIND = "coverage"
# By building and network (``lan``, ``wlan``).
Covered = Mapping[tuple[str, str], "RoomsCovered"]


@dataclass(frozen=True, slots=True)
class RoomsCovered:
    """Teaching rooms with a working network, out of all, and since when that counts.

    ``covered`` and ``open`` (rooms of which nothing is known) are None where there
    is no list to measure by, or nothing was told of any room.
    """

    rooms: int
    covered: int | None
    open: int | None
    at_ms: int
    stale: bool
    generated: bool

    @property
    def is_unknown(self) -> bool:
        """Whether there is a list, and nothing is known of any room in it."""
        return self.covered == 0 and self.open == self.rooms

    @property
    def share(self) -> float | None:
        """The share that is known to be covered; None where that is not known."""
        if self.covered is None or self.is_unknown:
            return None
        return self.covered / self.rooms


def covered_rooms(latest: Iterable[Latest], now_ms: int) -> Covered:
    """Return the newest figure of each building and network; one never told is left out."""
    newest: dict[tuple[str, str], Latest] = {}
    for item in latest:
        key = (item.series.building_id, item.series.tags.get("network", ""))
        known = newest.get(key)
        if known is None or item.ts_ms > known.ts_ms:
            newest[key] = item
    stale_ms = round(KINDS[KIND].stale_after_s * 1000)
    return {
        key: RoomsCovered(
            rooms=round(rooms),
            covered=_count(item, "covered_count"),
            open=_count(item, "open_count"),
            at_ms=item.ts_ms,
            stale=now_ms - item.ts_ms > stale_ms,
            generated=item.series.generated,
        )
        for key, item in newest.items()
        if (rooms := item.values.get("rooms_count"))
    }


def _count(item: Latest, name: str) -> int | None:
    value = item.values.get(name)
    return None if value is None else round(value)
