"""Line protocol: what a record becomes, held by a parser written apart from it."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.lineprotocol import escape, render, series_prefix
from netmon.metrics import KINDS
from netmon.model import FailureReason

PREFIX = series_prefix(
    "latency", {"line": "gs-07-main", "building": "gs-07"}, "p7", generated=False
)


def _split(text: str, separator: str) -> list[str]:
    """Split at separators that no backslash stands before."""
    parts, current, escaped = [], "", False
    for char in text:
        if escaped:
            current += "\\" + char
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == separator:
            parts.append(current)
            current = ""
        else:
            current += char
    return [*parts, current]


def _unescape(text: str) -> str:
    return re.sub(r"\\([,= \\])", r"\1", text)


def parse(line: str) -> tuple[str, dict[str, str], dict[str, float], int]:
    head, fields, moment = _split(line, " ")
    kind, *tags = _split(head, ",")
    return (
        _unescape(kind),
        dict([_unescape(p) for p in _split(tag, "=")] for tag in tags),
        {k: float(v) for k, v in (_split(f, "=") for f in _split(fields, ","))},
        int(moment),
    )


def test_a_record_is_one_line_with_floats_and_nanoseconds() -> None:
    body = render(PREFIX, [1790000000123], {"rtt_s": [0.012], "loss_ratio": [0]}, None)
    assert body == (
        b"latency,building=gs-07,line=gs-07-main,source=p7 "
        b"rtt_s=0.012,loss_ratio=0 1790000000123000000\n"
    )


def test_generated_data_is_marked_and_measured_data_is_not() -> None:
    made_up = series_prefix("dns", {"line": "x"}, "p", generated=True)
    assert made_up == b"dns,generated=1,line=x,source=p"
    assert b"generated" not in PREFIX


def test_what_is_no_finite_number_is_left_out() -> None:
    body = render(
        PREFIX,
        [1, 2, 3, 4],
        {
            "rtt_s": [0.5, None, math.nan, math.inf],
            "jitter_s": [1.5, 2.5, 3.5, None],
        },
        None,
    )
    head = PREFIX.decode()
    assert body.decode().splitlines() == [
        f"{head} rtt_s=0.5,jitter_s=1.5 1000000",
        f"{head} jitter_s=2.5 2000000",
        f"{head} jitter_s=3.5 3000000",
    ]


def test_a_failed_record_is_counted_with_its_reason_and_has_no_number() -> None:
    body = render(
        PREFIX, [1, 2], {"rtt_s": [None, 0.25]}, [FailureReason.NO_REPLY, None]
    )
    head = PREFIX.decode()
    assert body.decode().splitlines() == [
        f"{head},reason=no_reply failures=1 1000000",
        f"{head} rtt_s=0.25 2000000",
    ]


def test_a_failed_record_needs_no_columns() -> None:
    body = render(PREFIX, [1], {}, [FailureReason.TIMEOUT])
    assert body == PREFIX + b",reason=timeout failures=1 1000000\n"


def test_nothing_to_say_gives_nothing() -> None:
    assert render(PREFIX, [], {}, None) == b""
    assert render(PREFIX, [1], {"rtt_s": [None]}, None) == b""
    assert render(PREFIX, [1], {}, None) == b""


def test_the_quick_and_the_careful_way_agree() -> None:
    columns = {"rtt_s": [0.1, 1e-7, 1e16, 5.0], "jitter_s": [0.0, -0.0, 2.0**64, 3.0]}
    times = [1, 2, 3, 1790000000000]
    quick = render(PREFIX, times, columns, None)
    with_gap = {name: [*column, None] for name, column in columns.items()}
    careful = render(PREFIX, [*times, 9], with_gap, None)
    assert quick == careful
    assert len(quick.splitlines()) == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a b", "a\\ b"),
        ("a,b=c", "a\\,b\\=c"),
        ("ends\\", "ends\\\\"),
        ("two\nlines\x00", "two\\ lines\\ "),
        ("100 % Glas ü", "100\\ %\\ Glas\\ ü"),
    ],
)
def test_escaping(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_an_empty_tag_is_left_out() -> None:
    prefix = series_prefix("dns", {"line": ""}, "p", generated=False)
    assert prefix == b"dns,source=p"


_texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20
)
_numbers = st.one_of(
    st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 2**53)
)


@given(
    tags=st.dictionaries(_texts, _texts, max_size=4),
    rows=st.lists(
        st.tuples(
            st.integers(0, 2**41),
            _numbers,
            _numbers,
            st.none() | st.sampled_from(FailureReason),
        ),
        max_size=12,
    ),
    has_failures=st.booleans(),
)
def test_every_line_reads_back_as_its_record(
    tags: dict[str, str],
    rows: list[tuple[int, float | None, float | None, FailureReason | None]],
    has_failures: bool,
) -> None:
    prefix = series_prefix("wlan_ap", tags, "probe 7 %d", generated=False)
    body = render(
        prefix,
        [row[0] for row in rows],
        {"up": [row[1] for row in rows], "clients_count": [row[2] for row in rows]},
        [row[3] for row in rows] if has_failures else None,
    )
    everything = {**tags, "source": "probe 7 %d"}
    expected = []
    for at_ms, up, clients, reason in rows:
        if has_failures and reason is not None:
            expected.append((everything | {"reason": reason}, {"failures": 1.0}, at_ms))
            continue
        numbers = {"up": up, "clients_count": clients}
        fields = {
            name: float(number)
            for name, number in numbers.items()
            if number is not None and math.isfinite(number)
        }
        if fields:
            expected.append((everything, fields, at_ms))
    lines = [parse(line) for line in body.decode().split("\n")[:-1]]
    assert [kind for kind, *_ in lines] == ["wlan_ap"] * len(expected)
    assert [(t, f, ns) for _, t, f, ns in lines] == [
        (t, f, at_ms * 1_000_000) for t, f, at_ms in expected
    ]


def test_no_kind_has_a_tag_or_metric_of_the_relays_own_names() -> None:
    for kind in KINDS.values():
        names = {*kind.tags, *kind.optional_tags}
        assert names.isdisjoint({"source", "generated", "reason"})
        assert "failures" not in {metric.name for metric in kind.metrics}
