"""Access points that are only counted are counted as if each had been looked at."""

from __future__ import annotations

from collections import Counter
from itertools import product

from dashboards.ap_shaping import ap_group, ap_verdict
from dashboards.facts import Facts, Moment
from dashboards.views import Verdict
from netmon.model import AccessPoint
from netmon.storage.records import AlarmState, SeenAccessPoint, StateWord

MOMENT = Moment(now_ms=10_000_000, no_data_after_s=600.0)
STATES = (None, *AlarmState)
HOLDS = ("", "never_seen", "line:gs-07-main")
AGES_MS = (None, 0, 600_000, 600_001)


def seen(ap: str, age_ms: int) -> SeenAccessPoint:
    return SeenAccessPoint(
        building_id="gs-07",
        ap=ap,
        device="wlc-1",
        name=ap,
        model="",
        serial="",
        firmware="",
        up=True,
        clients_count=1,
        first_seen_ms=0,
        last_seen_ms=MOMENT.now_ms - age_ms,
        generated=False,
    )


def test_every_mixture_of_state_hold_age_and_quality_is_counted_as_judged():
    planned, reported, words, poor = [], [], {}, set()
    expected: Counter[Verdict] = Counter()
    cases = product(STATES, HOLDS, AGES_MS, (False, True), (False, True))
    for number, (state, hold, age_ms, is_poor, is_planned) in enumerate(cases):
        if not is_planned and age_ms is None:
            continue
        ap = f"ap-{number}" if is_planned else f"wlc-1/ap-{number}"
        if is_planned:
            planned.append(
                AccessPoint(id=ap, building_id="gs-07", name=ap, controller_id="wlc-1")
            )
        told = None if age_ms is None else seen(ap, age_ms)
        if told is not None:
            reported.append(told)
        word = None if state is None else StateWord(state, hold)
        if word is not None:
            words[f"ap:{ap}"] = word
        if is_poor:
            poor.add(f"ap:{ap}")
        expected[ap_verdict(word, told, MOMENT, is_poor=is_poor)] += 1
    facts = Facts(
        states={},
        by_line={},
        seen={"gs-07": reported},
        open_incidents={},
        ap_words=words,
        ap_poor=frozenset(poor),
    )
    group = ap_group(planned, facts, "gs-07", MOMENT)
    assert group.counts == expected
    assert set(expected) >= {Verdict.OK, Verdict.DEGRADED, Verdict.STALE}
    assert group.total == expected.total()
