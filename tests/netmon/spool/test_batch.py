"""Records as they travel: columns of each series."""

from __future__ import annotations

import pytest

from netmon.model import FailureReason
from netmon.spool_record import to_batch
from netmon.wire import decode_batch, encode
from tests.netmon.spool.records import bad, good


def test_columns_are_grouped_by_kind_and_tags(spool):
    other = {"building": "b1", "line": "l2"}
    spool.add_many(
        [
            good(10, info={"model": "A", "serial": "7"}),
            good(11, tags=other),
            bad(12),
            good(13, values={"rtt_s": 0.02, "jitter_s": None}, info={"model": "B"}),
            good(14, kind="dns", values={"duration_s": 0.1}),
        ]
    )
    batch = to_batch("probe-1", spool.batch(10), sent_ms=99, agent="netmon/1")
    assert (batch.source, batch.spool) == ("probe-1", spool.spool_name)
    assert (batch.sent_ms, batch.agent) == (99, "netmon/1")
    first, second, third = batch.series
    assert (first.seq, first.ts) == ([1, 3, 4], [10, 12, 13])
    assert first.values == {"rtt_s": [0.01, None, 0.02], "jitter_s": [None] * 3}
    assert first.failure == [None, FailureReason.TIMEOUT, None]
    assert first.info == {"model": "B", "serial": "7"}
    assert (second.tags, second.seq, second.failure) == (other, [2], None)
    assert (third.kind, third.values) == ("dns", {"duration_s": [0.1]})


def test_batch_survives_the_wire(spool):
    spool.add_many([good(1), bad(2)])
    batch = to_batch("p", spool.batch(10), sent_ms=5)
    assert decode_batch(encode(batch)) == batch


def test_tags_in_another_order_are_the_same_series(spool):
    spool.add(good(1))
    spool.add(good(2, tags={"line": "l1", "building": "b1"}))
    assert len(to_batch("p", spool.batch(10), sent_ms=5).series) == 1


def test_empty_batch_is_refused(spool):
    with pytest.raises(ValueError, match="empty batch"):
        to_batch("p", [], sent_ms=5)
