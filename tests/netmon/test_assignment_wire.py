"""The assignment comes over the wire as it was, and a probe bears a newer centre."""

from __future__ import annotations

from datetime import date, time

import msgspec
import pytest

from netmon.assignment_wire import (
    Assignment,
    CampaignTask,
    LineAssignment,
    decode_assignment,
    encode_assignment,
)
from netmon.model import LineRole, Technology
from netmon.school_calendar import (
    Holidays,
    Lessons,
    Protected,
    SchoolCalendar,
    Weekday,
)
from netmon.units import MBIT

CALENDAR = SchoolCalendar(
    lessons=(Lessons(start=time(7, 45), end=time(15, 30), days=(Weekday.MO,)),),
    holidays=(Holidays(first=date(2026, 12, 23), last=date(2027, 1, 6)),),
    protected=(
        Protected(day=date(2027, 4, 20), start=time(9), end=time(14), name="Abitur"),
    ),
)
ASSIGNMENT = Assignment(
    probe="probe-gs-07",
    building="gs-07",
    line="gs-07-main",
    lines=(
        LineAssignment(
            id="gs-07-main",
            role=LineRole.MAIN,
            technology=Technology.RADIO,
            contracted_down_bps=100 * MBIT,
            contracted_up_bps=40 * MBIT,
            threshold_down_bps=90e6,
            clear_down_bps=92e6,
            threshold_up_bps=36e6,
        ),
    ),
    calendar=CALENDAR,
    budget_share=0.001,
    full_tests_per_day=2,
    confirm=True,
    campaign=CampaignTask(id="k1", moments_ms=(1_795_162_327_500,)),
)


def test_what_is_written_is_read_again() -> None:
    assert decode_assignment(encode_assignment(ASSIGNMENT)) == ASSIGNMENT


def test_what_a_newer_centre_adds_is_left_alone() -> None:
    newer = msgspec.json.decode(encode_assignment(ASSIGNMENT)) | {"weather": "rain"}
    assert decode_assignment(msgspec.json.encode(newer)) == ASSIGNMENT


def test_a_calendar_is_understood_as_a_whole_or_not_at_all() -> None:
    newer = msgspec.json.decode(encode_assignment(ASSIGNMENT))
    newer["calendar"]["quiet_weeks"] = []
    with pytest.raises(msgspec.ValidationError, match="quiet_weeks"):
        decode_assignment(msgspec.json.encode(newer))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'"\xff"', b"{}", b"[]"])
def test_what_is_no_assignment_is_one_kind_of_error(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_assignment(body)
