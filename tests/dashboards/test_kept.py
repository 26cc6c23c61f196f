"""What is kept of the last city is what would be made anew, whatever happens and when."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from dashboards.city_queries import city_at
from dashboards.kept import Kept
from netmon.model import FailureReason
from netmon.storage.records import AlarmState

LINES = ("b-ost", "b-oest", "b-z10", "b-z9")
POINTS = ("ost-1", "ost-2", "ost-3", "wlc-1/fremd")
# Ages at which something turns (3 h without data, a day proven, the kinds' own), and
# steps that fall on them to the millisecond.
STEPS_S = (0.0, 0.001, 1.0, 59.999, 300.0, 900.001, 1800.0, 3600.0, 10_800.0, 86_400.0)


def happen(city, chance: random.Random) -> None:
    """Let one thing happen somewhere in the city."""
    where, point = chance.choice(LINES), chance.choice(POINTS)
    state = chance.choice((*AlarmState, AlarmState.OK, AlarmState.BAD))
    age_s = chance.choice((1.0, 60.0, 3000.0, 10_799.0))
    match chance.randrange(8):
        case 0:
            city.throughput(where, (age_s, (chance.choice((18.0, 240.0)), 20.0)))
        case 1:
            city.throughput(where, (age_s, FailureReason.TIMEOUT))
        case 2:
            city.latency(where, (age_s, 12.0))
        case 3:
            # Little is asked now of a line that was proven nearly a day ago.
            proof = {"at_least_down_bps": 240.0}
            city.test(where, (86_000.0, proof), method="tcp-floor/1")
            demand = {"demand_down_bps": 2.0}
            city.test(where, (age_s, demand), method="passive/1")
            city.line_state(where, AlarmState.STALE)
        case 4:
            city.access_point("b-ost", point, chance.randrange(30), age_s=age_s)
        case 5:
            city.state("ap_down", f"ap:{point}", "b-ost", state)
        case 6:
            city.state("ap_degraded", f"ap:{point}", "b-ost", state)
        case _:
            city.line_state(
                where,
                state,
                rule=chance.choice(("line_below_target", "no_data", "line_down")),
            )


@pytest.mark.parametrize("seed", range(2))
def test_it_is_what_would_be_made_anew(app, city, clock, seed):
    chance = random.Random(seed)
    site, kept = app.state.site, Kept()
    for _ in range(90):
        for _ in range(chance.randrange(4)):
            happen(city, chance)
        clock.advance(chance.choice(STEPS_S))
        if chance.random() < 0.05:
            first, *others = city.inventory.lines
            slower = replace(
                first, contracted_down_bps=first.contracted_down_bps // 2 + 1
            )
            city.adopt(replace(city.inventory, lines=(slower, *others)))
        args = (site.store, site.inventory(), site.moment())
        assert city_at(*args, kept) == city_at(*args)


def test_nothing_is_made_twice(app, city, clock):
    for where in LINES:
        city.throughput(where, (60, (240.0, 40.0)))
        city.line_state(where, AlarmState.OK)
    city.access_point("b-ost", "ost-1", 7)
    city.state("ap_down", "ap:ost-1", "b-ost", AlarmState.OK)
    site, kept = app.state.site, Kept()

    def rows():
        return city_at(site.store, site.inventory(), site.moment(), kept).rows

    first = rows()
    clock.advance(30)
    city.throughput("b-ost", (1, (230.0, 40.0)))
    city.access_point("b-ost", "ost-2", 3)
    second = rows()
    for old, new in zip(first, second, strict=True):
        same = old.building.id != "b-ost"
        assert (old.main is new.main) is (same or old.main is None)
        assert (old.aps is new.aps) is same


def test_one_that_works_badly_is_seen_at_once(app, city):
    city.access_point("b-ost", "ost-1", 7)
    city.state("ap_down", "ap:ost-1", "b-ost", AlarmState.OK)
    site, kept = app.state.site, Kept()
    args = (site.store, site.inventory(), site.moment(), kept)
    assert city_at(*args).rows[0].aps.degraded == 0
    city.state("ap_degraded", "ap:ost-1", "b-ost", AlarmState.BAD)
    assert city_at(*args).rows[0].aps.degraded == 1
