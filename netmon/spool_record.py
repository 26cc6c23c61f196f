"""A record on its way to the gateway, and many of them as they travel."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from netmon.model import FailureReason
from netmon.wire import Batch, Series


class SpoolRecord(Struct, frozen=True, kw_only=True):
    """One measurement, or one failure to measure.

    ``ts_ms`` is when it was measured (milliseconds since 1970). ``values`` is
    empty for a failure; a value is None where that number could not be had.
    """

    kind: str
    tags: dict[str, str]
    ts_ms: int
    values: dict[str, float | None] = {}
    failure: FailureReason | None = None
    info: dict[str, str] = {}


class Spooled(Struct, frozen=True):
    """A record in the queue with its identity inside the sender."""

    spool: str
    seq: int
    record: SpoolRecord


def to_batch(
    source: str, records: Sequence[Spooled], *, sent_ms: int, agent: str = ""
) -> Batch:
    """Return records as columns: each series' kind and tags once, then arrays.

    Of ``info`` the newest entry of a key wins. All records come from one spool.

    Raises:
        ValueError: there are no records.
    """
    if not records:
        raise ValueError("an empty batch says nothing")
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Spooled]] = {}
    for item in records:
        key = (item.record.kind, tuple(sorted(item.record.tags.items())))
        groups.setdefault(key, []).append(item)
    return Batch(
        source=source,
        spool=records[0].spool,
        sent_ms=sent_ms,
        series=[_to_series(group) for group in groups.values()],
        agent=agent,
    )


def _to_series(group: Sequence[Spooled]) -> Series:
    if len(group) == 1:
        # The usual case of a collector: thousands of things, each told once.
        (item,) = group
        record = item.record
        return Series(
            kind=record.kind,
            tags=record.tags,
            seq=[item.seq],
            ts=[record.ts_ms],
            values={name: [value] for name, value in record.values.items()},
            failure=None if record.failure is None else [record.failure],
            info=record.info,
        )
    names: dict[str, None] = {}
    info: dict[str, str] = {}
    for item in group:
        names.update(dict.fromkeys(item.record.values))
        info.update(item.record.info)
    failures = [item.record.failure for item in group]
    return Series(
        kind=group[0].record.kind,
        tags=dict(group[0].record.tags),
        seq=[item.seq for item in group],
        ts=[item.record.ts_ms for item in group],
        values={
            name: [item.record.values.get(name) for item in group] for name in names
        },
        failure=failures if any(failures) else None,
        info=info,
    )
