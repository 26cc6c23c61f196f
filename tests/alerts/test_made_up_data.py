"""Made-up data: they have a state, and call nobody."""

from __future__ import annotations

import pytest
from msgspec import structs

from alerts.held import Held
from netmon.inventory import content_hash, encode
from netmon.model import Inventory
from netmon.storage.records import (
    AlarmState,
)
from tests.alerts.site import Site


def _line_states(site: Site) -> str:
    found = site.store.alarms.transitions_of("line:gs-07-main")
    chain = [t.to_state for t in found if t.rule == "line_below_target"]
    return " ".join(reversed(chain))


@pytest.mark.parametrize("restarted", [False, True])
def test_made_up_data_never_raise_an_alarm_not_even_after_a_restart(
    site: Site, *, restarted: bool
) -> None:
    engine = site.engine()
    for mbits in (240, 10, 10, 10, 10):
        site.clock.advance(60)
        site.lines(mbits, generated=True)
        site.aps({"gs-07-ap-1": float(mbits > 100)}, generated=True)
        engine = site.engine() if restarted else engine
        engine.run_once()
    rows = {(r.rule, r.target): r.state for r in site.store.alarms.states()}
    assert rows == {
        ("line_below_target", "line:gs-07-main"): AlarmState.SUSPECT,
        ("no_data", "line:gs-07-main"): AlarmState.OK,
        ("ap_down", "ap:gs-07-ap-1"): AlarmState.SUSPECT,
    }
    memories = [Held.of(row).watched.memory for row in site.store.alarms.states()]
    assert all(memory.generated for memory in memories)
    assert site.store.alarms.incidents() == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_probe_takes_over_a_line_that_was_made_up(
    site: Site, *, restarted: bool
) -> None:
    engine = site.engine()
    for mbits, generated, states in (
        (10, True, "suspect"),
        (10, True, "suspect"),
        # The made-up streak confirms nothing; two measured results do.
        (10, False, "suspect"),
        (10, False, "suspect bad"),
        # From now on made-up data can neither end an incident nor open one.
        (240, True, "suspect bad"),
        (240, False, "suspect bad ok"),
        (10, True, "suspect bad ok"),
        (10, True, "suspect bad ok"),
    ):
        site.clock.advance(60)
        site.lines(mbits, generated=generated)
        engine = site.engine() if restarted else engine
        engine.run_once()
        assert _line_states(site) == states


def test_made_up_data_keep_no_silent_probe_alive(site: Site) -> None:
    engine = site.engine()
    site.lines(240)
    engine.run_once()
    for _ in range(5):
        site.clock.advance(3600)
        site.lines(240, generated=True)
        engine.run_once()
    assert [i.rule for i in site.store.alarms.incidents(open_only=True)] == ["no_data"]


def test_a_retired_line_that_comes_back_made_up_raises_nothing(
    site: Site, city: Inventory
) -> None:
    engine = site.engine()
    site.lines(10, generated=True)
    engine.run_once()
    without = structs.replace(city, lines=())
    site.store.inventories.save(content_hash(without), encode(without), 1)
    engine.run_once()
    site.store.inventories.save(content_hash(city), encode(city), 2)
    for _ in range(4):
        site.clock.advance(60)
        site.lines(10, generated=True)
        engine.run_once()
    assert _line_states(site) == "suspect unknown suspect"
    assert site.store.alarms.incidents() == []
