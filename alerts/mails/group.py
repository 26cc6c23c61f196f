"""A mail about several buildings or several rules, and one about followers; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from urllib.parse import quote

from alerts.evidence import decode
from alerts.mails.layout import Section, Table
from alerts.mails.notice import Aside, Notice
from alerts.mails.proof import proof
from alerts.mails.responsible import responsible
from alerts.mails.words import (
    address_of,
    began_ms,
    headline,
    is_flapping,
    labelled,
    moment_of,
    more,
    on_lessons,
    place_of,
    subject_of,
    urgent,
    waited,
)
from alerts.order import explains
from alerts.rules import BELOW_BY_CONTRACT
from netmon.clock import from_ms
from netmon.collation import collation_key
from netmon.model import Building, Inventory
from netmon.storage.records import Incident, MailEvent
from netmon.texts import Texts

_MOST_NUMBERS = 3


def by_rule(incidents: Sequence[Incident]) -> dict[str, list[Incident]]:
    """Return incidents by rule, what explains the others first."""
    found: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        found[incident.rule].append(incident)
    return {rule: found[rule] for rule in sorted(found, key=explains)}


def rows_of(
    incidents: Sequence[Incident],
    inventory: Inventory,
    at_ms: int,
    texts: Texts,
    *,
    with_rack: bool = False,
    with_numbers: bool = False,
) -> tuple[tuple[str, ...], ...]:
    """Return a row a building: Campusbezirk, building, what, since when; in order.

    ``with_rack`` adds the room to go to, ``with_numbers`` those of the incidents.
    """
    by_place: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        by_place[incident.building_id or incident.target].append(incident)
    rows = []
    for members in by_place.values():
        building = inventory.building_by_id.get(members[0].building_id)
        what = ", ".join(
            headline(same, inventory, texts)
            + (_numbers(same, texts) if with_numbers else "")
            for same in by_rule(members).values()
        )
        place = place_of(building, members[0], texts)
        rows.append(
            (
                "" if building is None else building.campus_district,
                _with_rack(place, building, texts) if with_rack else place,
                what,
                moment_of(began_ms(members), at_ms, texts),
            )
        )
    return tuple(sorted(rows, key=lambda row: tuple(map(collation_key, row))))


def _numbers(incidents: Sequence[Incident], texts: Texts) -> str:
    """Return the numbers to name them by, of many the first ones."""
    numbers = sorted(incident.id for incident in incidents)
    shown = ", ".join(map(str, numbers[:_MOST_NUMBERS]))
    more = " …" if len(numbers) > _MOST_NUMBERS else ""
    return texts("mail.group.numbers", numbers=f"{shown}{more}")


def _with_rack(place: str, building: Building | None, texts: Texts) -> str:
    if building is None or not building.rack_room:
        return place
    return f"{place}, {labelled(texts('mail.where.rack'), building.rack_room)}"


def table_of(
    title: str, rows: Sequence[tuple[str, ...]], texts: Texts, *, most: int = 1000
) -> Section:
    """Return rows of `rows_of` as a section; what is over ``most`` is counted."""
    shown = rows[:most]
    items = [
        texts(
            "mail.group.row" if district else "mail.group.row_city",
            district=district,
            place=place,
            what=what,
            since=since,
        )
        for district, place, what, since in shown
    ]
    rest = len(rows) - len(shown)
    after = (texts("mail.group.rest", n=texts.number(rest)),) if rest else ()
    head = tuple(
        texts(f"mail.group.head.{name}")
        for name in ("building", "district", "what", "since")
    )
    table = Table(
        head, tuple((place, d, what, since) for d, place, what, since in shown)
    )
    return Section(title, after, tuple(items), table=table)


class GroupWriter:
    """The sentences of a mail about a group."""

    def __init__(
        self, notice: Notice, inventory: Inventory, texts: Texts, public_url: str
    ) -> None:
        self._notice = notice
        self._inventory = inventory
        self._t = texts
        self._url = public_url.rstrip("/")
        self._told = notice.told
        self._rules = by_rule(self._told)
        self._rule = next(iter(self._rules))
        self._since_ms = began_ms(self._told)
        self._places = {i.building_id or i.target for i in self._told}

    def subject(self) -> str:
        """Return the subject."""
        notice, texts = self._notice, self._t
        return subject_of(notice, self._place(), self._what(), self._since_ms, texts)

    def sections(self) -> tuple[Section, ...]:
        """Return the mail, section by section."""
        notice = self._notice
        if notice.event is MailEvent.RECOVERY:
            return (self._recovered(), self._where(), self._time(), self._more())
        if notice.event is MailEvent.UPDATE:
            so_far = (self._so_far(),) if len(notice.members) > 1 else ()
            return (self._news(), self._where(), *so_far, self._more())
        return (
            *urgent(notice, self._since_ms, self._t),
            self._happened(),
            self._where(),
            self._since(),
            self._section("effect", on_lessons(self._effect(), notice, self._t)),
            self._cause(),
            self._steps(),
            responsible(notice.told, self._inventory, notice.contacts, self._t),
            self._more(),
        )

    def _section(self, name: str, paragraphs: tuple[str, ...]) -> Section:
        return Section(self._t(f"mail.heading.{name}"), paragraphs)

    def _place(self) -> str:
        t, first = self._t, self._told[0]
        buildings = self._inventory.building_by_id
        if self._notice.segment:
            return t(
                "mail.group.place.segment",
                segment=self._segment_name(),
                n=len(self._places),
                total=self._behind(),
            )
        if len(self._places) == 1:
            return place_of(buildings.get(first.building_id), first, t)
        districts = {
            buildings[i.building_id].campus_district
            for i in self._told
            if i.building_id in buildings
        }
        if len(districts) == 1:
            (district,) = districts
            return t(
                "mail.group.place.district", district=district, n=len(self._places)
            )
        return t("mail.group.place.city", n=len(self._places), districts=len(districts))

    def _segment_name(self) -> str:
        segment = self._inventory.segment_by_id.get(self._notice.segment)
        return self._notice.segment if segment is None else segment.name or segment.id

    def _behind(self) -> int:
        """Return how many buildings are behind the segment."""
        return len(
            {
                line.building_id
                for line in self._inventory.lines
                if self._notice.segment in line.segments
            }
        )

    def _what(self) -> str:
        t = self._t
        if len(self._places) == 1 and len(self._rules) == 1:
            return headline(self._told, self._inventory, t)
        what = (
            headline(self._rules[self._rule], self._inventory, t)
            if len(self._places) == 1
            else t(f"mail.group.what.{self._rule}")
        )
        return what if len(self._rules) == 1 else t("mail.group.mixed", what=what)

    def _counted(self, base: str) -> tuple[str, ...]:
        """Return what is told, and how much of it by rule."""
        t = self._t
        if len(self._told) == 1:
            return (t(f"{base}_one"),)
        told = t(
            f"{base}_here" if len(self._places) == 1 else base,
            n=t.number(len(self._told)),
            buildings=t.number(len(self._places)),
        )
        counts = ", ".join(
            t("mail.group.count", what=t(f"mail.group.what.{rule}"), n=len(found))
            for rule, found in self._rules.items()
        )
        return (told, t("mail.group.counts", counts=counts))

    def _is_known(self) -> bool:
        """Say whether it is all about contracts: no fault, nothing to mend on site."""
        return list(self._rules) == [BELOW_BY_CONTRACT]

    def _happened(self) -> Section:
        if self._is_known():
            told = self._t(
                "mail.group.known",
                n=self._t.number(len(self._told)),
                buildings=self._t.number(len(self._places)),
            )
            return self._section("what", (told,))
        said = self._counted("mail.group.happened")
        if any(is_flapping(decode(i.evidence)) for i in self._told):
            said = (*said, self._t("mail.alarm.flapping"))
        return self._section("what", said)

    def _recovered(self) -> Section:
        return self._section("what", self._counted("mail.group.recovered"))

    def _news(self) -> Section:
        """Return what an update is about."""
        if self._notice.aside is Aside.FLAPPING:
            return self._section("what", (self._t("mail.alarm.flapping"),))
        if self._notice.aside is Aside.PROGRESS:
            return self._section("what", (self._t("mail.group.progress"),))
        return self._joined()

    def _joined(self) -> Section:
        return self._section("joined", self._counted("mail.group.joined"))

    def _where(self) -> Section:
        building = self._inventory.building_by_id.get(self._told[0].building_id)
        if len(self._places) == 1 and building is not None:
            return self._here(building)
        notice = self._notice
        rows = rows_of(
            self._told,
            self._inventory,
            notice.at_ms,
            self._t,
            # Nobody goes there for what is over, or for a contract.
            with_rack=notice.event is not MailEvent.RECOVERY and not self._is_known(),
        )
        return table_of(self._t("mail.heading.where"), rows, self._t)

    def _here(self, building: Building) -> Section:
        """Return where one building is, and what is wrong in it since when."""
        t, at_ms = self._t, self._notice.at_ms
        wrong = (
            t(
                "mail.value.named",
                what=headline(found, self._inventory, t),
                since=moment_of(began_ms(found), at_ms, t),
            )
            for found in self._rules.values()
        )
        title = t("mail.heading.where")
        return Section(title, items=(*address_of(building, t), *wrong))

    def _so_far(self) -> Section:
        t, members = self._t, self._notice.members
        still = sum(member.ended_ms is None for member in members)
        places = {i.building_id or i.target for i in members}
        said = t(
            "mail.group.so_far",
            n=t.number(len(members)),
            open=t.number(still),
            buildings=t.number(len(places)),
        )
        return self._section("so_far", (said,))

    def _effect(self) -> str:
        here = f"mail.effect.{self._rule}.many"
        if len(self._places) == 1 and self._t.has(here):
            return self._t(here)
        return self._t(f"mail.group.effect.{self._rule}")

    def _since(self) -> Section:
        moment = self._t.moment(from_ms(self._since_ms))
        key = "mail.since.line" if self._is_known() else "mail.group.since"
        said = self._t(key, moment=moment)
        return self._section("since", (said, *waited(self._notice, self._t)))

    def _time(self) -> Section:
        t, ended_ms = self._t, self._notice.at_ms
        duration = t.duration((ended_ms - self._since_ms) / 1000)
        return Section(
            t("mail.heading.time"),
            items=(
                t("mail.since.began", moment=t.moment(from_ms(self._since_ms))),
                t("mail.since.ended", moment=t.moment(from_ms(ended_ms))),
                t("mail.since.duration", duration=duration),
            ),
        )

    def _cause(self) -> Section:
        t, at_ms = self._t, self._notice.at_ms
        if self._notice.segment:
            said = t(
                "mail.group.cause.segment",
                segment=self._segment_name(),
                n=len(self._places),
                total=self._behind(),
            )
            return self._section("cause", (said,))
        scope = "one" if len(self._places) == 1 else "many"
        said = t(f"mail.group.cause.{self._rule}.{scope}")
        # Of several buildings each has a page of its own.
        shown = proof(decode(self._rules[self._rule][0].evidence), at_ms, t)
        return self._section("cause", (said, *(shown if scope == "one" else ())))

    def _steps(self) -> Section:
        number = self._notice.incident.id
        base = "mail.group.steps_here" if len(self._places) == 1 else "mail.group.steps"
        if self._is_known():
            base = f"mail.steps.{BELOW_BY_CONTRACT}"
        steps = tuple(self._t(f"{base}.{n}", number=number) for n in (1, 2, 3))
        return Section(self._t("mail.heading.steps"), items=steps, ordered=True)

    def _more(self) -> Section:
        closing = ""
        if self._notice.event is not MailEvent.RECOVERY:
            key = "will_tell_known" if self._is_known() else "will_tell_group"
            closing = self._t(f"mail.more.{key}")
        link = f"{self._url}/"
        first = self._told[0]
        if len(self._places) == 1 and first.building_id:
            link += f"gebaeude/{quote(first.building_id, safe='')}"
        return more(self._notice, closing, link, self._t)
