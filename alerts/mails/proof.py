"""What shows the probable cause of one incident: breaks, silence, the line itself; pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from alerts.evidence import Evidence
from alerts.mails.words import moment_of
from netmon.line_verdict import (
    ReasonCode,
    VerdictClass,
    ended,
    tell,
    tell_causes,
)
from netmon.texts import Texts

# A mail tells the most telling; the page has what it leaves out.
_MOST_REASONS = 8


def proof(evidence: Evidence, at_ms: int, texts: Texts) -> Iterator[str]:
    """Yield what was seen of a line, in whole sentences; nothing where that is nothing."""
    if evidence.breaks:
        moments = ", ".join(moment_of(ms, at_ms, texts) for ms in evidence.breaks)
        yield texts("mail.cause.breaks", moments=moments)
    if evidence.devices_gone_count is not None:
        counts = (evidence.devices_gone_count, evidence.points_gone_count)
        gone = "".join(
            texts(f"mail.cause.gone_{name}", n=texts.number(count))
            for name, count in zip(("devices", "points"), counts, strict=True)
            if count
        )
        moment = moment_of(evidence.since_ms, at_ms, texts)
        yield texts("mail.cause.gone", moment=moment, gone=gone)
    if said := _of_the_line(evidence, at_ms, texts):
        yield said


def _of_the_line(evidence: Evidence, at_ms: int, texts: Texts) -> str:
    verdict = evidence.verdict
    if verdict is None:
        return ""

    def moment(ms: int) -> str:
        return moment_of(ms, at_ms, texts)

    if verdict.verdict is VerdictClass.BELOW_TARGET:
        # The target is told in the sentence before.
        reasons = [r for r in verdict.reasons if r.code is not ReasonCode.EXPECTED]
        verdict = replace(verdict, reasons=tuple(reasons[:_MOST_REASONS]))
        told = tell(verdict, texts, moment)
        sentences = (told.headline, *told.sentences)
    else:
        # That there is no number is told already.
        sentences = tell_causes(verdict, texts)[:_MOST_REASONS]
    return " ".join(map(ended, sentences))
