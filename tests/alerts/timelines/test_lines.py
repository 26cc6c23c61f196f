"""One line: what is no fault, what comes and goes, what comes too late."""

from __future__ import annotations

import pytest

from netmon.model import FailureReason
from netmon.storage.records import AlarmState

BELOW = ("line_below_target", "line:gs-00-main")


def test_cross_traffic_at_noon_raises_nothing(found):
    """The line is full, not slow: most tests say so, two do not."""
    town = found(1)
    town.at("11:30")
    for told in (
        {"mbits": 240},
        {"mbits": 60},
        {"rate_down_low_bps": 40, "rate_down_high_bps": 240},
        {"failure": FailureReason.BUSY},
        {"mbits": 55},
        {"at_least_down_bps": 70},
        {"mbits": 70, "rate_down_high_bps": 180},
        {"mbits": 60},
        {"at_least_down_bps": 130},
        {"mbits": 238},
    ):
        town.minutes(10)
        town.measured("gs-00", **told)
    assert town.told() == []
    assert town.mails() == []


@pytest.mark.parametrize(
    "told",
    [
        # Full of other traffic: something between what is left and what there is.
        {"rate_down_low_bps": 20, "rate_down_high_bps": 245},
        {"failure": FailureReason.PROBE_LIMITED},
        {"failure": FailureReason.BUSY},
    ],
)
def test_a_day_of_a_full_line_or_a_weak_probe_raises_nothing(found, told):
    town = found(1)
    for _ in range(24):
        town.minutes(15)
        town.measured("gs-00", **told)
    assert town.told() == []
    assert town.mails() == []


def test_a_spool_that_empties_after_three_days_raises_and_clears_nothing(found):
    town = found(1, points=3)
    town.measured("gs-00", 240)
    town.broken = {"line gs-00"}
    town.minutes(30)
    assert town.told() == ["07:20- line_down line:gs-00-main"]
    town.clock.advance(3 * 86_400 - 3600)
    for _ in range(6):
        town.minutes(5)
        town.measured("gs-00", 10)
    town.broken.clear()
    town.clock.advance(3600)
    town.minutes(6)
    assert town.told() == ["07:20-08:11 line_down line:gs-00-main"]
    assert town.mails() == [
        "07:21 alarm cm3+noc+service: line_down gs-00",
        "06:41 reminder cm3+noc+service: line_down gs-00",
        "07:00 digest cm3+noc+service: ",
        "08:11 recovery cm3+noc+service: line_down gs-00",
    ]
    assert town.held(*BELOW).watched.memory.window == ()
    assert town.held(*BELOW).watched.state is AlarmState.STALE


def test_a_clock_that_is_wrong_changes_no_judgement_and_is_marked(found):
    town = found(1)
    send = town.arrive
    for off_s in (-7200, -7200, 400):
        town.arrive = lambda records, off_s=off_s: send(records, clock_off_s=off_s)
        town.minutes(10)
        town.measured("gs-00", 40)
    assert [told.split(" ", 1)[1] for told in town.told()] == [" ".join(BELOW)]
    results = town.held(*BELOW).watched.memory.results
    assert [result.skewed for result in results] == [True] * 3
