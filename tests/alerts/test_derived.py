"""Derived rules on their own: what they conclude from who was heard when."""

from __future__ import annotations

import pytest

from alerts.board import Speaker, witnesses
from alerts.derived import View, below_by_contract, line_down, monitor
from alerts.held import Held
from alerts.rule_settings import EffectiveRules
from alerts.watched import Memory, Watched
from netmon.config import AlertSettings
from netmon.model import AccessPoint, Device, DeviceKind
from netmon.storage.records import AlarmState as S

NOW_MS = 10**12
MINUTE_MS = 60_000
LINE = "line:gs-07-main"


def view(city, store, **known) -> View:
    settings = known.pop("settings", AlertSettings())
    found = {"held": {}, "life": {}, "speakers": {}, "now_ms": NOW_MS, **known}
    # A collector is heard, unless the test says otherwise.
    found.setdefault("heard_ms", NOW_MS)
    return View(
        store=store,
        inventory=city,
        settings=settings,
        rules=EffectiveRules(settings, city),
        witnesses=witnesses(city),
        **found,
    )


def speakers(*silent_minutes: float, gap_ms: int | None = MINUTE_MS):
    return {
        f"b-{n}": Speaker(round(NOW_MS - minutes * MINUTE_MS), gap_ms)
        for n, minutes in enumerate(silent_minutes)
    }


@pytest.mark.parametrize(
    ("silent", "speaking", "blind"),
    [
        (5, 0, True),
        (4, 0, False),
        (5, 10, True),  # a third
        (5, 12, False),  # 5 of 17
        (6, 14, False),  # 30 %, not more
        (7, 13, True),
    ],
)
def test_blind_when_too_many_fell_silent_at_once(city, store, silent, speaking, blind):
    heard = speakers(*[6] * silent, *[0.5] * speaking)
    found = list(monitor.results(view(city, store, speakers=heard), None))
    values = [finding.seen.value for finding in found if finding.seen]
    assert values == ([0.0] if blind else [])
    if blind:
        assert (found[0].silent_count, found[0].speaking_count) == (
            silent,
            silent + speaking,
        )


@pytest.mark.parametrize(
    ("silent", "collector_minutes", "blind"),
    [(4, 6, True), (2, 6, True), (1, 6, False), (4, 4, False)],
)
def test_few_buildings_are_blindness_only_if_nobody_at_all_is_heard(
    city, store, silent, collector_minutes, blind
):
    heard_ms = NOW_MS - collector_minutes * MINUTE_MS
    seen = view(city, store, speakers=speakers(*[6] * silent), heard_ms=heard_ms)
    found = list(monitor.results(seen, None))
    values = [finding.seen.value for finding in found if finding.seen]
    assert values == ([0.0] if blind else [])


def test_who_was_silent_before_or_speaks_seldom_does_not_count(city, store):
    long_ago = speakers(*[30] * 20)
    assert list(monitor.results(view(city, store, speakers=long_ago), None)) == []
    for gap_ms in (None, 3_600_000):
        hourly = speakers(*[6] * 20, gap_ms=gap_ms)
        assert list(monitor.results(view(city, store, speakers=hourly), None)) == []


def test_it_asks_again_when_enough_could_be_silent(city, store):
    heard = speakers(4, 3, 2, 1, 0.5, 0.2)
    (found,) = monitor.results(view(city, store, speakers=heard), None)
    # The fifth to fall silent decides.
    assert found.wake_ms == NOW_MS - MINUTE_MS // 2 + 5 * MINUTE_MS


@pytest.mark.parametrize(
    ("back", "sees"), [(0, False), (6, False), (7, True), (10, True)]
)
def test_it_sees_again_when_enough_are_back(city, store, back, sees):
    memory = Memory(bad_since_ms=NOW_MS - 60 * MINUTE_MS, newest_ms=1)
    held = Held("", Watched(S.BAD, 1, incident_open=True, memory=memory), 1)
    heard = speakers(*[60] * (10 - back), *[0.1] * back)
    known = {("monitor", "netmon:self"): held}
    found = list(monitor.results(view(city, store, speakers=heard, held=known), None))
    assert [finding.seen.value for finding in found if finding.seen] == [1.0] * sees


def state(state: S) -> Held:
    return Held("gs-07", Watched(state, 1), None)


NO_DATA = {("no_data", LINE): state(S.OK)}
CONTROLLER = ("device_down", "device:wlc-07")


def far_points(city, count: int):
    """The city with access points whose controller stands elsewhere."""
    central = Device(
        id="central",
        building_id=None,
        kind=DeviceKind.CONTROLLER,
        name="central",
        address="192.0.2.9:161",
    )
    points = tuple(
        AccessPoint(
            id=f"far-{n}", building_id="gs-07", name=f"{n}", controller_id="central"
        )
        for n in range(count)
    )
    return type(city)(
        buildings=city.buildings,
        lines=city.lines,
        devices=(*city.devices, central),
        access_points=(*city.access_points, *points),
    )


@pytest.mark.parametrize(
    ("minutes", "states", "points", "down"),
    [
        (11, {CONTROLLER: S.SUSPECT}, [], True),
        (11, {CONTROLLER: S.BAD}, [], True),
        (9, {CONTROLLER: S.BAD}, [], False),
        (11, {CONTROLLER: S.OK}, [], False),
        # Nobody is asked, or lately: the silence of a probe proves nothing.
        (11, {}, [], False),
        (11, {CONTROLLER: S.STALE}, [], False),
        (11, {}, [S.BAD] * 3, True),
        (11, {}, [S.BAD] * 2, False),
        (11, {}, [S.BAD, S.BAD, S.BAD, S.OK], False),
        (11, {}, [S.BAD, S.BAD, S.BAD, S.STALE], True),
        (11, {CONTROLLER: S.BAD}, [S.SUSPECT], True),
        (11, {CONTROLLER: S.BAD}, [S.OK], False),
    ],
)
def test_a_line_is_down_when_nothing_answers(
    city, store, minutes, states, points, down
):
    far = far_points(city, len(points))
    held = {**NO_DATA, **{key: state(each) for key, each in states.items()}}
    held |= {("ap_down", f"ap:far-{n}"): state(s) for n, s in enumerate(points)}
    life = {"gs-07": NOW_MS - minutes * MINUTE_MS}
    found = list(line_down.results(view(far, store, held=held, life=life), ["gs-07"]))
    seen = [finding.seen for finding in found if finding.seen]
    assert [each.value for each in seen] == [0.0] * down
    if down:
        assert seen[0].ts_ms == life["gs-07"]


def test_silence_while_netmon_was_blind_is_nobodys(city, store):
    held = {**NO_DATA, CONTROLLER: state(S.BAD)}
    life = {"gs-07": NOW_MS - 3 * 60 * MINUTE_MS}
    since_ms = NOW_MS - 5 * MINUTE_MS
    seeing = view(city, store, held=held, life=life, seeing_since_ms=since_ms)
    (found,) = line_down.results(seeing, None)
    assert (found.seen, found.wake_ms) == (None, since_ms + 10 * MINUTE_MS)


def test_without_a_probe_no_line_is_down(city, store):
    held = {CONTROLLER: state(S.BAD)}
    life = {"gs-07": 1}
    assert list(line_down.results(view(city, store, held=held, life=life), None)) == []


def test_contracts_are_read_from_the_inventory(city, store):
    (found,) = below_by_contract.results(view(city, store), None)
    assert (found.target, found.building_id) == (LINE, "gs-07")
    assert found.seen is not None
    assert found.seen.value == 1.0
