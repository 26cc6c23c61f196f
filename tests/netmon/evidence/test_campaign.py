"""From the order to the end: what is refused, recorded, due, and who may be first."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from netmon.clock import berlin_day
from netmon.evidence import chain
from netmon.evidence.campaign import (
    READER,
    RefusedError,
    abort,
    evaluation_of,
    record_new,
    running_task,
)
from netmon.evidence.criteria import Criterion, Verdict
from netmon.evidence.ordering import CampaignOrder, start
from netmon.evidence.plan import MINUTE_MS, free_hours
from netmon.evidence.readings import Gap, evaluate
from netmon.evidence.records import End, Order, read_records
from netmon.ingest import new_token, token_hash
from netmon.lease_wire import Direction
from netmon.model import FailureReason, Inventory
from netmon.school_calendar import SchoolCalendar
from netmon.storage.campaign_records import CampaignState
from netmon.storage.records import SourceKind
from netmon.units import GBIT, MBIT


def _verdicts(school, campaign_id):
    found = evaluation_of(school.store.campaigns.entries(campaign_id))
    return {(x.direction.value, x.criterion.value): x.verdict for x in found.findings}


def test_thirty_good_measurements_complete_a_campaign(school):
    campaign = school.begin(note="Probe")
    school.measure(campaign)
    assert school.record(campaign) == 60
    stored = school.store.campaigns.get(campaign.id)
    assert stored.state is CampaignState.COMPLETE
    entries = school.store.campaigns.entries(campaign.id)
    assert chain.first_break(entries) is None
    records = read_records(entries)
    assert isinstance(records[0], Order)
    assert isinstance(records[-1], End)
    assert len(records) == 62
    found = evaluation_of(entries)
    assert (found.complete, found.faults, found.outside) == (True, (), 0)
    assert len(found.days) == 3
    assert all(b - a >= timedelta(days=2) for a, b in pairwise(found.days))
    assert set(_verdicts(school, campaign.id).values()) == {
        Verdict.HOLDS,
        Verdict.NOT_AGREED,
    }
    # What comes after the end is not taken.
    school.measure(campaign, [3])
    assert school.record(campaign) == 0


def test_a_line_that_is_too_slow_breaches_what_it_breaches(school):
    school.down = lambda n: (50.0 if n % 10 == 4 else 80.0) * MBIT
    school.up = lambda _: 33.0 * MBIT
    campaign = school.begin()
    school.measure(campaign)
    school.record(campaign)
    assert _verdicts(school, campaign.id) == {
        ("down", "maximum"): Verdict.BREACHED,
        ("down", "normal"): Verdict.BREACHED,
        ("down", "minimum"): Verdict.BREACHED,
        ("up", "maximum"): Verdict.BREACHED,
        # The upper end of the interval reaches it: the doubt is the provider's.
        ("up", "normal"): Verdict.HOLDS,
        ("up", "minimum"): Verdict.NOT_AGREED,
    }


def test_failures_are_links_too_and_leave_no_verdict(school):
    school.down = lambda n: FailureReason.TIMEOUT if n == 7 else 93.0 * MBIT
    campaign = school.begin()
    school.measure(campaign)
    assert school.record(campaign) == 60
    found = evaluation_of(school.store.campaigns.entries(campaign.id))
    assert found.state is CampaignState.RUNNING
    assert not found.complete
    assert found.measurements[7].down.why is FailureReason.TIMEOUT
    assert {one.verdict for one in found.findings} <= {
        Verdict.NOT_ENOUGH,
        Verdict.NOT_AGREED,
    }
    # A result may still be on its way from a probe without a line; then it is over.
    assert record_new(school.store, campaign.deadline_ms) == 0
    assert school.store.campaigns.running() == [campaign]
    record_new(school.store, campaign.deadline_ms + 1)
    assert school.store.campaigns.get(campaign.id).state is CampaignState.EXPIRED
    records = read_records(school.store.campaigns.entries(campaign.id))
    assert records[-1] == End(
        at_ms=campaign.deadline_ms + 1, state=CampaignState.EXPIRED
    )


def test_the_last_results_count_even_when_they_come_with_the_deadline(school):
    campaign = school.begin()
    school.measure(campaign)
    record_new(school.store, campaign.deadline_ms + 1)
    assert school.store.campaigns.get(campaign.id).state is CampaignState.COMPLETE


def test_what_failed_can_be_made_good_within_its_window(school):
    campaign = school.begin()
    first = campaign.moments_ms[0]
    school.send("down", first + 5_000, FailureReason.BUSY, campaign=campaign.id)
    school.send("up", first + 9_000, 38.0 * MBIT, campaign=campaign.id)
    record_new(school.store, first + 10_000)
    task = running_task(school.store, school.line_id, first + 10_000)
    again = first + 5 * MINUTE_MS
    assert task.moments_ms == (again, *campaign.moments_ms[1:])
    school.send("down", again + 5_000, 93.0 * MBIT, campaign=campaign.id)
    record_new(school.store, again + 10_000)
    task = running_task(school.store, school.line_id, again + 10_000)
    assert task.moments_ms == campaign.moments_ms[1:]
    found = evaluation_of(school.store.campaigns.entries(campaign.id))
    assert found.measurements[0].valid
    assert found.measurements[0].tries == 2
    # Nothing is due once it is too late, or where nothing runs.
    late = campaign.moments_ms[-1] + 15 * MINUTE_MS
    assert running_task(school.store, school.line_id, late).moments_ms == ()
    assert running_task(school.store, "gs-32-l1", late) is None


@pytest.mark.parametrize(
    ("values", "tags", "why"),
    [
        ({"at_least_down_bps": 80.0 * MBIT}, {}, Gap.LOWER_BOUND),
        # It reaches 90 % of the maximum, the highest rate that is asked for.
        ({"at_least_down_bps": 90.0 * MBIT}, {}, None),
        ({"demand_down_bps": 2.0 * MBIT}, {}, Gap.NO_RATE),
        ({"rate_down_low_bps": 5e7, "rate_down_high_bps": 8e7}, {}, None),
        ({"rate_down_bps": 9e7}, {"line": "gs-31-l2"}, Gap.OTHER_LINE),
    ],
)
def test_what_a_result_is_worth(school, values, tags, why):
    campaign = school.begin()
    at_ms = campaign.moments_ms[0]
    school.send("down", at_ms, 1.0, campaign=campaign.id, values=values, tags=tags)
    record_new(school.store, at_ms)
    found = evaluation_of(school.store.campaigns.entries(campaign.id))
    assert found.measurements[0].down.why == why


def test_results_outside_the_plan_are_kept_and_do_not_count(school):
    campaign = school.begin()
    early = campaign.moments_ms[0] - 2 * MINUTE_MS
    school.send("down", early, 93.0 * MBIT, campaign=campaign.id)
    record_new(school.store, early)
    found = evaluation_of(school.store.campaigns.entries(campaign.id))
    assert (found.results, found.outside) == (1, 1)
    assert found.measurements[0].down is None


def test_other_results_and_other_buildings_are_no_part_of_it(school, caplog):
    campaign = school.begin()
    at_ms = campaign.moments_ms[0]
    school.send("down", at_ms, 93.0 * MBIT)
    school.send("down", at_ms, 93.0 * MBIT, campaign="ev-unknown")
    record_new(school.store, at_ms)
    assert len(school.store.campaigns.entries(campaign.id)) == 1
    # A collector may speak for any building; a campaign listens to its own only.
    stranger = school.store.sources.create(
        "c1", SourceKind.COLLECTOR, None, token_hash(new_token())
    )
    school.send(
        "down", at_ms, 1e6, campaign=campaign.id, source=stranger, building="gs-99"
    )
    record_new(school.store, at_ms)
    assert len(school.store.campaigns.entries(campaign.id)) == 1
    assert "another building" in caplog.text


def test_recording_goes_on_where_it_was_and_takes_nothing_twice(school):
    campaign = school.begin()
    for number in range(30):
        school.measure(campaign, [number])
        assert record_new(school.store, campaign.moments_ms[number] + 60_000) == 2
        assert record_new(school.store, campaign.moments_ms[number] + 60_000) == 0
    records = read_records(school.store.campaigns.entries(campaign.id))
    numbers = [(one.source, one.seq) for one in records[1:-1]]
    assert len(set(numbers)) == len(numbers) == 60
    assert evaluate(records).complete


def test_without_a_campaign_the_cursor_follows_the_log(school):
    school.send("down", school.now_ms, 93.0 * MBIT)
    assert record_new(school.store, school.now_ms) == 0
    newest = school.store.measurements.last_position()
    assert school.store.cursors.get(READER).position == newest > 0


def test_whoever_is_overtaken_reads_again(school, monkeypatch):
    campaign = school.begin()
    at_ms = campaign.moments_ms[0]
    school.send("down", at_ms, 93.0 * MBIT, campaign=campaign.id)
    chunks_after = school.store.measurements.chunks_after
    calls: list[int] = []

    def and_somebody_was_faster(position, max_records, *, kind=None):
        found = chunks_after(position, max_records, kind=kind)
        calls.append(position)
        if len(calls) == 1:
            record_new(school.store, at_ms)
        return found

    monkeypatch.setattr(
        school.store.measurements, "chunks_after", and_somebody_was_faster
    )
    assert record_new(school.store, at_ms) == 0
    assert len(calls) > 2
    records = read_records(school.store.campaigns.entries(campaign.id))
    assert len(records) == 2


def test_an_aborted_campaign_keeps_what_it_has_and_frees_the_line(school):
    campaign = school.begin()
    school.measure(campaign, [0])
    abort(school.store, school.line_id, campaign.moments_ms[1])
    entries = school.store.campaigns.entries(campaign.id)
    assert len(entries) == 4
    assert chain.first_break(entries) is None
    found = evaluation_of(entries)
    assert found.state is CampaignState.ABORTED
    assert len(found.valid) == 1
    assert running_task(school.store, school.line_id, school.now_ms) is None
    with pytest.raises(RefusedError) as refused:
        abort(school.store, school.line_id, school.now_ms)
    assert refused.value.code == "none_running"
    assert school.begin(campaign.moments_ms[1]).id != campaign.id


def _unknown(school):
    school.adopt(Inventory(buildings=school.inventory.buildings))


def _without_probe(school):
    school.adopt(
        Inventory(buildings=school.inventory.buildings, lines=school.inventory.lines)
    )


def _slow_port(school):
    values = {"rate_down_bps": 9e7, "port_speed_bps": 1e8}
    school.line(normal_down_bps=95 * MBIT)
    school.send("down", school.now_ms - 60_000, 9e7, values=values)


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (_unknown, "unknown_line"),
        (_without_probe, "no_probe"),
        (_slow_port, "slow_port"),
        (lambda school: school.begin(), "running"),
    ],
)
def test_an_order_that_cannot_be_kept_is_refused(school, prepare, code):
    prepare(school)
    with pytest.raises(RefusedError) as refused:
        school.begin()
    assert refused.value.code == code


def test_a_line_never_measured_is_refused(school):
    wish = CampaignOrder(line_id=school.line_id, from_ms=school.now_ms)
    allowed = free_hours(SchoolCalendar())
    school.send("down", school.now_ms - 60_000, FailureReason.REFUSED)
    with pytest.raises(RefusedError) as refused:
        start(
            school.store, school.inventory, wish, now_ms=school.now_ms, allowed=allowed
        )
    assert refused.value.code == "not_measured"
    with pytest.raises(RefusedError) as refused:
        start(
            school.store,
            school.inventory,
            wish,
            now_ms=school.now_ms + 1,
            allowed=allowed,
        )
    assert refused.value.code == "past"
    school.send("down", school.now_ms - 60_000, 9e7)
    with pytest.raises(RefusedError) as refused:
        start(
            school.store,
            school.inventory,
            wish,
            now_ms=school.now_ms,
            allowed=lambda _: [],
        )
    assert refused.value.code == "no_plan"


def test_a_port_as_fast_as_the_contract_may_do_for_90_percent(school):
    values = {"rate_down_bps": 9e8, "port_speed_bps": 1e9}
    school.line(contracted_down_bps=GBIT, contracted_up_bps=GBIT, normal_down_bps=None)
    school.send("down", school.now_ms - 60_000, 9e8, values=values)
    assert school.begin().down.maximum_bps == GBIT


def test_of_a_port_that_was_changed_the_newest_speed_counts(school):
    for age_s, speed_bps in ((600, 1e8), (300, 1e9)):
        values = {"rate_down_bps": 9e7, "port_speed_bps": speed_bps}
        tags = {"method": f"tcp-{age_s}/1"}
        at_ms = school.now_ms - age_s * 1000
        school.send("up", at_ms, 9e7, values=values, tags=tags)
    school.line(normal_down_bps=95 * MBIT)
    assert school.begin().down.normal_bps == 95 * MBIT


def test_a_spoilt_chain_keeps_nobody_waiting(school, caplog):
    campaign = school.begin()
    with school.store._database.transaction() as connection:
        connection.execute("UPDATE campaign_entries SET record = '{}'")
    school.measure(campaign, [0])
    assert school.record(campaign) == 2
    assert running_task(school.store, school.line_id, school.now_ms) is None
    assert "cannot be read" in caplog.text
    entries = school.store.campaigns.entries(campaign.id)
    assert chain.first_break(entries) == chain.Break(0, "sha256")


def test_the_contract_of_the_first_day_counts(school):
    campaign = school.begin()
    school.line(contracted_down_bps=50 * MBIT, normal_down_bps=None)
    school.measure(campaign)
    school.record(campaign)
    found = evaluation_of(school.store.campaigns.entries(campaign.id))
    down = [x for x in found.findings if x.direction is Direction.DOWN]
    assert down[0].criterion is Criterion.MAXIMUM
    assert down[0].agreed_bps == 100 * MBIT
    assert berlin_day(found.order.moments_ms[0]) >= berlin_day(school.now_ms)
