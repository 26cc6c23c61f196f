"""What the centre tells a probe: its line, when it may load it, and what is urgent."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from netmon.model import LineRole, Technology
from netmon.school_calendar import SchoolCalendar

ASSIGNMENT_PATH = "/api/v1/assignment"


class LineAssignment(Struct, frozen=True, kw_only=True):
    """A line of the building: its contract, and what it must reach, in bit/s.

    The thresholds are TCP payload: below ``threshold_down_bps`` is an alarm, from
    ``clear_down_bps`` on the line counts as healed. ``threshold_up_bps`` is what a
    floor test asks for upwards.
    """

    id: str
    role: LineRole
    technology: Technology
    contracted_down_bps: int
    contracted_up_bps: int
    threshold_down_bps: float
    clear_down_bps: float
    threshold_up_bps: float


class CampaignTask(Struct, frozen=True, kw_only=True):
    """Measurements of a campaign still to be made, at moments in UTC milliseconds."""

    id: str
    moments_ms: tuple[int, ...]


class Assignment(Struct, frozen=True, kw_only=True):
    """All that a probe has to know to plan its day.

    ``line`` is the line it is to measure, ``lines`` all lines of the building, main
    first. ``budget_share`` is the share of what the contract could carry in a day
    that tests may use. Each slot of lesson time, at most ``slot_s`` long, owes a
    statement about the line. ``confirm``: an alarm is suspected, measure fully now.
    ``campaign`` is None while none runs.
    """

    probe: str
    building: str
    line: str
    lines: tuple[LineAssignment, ...]
    calendar: SchoolCalendar
    budget_share: float
    full_tests_per_day: int
    slot_s: float = 3600.0
    confirm: bool = False
    campaign: CampaignTask | None = None


_encode = msgspec.json.Encoder()
_decode = msgspec.json.Decoder(Assignment)


def encode_assignment(assignment: Assignment) -> bytes:
    """Return the JSON of an assignment."""
    return _encode.encode(assignment)


def decode_assignment(body: bytes) -> Assignment:
    """Return the assignment in the gateway's answer.

    Fields it does not know are left alone, for the gateway may be newer; but the
    calendar is understood as a whole or not at all, lest a protected time is missed.

    Raises:
        msgspec.ValidationError: JSON of the wrong shape.
        msgspec.DecodeError: no JSON.
    """
    try:
        return _decode.decode(body)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("text that is not UTF-8") from error
