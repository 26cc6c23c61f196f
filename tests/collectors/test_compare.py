"""Two polls of a port: counters that wrap, are set back, or are too short."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import Value
from collectors.compare import Before, Compared, compare, rate_bps, retries_ratio
from collectors.decode import Row, TableResult
from collectors.plan import Counters
from netmon.units import GBIT, MBIT

TOP64, TOP32 = 2**64, 2**32
IN, OUT = "1.3.6.1.2.1.31.1.1.1.6.1", "1.3.6.1.2.1.31.1.1.1.10.1"


@pytest.mark.parametrize(
    ("before", "now", "bits", "elapsed_s", "speed_bps", "wanted"),
    [
        (1000, 8500, 64, 60.0, GBIT, 1000.0),
        (7, 7, 64, 60.0, GBIT, 0.0),
        (TOP64 - 500, 7000, 64, 60.0, GBIT, 1000.0),
        (TOP32 - 500, 7000, 32, 60.0, 100 * MBIT, 1000.0),
        # 1 Gbit/s goes round in 34 s: what lies between two polls is not known.
        (1000, 8500, 32, 60.0, GBIT, None),
        (1000, 8500, 32, 10.0, GBIT, 6000.0),
        # Without a speed a 32-bit counter may have gone round however often.
        (1000, 8500, 32, 60.0, None, None),
        (1000, 8500, 64, 60.0, None, 1000.0),
        # Set back by hand: the way round would be more than the port can carry.
        (10**12, 500, 64, 60.0, GBIT, None),
        (10**12, 500, 64, 60.0, None, None),
        (3 * 10**9, 500, 32, 60.0, 100 * MBIT, None),
        # 60 s of octets and the ten seconds more that a slow refresh may add, no more.
        (0, 70 * GBIT // 8, 64, 60.0, GBIT, 70 * GBIT / 60),
        (0, 71 * GBIT // 8, 64, 60.0, GBIT, None),
        (1000, 8500, 64, 0.0, GBIT, None),
    ],
)
def test_rates(
    before: int,
    now: int,
    bits: int,
    elapsed_s: float,
    speed_bps: float | None,
    wanted: float | None,
) -> None:
    found = rate_bps(before, now, bits, elapsed_s, speed_bps)
    assert found == (wanted if wanted is None else pytest.approx(wanted))


@given(
    before=st.integers(0, TOP64 - 1),
    octets=st.integers(0, 60 * GBIT // 8),
)
def test_a_counter_of_64_bits_is_right_wherever_it_stands(
    before: int, octets: int
) -> None:
    """Also beyond 2^53, where a float would lose octets."""
    now = (before + octets) % TOP64
    assert rate_bps(before, now, 64, 60.0, GBIT) == octets * 8 / 60.0


def ports(*ups: float | None) -> TableResult:
    rows = tuple(
        Row({"port": str(n)}, {"oper_up": up, "speed_bps": float(GBIT)}, {})
        for n, up in enumerate(ups, start=1)
    )
    return TableResult("interfaces", "port", rows, complete=True)


COUNTERS = [
    Counters("in_octets_total", IN[:-2], 64, ("1",), (IN,)),
    Counters("out_octets_total", OUT[:-2], 64, ("1",), (OUT,)),
]


def compared(
    answer: dict[str, Value],
    before: Before | None,
    at_s: float,
    ticks: int | None,
    *ups: float | None,
) -> Compared:
    return compare([ports(*ups)], COUNTERS, answer, before, at_s, ticks)


def numbers(done: Compared, port: int = 0) -> dict[str, float | None]:
    return dict(done.tables[0].rows[port].numbers)


def test_a_rate_needs_two_polls() -> None:
    first = compared({IN: 0, OUT: 0}, None, 0.0, 100, 1.0)
    assert numbers(first).get("in_rate_bps") is None
    second = compared({IN: 7500, OUT: 15000}, first.now, 60.0, 6100, 1.0)
    assert numbers(second)["in_rate_bps"] == 1000.0
    assert numbers(second)["out_rate_bps"] == 2000.0


def test_a_restart_begins_anew() -> None:
    first = compared({IN: 10**9}, None, 0.0, 90_000, 1.0)
    second = compared({IN: 10**9 + 7500}, first.now, 60.0, 500, 1.0)
    assert numbers(second).get("in_rate_bps") is None
    third = compared({IN: 10**9 + 15000}, second.now, 120.0, 6500, 1.0)
    assert numbers(third)["in_rate_bps"] == 1000.0


def test_a_counter_that_was_not_told_has_no_rate() -> None:
    first = compared({IN: 10}, None, 0.0, 100, 1.0)
    second = compared({OUT: 20}, first.now, 60.0, 6100, 1.0)
    assert numbers(second).get("in_rate_bps") is None
    third = compared({IN: 7510, OUT: 20}, second.now, 120.0, 12100, 1.0)
    assert numbers(third).get("in_rate_bps") is None
    assert numbers(third)["out_rate_bps"] == 0.0


@pytest.mark.parametrize(
    ("now", "rates"),
    [
        # Through its end in one way, as it should; in both ways somebody cleared them.
        ({IN: 500, OUT: 4_100_007_500}, (pytest.approx(1000.0), 1000.0)),
        ({IN: 500, OUT: 500}, (None, None)),
    ],
)
def test_counters_of_32_bits_that_fall_in_both_ways_were_cleared(
    now: dict[str, Value], rates: tuple[float | None, float | None]
) -> None:
    short = [replace(counters, bits=32) for counters in COUNTERS]
    (row,) = ports(1.0).rows
    row = replace(row, numbers={**row.numbers, "speed_bps": float(100 * MBIT)})
    table = replace(ports(1.0), rows=(row,))
    answer: dict[str, Value] = {IN: TOP32 - 7000, OUT: 4_100_000_000}
    first = compare([table], short, answer, None, 0.0, 100)
    second = compare([table], short, now, first.now, 60.0, 6100)
    told = numbers(second)
    assert (told.get("in_rate_bps"), told.get("out_rate_bps")) == rates


def test_changes_of_state_are_counted_and_named() -> None:
    first = compared({}, None, 0.0, 100, 1.0, 0.0)
    assert (first.changed, numbers(first)["oper_changes_total"]) == ((), 0.0)
    second = compared({}, first.now, 60.0, 6100, 0.0, 0.0)
    assert second.changed == ("1",)
    third = compared({}, second.now, 120.0, 12100, 1.0, 0.0)
    assert third.changed == ("1",)
    assert [numbers(third, n)["oper_changes_total"] for n in (0, 1)] == [2.0, 0.0]


def test_a_state_that_was_not_known_has_not_changed() -> None:
    first = compared({}, None, 0.0, 100, None)
    second = compared({}, first.now, 60.0, 6100, 1.0)
    third = compared({}, second.now, 120.0, 12100, None)
    assert (second.changed, third.changed) == ((), ())


def test_other_tables_are_left_alone() -> None:
    table = TableResult("radios", "radio", (Row({"ap": "1"}, {}, {}),))
    assert compare([table], [], {}, None, 0.0, None).tables == (table,)


@pytest.mark.parametrize(
    ("before", "now", "elapsed_s", "wanted"),
    [
        ((1000, 50), (2000, 250), 60.0, 0.2),
        ((1000, 50), (2000, 50), 60.0, 0.0),
        ((TOP32 - 500, 50), (500, 250), 60.0, 0.2),
        # The controller heard nothing new, or heard the two at different moments.
        ((1000, 50), (1000, 50), 60.0, None),
        ((1000, 50), (1100, 250), 60.0, None),
        # The access point began anew.
        ((5_000_000, 50), (1000, 10), 60.0, None),
        ((1000, 50), (2000, 10), 60.0, None),
        ((1000, 50), (2000, 250), 0.0, None),
    ],
)
def test_retries(
    before: tuple[float, float],
    now: tuple[float, float],
    elapsed_s: float,
    wanted: float | None,
) -> None:
    assert retries_ratio(before, now, elapsed_s) == wanted


def test_retries_of_a_device_that_restarted_begin_anew() -> None:
    def radio(sent: float, again: float) -> TableResult:
        numbers = {"frames_total": sent, "retried_frames_total": again}
        row = Row({"ap": "1", "radio": "0"}, numbers, {})
        return TableResult("radios", "radio", (row,), complete=True)

    first = compare([radio(1000, 0)], [], {}, None, 0.0, 9000)
    assert "retries_ratio" not in numbers(first)
    second = compare([radio(1100, 50)], [], {}, first.now, 60.0, 15000)
    assert numbers(second)["retries_ratio"] == 0.5
    third = compare([radio(1200, 60)], [], {}, second.now, 120.0, 100)
    assert "retries_ratio" not in numbers(third)
