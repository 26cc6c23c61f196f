"""A campaign as JSON: its chain as it was hashed, and what netmon makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from netmon.clock import from_ms
from netmon.evidence import chain
from netmon.evidence.criteria import Finding
from netmon.evidence.readings import Evaluation, Measurement, Reading, evaluate
from netmon.evidence.records import FORMAT, builtins, read_records
from netmon.storage.campaign_records import ChainEntry
from netmon.texts import Texts

# How to check the chain without netmon, in the file itself.
HASH_RULE = 'sha256 = SHA-256(UTF-8(previous + "\\n" + record)), in hex'


class Sheet(msgspec.Struct, frozen=True, kw_only=True, rename={"layout": "format"}):
    """The file: ``chain`` is the evidence, the rest is computed from it."""

    layout: str
    notice: str
    hash_rule: str
    campaign: dict[str, Any]
    evaluation: dict[str, Any]
    head: str
    chain: tuple[ChainEntry, ...]


def sheet_of(entries: Sequence[ChainEntry], texts: Texts) -> Sheet:
    """Return the content of the file."""
    records = read_records(entries)
    evaluation = evaluate(records)
    return Sheet(
        layout=FORMAT,
        notice=f"{texts('evidence.report.notice')} {texts('evidence.report.legal')}",
        hash_rule=HASH_RULE,
        campaign=builtins(evaluation.order),
        evaluation=summary(evaluation),
        head=chain.head(entries),
        chain=tuple(entries),
    )


def json_bytes(entries: Sequence[ChainEntry], texts: Texts) -> bytes:
    """Return the file; the same chain gives the same bytes."""
    body = msgspec.json.encode(sheet_of(entries, texts), order="deterministic")
    return msgspec.json.format(body, indent=2) + b"\n"


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """Return what a chain says, as plain objects; rates in bit/s, times in UTC."""
    return {
        "state": evaluation.state.value,
        "complete": evaluation.complete,
        "valid_count": len(evaluation.valid),
        "planned_count": len(evaluation.measurements),
        "results_count": evaluation.results,
        "outside_count": evaluation.outside,
        "spacing_faults": list(evaluation.faults),
        "generated": evaluation.generated,
        "findings": [_finding(one) for one in evaluation.findings],
        "measurements": [_measurement(one) for one in evaluation.measurements],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "direction": finding.direction.value,
        "criterion": finding.criterion.value,
        "verdict": finding.verdict.value,
        "agreed_bps": finding.agreed_bps,
        "threshold_bps": finding.threshold_bps,
        "hits": finding.hits,
        "total": finding.total,
        "limit": finding.limit,
    }


def _measurement(one: Measurement) -> dict[str, Any]:
    return {
        "number": one.number,
        "planned": _moment(one.planned_ms),
        "day": one.day.isoformat(),
        "valid": one.valid,
        "tries_count": one.tries,
        "down": _reading(one.down),
        "up": _reading(one.up),
    }


def _reading(reading: Reading | None) -> dict[str, Any] | None:
    if reading is None:
        return None
    return {
        "measured": _moment(reading.result.at_ms),
        "received": _moment(reading.result.received_ms),
        "why_not": None if reading.why is None else reading.why.value,
        "compared_bps": reading.compared_bps if reading.why is None else None,
        "foreign_ratio": reading.foreign_share,
        "tags": reading.result.tags,
        "values": reading.result.values,
    }


def _moment(at_ms: int) -> str:
    return from_ms(at_ms).isoformat(timespec="milliseconds")
