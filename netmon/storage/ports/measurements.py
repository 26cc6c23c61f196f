"""The port to measurements, latest values and rollups."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

from netmon.storage.records import (
    CheckedBatch,
    Chunk,
    Latest,
    Pruned,
    Rollup,
    SeenAccessPoint,
    SeenNeighbour,
    Written,
)

Resolution = Literal["hour", "day"]


class MeasurementStore(Protocol):
    """Measurements with latest values and rollups; also the outbox, by cursors."""

    def write(self, batches: Sequence[CheckedBatch]) -> list[Written]:
        """Store batches in ONE transaction; records known by id are skipped."""

    def chunks_after(
        self,
        position: int,
        max_records: int,
        *,
        kind: str | None = None,
        kinds: Collection[str] = (),
    ) -> list[Chunk]:
        """Return chunks in order of arrival, at least one if there is one.

        With ``kind`` or ``kinds`` only those chunks: no chunk after the last one returned, up to
        the newest of all, is of such a kind unless ``max_records`` were returned.
        """

    def last_position(self) -> int:
        """Return the id of the newest chunk ever written, 0 before the first."""

    def latest(
        self,
        *,
        kind: str | None = None,
        kinds: Collection[str] = (),
        building_id: str | None = None,
    ) -> list[Latest]:
        """Return the newest values, of a kind, any of several kinds, a building.

        What is given must all hold. Of the whole city one question after several
        kinds is cheaper than one after each: there are more than 30,000 series.
        """

    def chunks(
        self, series_ids: Sequence[int], first_ms: int, last_ms: int
    ) -> list[Chunk]:
        """Return chunks that overlap a span, oldest arrival first."""

    def rollups(
        self, series_id: int, metric: str, resolution: Resolution, first: int, last: int
    ) -> list[Rollup]:
        """Return buckets ``first <= bucket <= last`` in order of time."""

    def access_points(self, building_id: str | None = None) -> list[SeenAccessPoint]:
        """Return every access point ever reported, by building and name."""

    def access_points_of(self) -> Mapping[str, Sequence[SeenAccessPoint]]:
        """Return the same grouped by building.

        Where nothing was reported since the last call, it is the same object: what was
        made of it then still holds.
        """

    def neighbours(self, building_id: str | None = None) -> list[SeenNeighbour]:
        """Return every neighbour a switch ever saw at a port, newest first."""

    def count(self) -> int:
        """Return the number of measurements stored."""

    def quarantine_count(self) -> int:
        """Return the number of records in quarantine."""

    def ids(self) -> list[tuple[str, str, int]]:
        """Return (source, spool, seq) of every stored record, for audits."""

    def received_after(self, position: int) -> int | None:
        """Return when the first chunk after a position came; None: there is none."""

    def prune(
        self,
        sweep: str,
        kinds: Collection[str],
        before_ms: int,
        upto: int,
        *,
        now_ms: int,
        max_chunks: int,
    ) -> Pruned:
        """Go on with a sweep through the log: delete what is old of some kinds.

        A sweep is named, its place in the log a cursor like a reader's. A step looks at
        ``max_chunks`` chunks in order of arrival, never beyond ``upto`` nor beyond the
        first that was received at ``before_ms`` or later: what came behind it is
        younger, whatever a clock said. Deletion and place are ONE transaction.
        """

    def prune_quarantine(self, before_ms: int, max_records: int) -> int:
        """Delete the oldest records set aside before a time; return how many."""
