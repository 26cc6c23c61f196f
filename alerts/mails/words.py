"""The words that all mails share; pure."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.evidence import Evidence, decode
from alerts.mails.layout import Section
from alerts.mails.notice import Aside, Notice
from alerts.rules import BELOW_BY_CONTRACT, MONITOR, access_point_of, line_of
from netmon.clock import berlin_day, from_ms
from netmon.model import Building, DeviceKind, Inventory, LineRole
from netmon.storage.records import Incident, MailEvent
from netmon.texts import Texts

_DEVICE = "device:"
_AP = "ap:"


def headline(incidents: Sequence[Incident], inventory: Inventory, texts: Texts) -> str:
    """Return in a few words what is wrong, e.g. ``Anbindung unter Soll``.

    The incidents, at least one, are of one rule. What changes all the time says so.
    """
    first, evidence = incidents[0], [decode(x.evidence) for x in incidents]
    variant = "many" if len(incidents) > 1 else variant_of(first, inventory)
    what = texts(
        f"mail.what.{first.rule}.{variant}",
        n=len(incidents),
        name=name_of(first, inventory),
    )
    if any(is_flapping(one) for one in evidence):
        return texts("mail.what.flapping", what=what)
    return what


def is_flapping(evidence: Evidence) -> bool:
    """Say whether an incident changes between good and bad all the time."""
    return evidence.flapping


def variant_of(incident: Incident, inventory: Inventory) -> str:
    """Return which words fit a target: a line's role, a device's kind, or ``one``."""
    target = incident.target
    if target.startswith(_DEVICE):
        device = inventory.device_by_id.get(target.removeprefix(_DEVICE))
        return DeviceKind.SWITCH if device is None else device.kind
    if target.startswith(_AP) or incident.rule == MONITOR:
        return "one"
    line = inventory.line_by_id.get(line_of(target))
    planned = LineRole.MAIN if line is None else line.role
    return decode(incident.evidence).role or planned


def name_of(incident: Incident, inventory: Inventory) -> str:
    """Return how people call the device or access point; the id where they don't."""
    target = incident.target
    if target.startswith(_DEVICE):
        key = target.removeprefix(_DEVICE)
        device = inventory.device_by_id.get(key)
        return key if device is None else device.name
    evidence = decode(incident.evidence)
    return evidence.ap_name or access_point_of(target)


def place_of(building: Building | None, incident: Incident, texts: Texts) -> str:
    """Return the building in a line; the city where an incident is of no building."""
    if building is not None:
        return f"{building.name}, {building.street}"
    if not incident.building_id:
        return texts("mail.where.city")
    return texts("mail.where.unknown_building", id=incident.building_id)


def place_name(building: Building | None, incident: Incident, texts: Texts) -> str:
    """Return the building's name alone, where there is one to name."""
    return place_of(None, incident, texts) if building is None else building.name


def room_of(room_id: str, inventory: Inventory, texts: Texts) -> str:
    """Return how people call a room; the id where the inventory has no room."""
    for room in inventory.rooms:
        if room.id == room_id:
            if not room.floor:
                return room.name
            return texts("mail.where.floor_room", room=room.name, floor=room.floor)
    return room_id


def labelled(label: str, value: str) -> str:
    """Return ``Raum: 1.12``, but not ``Campusbezirk: Campusbezirk 3``."""
    return value if value.startswith(label) else f"{label}: {value}"


def address_of(building: Building, texts: Texts, *, room: str = "") -> tuple[str, ...]:
    """Return where to go: name, address, Campusbezirk, the room, and the rack's."""
    items = [
        texts("mail.where.building", name=building.name),
        texts(
            "mail.where.address",
            street=building.street,
            postcode=building.postcode,
            city=building.city,
        ),
        labelled(texts("mail.where.district"), building.campus_district),
    ]
    if room:
        items.append(labelled(texts("mail.where.room"), room))
    if building.rack_room:
        items.append(labelled(texts("mail.where.rack"), building.rack_room))
    return tuple(items)


def moment_of(ms: int, at_ms: int, texts: Texts) -> str:
    """Return the time, with the day where it is not the day of the mail."""
    moment = from_ms(ms)
    if berlin_day(ms) == berlin_day(at_ms):
        return texts.time(moment)
    return texts.moment(moment)


def began_ms(incidents: Sequence[Incident]) -> int:
    """Return when the first of them began."""
    return min(decode(incident.evidence).since_ms for incident in incidents)


def subject_of(
    notice: Notice, place: str, what: str, since_ms: int, texts: Texts
) -> str:
    """Return the subject of a mail about incidents."""
    if notice.event is MailEvent.RECOVERY:
        duration = texts.duration((notice.at_ms - since_ms) / 1000)
        return texts("mail.subject.recovery", place=place, what=what, duration=duration)
    event = notice.event
    if notice.aside is Aside.PROGRESS:
        over = sum(member.ended_ms is not None for member in notice.members)
        return texts(
            "mail.subject.progress",
            place=place,
            what=what,
            over=texts.number(over),
            total=texts.number(len(notice.members)),
        )
    if notice.aside is Aside.FLAPPING:
        what = texts("mail.what.flapping", what=what)
    if event is MailEvent.ALARM and notice.incident.rule == BELOW_BY_CONTRACT:
        return texts("mail.subject.known", place=place, what=what)
    return texts(
        f"mail.subject.{event}",
        place=place,
        what=what,
        since=moment_of(since_ms, notice.at_ms, texts),
    )


def urgent(notice: Notice, since_ms: int, texts: Texts) -> tuple[Section, ...]:
    """Return what reminder and escalation say first; nothing for other mails."""
    if notice.event not in {MailEvent.REMINDER, MailEvent.ESCALATION}:
        return ()
    open_for = texts.duration((notice.at_ms - since_ms) / 1000)
    told = texts(
        f"mail.{notice.event}.text", duration=open_for, number=notice.incident.id
    )
    return (Section(texts(f"mail.{notice.event}.heading"), (told,)),)


def waited(notice: Notice, texts: Texts) -> tuple[str, ...]:
    """Return why a mail comes so late; nothing where it does not."""
    if notice.muted_until_ms is None:
        return ()
    until = moment_of(notice.muted_until_ms, notice.at_ms, texts)
    return (texts("mail.since.muted", until=until),)


def on_lessons(effect: str, notice: Notice, texts: Texts) -> tuple[str, ...]:
    """Return the effect on lessons, and that there are none where there are none."""
    return (effect,) if notice.in_lessons else (effect, texts("mail.effect.no_lessons"))


def more(notice: Notice, closing: str, link: str, texts: Texts) -> Section:
    """Return the last section: number, ticket, what comes next, link."""
    # A contract that is known is no incident, but has a number to be named by.
    known = notice.incident.rule == BELOW_BY_CONTRACT
    key = "mail.more.number_known" if known else "mail.more.number"
    lines = [texts(key, number=notice.incident.id)]
    if notice.reference:
        lines.append(texts("mail.more.ticket", reference=notice.reference))
    if closing:
        lines.append(closing)
    return Section(
        texts("mail.heading.more"),
        tuple(lines),
        link=link,
        link_text=texts("mail.more.link" if "/gebaeude/" in link else "mail.more.site"),
    )
