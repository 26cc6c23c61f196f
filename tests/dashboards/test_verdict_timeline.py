"""A school day from the push of a probe to the overview, on the test's own clock."""

from __future__ import annotations

import pytest

from alerts.engine import Engine
from dashboards.building_queries import read_building
from dashboards.city_queries import read_city
from dashboards.context import Site
from dashboards.views import LineView, Verdict
from netmon.clock import ManualClock
from netmon.config import Settings
from netmon.ingest import check_batch
from netmon.line_verdict import ReasonCode, VerdictClass
from netmon.model import FailureReason
from netmon.storage.records import SourceKind
from netmon.units import MBIT
from netmon.wire import Batch, Series

HOUR_S = 3600.0
Said = dict[str, float] | FailureReason
FULL: Said = {
    "rate_down_bps": 240.0,
    "rate_down_low_bps": 238.0,
    "rate_down_high_bps": 242.0,
    "capacity_down_bps": 248.6,
    "cross_down_bps": 3.0,
    "rtt_idle_s": 0.011,
    "rtt_loaded_s": 0.046,
}
PASSED: Said = {"at_least_down_bps": 106.0, "threshold_bps": 100.0}
QUIET: Said = {"demand_down_bps": 2.0, "rtt_idle_s": 0.011, "window_s": 300.0}


class Day:
    """One probe, the gateway's checks, the alarm engine and the overview."""

    def __init__(self, city, app) -> None:
        self._city = city
        self._site: Site = app.state.site
        self._clock: ManualClock = city.clock
        self._seq = 0
        self._source = city.store.sources.create(
            "sonde", SourceKind.PROBE, "b-ost", "b" * 64
        )
        self._engine = Engine(city.store, self._site.inventory, Settings(), self._clock)

    def push(self, method: str, said: Said) -> None:
        """Push one record that was measured now."""
        self._seq += 1
        failed = isinstance(said, FailureReason)
        values = {} if isinstance(said, FailureReason) else said
        tags = {"building": "b-ost", "line": "b-ost-main", "method": method}
        series = Series(
            kind="throughput",
            tags=tags | {"direction": "down", "basis": "router"},
            seq=[self._seq],
            ts=[self._city.now_ms],
            values={
                n: [x * MBIT if n.endswith("_bps") else x] for n, x in values.items()
            },
            failure=[said] if failed else None,
        )
        batch = Batch("sonde", "0" * 32, self._city.now_ms, [series])
        checked = check_batch(batch, self._source, self._city.now_ms, lambda _: True)
        assert not checked.quarantined
        self._city.store.measurements.write([checked])

    def hour(self, *tests: tuple[str, Said]) -> LineView:
        """Push, let the engine judge, and return the line an hour later."""
        for method, said in tests:
            self.push(method, said)
        self._engine.run_once()
        self._clock.advance(HOUR_S - 1)
        self._engine.run_once()
        return self.line()

    def line(self) -> LineView:
        rows = read_city(self._site).rows
        main = next(row for row in rows if row.building.id == "b-ost").main
        page = read_building(self._site, "b-ost").row.main
        assert main is not None
        assert page is not None
        assert main.verdict is page.verdict, "overview and page agree"
        return page


@pytest.fixture
def day(city, app) -> Day:
    return Day(city, app)


def test_floor_passes_keep_a_line_green_all_day(day):
    assert day.hour(("tcp-adaptive/2", FULL)).verdict is Verdict.OK
    for _ in range(9):
        view = day.hour(("tcp-floor/2", PASSED))
        assert view.verdict is Verdict.OK
    assert view.down.value == 240 * MBIT
    assert view.down.stale, "the full test is from the morning"
    assert view.proof.value == 106 * MBIT
    assert not view.proof.stale


def test_passive_proof_does_it_too(day):
    day.hour(("tcp-adaptive/2", FULL))
    for _ in range(6):
        view = day.hour(("passive/1", PASSED | {"demand_down_bps": 90.0}))
        assert view.judged.verdict is VerdictClass.IN_ORDER
        assert view.judged.reasons[0].code is ReasonCode.PASSIVE


def test_a_quiet_line_is_in_order_for_a_day_after_its_proof(day):
    day.hour(("tcp-floor/2", PASSED))
    views = [day.hour(("passive/1", QUIET)) for _ in range(25)]
    verdicts = [view.verdict for view in views]
    assert verdicts[:22] == [Verdict.OK] * 22
    assert verdicts[-1] is Verdict.STALE
    assert views[10].judged.reasons[0].code is ReasonCode.DEMAND_IDLE


def test_failures_and_low_bounds_never_make_a_line_red(day):
    day.hour(("tcp-adaptive/2", FULL))
    for _ in range(6):
        view = day.hour(
            ("tcp-floor/2", {"at_least_down_bps": 40.0, "threshold_bps": 100.0}),
            ("tcp-adaptive/2", FailureReason.UNSETTLED),
        )
    assert view.judged.verdict is VerdictClass.NOT_MEASURED


def test_a_fault_is_suspect_then_below_target_then_healed(day):
    slow = FULL | {
        "rate_down_bps": 60.0,
        "rate_down_low_bps": 59.0,
        "rate_down_high_bps": 61.0,
    }
    assert day.hour(("tcp-adaptive/2", slow)).verdict is Verdict.SUSPECT
    day.hour(("tcp-adaptive/2", slow))
    view = day.hour(("tcp-adaptive/2", slow))
    assert view.judged.verdict is VerdictClass.BELOW_TARGET
    view = day.hour(("tcp-floor/2", PASSED))
    assert view.judged.reasons[0].code is ReasonCode.RECOVERING
    assert day.hour(("tcp-floor/2", PASSED)).verdict is Verdict.OK


def test_lessons_that_fill_the_line_are_no_fault(day):
    view = day.hour(("tcp-adaptive/2", FULL | {"cross_down_bps": 240.0}))
    assert view.verdict is Verdict.SATURATED
    view = day.hour(("tcp-floor/2", PASSED | {"cross_down_bps": 20.0}))
    assert view.verdict is Verdict.OK


def test_a_weak_probe_is_no_fault_of_the_line(day):
    day.hour(("tcp-adaptive/2", FULL))
    views = [day.hour(("tcp-adaptive/2", FailureReason.PROBE_LIMITED)) for _ in "1234"]
    assert views[0].verdict is Verdict.OK, "proven an hour before"
    assert VerdictClass.BELOW_TARGET not in {v.judged.verdict for v in views}


def test_only_the_probe_is_known_while_its_echoes_still_arrive(day, city):
    day.hour(("tcp-adaptive/2", FULL))
    for _ in range(4):
        city.latency("b-ost", (0, 11.0))
        view = day.hour(("tcp-adaptive/2", FailureReason.PROBE_LIMITED))
    assert view.verdict is Verdict.PROBE_LIMITED
