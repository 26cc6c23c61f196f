"""The coverage of every building as measurements: for the overview, and for Grafana.

They go through the one door and the log like all others, and from there to the
time-series database: nothing is lost while that is away. They are recorded by the
process of the alarms, which every installation runs, with such a database or without:
the overview of all buildings reads what is recorded instead of every port of the city.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

from netmon.clock import Clock, to_ms
from netmon.coverage import BuildingCoverage, Measured, read_coverage
from netmon.ingest import check_batch, new_token, token_hash
from netmon.model import Coverage, Inventory
from netmon.running import again_and_again
from netmon.storage.current import CurrentInventory
from netmon.storage.ports import Store
from netmon.storage.records import CheckedBatch, Source, SourceKind
from netmon.wire import MAX_BATCH_RECORDS, Batch, Series
from netmon.wlan_truth import WLAN_KINDS, read_wlan_truth

KIND = "coverage"
# The senders under which they are kept; figures that rest on made-up data of the
# demo have one of their own, so that they are marked like these.
SOURCES: Mapping[bool, str] = {
    False: "netmon-coverage",
    True: "netmon-coverage-generated",
}
RECORD_EVERY_S = 300.0


def numbers(figure: Measured) -> dict[str, float]:
    """Return the metrics of a figure; what is not known is left out, never 0; pure."""
    known: dict[str, float | None] = {"declared_full": _is_full(figure.declared)}
    if figure.rooms_count:
        known["rooms_count"] = figure.rooms_count
    if figure.has_list and figure.open_count < figure.rooms_count:
        known |= {
            "covered_count": figure.covered_count,
            "open_count": figure.open_count,
            "low_ratio": figure.low_share,
            "high_ratio": figure.high_share,
            "measured_full": _is_full(figure.measured),
        }
    # Where either of the two classes is missing there is nothing to compare.
    if None not in {known["declared_full"], known.get("measured_full")}:
        known["contradicts"] = figure.contradicts
    return {name: float(value) for name, value in known.items() if value is not None}


def _is_full(coverage: Coverage) -> bool | None:
    return None if coverage is Coverage.UNKNOWN else coverage is Coverage.FULL


class CoverageRecorder:
    """Writes the figures of all buildings; each start is a numbering of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._inventory = CurrentInventory(store.inventories)
        self._spool = secrets.token_hex(16)
        # A numbering of its own for each of the two senders, without gaps.
        self._seq = {False: 0, True: 0}

    def record(self, now_ms: int) -> int:
        """Write the figures of all buildings and return how many records that were.

        Raises:
            StorageError: the store refused.
        """
        inventory = self._inventory()
        series: dict[bool, list[Series]] = {}
        for building in inventory.buildings:
            found, generated = self._read(inventory, building.id, now_ms)
            for network, figure in (("lan", found.lan), ("wlan", found.wlan)):
                if values := numbers(figure):
                    self._seq[generated] += 1
                    series.setdefault(generated, []).append(
                        Series(
                            kind=KIND,
                            tags={"building": building.id, "network": network},
                            seq=[self._seq[generated]],
                            ts=[now_ms],
                            values={name: [value] for name, value in values.items()},
                        )
                    )
        batches = [
            self._checked(found, part, now_ms, inventory)
            for generated, everything in series.items()
            for found in [self._source(generated=generated)]
            for part in _parts(everything)
        ]
        written = self._store.measurements.write(batches)
        return sum(each.accepted for each in written)

    def _read(
        self, inventory: Inventory, building_id: str, now_ms: int
    ) -> tuple[BuildingCoverage, bool]:
        """Return a building's coverage, and whether it rests on made-up data."""
        latest = [
            item
            for kind in WLAN_KINDS
            for item in self._store.measurements.latest(
                kind=kind, building_id=building_id
            )
        ]
        truth = read_wlan_truth(
            self._store, inventory, building_id, now_ms, latest=latest
        )
        found = read_coverage(
            self._store, inventory, building_id, now_ms, truth=truth, latest=latest
        )
        return found, any(item.series.generated for item in latest)

    def _source(self, *, generated: bool) -> Source:
        name = SOURCES[generated]
        for source in self._store.sources.all():
            if source.name == name and source.generated is generated:
                return source
        # Nobody has the token: only this process writes under the name.
        return self._store.sources.create(
            name,
            SourceKind.COLLECTOR,
            None,
            token_hash(new_token()),
            generated=generated,
        )

    def _checked(
        self, source: Source, series: list[Series], now_ms: int, inventory: Inventory
    ) -> CheckedBatch:
        batch = Batch(
            source=source.name, spool=self._spool, sent_ms=now_ms, series=series
        )
        return check_batch(batch, source, now_ms, inventory.building_by_id.__contains__)


def _parts(series: list[Series]) -> Iterator[list[Series]]:
    for begin in range(0, len(series), MAX_BATCH_RECORDS):
        yield series[begin : begin + MAX_BATCH_RECORDS]


def recording_coverage(
    store: Store, clock: Clock, every_s: float = RECORD_EVERY_S
) -> AbstractContextManager[None]:
    """Record at once and then again and again, for as long as the block runs."""
    recorder = CoverageRecorder(store)
    return again_and_again(
        lambda: recorder.record(to_ms(clock.now())),
        every_s,
        name="coverage",
        failed="coverage not recorded",
    )
