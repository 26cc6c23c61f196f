"""Whatever is measured, breaks and restarts: what must always hold of incidents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.dependency import parents_of
from netmon.clock import ManualClock, to_ms
from netmon.storage.records import Incident, MailEvent
from netmon.storage.sqlite import SqliteStore

STORM_WINDOW_MS = 900_000
# Enough for netmon to know when it is blind itself.
BUILDINGS = 6
PLACES = [
    "gateway",
    "uplink",
    "wlc",
    *(f"power gs-{n:02}" for n in range(BUILDINGS)),
    "line gs-00",
    "probe gs-00",
    "rt-gs-00",
    "sw-gs-00",
    "gs-00-ap-0",
    "gs-01-ap-1",
]
breaks = st.tuples(st.just("toggle"), st.sampled_from(PLACES))
passes = st.tuples(st.just("minutes"), st.integers(1, 40))
tests = st.tuples(st.just("test"), st.sampled_from([40, 103, 240]))
late = st.tuples(st.just("late"), st.integers(18, 60) | st.integers(18, 5000))
days = st.lists(st.one_of(breaks, passes, passes, tests, late), min_size=3, max_size=14)


@pytest.fixture(scope="session")
def new_town(
    make_town: Callable[..., object], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., object]:
    numbers = count()

    def make(*, restarting: bool) -> object:
        folder = tmp_path_factory.mktemp(f"town{next(numbers)}")
        clock = ManualClock(datetime(2026, 11, 20, 6, 0, tzinfo=UTC))
        store = SqliteStore(folder / "state.sqlite3")
        return make_town(store, clock, BUILDINGS, 2, restarting=restarting)

    return make


def play(town, actions, *, with_late: bool, watched: bool) -> None:
    for action, what in actions:
        town.unwatched = not watched
        if action == "toggle":
            town.broken ^= {what}
        elif action == "minutes":
            town.minutes(what)
        elif action == "test":
            town.measured("gs-00", what)
        elif with_late:
            at = town.clock.now() - timedelta(minutes=what)
            town.arrive(town.everything_bad(at))
        town.unwatched = False
        town.evaluate()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(actions=days)
def test_history_hangs_on_what_happened_in_time_alone(new_town, actions):
    """Neither late data nor restarts nor a sleeping engine change any incident."""
    one, other = new_town(restarting=False), new_town(restarting=True)
    play(one, actions, with_late=True, watched=True)
    play(other, actions, with_late=False, watched=False)
    assert one.told() == other.told()
    for town in (one, other):
        incidents = town.store.alarms.incidents()[::-1]
        assert_children_wait(town, incidents)
        assert_states_agree(town, incidents)
        assert_answered(town, incidents)
        town.store.close()


def assert_children_wait(town, incidents: list[Incident]) -> None:
    """Nothing is raised while what it depends on is down."""
    for child in incidents:
        key = (child.rule, child.target)
        parents = parents_of(key, child.building_id, town.inventory)
        for parent in incidents:
            if (parent.rule, parent.target) in parents and parent.id < child.id:
                assert parent.ended_ms is not None
                assert parent.ended_ms <= child.started_ms


def assert_states_agree(town, incidents: list[Incident]) -> None:
    """Every incident is over, or the one that its state says is open."""
    rows = town.store.alarms.states()
    open_now = {r.incident_id: (r.rule, r.target) for r in rows if r.incident_id}
    still = {i.id: (i.rule, i.target) for i in incidents if i.ended_ms is None}
    assert open_now == still
    assert len(set(still.values())) == len(still)
    for incident in incidents:
        assert incident.ended_ms is None or incident.ended_ms >= incident.started_ms


def assert_answered(town, incidents: list[Incident]) -> None:
    """Whoever was told is told once that it is over, in the same thread, or it is not.

    Of what ended a moment ago a storm may hold the mail back.
    """
    ended = {i.id: i.ended_ms for i in incidents}
    still = {thread.id: set() for thread in town.store.threads.open()}
    for member in town.store.threads.members():
        still[member.thread_id].add(ended[member.incident_id])
    told, over = defaultdict(set), defaultdict(list)
    first: dict[tuple[int, str], str] = {}
    for mail in sorted(town.store.outbox.mails(limit=10**6), key=lambda m: m.id):
        if mail.thread_id is None:
            continue
        if mail.event is MailEvent.RECOVERY:
            over[mail.thread_id].append(mail.recipient)
            assert mail.in_reply_to == first[mail.thread_id, mail.recipient]
        else:
            told[mail.thread_id].add(mail.recipient)
            first.setdefault((mail.thread_id, mail.recipient), mail.message_id)
    lately_ms = to_ms(town.clock.now()) - STORM_WINDOW_MS
    for thread, recipients in told.items():
        assert len(over[thread]) == len(set(over[thread]))
        if thread not in still:
            assert recipients == set(over[thread])
        else:
            assert any(ms is None or ms >= lately_ms for ms in still[thread])
