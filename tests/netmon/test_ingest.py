"""The one door: what is taken, what is set aside, what is refused as a whole."""

from __future__ import annotations

import msgspec
import pytest

from netmon.ingest import (
    ForbiddenTargetError,
    MalformedBatchError,
    check_batch,
)
from netmon.model import FailureReason
from netmon.storage.records import Source, SourceKind
from netmon.wire import Batch, Series

NOW = 1_795_200_000_000
SPOOL = "0123456789abcdef0123456789abcdef"
PROBE = Source(
    id=1, name="gs-07-p1", kind=SourceKind.PROBE, building_id="gs-07", generated=False
)


def a_series(**changes: object) -> Series:
    series = Series(
        kind="latency",
        tags={"building": "gs-07", "line": "gs-07-main"},
        seq=[1, 2],
        ts=[NOW - 2000, NOW - 1000],
        values={"rtt_s": [0.01, 0.02], "loss_ratio": [0.0, 0.5]},
    )
    return msgspec.structs.replace(series, **changes)


def a_batch(*series: Series, **changes: object) -> Batch:
    batch = Batch(
        source="gs-07-p1", spool=SPOOL, sent_ms=NOW, series=list(series or [a_series()])
    )
    return msgspec.structs.replace(batch, **changes)


def check(batch: Batch):
    return check_batch(batch, PROBE, NOW, lambda building: building == "gs-07")


def test_good_records_pass_untouched():
    checked = check(a_batch())
    assert checked.quarantined == []
    assert checked.series[0].values == {"rtt_s": [0.01, 0.02], "loss_ratio": [0.0, 0.5]}
    assert checked.series[0].seq == [1, 2]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "weather"}, "kind 'weather' is unknown"),
        ({"tags": {"building": "gs-07"}}, "tag 'line' is missing"),
        (
            {"tags": {"building": "gs-07", "line": "x", "client_mac": "00:11"}},
            "tag 'client_mac' is not known",
        ),
        ({"tags": {"building": "gs-07", "line": "a\nb"}}, "control characters"),
        ({"values": {"speed": [1.0, 2.0]}}, "metric 'speed' is not known"),
        ({"info": {"name": "x" * 300}}, "longer than 256"),
    ],
)
def test_a_series_that_can_never_be_taken_is_set_aside_record_by_record(
    changes, reason
):
    checked = check(a_batch(a_series(**changes), a_series(seq=[3, 4])))
    assert [q.seq for q in checked.quarantined] == [1, 2]
    assert reason in checked.quarantined[0].reason
    assert [s.seq for s in checked.series] == [[3, 4]], "the other series goes on"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"values": {"rtt_s": [0.01, -1.0]}}, "rtt_s is outside 0 to 3600"),
        ({"values": {"loss_ratio": [0.0, 1.5]}}, "loss_ratio is outside 0 to 1"),
        ({"ts": [NOW, NOW + 11 * 60_000]}, "in the future"),
        ({"ts": [NOW, NOW - 401 * 86_400_000]}, "400 days ago"),
        (
            {"failure": [None, FailureReason.TIMEOUT]},
            "a failed measurement carries no number",
        ),
        ({"values": {"rtt_s": [0.01, None]}}, "neither a number nor a reason"),
    ],
)
def test_one_bad_record_costs_only_itself(changes, reason):
    checked = check(a_batch(a_series(**changes)))
    assert [q.seq for q in checked.quarantined] == [2]
    assert reason in checked.quarantined[0].reason
    assert checked.series[0].seq == [1]
    assert all(len(column) == 1 for column in checked.series[0].values.values())
    kept = msgspec.json.decode(checked.quarantined[0].record)
    assert kept["kind"] == "latency", "the record itself is kept for a person to look"


def test_a_failure_is_a_record_without_a_number():
    series = a_series(
        values={"rtt_s": [None, 0.01]}, failure=[FailureReason.NO_REPLY, None]
    )
    checked = check(a_batch(series))
    assert checked.quarantined == []
    assert checked.series[0].failure == [FailureReason.NO_REPLY, None]


@pytest.mark.parametrize(
    ("batch", "field"),
    [
        (a_batch(v=9), "v"),
        (a_batch(source="somebody"), "source"),
        (a_batch(spool="short"), "spool"),
        (a_batch(spool="Z" * 32), "spool"),
        (a_batch(a_series(seq=[])), "series[0].seq"),
        (a_batch(a_series(ts=[1])), "series[0].ts"),
        (a_batch(a_series(values={"rtt_s": [1.0]})), "series[0].values.rtt_s"),
        (a_batch(a_series(failure=[None])), "series[0].failure"),
        (a_batch(a_series(seq=[0, 1])), "series[0].seq"),
    ],
)
def test_a_malformed_batch_names_the_field_and_the_fix(batch, field):
    with pytest.raises(MalformedBatchError) as caught:
        check(batch)
    assert caught.value.field == field
    assert caught.value.fix


def test_a_probe_speaks_for_its_own_building_only():
    with pytest.raises(ForbiddenTargetError, match="gs-07 only"):
        check(a_batch(a_series(tags={"building": "gs-08", "line": "x"})))


def test_a_building_not_in_the_inventory_waits_in_quarantine():
    collector = msgspec.structs.replace(PROBE, building_id=None)
    series = a_series(tags={"building": "gone", "line": "x"})
    checked = check_batch(a_batch(series), collector, NOW, lambda _: False)
    assert "not in the inventory" in checked.quarantined[0].reason


def test_a_collector_may_speak_of_itself_and_a_probe_may_not():
    """What belongs to no building is not asked for one."""
    series = a_series(
        kind="collector_health",
        tags={"collector": "c1"},
        values={"requests_total": [1.0, 2.0]},
    )
    collector = msgspec.structs.replace(PROBE, building_id=None)
    checked = check_batch(a_batch(series), collector, NOW, lambda _: False)
    assert checked.quarantined == []
    assert checked.series[0].building_id == ""
    with pytest.raises(ForbiddenTargetError):
        check(a_batch(series))
