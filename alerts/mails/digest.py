"""The digest of a school morning; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from alerts.mails.group import rows_of, table_of
from alerts.mails.layout import Content, Section, Table, fill
from alerts.mails.words import headline, place_of
from alerts.rules import BELOW_BY_CONTRACT, NO_DATA
from netmon.clock import from_ms
from netmon.collation import collation_key
from netmon.model import Inventory, Line, LineRole
from netmon.storage.records import Incident
from netmon.texts import Texts

# A mail of some hundred rows is not read; the page has all.
_MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class DigestFacts:
    """What a digest tells; of one Campusbezirk only, where ``district`` names it.

    ``fresh`` are incidents that it tells first, ``ongoing`` those told before and open,
    ``over`` those that ended before anybody was told, ``ended`` those of former
    digests that ended. ``gaps`` are those of no measurements that ended since
    ``since_ms``. ``stale`` counts the lines and the access points about which nothing is
    known now.
    """

    at_ms: int
    since_ms: int
    fresh: tuple[Incident, ...] = ()
    ongoing: tuple[Incident, ...] = ()
    over: tuple[Incident, ...] = ()
    ended: tuple[Incident, ...] = ()
    gaps: tuple[Incident, ...] = ()
    below: tuple[Line, ...] = ()
    stale: tuple[int, int] = (0, 0)
    district: str = ""
    reference: str = ""

    @property
    def faults(self) -> tuple[Incident, ...]:
        """What is told first and is no known contract."""
        return tuple(i for i in self.fresh if i.rule != BELOW_BY_CONTRACT)

    @property
    def contracts(self) -> tuple[Incident, ...]:
        """Known contracts that are told first."""
        return tuple(i for i in self.fresh if i.rule == BELOW_BY_CONTRACT)

    @property
    def is_news(self) -> bool:
        """Whether it is worth a mail: known contracts alone are not."""
        told = (self.fresh, self.ongoing, self.over, self.ended, self.gaps)
        return any(told)


def render_digest(
    facts: DigestFacts, inventory: Inventory, texts: Texts, public_url: str
) -> Content:
    """Return the mail; the same facts give the same bytes."""
    writer = _Digest(facts, inventory, texts)
    subject = texts(
        "mail.digest.subject" if not facts.district else "mail.digest.subject_district",
        date=texts.date(from_ms(facts.at_ms)),
        n=texts.number(len(facts.faults) + len(facts.ongoing)),
        district=facts.district,
    )
    return fill(subject, writer.sections(public_url), texts)


class _Digest:
    def __init__(self, facts: DigestFacts, inventory: Inventory, texts: Texts) -> None:
        self._facts = facts
        self._inventory = inventory
        self._t = texts

    def sections(self, public_url: str) -> tuple[Section, ...]:
        facts = self._facts
        silent = [i for i in (*facts.fresh, *facts.ongoing) if i.rule == NO_DATA]
        found = (
            self._summary(),
            self._listed("fresh", facts.faults),
            self._listed("known", facts.contracts),
            self._listed("ongoing", facts.ongoing),
            self._finished("over", facts.over),
            self._finished("ended", facts.ended),
            self._listed("silent", silent),
            self._finished("gaps", facts.gaps),
            self._below(),
            self._more(public_url),
        )
        return tuple(section for section in found if section is not None)

    def _title(self, name: str) -> str:
        return self._t(f"mail.digest.heading.{name}")

    def _summary(self) -> Section:
        t, facts = self._t, self._facts
        lines, access_points = facts.stale
        counts = (
            t("mail.digest.count.fresh", n=t.number(len(facts.faults))),
            t("mail.digest.count.ongoing", n=t.number(len(facts.ongoing))),
            t("mail.digest.count.over", n=t.number(len(facts.over))),
            t("mail.digest.count.below", n=t.number(len(facts.below))),
            *(
                (
                    t(
                        "mail.digest.count.stale",
                        lines=t.number(lines),
                        access_points=t.number(access_points),
                    ),
                )
                if not facts.district
                else ()
            ),
        )
        since = t("mail.digest.since", moment=t.moment(from_ms(facts.since_ms)))
        return Section(self._title("summary"), (since,), counts)

    def _listed(self, name: str, incidents: Sequence[Incident]) -> Section | None:
        if not incidents:
            return None
        rows = rows_of(
            incidents, self._inventory, self._facts.at_ms, self._t, with_numbers=True
        )
        return table_of(self._title(name), rows, self._t, most=_MOST_ROWS)

    def _finished(self, name: str, incidents: Sequence[Incident]) -> Section | None:
        """Return what is over: a row an incident, with its end and its duration."""
        if not incidents:
            return None
        t, rows = self._t, []
        for incident in incidents:
            building = self._inventory.building_by_id.get(incident.building_id)
            ended_ms = incident.ended_ms or self._facts.at_ms
            rows.append(
                (
                    place_of(building, incident, t),
                    headline((incident,), self._inventory, t),
                    t.moment(from_ms(incident.started_ms)),
                    t.duration((ended_ms - incident.started_ms) / 1000),
                )
            )
        rows.sort(key=lambda row: tuple(map(collation_key, row)))
        shown, rest = rows[:_MOST_ROWS], len(rows) - len(rows[:_MOST_ROWS])
        items = tuple(
            t("mail.digest.finished", place=p, what=w, began=b, duration=d)
            for p, w, b, d in shown
        )
        head = tuple(
            t(f"mail.group.head.{key}")
            for key in ("building", "what", "began", "duration")
        )
        after = (t("mail.group.rest", n=t.number(rest)),) if rest else ()
        return Section(self._title(name), after, items, table=Table(head, tuple(shown)))

    def _below(self) -> Section | None:
        """Return how many contracts are below the target, by Campusbezirk."""
        lines = [line for line in self._facts.below if line.role is LineRole.MAIN]
        if not lines:
            return None
        t, buildings = self._t, self._inventory.building_by_id
        counts = Counter(
            buildings[line.building_id].campus_district
            for line in lines
            if line.building_id in buildings
        )
        names = sorted(counts, key=collation_key)
        rows = tuple((name, t.number(counts[name])) for name in names)
        head = tuple(t(f"mail.group.head.{key}") for key in ("district", "lines"))
        items = tuple(f"{name}: {n}" for name, n in rows)
        key = "mail.digest.below_one" if len(lines) == 1 else "mail.digest.below"
        told = (t(key, n=t.number(len(lines))),)
        return Section(self._title("below"), told, items, table=Table(head, rows))

    def _more(self, public_url: str) -> Section:
        t, facts = self._t, self._facts
        lines = []
        if facts.reference and len(facts.fresh) == 1:
            lines.append(t("mail.more.ticket", reference=facts.reference))
        if facts.fresh:
            lines.append(t("mail.digest.will_tell"))
        return Section(
            t("mail.heading.more"),
            tuple(lines),
            link=f"{public_url.rstrip('/')}/",
            link_text=t("mail.more.site"),
        )
