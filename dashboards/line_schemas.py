"""What the API answers about a line: readings, verdict, reasons, medium, statements."""

from __future__ import annotations

from datetime import date

from pydantic import ConfigDict

from dashboards.schema_base import Generated, Moment, Reply, Stale
from dashboards.views import Verdict
from netmon.line_verdict import ReasonCode, VerdictClass, Worth
from netmon.medium import MediumState
from netmon.model import (
    ConnectionClass,
    FailureReason,
    LineRole,
    Technology,
)
from netmon.path import Fault, Segment


class RateReading(Reply):
    """A measured rate; null where nothing was measured."""

    rate_bps: float | None
    measured_at: Moment | None
    stale: Stale
    generated: Generated


class DurationReading(Reply):
    """A measured duration; null where nothing was measured."""

    duration_s: float | None
    measured_at: Moment | None
    stale: Stale
    generated: Generated


class RatioReading(Reply):
    """A measured share from 0 to 1; null where nothing was measured."""

    ratio: float | None
    measured_at: Moment | None
    stale: Stale
    generated: Generated


class LineFailure(Reply):
    """Why the newest measurement has no number."""

    reason: FailureReason
    text: str
    at: Moment | None


class ReasonReply(Reply):
    """Why a line has its verdict; ``numbers`` end in their unit.

    ``at`` is when it was measured or began, ``finding`` the code of what was
    noticed at the line's own medium, with its numbers, ``segment`` the guilty one
    of the way to the internet, ``fault`` what is wrong with it.
    """

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "code": "below_medium",
                    "text": "62 von 100 Mbit/s: DSL-Synchronisation auf 67 gefallen",
                    "numbers": {"rate_bps": 62e6, "contracted_bps": 100e6},
                    "at": "2026-11-20T07:08:00.000Z",
                    "method": None,
                    "finding": "dsl_rate_fell",
                    "finding_numbers": {"rate_bps": 67e6, "typical_bps": 109e6},
                    "failure": None,
                    "segment": None,
                    "fault": None,
                },
                {
                    "code": "at_least",
                    "text": "Mindestens 104 Mbit/s nachgewiesen, vor 12 Min., Kurztest",
                    "numbers": {"at_least_bps": 104e6},
                    "at": "2026-11-20T07:00:00.000Z",
                    "method": "tcp-floor/2",
                    "finding": None,
                    "finding_numbers": {},
                    "failure": None,
                    "segment": None,
                    "fault": None,
                },
            ]
        },
    )

    code: ReasonCode
    text: str
    numbers: dict[str, float]
    at: Moment | None
    method: str | None
    finding: str | None
    finding_numbers: dict[str, float]
    failure: FailureReason | None
    segment: Segment | None
    fault: Fault | None


class LineReply(Reply):
    """A line: what the contract says and what was measured.

    ``verdict`` is the one verdict on the line, ``state`` how it ranks among all
    states; the first reason is the headline. ``download`` and ``upload`` are the
    newest capacities, the ``..._at_least`` newest lower bounds.
    """

    id: str
    role: LineRole
    technology: Technology
    connection_class: ConnectionClass
    provider: str
    contracted_down_bps: int
    contracted_up_bps: int
    below_target_by_contract: bool
    checked_on: date | None
    fibre_planned_on: date | None
    state: Verdict
    state_since: Moment | None
    verdict: VerdictClass
    headline: str
    reasons: list[ReasonReply]
    download: RateReading
    download_at_least: RateReading
    upload: RateReading
    upload_at_least: RateReading
    round_trip: DurationReading
    jitter: DurationReading
    loss: RatioReading
    failure: LineFailure | None


class StatementReply(Reply):
    """What one test or passive window said of one direction of a line.

    ``values`` are named as in the catalogue of quantities less the direction;
    which it has says what it is ``worth``.
    """

    line_id: str
    at: Moment
    worth: Worth
    direction: str | None
    method: str
    basis: str | None
    purpose: str | None
    failure: FailureReason | None
    values: dict[str, float]
    generated: Generated


class MediumFinding(Reply):
    """Something noticed at a line's own medium; ``numbers`` end in their unit."""

    code: str
    state: MediumState
    text: str
    where: str
    numbers: dict[str, float]


class MediumPartReply(Reply):
    """What a device told of one port, pair or radio; metrics end in their unit."""

    kind: str
    device: str
    where: str
    measured_at: Moment | None
    stale: Stale
    generated: Generated
    failure: FailureReason | None
    values: dict[str, float | None]


class MediumReply(Reply):
    """The medium of a line: DSL, light or radio, as its device tells it."""

    line_id: str
    state: MediumState
    findings: list[MediumFinding]
    parts: list[MediumPartReply]
