"""The block "the line itself" of the building page; pure."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.building_views import MediumPart, MediumValue, MediumView
from dashboards.views import Reading, Verdict
from netmon.line_medium import LineMedium, MediumReading
from netmon.medium import MediumState, sentence, value_text
from netmon.metrics import KINDS
from netmon.model import Inventory
from netmon.texts import Texts

# The medium has states of its own; this is how each looks.
LOOKS: Mapping[MediumState, Verdict] = {
    MediumState.OK: Verdict.OK,
    MediumState.WARN: Verdict.SUSPECT,
    MediumState.CRITICAL: Verdict.BAD,
    MediumState.UNKNOWN: Verdict.STALE,
}
_LIMITS = ("_alarm_dbm", "_warn_dbm")


def medium_view(medium: LineMedium, inventory: Inventory, texts: Texts) -> MediumView:
    """Return a line's medium ready to be shown."""
    health = medium.health
    return MediumView(
        state=health.state,
        look=LOOKS[health.state],
        findings=tuple(sentence(finding, texts) for finding in health.findings),
        raw_findings=health.findings,
        parts=tuple(_part(each, inventory, texts) for each in medium.readings),
    )


def _part(reading: MediumReading, inventory: Inventory, texts: Texts) -> MediumPart:
    device = inventory.device_by_id.get(reading.device)
    values: list[MediumValue] = []
    limits: list[MediumValue] = []
    for metric in KINDS[reading.kind].metrics:
        value = reading.values.get(metric.name)
        if value is None:
            continue
        place = limits if metric.name.endswith(_LIMITS) else values
        place.append(
            MediumValue(
                metric=metric.name,
                label=texts(f"medium.metric.{metric.name}"),
                text=value_text(metric.name, value, texts),
                reading=Reading(value, reading.at_ms, reading.stale, reading.generated),
            )
        )
    return MediumPart(
        kind=reading.kind,
        device=reading.device if device is None else device.name,
        where=reading.where,
        values=tuple(values),
        limits=tuple(limits),
        at_ms=reading.at_ms,
        stale=reading.stale,
        generated=reading.generated,
        failure=reading.failure,
        failure_at_ms=reading.failure_at_ms,
    )
