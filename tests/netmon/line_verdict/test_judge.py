"""Who decides what: the alarm machine, old numbers, open incidents."""

from __future__ import annotations

import pytest

from netmon.line_verdict import LineAlarms, VerdictClass
from netmon.model import FailureReason
from netmon.storage.records import AlarmState, Latest
from tests.netmon.line_verdict.lines import (
    HOUR,
    MINUTE,
    OK,
    failing,
    floor,
    full,
    judged,
    passive,
)


@pytest.mark.parametrize("no_data", [None, *AlarmState])
@pytest.mark.parametrize("below", [None, *AlarmState])
@pytest.mark.parametrize(
    "latest",
    [
        (),
        (full(MINUTE, 20),),
        (floor(MINUTE, 20),),
        (floor(MINUTE, 200),),
        (passive(MINUTE, demand_down_bps=1),),
        (failing(MINUTE, FailureReason.PROBE_LIMITED),),
        (full(9 * HOUR, 96, cross_down_bps=96), floor(MINUTE, 200)),
    ],
)
def test_the_machine_alone_says_below_target(
    below: AlarmState | None, no_data: AlarmState | None, latest: tuple[Latest, ...]
) -> None:
    verdict = judged(LineAlarms(below, no_data), *latest)[0]
    is_bad = below is AlarmState.BAD
    assert (verdict is VerdictClass.BELOW_TARGET) is is_bad
    if below is not AlarmState.OK:
        assert verdict is not VerdictClass.SATURATED


@pytest.mark.parametrize("below", [None, *AlarmState])
def test_a_line_that_is_down_is_not_green_until_its_numbers_are_old(
    below: AlarmState | None,
) -> None:
    alarms = LineAlarms(below, AlarmState.SUSPECT, line_down=AlarmState.BAD)
    verdict = judged(alarms, full(20 * MINUTE, 94))[0]
    assert verdict is VerdictClass.NOT_MEASURED


def test_an_open_incident_is_not_healed_by_little_demand() -> None:
    latest = (floor(5 * HOUR, 92), passive(MINUTE, demand_down_bps=3.1))
    alarms = LineAlarms(AlarmState.STALE, AlarmState.OK, incident_open=True)
    assert judged(alarms, *latest)[0] is VerdictClass.NOT_MEASURED


def test_how_old_a_number_may_be_is_the_callers_setting() -> None:
    latest = (full(2 * HOUR, 94),)
    assert judged(OK, *latest)[0] is VerdictClass.IN_ORDER
    assert judged(OK, *latest, valid_s=HOUR)[0] is VerdictClass.NOT_MEASURED
