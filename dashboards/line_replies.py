"""Lines as API answers: readings, verdict with its reasons, medium; renaming only."""

from __future__ import annotations

from dashboards import line_schemas as s
from dashboards.building_views import MediumView
from dashboards.formats import Formats
from dashboards.reply_base import at, told
from dashboards.views import LineView, Reading
from netmon.clock import from_ms
from netmon.line_verdict import Statement, tell
from netmon.model import connection_class
from netmon.texts import Texts


def rate(reading: Reading) -> s.RateReading:
    """Return a reading of a rate."""
    return s.RateReading(rate_bps=reading.value, **told(reading))


def duration(reading: Reading) -> s.DurationReading:
    """Return a reading of a duration."""
    return s.DurationReading(duration_s=reading.value, **told(reading))


def ratio(reading: Reading) -> s.RatioReading:
    """Return a reading of a share."""
    return s.RatioReading(ratio=reading.value, **told(reading))


def _reasons(view: LineView, texts: Texts, now_ms: int) -> list[s.ReasonReply]:
    """Return the reasons of a verdict, with their words."""
    formats = Formats(texts)
    said = tell(view.judged, texts, lambda ms: formats.ago(ms, now_ms))
    words = (said.headline, *said.sentences)
    return [
        s.ReasonReply(
            code=reason.code,
            text=text,
            numbers=reason.numbers,
            at=at(reason.at_ms),
            method=reason.method or None,
            finding=None if reason.finding is None else reason.finding.code,
            finding_numbers={} if reason.finding is None else reason.finding.numbers,
            failure=reason.failure,
            segment=None if reason.blamed is None else reason.blamed.segment,
            fault=None if reason.blamed is None else reason.blamed.reason,
        )
        for reason, text in zip(view.judged.reasons, words, strict=True)
    ]


def statement(line_id: str, said: Statement) -> s.StatementReply:
    """Return what one test or window said."""
    return s.StatementReply(
        line_id=line_id,
        at=from_ms(said.at_ms),
        worth=said.worth,
        direction=said.direction or None,
        method=said.method,
        basis=said.basis or None,
        purpose=said.purpose or None,
        failure=said.failure,
        values=said.values,
        generated=said.generated,
    )


def line(view: LineView, texts: Texts, now_ms: int) -> s.LineReply:
    """Return a line; ages in the words of its reasons count up to now."""
    reasons = _reasons(view, texts, now_ms)
    own = view.line
    failure = None
    if view.failure is not None:
        failure = s.LineFailure(
            reason=view.failure,
            text=texts(f"failure.{view.failure}"),
            at=at(view.failure_at_ms),
        )
    return s.LineReply(
        id=own.id,
        role=own.role,
        technology=own.technology,
        connection_class=connection_class(own),
        provider=own.provider,
        contracted_down_bps=own.contracted_down_bps,
        contracted_up_bps=own.contracted_up_bps,
        below_target_by_contract=view.below_by_contract,
        checked_on=own.checked_on,
        fibre_planned_on=own.fibre_planned_on,
        state=view.verdict,
        state_since=at(view.since_ms),
        verdict=view.judged.verdict,
        headline=reasons[0].text,
        reasons=reasons,
        download=rate(view.down),
        download_at_least=rate(view.proof),
        upload=rate(view.up),
        upload_at_least=rate(view.up_proof),
        round_trip=duration(view.rtt),
        jitter=duration(view.jitter),
        loss=ratio(view.loss),
        failure=failure,
    )


def medium(line_id: str, view: MediumView) -> s.MediumReply:
    """Return what is known of a line's own medium."""
    found = zip(view.raw_findings, view.findings, strict=True)
    return s.MediumReply(
        line_id=line_id,
        state=view.state,
        findings=[
            s.MediumFinding(
                code=finding.code,
                state=finding.state,
                text=text,
                where=finding.where,
                numbers=dict(finding.numbers),
            )
            for finding, text in found
        ],
        parts=[
            s.MediumPartReply(
                kind=part.kind,
                device=part.device,
                where=part.where,
                measured_at=at(part.at_ms),
                stale=part.stale,
                generated=part.generated,
                failure=part.failure,
                values={
                    value.metric: value.reading.value
                    for value in (*part.values, *part.limits)
                },
            )
            for part in view.parts
        ],
    )
