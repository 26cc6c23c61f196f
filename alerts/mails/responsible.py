"""Who is responsible for what a mail tells of: provider, devices, on site; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alerts.mails.layout import Section
from alerts.rules import (
    AP_DEGRADED,
    AP_DOWN,
    BELOW_BY_CONTRACT,
    DEVICE_DOWN,
    LINE_BELOW_TARGET,
    LINE_DOWN,
    LINE_FLAPPING,
    MONITOR,
    NO_DATA,
    line_of,
)
from netmon.model import Inventory, Line
from netmon.notify_settings import ContactSettings
from netmon.storage.records import Incident
from netmon.texts import Texts

# The provider's business, or perhaps.
_OF_LINES = frozenset(
    {LINE_DOWN, LINE_FLAPPING, LINE_BELOW_TARGET, NO_DATA, BELOW_BY_CONTRACT}
)
_OF_DEVICES = frozenset({DEVICE_DOWN, AP_DOWN, AP_DEGRADED, NO_DATA, LINE_DOWN})


def responsible(
    incidents: Sequence[Incident],
    inventory: Inventory,
    contacts: ContactSettings,
    texts: Texts,
) -> Section:
    """Return who is responsible: of each line its provider, with what it calls it."""
    rules = {incident.rule for incident in incidents}
    lines = {
        line.id: line
        for incident in incidents
        if incident.rule in _OF_LINES
        and (line := inventory.line_by_id.get(line_of(incident.target))) is not None
    }
    items = list(_providers(list(lines.values()), contacts, texts))
    if rules & _OF_DEVICES and contacts.devices:
        items.append(texts("mail.responsible.devices", contact=contacts.devices))
    if MONITOR in rules:
        items.append(_with(texts("mail.responsible.noc"), contacts.noc))
    districts = {
        building.campus_district
        for incident in incidents
        if (building := inventory.building_by_id.get(incident.building_id)) is not None
    }
    if len(districts) == 1 and rules != {BELOW_BY_CONTRACT}:
        items.append(texts("mail.responsible.district", district=districts.pop()))
    items.append(_with(texts("mail.responsible.service"), contacts.service))
    return Section(texts("mail.heading.responsible"), items=tuple(items))


def _providers(
    lines: Sequence[Line], contacts: ContactSettings, texts: Texts
) -> Iterator[str]:
    for provider in sorted({line.provider for line in lines}):
        theirs = [line for line in lines if line.provider == provider]
        told = texts("mail.responsible.line", provider=provider)
        numbers = sorted(x.contract_number for x in theirs if x.contract_number)
        if len(theirs) == 1 and numbers:
            told = texts("mail.responsible.contract", told=told, number=numbers[0])
        elif len(lines) > 1:
            told = texts(
                "mail.responsible.lines", told=told, n=texts.number(len(theirs))
            )
        yield _with(told, contacts.provider.get(provider, ""))


def _with(told: str, contact: str) -> str:
    return f"{told}, {contact}" if contact else told
