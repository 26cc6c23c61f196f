"""What is gathered about a line before anybody judges it."""

from __future__ import annotations

from netmon.line_verdict import LineFacts, Statement, gather_facts, statements
from netmon.model import FailureReason, Line
from tests.netmon.line_verdict.lines import (
    HOUR,
    MINUTE,
    NOW_MS,
    OPTICS,
    failing,
    floor,
    full,
    line,
)


def test_a_failure_of_the_upload_says_nothing_of_the_download() -> None:
    up = failing(MINUTE, FailureReason.TIMEOUT, direction="up")
    facts = gather_facts(line(), [full(HOUR, 94), up], NOW_MS)
    assert facts.failed is None


def test_a_plain_test_speaks_of_both_directions() -> None:
    said = {"rate_down_bps": 94e6, "rate_up_bps": 38e6, "duration_s": 10.0}
    found = list(statements({"method": "tcp-plain/1"}, NOW_MS, said))
    assert [(each.direction, each.shown_bps) for each in found] == [
        ("down", 94e6),
        ("up", 38e6),
    ]
    assert found[0].values == {"rate_bps": 94e6, "duration_s": 10.0}


def test_what_a_series_has_forgotten_is_taken_from_its_records() -> None:
    forgotten = Statement(
        worth=next(iter(statements({}, 0, {"rate_down_bps": 1.0}))).worth,
        direction="down",
        at_ms=NOW_MS - 1000,
        values={"rate_bps": 94e6},
    )
    facts = gather_facts(line(), [floor(MINUTE, 92)], NOW_MS, [forgotten])
    assert facts.capacity is forgotten


def test_other_lines_say_nothing() -> None:
    assert gather_facts(line(), [full(MINUTE, 94)], NOW_MS).capacity is not None
    other = Line(
        **{k: getattr(line(), k) for k in line().__struct_fields__} | {"id": "x"}
    )
    assert gather_facts(other, [full(MINUTE, 94), OPTICS], NOW_MS) == LineFacts()
