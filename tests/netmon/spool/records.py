"""Records as the spool's tests need them."""

from __future__ import annotations

from netmon.model import FailureReason
from netmon.spool import Spool
from netmon.spool_record import SpoolRecord


def good(ts_ms: int = 1, **changes: object) -> SpoolRecord:
    fields: dict[str, object] = {
        "kind": "latency",
        "tags": {"building": "b1", "line": "l1"},
        "ts_ms": ts_ms,
        "values": {"rtt_s": 0.01},
        **changes,
    }
    return SpoolRecord(**fields)  # type: ignore[arg-type]


def bad(ts_ms: int = 1) -> SpoolRecord:
    return good(ts_ms, values={}, failure=FailureReason.TIMEOUT)


def timestamps(spool: Spool) -> list[int]:
    return [item.record.ts_ms for item in spool.batch(10_000)]
