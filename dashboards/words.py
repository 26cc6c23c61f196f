"""Incidents in words: what, where, why; tolerant of evidence it does not know."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dashboards.facts import AP_RULE, LINE_RULE, NO_DATA_RULE
from dashboards.views import IncidentView
from netmon.actions import Standing
from netmon.alarm_classes import RuleName
from netmon.line_verdict import LineVerdict
from netmon.medium import sentence
from netmon.model import TARGET_DOWN_BPS, FailureReason, Inventory
from netmon.storage.action_records import MatchField
from netmon.storage.records import Incident
from netmon.texts import Texts

# Rules whose cause has a sentence of its own.
_CAUSES = {
    LINE_RULE: "line",
    AP_RULE: "ap",
    NO_DATA_RULE: "no_data",
    "line_down": "line_down",
    "line_flapping": "line_flapping",
    "device_down": "device_down",
    "below_by_contract": "below_by_contract",
    "monitor": "monitor",
    "ap_degraded": "ap_degraded",
}


def evidence_of(body: bytes) -> Mapping[str, object]:
    """Return the evidence as a dict; empty where it is none."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(evidence: Mapping[str, object], name: str) -> float | None:
    value = evidence.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]


def failure_text(texts: Texts, reason: object) -> str | None:
    """Return a failure in words; None for anything that is no failure reason."""
    try:
        return texts(f"failure.{FailureReason(str(reason))}")
    except ValueError:
        return None


def _finding(texts: Texts, evidence: Mapping[str, object]) -> str:
    """Return the worst finding of the line's medium; empty where there was none."""
    try:
        verdict = msgspec.convert(evidence.get("verdict"), LineVerdict)
    except msgspec.ValidationError:
        return ""
    finding = verdict.reasons[0].finding if verdict.reasons else None
    return "" if finding is None else sentence(finding, texts)


def cause(texts: Texts, rule: str, evidence: Mapping[str, object]) -> str:
    """Return in a sentence or two why an incident was opened."""
    measured = _number(evidence, "measured_bps")
    expected = _number(evidence, "expected_bps")
    failure = failure_text(texts, evidence.get("failure"))
    if rule == LINE_RULE and measured is not None and expected is not None:
        told = texts(
            "site.cause.line_measured",
            measured=texts.rate(measured),
            expected=texts.rate(expected),
        )
        found = _finding(texts, evidence)
        return f"{told} {found}." if found else told
    if rule == LINE_RULE and failure is not None:
        return texts("site.cause.line_failed", failure=failure)
    contracted = _number(evidence, "contracted_bps")
    if rule == RuleName.BELOW_BY_CONTRACT and contracted is not None:
        return texts(
            "site.cause.contract",
            contracted=texts.rate(contracted),
            target=texts.rate(TARGET_DOWN_BPS),
        )
    if rule in _CAUSES:
        text = texts(f"site.cause.{_CAUSES[rule]}")
        return text if failure is None else f"{text} ({failure})"
    return texts("site.cause.other", rule=rule)


def where(
    texts: Texts, target: str, evidence: Mapping[str, object], inventory: Inventory
) -> str:
    """Return what an alarm is about, as people call it."""
    kind, _, name = target.partition(":")
    if kind == "line":
        line = inventory.line_by_id.get(name)
        if line is None:
            return texts("site.where.line", name=name)
        role = texts(f"line_role.{line.role}")
        technology = texts(f"technology.{line.technology}")
        return f"{role} ({technology}, {line.provider})"
    if kind == "ap":
        planned = inventory.access_point_by_id.get(name)
        # One that nobody planned is called by its controller and own name.
        told = str(evidence.get("ap_name") or name.partition("/")[2] or name)
        return texts("site.where.ap", name=told if planned is None else planned.name)
    if kind == "device":
        device = inventory.device_by_id.get(name)
        told = str(evidence.get("device_name") or name)
        return texts("site.where.device", name=device.name if device else told)
    return texts("site.where.netmon") if kind == "netmon" else target


def incident_view(
    texts: Texts, incident: Incident, inventory: Inventory, standing: Standing
) -> IncidentView:
    """Return an incident ready to be shown."""
    building = inventory.building_by_id.get(incident.building_id)
    evidence = evidence_of(incident.evidence)
    decided = standing.of(incident, inventory)
    facts = standing.facts(incident, inventory)
    return IncidentView(
        id=incident.id,
        rule=incident.rule,
        building_id=incident.building_id,
        building_name=building.name
        if building
        else incident.building_id or texts("site.where.centre"),
        where=where(texts, incident.target, evidence, inventory),
        cause=cause(texts, incident.rule, evidence),
        started_ms=incident.started_ms,
        ended_ms=incident.ended_ms,
        decided=decided,
        notes=decided.notes(texts),
        severity=facts.get(MatchField.SEVERITY, ""),
        campus_district=facts.get(MatchField.CAMPUS_DISTRICT, ""),
    )
