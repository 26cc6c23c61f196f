"""Which mails are made, when, to whom, and together with what: pure, by an own clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.classes import Audience, Severity
from alerts.notify.facts import Readiness
from alerts.notify.routing import Routing
from netmon.config import AlertSettings, MailSettings, Settings
from netmon.notify_settings import (
    EscalationStep,
    NotifySettings,
    RecipientSettings,
    ReminderSettings,
)
from netmon.storage.records import MailEvent, ThreadLevel

from .planning import HOUR, MINUTE, ROUTING, Outbox, case

BUILDINGS, ACCESS_POINTS = 178, 7000
WINDOW_S, MOST = 900, 10


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


def test_the_first_alarm_goes_out_at_once_to_whom_it_concerns(outbox: Outbox) -> None:
    outbox.raised(case(1))
    outbox.look()
    assert outbox.told() == [
        (0, "alarm", "cm1"),
        (0, "alarm", "noc"),
        (0, "alarm", "service"),
    ]
    outbox.until(5)
    assert len(outbox.rows) == 3


def test_what_follows_is_collected_for_a_batch(outbox: Outbox) -> None:
    outbox.raised(case(1, "no_data", 1))
    outbox.look()
    outbox.now_ms = 30_000
    outbox.raised(case(2, "no_data", 2))
    outbox.look()
    outbox.now_ms = 60_000
    outbox.raised(case(3, "no_data", 2))
    outbox.until(3)
    assert outbox.told(2) == [(2, "alarm", "cm2"), (2, "alarm", "service")]
    assert outbox.rows[-1].about == (2, 3)
    assert outbox.levels() == [
        (ThreadLevel.BUILDING, "b-1"),
        (ThreadLevel.BUILDING, "b-2"),
    ]


def test_something_graver_does_not_wait_for_the_batch(outbox: Outbox) -> None:
    outbox.raised(case(1, "ap_down", 1))
    outbox.look()
    outbox.now_ms = 15_000
    outbox.raised(case(2, "line_down", 1))
    outbox.look()
    assert [row.about for row in outbox.rows if row.recipient == "service@x"] == [
        (1,),
        (2,),
    ]


def test_followers_of_a_building_are_told_in_its_thread(outbox: Outbox) -> None:
    outbox.raised(case(1, "ap_down"))
    outbox.look()
    outbox.now_ms = MINUTE
    outbox.raised(case(2, "ap_down"))
    outbox.until(5)
    assert outbox.told(2) == [(3, "update", "cm1"), (3, "update", "service")]
    outbox.ended([1])
    outbox.until(6)
    assert len(outbox.rows) == 4  # one of the two is still out
    outbox.ended([2])
    outbox.look()
    assert {(r.event, r.about) for r in outbox.rows[4:]} == {
        (MailEvent.RECOVERY, (1, 2))
    }
    assert list(outbox.closed) == [1]


def test_a_thread_that_was_quiet_for_long_takes_no_more(outbox: Outbox) -> None:
    outbox.raised(case(1, "ap_down"))
    outbox.look()
    outbox.now_ms = 2 * HOUR
    outbox.raised(case(2, "ap_down"))
    outbox.look()
    assert [row.event for row in outbox.rows] == [MailEvent.ALARM] * 4


def test_more_than_three_buildings_of_a_campusbezirk_are_one_mail(
    outbox: Outbox,
) -> None:
    same = [1, 12, 23, 34]
    outbox.raised(*(case(n, "no_data", b) for n, b in enumerate(same, 1)))
    outbox.look()
    assert outbox.levels() == [(ThreadLevel.DISTRICT, "Campusbezirk 1")]
    assert outbox.told() == [(0, "alarm", "cm1"), (0, "alarm", "service")]


def test_three_buildings_stay_three_mails(outbox: Outbox) -> None:
    outbox.raised(*(case(n, "no_data", b) for n, b in enumerate([1, 12, 2], 1)))
    outbox.look()
    assert [level for level, _ in outbox.levels()] == [ThreadLevel.BUILDING] * 3


def test_more_than_three_districts_are_one_mail_a_cause(outbox: Outbox) -> None:
    outbox.raised(*(case(b, "line_down", b) for b in range(1, 8)))
    outbox.raised(*(case(100 + n, "ap_down", 1 + n % 7) for n in range(50)))
    outbox.raised(case(999, "line_below_target", 40))
    outbox.look()
    assert outbox.levels() == [
        (ThreadLevel.CAUSE, "line_down"),
        (ThreadLevel.CAUSE, "line_below_target"),
    ]
    # Access points of a building without line are told with the line; the managers
    # see their buildings in the digest.
    assert len(outbox.rows[0].about) == 57
    assert outbox.told() == [
        (0, "alarm", "noc"),
        (0, "alarm", "service"),
        (0, "alarm", "service"),
    ]


def test_a_storm_of_everything_is_one_mail(outbox: Outbox) -> None:
    rules = ("line_down", "no_data", "line_below_target", "device_down", "ap_down")
    for n, rule in enumerate(rules):
        for building in range(1, 12):
            outbox.raised(case(100 * n + building, rule, 11 * n + building))
    outbox.look()
    assert outbox.levels() == [(ThreadLevel.CAUSE, "")]


def test_total_loss_behind_one_segment_is_told_whatever_the_hour(
    outbox: Outbox,
) -> None:
    waiting = {"readiness": Readiness.HOURS, "segments": ("hop-7", "core")}
    outbox.now_ms = 100 * MINUTE
    outbox.raised(case(1, "no_data", 1, began_ms=91 * MINUTE, **waiting))  # type: ignore[arg-type]
    outbox.look()
    assert outbox.rows == []
    outbox.raised(case(2, "no_data", 2, began_ms=95 * MINUTE, **waiting))  # type: ignore[arg-type]
    # Lost hours ago: that has another cause.
    outbox.raised(case(3, "no_data", 3, began_ms=5 * MINUTE, **waiting))  # type: ignore[arg-type]
    outbox.look()
    assert outbox.levels() == [(ThreadLevel.CAUSE, "segment:hop-7")]
    assert outbox.told() == [(100, "alarm", "service")]
    assert outbox.rows[0].about == (1, 2)
    outbox.now_ms += 5 * MINUTE
    outbox.raised(case(4, "no_data", 4, began_ms=96 * MINUTE, **waiting))  # type: ignore[arg-type]
    outbox.until(110)
    assert outbox.told(1) == [(107, "update", "service")]
    assert list(outbox.cases) == [3]


def test_a_muted_building_is_not_lost_with_the_others(outbox: Outbox) -> None:
    outbox.raised(
        case(1, "no_data", 1, segments=("hop",), readiness=Readiness.HOURS),
        case(2, "no_data", 2, segments=("hop",), readiness=Readiness.MUTED),
    )
    outbox.look()
    assert outbox.rows == []


def test_what_is_muted_is_told_when_the_muting_ends(outbox: Outbox) -> None:
    outbox.raised(case(1, readiness=Readiness.MUTED, until_ms=20_000))
    assert outbox.look().next_ms == 20_000
    assert outbox.rows == []
    outbox.now_ms = 20_000
    outbox.raised(case(1))
    outbox.look()
    assert len(outbox.rows) == 3


def test_over_before_it_was_told_is_never_mailed(outbox: Outbox) -> None:
    outbox.raised(case(1, readiness=Readiness.HOURS))
    outbox.until(10)
    outbox.ended([1])
    outbox.until(20)
    assert outbox.rows == []


def test_nobody_to_tell_means_it_waits(outbox: Outbox) -> None:
    outbox.routing = Routing((), (), {})
    outbox.raised(case(1))
    outbox.until(60, every_s=60)
    assert list(outbox.cases) == [1]
    outbox.routing = ROUTING
    outbox.look()
    assert len(outbox.rows) == 3


@pytest.mark.parametrize("evaluations", [1, 12, 178])
def test_a_storm_of_the_whole_city_makes_few_mails(evaluations: int) -> None:
    """178 buildings and 7,000 access points, at once or one building an evaluation."""
    outbox = Outbox()
    # So many that each look is quick where there are many looks.
    each = ACCESS_POINTS // BUILDINGS if evaluations == 1 else 5
    for building in range(1, BUILDINGS + 1):
        outbox.raised(case(building * 1000, "line_down", building))
        outbox.raised(
            *(case(building * 1000 + n + 1, "ap_down", building) for n in range(each))
        )
        if building % max(1, BUILDINGS // evaluations) == 0:
            outbox.look()
            outbox.now_ms += 15_000
    outbox.until(120, every_s=60)
    storm = len(outbox.rows)
    assert storm <= MOST
    assert outbox.cases == {}
    # It ends as it came, building by building.
    for building in range(1, BUILDINGS + 1):
        outbox.ended(building * 1000 + n for n in range(each + 1))
        if building % max(1, BUILDINGS // evaluations) == 0:
            outbox.now_ms += 15_000
            outbox.look()
    outbox.until(360, every_s=60)
    recovery = [r for r in outbox.rows[storm:] if r.event is MailEvent.RECOVERY]
    assert len(recovery) <= MOST
    assert outbox.parties == {}
    told = {(r.thread, r.recipient) for r in outbox.rows[:storm]}
    assert {(r.thread, r.recipient) for r in recovery} == told


def test_a_grave_alarm_finds_room_when_lesser_ones_have_used_it_up() -> None:
    routing = Routing(("a@x", "b@x"), (NOC_ADDRESS,), {})
    outbox = Outbox(routing=routing)
    for minute, building in enumerate((1, 12, 23, 2, 13, 3, 14, 25)):
        outbox.now_ms = minute * 2 * MINUTE
        outbox.raised(case(building, "line_below_target", building))
        outbox.look()
    assert 6 <= len(outbox.rows) <= MOST - 3
    outbox.raised(case(99, "line_down", 36))
    outbox.look()
    assert [r.recipient for r in outbox.rows if r.about == (99,)] == [
        NOC_ADDRESS,
        "a@x",
        "b@x",
    ]


NOC_ADDRESS = "noc@x"


def test_more_recipients_than_a_storm_may_have_mails_still_hear_of_it() -> None:
    everybody = tuple(f"{n}@x" for n in range(15))
    outbox = Outbox(routing=Routing(everybody, (), {}))
    outbox.raised(case(1))
    outbox.look()
    assert len(outbox.rows) == 15


def reminding(*steps: EscalationStep) -> AlertSettings:
    return AlertSettings(
        reminders=ReminderSettings(after_s=3600, every_s=7200, steps=steps)
    )


def test_reminders_come_until_somebody_acknowledges() -> None:
    outbox = Outbox(settings=reminding())
    outbox.raised(case(1, "no_data"))
    outbox.look()
    outbox.until(4 * 60, every_s=60)
    assert outbox.told(2) == [
        (60, "reminder", "cm1"),
        (60, "reminder", "service"),
        (180, "reminder", "cm1"),
        (180, "reminder", "service"),
    ]
    outbox.acknowledged.add(1)
    outbox.until(24 * 60, every_s=300)
    assert len(outbox.rows) == 6
    outbox.ended([1])
    outbox.look()
    assert [event for _, event, _ in outbox.told(6)] == ["recovery"] * 2


def test_escalation_goes_up_the_chain_once_a_step() -> None:
    outbox = Outbox(
        settings=reminding(
            EscalationStep(after_s=1800, audience="noc"),
            EscalationStep(after_s=5400, audience="service"),
        )
    )
    outbox.raised(case(1, "no_data"))
    outbox.look()
    outbox.until(100, every_s=60)
    assert outbox.told(2) == [
        (30, "escalation", "noc"),
        (60, "reminder", "noc"),
        (60, "reminder", "cm1"),
        (60, "reminder", "service"),
        (90, "escalation", "service"),
    ]
    outbox.ended([1])
    outbox.look()
    # Whoever was called in hears of the end as well.
    assert {who for _, event, who in outbox.told() if event == "recovery"} == {
        "noc",
        "cm1",
        "service",
    }


def test_no_reminder_where_the_hour_is_wrong_or_it_is_minor() -> None:
    outbox = Outbox(settings=reminding())
    outbox.raised(case(1, "ap_down"), case(2, "no_data", 2))
    outbox.look()
    alarms = len(outbox.rows)
    night = {k: replace(p, ready=False) for k, p in outbox.parties.items()}
    outbox.parties = night
    outbox.until(120, every_s=60)
    assert len(outbox.rows) == alarms
    outbox.parties = {k: replace(p, ready=True) for k, p in outbox.parties.items()}
    outbox.look()
    assert {r.about for r in outbox.rows[alarms:]} == {(2,)}


def test_the_digest_tells_each_reader_what_is_theirs_and_of_its_end() -> None:
    outbox = Outbox()
    waiting = Readiness.HOURS
    outbox.raised(
        case(1, "no_data", 1, readiness=waiting),
        case(2, "ap_down", 2, readiness=waiting),
        case(3, "device_down", 3, readiness=waiting),
        case(4, "no_data", 4, readiness=Readiness.MUTED),
    )
    outbox.look()
    assert outbox.rows == []
    outbox.digest()
    assert {(r.recipient, r.about) for r in outbox.rows} == {
        ("service@x", (1, 2, 3)),
        ("noc@x", (3,)),
        ("cm1@x", (1,)),
        ("cm2@x", (2,)),
    }
    assert list(outbox.cases) == [4]
    outbox.until(60, every_s=300)
    outbox.ended([1])
    outbox.look()
    assert outbox.told(4) == [(60, "recovery", "cm1")]
    outbox.ended([2, 3])
    outbox.look()
    assert {who for _, _, who in outbox.told(5)} == {"noc", "cm2", "service"}
    assert outbox.parties == {}


def test_a_digest_is_no_storm() -> None:
    outbox = Outbox()
    outbox.raised(
        *(case(b, "no_data", b, readiness=Readiness.HOURS) for b in range(1, 12))
    )
    outbox.digest()
    outbox.raised(case(99))
    outbox.look()
    assert len([r for r in outbox.rows if r.about == (99,)]) == 3


def test_routing_by_settings() -> None:
    read = Routing.of(
        Settings(
            mail=MailSettings(recipients=("a@x", "b@x")),
            alerts=AlertSettings(
                recipients=RecipientSettings(
                    service=("b@x", "c@x"), district={"Campusbezirk 3": ("d@x",)}
                )
            ),
        )
    )
    assert read.service == ("b@x", "c@x", "a@x")
    asked = (Audience.SERVICE, Audience.DISTRICT, Audience.NOC)
    assert read.addresses(asked, ["Campusbezirk 3", "Campusbezirk 4"]) == (
        "b@x",
        "c@x",
        "a@x",
        "d@x",
    )


Rules = st.sampled_from(["line_down", "no_data", "ap_down", "below_by_contract"])
Steps = st.lists(
    st.one_of(
        st.tuples(st.just("raise"), Rules, st.integers(1, 40)),
        st.tuples(st.just("end"), st.integers(0, 60), st.integers(1, 30)),
        st.tuples(st.just("wait"), st.sampled_from([15, 60, 200, 1000, 4000])),
        st.tuples(st.just("night"), Rules, st.integers(1, 40)),
        st.tuples(st.just("digest")),
        st.tuples(st.just("acknowledge"), st.integers(1, 60)),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(steps=Steps)
def test_whatever_happens_every_alarm_has_its_end_and_no_window_too_many(
    steps: list[tuple[object, ...]],
) -> None:
    outbox, number = Outbox(settings=reminding()), 0
    for step in steps:
        kind, *rest = step
        if kind in {"raise", "night"}:
            number += 1
            rule, building = str(rest[0]), int(str(rest[1]))
            readiness = Readiness.DUE if kind == "raise" else Readiness.HOURS
            outbox.raised(case(number, rule, building, readiness=readiness))
        elif kind == "end":
            first, many = int(str(rest[0])), int(str(rest[1]))
            outbox.ended(range(first, first + many))
        elif kind == "wait":
            outbox.now_ms += 1000 * int(str(rest[0]))
        elif kind == "digest":
            outbox.digest(20261120 + outbox.now_ms)
        else:
            outbox.acknowledged.add(int(str(rest[0])))
        outbox.look()
        _holds(outbox)
    # All ends; what found no room before finds it in time.
    outbox.ended(range(number + 1))
    outbox.until(outbox.now_ms / MINUTE + 300, every_s=300)
    _holds(outbox)
    assert outbox.parties == {}
    first_mails = {(r.thread, r.recipient) for r in outbox.rows}
    ends = [(r.thread, r.recipient) for r in outbox.rows if r.event == "recovery"]
    assert Counter(ends) == Counter(first_mails)


def _holds(outbox: Outbox) -> None:
    every = [*outbox.parties.values(), *outbox.closed.values()]
    members = [m.id for party in every for m in party.members]
    assert len(members) == len(set(members)), "an incident in two threads"
    assert not set(members) & set(outbox.cases)
    mailed = {number for row in outbox.rows for number in row.about}
    assert mailed <= set(members), "mailed, but in no thread"
    times = [r.at_s for r in outbox.rows if r.event is not MailEvent.DIGEST]
    for start in times:
        assert sum(start <= at < start + WINDOW_S for at in times) <= MOST
    for row in outbox.rows:
        first = next(
            r
            for r in outbox.rows
            if (r.thread, r.recipient) == (row.thread, row.recipient)
        )
        assert first.event is not MailEvent.RECOVERY, "an end of what nobody was told"


@pytest.mark.parametrize("severity", Severity)
def test_every_severity_has_its_place(severity: Severity) -> None:
    outbox = Outbox(settings=AlertSettings(notify=NotifySettings(batch_s=1)))
    outbox.raised(replace(case(1), severity=severity))
    outbox.look()
    assert len(outbox.rows) == 3
    assert outbox.alarmed_ms == {severity: 0}


def test_that_it_came_to_flap_is_told_once_in_the_thread(outbox: Outbox) -> None:
    outbox.raised(case(1, "no_data"))
    outbox.look()
    outbox.flapping = {1}
    outbox.until(60)
    assert outbox.told(2) == [(0.25, "update", "cm1"), (0.25, "update", "service")]
    outbox.ended([1])
    outbox.until(61)
    assert [event for _, event, _ in outbox.told(4)] == ["recovery", "recovery"]


def test_what_follows_waits_no_longer_because_it_was_told_that_it_flaps(
    outbox: Outbox,
) -> None:
    outbox.raised(case(1, "no_data"))
    outbox.look()
    outbox.flapping = {1}
    outbox.until(1)
    outbox.raised(case(2, "no_data"))
    outbox.until(4)
    assert outbox.told(4) == [(3, "update", "cm1"), (3, "update", "service")]
    assert outbox.rows[-1].about == (2,)


def test_most_of_many_is_over_and_one_is_not(outbox: Outbox) -> None:
    outbox.raised(*(case(n, "ap_down") for n in range(1, 31)))
    outbox.look()
    outbox.until(10)
    outbox.ended(range(1, 30))
    outbox.until(24)
    assert len(outbox.rows) == 2, "the end may still come soon"
    outbox.until(120)
    assert outbox.told(2) == [(25, "update", "cm1"), (25, "update", "service")]
    assert outbox.rows[-1].about == (30,)
    outbox.ended([30])
    outbox.until(121)
    assert [event for _, event, _ in outbox.told(4)] == ["recovery", "recovery"]


def test_a_known_contract_keeps_no_end_of_a_fault_waiting(outbox: Outbox) -> None:
    """It lasts for years, so it shares no thread with a fault of its building."""
    outbox.raised(case(1, "below_by_contract"), case(2, "no_data"))
    outbox.look()
    outbox.raised(case(3, "ap_down"))
    outbox.until(70)
    outbox.ended([2, 3])
    outbox.until(100)
    assert {row.about for row in outbox.rows if row.event is MailEvent.ALARM} == {
        (1,),
        (2,),
    }
    ends = [row for row in outbox.rows if row.event is MailEvent.RECOVERY]
    assert {row.recipient for row in ends} == {"service@x", "cm1@x"}
    assert {row.about for row in ends} == {(2, 3)}
    outbox.until(24 * 60)
    # Nobody is reminded of a contract, nor of what is over.
    assert not any(row.event is MailEvent.REMINDER for row in outbox.rows)


def test_of_a_digest_the_end_of_the_faults_is_told_though_a_contract_goes_on(
    outbox: Outbox,
) -> None:
    waits = Readiness.HOURS
    outbox.raised(
        case(1, "below_by_contract", readiness=waits),
        case(2, "no_data", readiness=waits),
    )
    outbox.digest(20261120)
    outbox.ended([2])
    outbox.until(outbox.now_ms // MINUTE + 5)
    ends = [
        (r.recipient, r.about) for r in outbox.rows if r.event is MailEvent.RECOVERY
    ]
    assert sorted(ends) == [("cm1@x", (2,)), ("service@x", (2,))]
