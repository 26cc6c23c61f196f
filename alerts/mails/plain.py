"""The mail that is sent where the full one cannot be written; pure.

It needs nothing but the incident's row, so that what breaks one mail (evidence that
nobody can read, a word that is missing) silences nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from alerts.mails.layout import Content, Section, fill
from netmon.clock import from_ms
from netmon.model import Inventory
from netmon.storage.records import Incident, MailEvent
from netmon.texts import Texts

# The page has the rest.
_MOST_ITEMS = 60


def render_plain(
    event: MailEvent,
    incidents: Sequence[Incident],
    inventory: Inventory,
    texts: Texts,
    public_url: str,
) -> Content:
    """Return a mail that names the incidents: rule, place, beginning and end."""
    items = [_item(incident, inventory, texts) for incident in incidents[:_MOST_ITEMS]]
    more = len(incidents) - len(items)
    if more:
        items.append(texts("mail.group.rest", n=texts.number(more)))
    section = Section(
        texts("mail.heading.what"),
        (texts("mail.plain.why"),),
        tuple(items),
        link=f"{public_url.rstrip('/')}/",
        link_text=texts("mail.more.site"),
    )
    about = texts("mail.digest.heading.summary")
    if incidents:
        about = _about(incidents[0], inventory, texts)
    subject = texts(f"mail.plain.subject.{event}", about=about)
    return fill(subject, (section,), texts)


def _about(incident: Incident, inventory: Inventory, texts: Texts) -> str:
    building = inventory.building_by_id.get(incident.building_id)
    place = incident.target if building is None else building.name
    rule = f"incidents.rule.{incident.rule}"
    what = texts(rule) if texts.has(rule) else incident.rule
    return f"{place} – {what}"


def _item(incident: Incident, inventory: Inventory, texts: Texts) -> str:
    ended_ms = incident.ended_ms
    return texts(
        "mail.plain.item" if ended_ms is None else "mail.plain.item_over",
        number=incident.id,
        about=_about(incident, inventory, texts),
        target=incident.target,
        began=texts.moment(from_ms(incident.started_ms)),
        ended="" if ended_ms is None else texts.moment(from_ms(ended_ms)),
    )
