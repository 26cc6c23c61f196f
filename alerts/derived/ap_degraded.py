"""An access point that works, but badly: 100 Mbit port, full channel, no clients.

Plan, controller and switch are read together (`netmon.wlan_truth`), which costs a few
milliseconds a building: each has its turn once in `ROUND_S`, a few at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from zlib import crc32

from alerts.derived.base import Finding, View
from alerts.rules import Scope
from alerts.watched import Seen
from netmon.metrics import KINDS
from netmon.wlan_truth import WLAN_KINDS, is_free_tag, read_wlan_truth
from netmon.wlan_verdict import ApClass, ApVerdict, judge_ap

# A turn every so often, and all turns in one round.
EVERY_S = 30
ROUND_S = 600
_TURNS = ROUND_S // EVERY_S
# Classes that say whether it works as it should; of the others nothing is known, or
# another rule speaks of them.
_SAYS = {ApClass.IN_ORDER: 1.0, ApClass.DEGRADED: 0.0}


def results(view: View, _: Collection[str] | None) -> Iterator[Finding]:
    """Yield what is known of the access points of the buildings whose turn it is."""
    turn = view.now_ms // (EVERY_S * 1000) % _TURNS
    for building in view.inventory.buildings:
        # Not `hash`, which is another one in every process.
        if crc32(building.id.encode()) % _TURNS == turn:
            yield from _of_building(view, building.id)


def _of_building(view: View, building_id: str) -> Iterator[Finding]:
    for verdict in read_verdicts(view, building_id):
        value = _SAYS.get(verdict.verdict)
        # Whoever is not planned is judged by whether it is there, and no more.
        if value is None or is_free_tag(verdict.ap):
            continue
        seen = Seen(view.now_ms, view.now_ms, value)
        target = f"{Scope.ACCESS_POINT}:{verdict.ap}"
        yield Finding(target, building_id, seen, ap=verdict)


def read_verdicts(view: View, building_id: str) -> Iterator[ApVerdict]:
    """Yield the class of each access point of a building, as the store knows it now.

    Raises:
        StorageError: the store refused.
    """
    measurements = view.store.measurements
    latest = [
        item
        for kind in WLAN_KINDS
        for item in measurements.latest(kind=kind, building_id=building_id)
    ]
    truth = read_wlan_truth(
        view.store,
        view.inventory,
        building_id,
        view.now_ms,
        calendar=view.calendar_of(building_id),
        latest=latest,
    )
    oldest_ms = view.now_ms - round(KINDS["wlan_radio"].stale_after_s * 1000)
    air: dict[str, list[float | None]] = {}
    for item in latest:
        if item.series.kind == "wlan_radio" and item.ts_ms >= oldest_ms:
            used = item.values.get("utilisation_ratio")
            air.setdefault(item.series.tags["ap"], []).append(used)
    for point in truth.points:
        yield judge_ap(point, air.get(point.ap, ()))
