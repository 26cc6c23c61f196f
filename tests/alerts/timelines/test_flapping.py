"""What comes and goes: one incident, one mail, and its end once it is calm."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from netmon.storage.records import AlarmState

BELOW = ("line_below_target", "line:gs-00-main")
BREAKS = ("line_flapping", "line:gs-00-main")
SILENCE = ("no_data", "line:gs-00-main")
# Ten minutes later lessons begin.
BEFORE_8 = datetime(2026, 11, 20, 6, 50, tzinfo=UTC)


def test_a_line_that_comes_and_goes_is_one_incident_that_flaps(found):
    town = found(1)
    for _ in range(8):
        for mbits in (40, 40, 40, 240, 240):
            town.minutes(5)
            town.measured("gs-00", mbits)
    flapping = town.held(*BELOW)
    assert flapping.flapping
    assert [i.rule for i in town.store.alarms.flapping()] == [BELOW[0]]
    # Twice there and back, then the third one stays open.
    assert [told.partition(" ")[0] for told in town.told()] == [
        "07:25-07:35",
        "07:50-08:00",
        "08:15-",
    ]
    for _ in range(20):
        town.minutes(5)
        town.measured("gs-00", 240)
    calm = town.held(*BELOW)
    assert not calm.flapping
    assert town.store.alarms.flapping() == []
    assert calm.watched.state is AlarmState.OK
    assert len(town.told()) == 3
    assert not any("- line_below" in told for told in town.told())
    # Lessons begin at 8. That it flaps is told once, and once that it is over.
    mails = [mail.split() for mail in town.mails()]
    events = ["alarm", "recovery", "alarm", "update", "recovery"]
    assert [event for _, event, *_ in mails] == events
    assert {who for _, _, who, *_ in mails} == {"cm3+service:"}
    assert [at for at, event, *_ in mails if event == "alarm"] == ["08:00", "08:15"]
    assert mails[-1][0] == "11:10"


def test_a_line_that_breaks_off_every_four_minutes_is_told_once(found):
    """Never silent for long, never slow for long: only the breaks themselves tell."""
    town = found(1, points=2, start=BEFORE_8)
    for _ in range(12):
        town.broken ^= {"line gs-00"}
        town.minutes(4)
    assert town.told() == ["08:29- line_flapping line:gs-00-main"]
    assert town.mails() == ["08:29 alarm cm3+service: line_flapping gs-00"]
    town.at("09:45")
    # An hour after the last break began.
    assert town.told() == ["08:29-09:41 line_flapping line:gs-00-main"]
    assert town.mails()[1:] == ["09:41 recovery cm3+service: line_flapping gs-00"]
    assert town.held(*BREAKS).watched.state is AlarmState.OK


@pytest.mark.parametrize(
    ("broken", "buildings"),
    [("server", 1), ("gateway", 1), ("probe gs-00", 1)],
)
def test_what_is_not_the_line_makes_no_line_flap(found, broken, buildings):
    """The other end, netmon's own, and a probe that is switched on and off."""
    town = found(buildings)
    for _ in range(10):
        town.broken ^= {broken}
        town.minutes(4)
    assert town.told() == []
    assert town.mails() == []


def test_a_line_that_flaps_explains_what_is_polled_over_it(found):
    """Three polls in a row hit a break, and in between the probe was heard."""
    town = found(1, points=1)
    for _ in range(9):
        town.broken ^= {"line gs-00"}
        town.minutes(4)
    assert town.told() == ["07:39- line_flapping line:gs-00-main"]
    town.broken = {"rt-gs-00", "gs-00-ap-0"}
    town.minutes(30)
    assert len(town.told()) == 1
    assert town.held("device_down", "device:rt-gs-00").held_by == BREAKS
    # Once the line is steady what is still gone counts from then on.
    town.minutes(60)
    assert town.told()[1:] == ["08:55- device_down device:rt-gs-00"]


def test_netmons_own_uplink_that_flaps_is_one_incident_about_itself(found):
    town = found(6)
    for _ in range(12):
        town.broken ^= {"uplink"}
        town.minutes(4)
    town.minutes(20)
    assert town.told() == ["07:39-08:06 monitor netmon:self"]
    assert town.mails() == [
        "07:40 alarm noc+service: monitor",
        "08:06 recovery noc+service: monitor",
    ]
    text = town.store.outbox.mails()[-1].text
    assert "Immer wieder unterbrochen: 6 von 6 Anbindungen" in text


def test_three_breaks_in_an_hour_are_no_alarm(found):
    town = found(1)
    for _ in range(6):
        town.broken ^= {"line gs-00"}
        town.minutes(9)
    assert town.told() == []


def test_a_line_that_is_slow_every_other_time_is_told_once(found):
    town = found(1, start=BEFORE_8)
    for _ in range(10):
        for mbits in (40, 240):
            town.minutes(4)
            town.measured("gs-00", mbits)
    assert town.told() == ["08:44- line_below_target line:gs-00-main"]
    assert town.held(*BELOW).flapping
    for _ in range(5):
        town.minutes(15)
        town.measured("gs-00", 240)
    # Over once no more than a quarter of twelve are bad.
    assert town.told() == ["08:44-10:35 line_below_target line:gs-00-main"]
    assert town.mails() == [
        "08:44 alarm cm3+service: line_below_target gs-00",
        "10:35 recovery cm3+service: line_below_target gs-00",
    ]
    assert not town.held(*BELOW).flapping


def test_a_line_that_was_slow_all_the_time_needs_no_calm_to_end(found):
    town = found(1)
    for mbits in (40, 240) * 6 + (40,) * 5 + (240,) * 2:
        town.minutes(5)
        town.measured("gs-00", mbits)
    (told,) = town.told()
    assert "- " not in told


def test_a_probe_that_is_seen_every_other_interval_is_told_until_it_is_calm(found):
    town = found(1)
    alerts = replace(town.settings.alerts, no_data_after_s=1200.0)
    town.use(replace(town.settings, alerts=alerts))
    town.at("08:00")
    for _ in range(6):
        town.broken ^= {"probe gs-00"}
        town.minutes(25)
    flapping = town.held(*SILENCE)
    assert flapping.flapping
    # Heard, but not to be trusted yet; nobody says it is not measured.
    assert flapping.watched.state is AlarmState.SUSPECT
    town.at("11:20")
    # Half the time that silence must last, ten minutes here, counts as a result.
    assert [told.partition(" ")[0] for told in town.told()] == [
        "08:20-08:26",
        "09:10-09:16",
        "10:00-11:16",
    ]
    assert [mail.partition(" cm3")[0] for mail in town.mails()] == [
        "08:21 alarm",
        "08:26 recovery",
        "09:11 alarm",
        "09:16 recovery",
        "10:01 alarm",
        "10:06 update",
        "11:16 recovery",
    ]
    assert town.held(*SILENCE).watched.state is AlarmState.OK
