"""What people decided about alarms, as pages and API show it beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dashboards.context import Site
from dashboards.views import IncidentView
from dashboards.words import incident_view
from netmon.actions import Muted, Muting
from netmon.actions.words import acknowledged_words, false_words, muted_words
from netmon.model import Inventory
from netmon.storage.action_records import Mark
from netmon.storage.records import Incident
from netmon.texts import Texts


@dataclass(frozen=True, slots=True)
class Acting:
    """What counts now: windows and silences, and the marks by incident."""

    muting: Muting
    acknowledged: Mapping[int, Mark]
    marked_false: Mapping[int, Mark]


def read_acting(site: Site) -> Acting:
    """Return what counts now; four small reads."""
    room, now_ms = site.store.actions, site.moment().now_ms
    return Acting(
        muting=Muting(
            room.maintenance(ends_after_ms=now_ms),
            room.silences(ends_after_ms=now_ms),
            now_ms,
        ),
        acknowledged=room.acknowledgements(open_only=True),
        marked_false=room.false_marks(),
    )


def acted_view(
    texts: Texts, incident: Incident, inventory: Inventory, acting: Acting
) -> IncidentView:
    """Return an incident with what people decided about it."""
    is_open = incident.ended_ms is None
    muted = acting.muting.of(incident, inventory) if is_open else None
    acknowledged = acting.acknowledged.get(incident.id)
    marked_false = acting.marked_false.get(incident.id)
    notes = (
        None if muted is None else muted_words(texts, muted),
        None if acknowledged is None else acknowledged_words(texts, acknowledged),
        None if marked_false is None else false_words(texts, marked_false),
    )
    return replace(
        incident_view(texts, incident, inventory),
        muted=muted,
        acknowledged=acknowledged,
        marked_false=marked_false,
        notes=tuple(note for note in notes if note is not None),
    )


def maintenance_words(texts: Texts, muted: Muted | None) -> str:
    """Return that a building is in maintenance; empty if it is not."""
    return "" if muted is None else muted_words(texts, muted)
