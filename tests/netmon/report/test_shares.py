"""Shares of time: what nobody measured is neither available nor down."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alerts.evidence import Cause, Evidence, encode
from alerts.rules import LINE_DOWN
from netmon.report import facts
from netmon.report.shares import (
    StateChange,
    TimeShares,
    both,
    down_spans,
    hour_spans,
    time_shares,
)
from netmon.school_calendar import Span, joined
from netmon.storage.records import AlarmState

HOUR = 3_600_000
BAD, OK, STALE = AlarmState.BAD, AlarmState.OK, AlarmState.STALE


def change(state: AlarmState, at: int, since: int | None = None) -> StateChange:
    return StateChange(state=state, at_ms=at, since_ms=at if since is None else since)


spans = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 30)).map(
        lambda pair: Span(pair[0], sum(pair))
    ),
    max_size=8,
).map(joined)


def _length(found: list[Span]) -> int:
    return sum(span.length_ms for span in found)


@given(reference=spans, down=spans, measured=spans)
def test_each_moment_has_exactly_one_share(
    reference: list[Span], down: list[Span], measured: list[Span]
) -> None:
    def holds(found: list[Span], at: int) -> bool:
        return any(span.holds(at) for span in found)

    moments = [at for at in range(131) if holds(reference, at)]
    expected = TimeShares(
        available_ms=sum(holds(measured, at) and not holds(down, at) for at in moments),
        down_ms=sum(holds(down, at) for at in moments),
        unknown_ms=sum(
            not holds(measured, at) and not holds(down, at) for at in moments
        ),
    )
    assert time_shares(reference, down, measured) == expected
    assert expected.total_ms == _length(reference)
    assert _length(both(reference, down)) == expected.down_ms


def test_an_outage_begins_with_the_last_sign_of_life() -> None:
    found = down_spans([change(BAD, 700, 100), change(OK, 900)], 5000)
    assert found == [Span(100, 900)]


def test_an_outage_ends_where_nothing_is_known_any_more() -> None:
    changes = [change(BAD, 100), change(STALE, 300), change(BAD, 500), change(OK, 600)]
    assert down_spans(changes, 5000) == [Span(100, 300), Span(500, 600)]


def test_an_outage_that_lasts_ends_with_the_period() -> None:
    assert down_spans([change(OK, 1), change(BAD, 100)], 5000) == [Span(100, 5000)]


def test_silence_is_not_availability() -> None:
    year = [Span(0, 10 * HOUR)]
    silent = time_shares(year, [], [])
    assert (silent.available_ms, silent.down_ms) == (0, 0)
    assert silent.availability is None
    measured = hour_spans([0, HOUR, 2 * HOUR, 3 * HOUR, 5 * HOUR])
    assert measured == [Span(0, 4 * HOUR), Span(5 * HOUR, 6 * HOUR)]
    shares = time_shares(year, [Span(3 * HOUR, 4 * HOUR)], measured)
    assert shares.unknown_ms == 5 * HOUR
    assert shares.availability == 0.8


def test_a_few_good_hours_make_no_availability() -> None:
    """Of less than half of the time nothing is said of all of it."""
    assert TimeShares(available_ms=49, unknown_ms=51).availability is None
    assert TimeShares(available_ms=50, unknown_ms=50).availability == 1.0


def test_the_rule_is_the_one_that_proves_a_loss() -> None:
    assert facts.LINE_DOWN == LINE_DOWN
    told = encode(Evidence(cause=Cause.LINE_DOWN, since_ms=5))
    assert msgspec.json.decode(told, type=facts._Seen).since_ms == 5
