"""What a mail says: subject, plain text and HTML of a notice; pure.

The words stand in the catalogue (``mail.*``), the order of a mail here: what,
where, since when, effect on lessons, probable cause, first steps, more.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from msgspec.structs import replace

from alerts.evidence import Cause, Evidence, decode
from alerts.machine import Result
from alerts.rules import AP_DOWN, LINE_BELOW_TARGET, NO_DATA
from netmon.clock import berlin_day, from_ms
from netmon.line_verdict import (
    ReasonCode,
    VerdictClass,
    ended,
    tell,
    tell_causes,
)
from netmon.model import TARGET_DOWN_BPS, Inventory, LineRole
from netmon.storage.records import Incident, MailEvent
from netmon.texts import Texts
from netmon.wlan_truth import ApState, TrailEnd, trail_text

_WIDTH = 76
# A mail tells the most telling; the page has what it leaves out.
_MOST_REASONS = 8
# A line must not end between a number and its unit.
_NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=Mbit/s|Uhr|%|Std\.|Min\.)")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something people are to be told.

    ``members`` are the incidents told of, the first one gives the number.
    ``at_ms`` is when the alarm was raised or the last of them ended; ``last`` is
    the evidence of that moment.
    """

    event: MailEvent
    members: tuple[Incident, ...]
    at_ms: int
    last: Evidence

    @property
    def incident(self) -> Incident:
        """The incident whose number the mail bears."""
        return self.members[0]


@dataclass(frozen=True, slots=True)
class Content:
    """A rendered mail."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    ordered: bool = False
    link: str = ""
    link_text: str = ""


def render(
    notice: Notice, inventory: Inventory, texts: Texts, public_url: str
) -> Content:
    """Return the mail of a notice; the same notice gives the same bytes."""
    writer = _Writer(notice, inventory, texts, public_url)
    subject = writer.subject()
    return fill(subject, writer.sections(), texts)


def render_test(recipient: str, texts: Texts) -> Content:
    """Return the mail that only shows that mails arrive."""
    text = texts("mail.test.text", recipient=recipient)
    section = _Section(texts("mail.heading.what"), (text,))
    return fill(texts("mail.subject.test"), (section,), texts)


def headline(rule: str, evidence: Sequence[Evidence], texts: Texts) -> str:
    """Return in a few words what is wrong, e.g. ``Anbindung unter Soll``.

    ``evidence`` is that of all incidents meant, at least one.
    """
    first = evidence[0]
    if rule != AP_DOWN:
        return texts(f"mail.what.{rule}.{first.role or LineRole.MAIN}")
    if len(evidence) > 1:
        return texts("mail.what.ap_down.many", n=len(evidence))
    return texts("mail.what.ap_down.one", ap=first.ap_name)


def fill(subject: str, sections: tuple[_Section, ...], texts: Texts) -> Content:
    """Return subject and sections as plain text and as HTML."""
    values = {
        "title": subject,
        "sections": sections,
        "footer": texts("mail.more.automatic"),
        "language": texts.language,
    }
    templates = _templates()
    return Content(
        # A line break in a name must not end the header.
        subject=" ".join(subject.split()),
        text=templates.get_template("mail.txt.j2").render(values),
        html=templates.get_template("mail.html.j2").render(values),
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("alerts"),
        autoescape=select_autoescape(("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["wrapped"] = _wrapped
    return environment


def _wrapped(text: str, lead: str = "") -> str:
    wrapped = textwrap.fill(
        _NUMBER_AND_UNIT.sub("\u00a0", text),
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapped.replace("\u00a0", " ")


def _labelled(label: str, value: str) -> str:
    """Return ``Raum: 1.12``, but not ``Campusbezirk: Campusbezirk 3``."""
    return value if value.startswith(label) else f"{label}: {value}"


class _Writer:
    """The sentences of one notice."""

    def __init__(
        self, notice: Notice, inventory: Inventory, texts: Texts, public_url: str
    ) -> None:
        self._notice = notice
        self._inventory = inventory
        self._t = texts
        self._url = public_url.rstrip("/")
        self._first = decode(notice.incident.evidence)
        self._all = [decode(incident.evidence) for incident in notice.members]
        self._rule = notice.incident.rule
        self._building = inventory.building_by_id.get(notice.incident.building_id)
        self._since_ms = min(evidence.since_ms for evidence in self._all)
        self._role = self._first.role or LineRole.MAIN

    def subject(self) -> str:
        t, building = self._t, self._building
        if building is None:
            place = t(
                "mail.where.unknown_building", id=self._notice.incident.building_id
            )
        else:
            place = f"{building.name}, {building.street}"
        if self._notice.event is MailEvent.RECOVERY:
            duration = t.duration((self._notice.at_ms - self._since_ms) / 1000)
            return t(
                "mail.subject.recovery",
                place=place,
                what=self._what(),
                duration=duration,
            )
        since = self._moment(self._since_ms)
        return t("mail.subject.alarm", place=place, what=self._what(), since=since)

    def sections(self) -> tuple[_Section, ...]:
        if self._notice.event is MailEvent.RECOVERY:
            return (self._recovered(), self._where(), self._time(), self._more())
        return (
            self._happened(),
            self._where(),
            self._since(),
            self._section("effect", (self._effect(),)),
            self._cause(),
            self._steps(),
            self._more(),
        )

    def _section(
        self,
        name: str,
        paragraphs: tuple[str, ...] = (),
        items: tuple[str, ...] = (),
        *,
        ordered: bool = False,
    ) -> _Section:
        return _Section(self._t(f"mail.heading.{name}"), paragraphs, items, ordered)

    def _what(self) -> str:
        return headline(self._rule, self._all, self._t)

    def _happened(self) -> _Section:
        return self._section("what", *self._told("mail.alarm", self._first))

    def _recovered(self) -> _Section:
        if self._notice.last.cause is Cause.RETIRED:
            return self._section("what", (self._t("mail.recovery.retired"),))
        return self._section("what", *self._told("mail.recovery", self._notice.last))

    def _told(
        self, base: str, evidence: Evidence
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the sentence that says what happened, and a list if it needs one."""
        t = self._t
        if self._rule != AP_DOWN:
            happened = t(
                f"{base}.{self._rule}",
                role=t(f"line_role.{self._role}"),
                measured=self._measured(evidence),
                expected=t.rate(evidence.expected_bps),
            )
            return (happened,), ()
        if len(self._all) == 1:
            return (t(f"{base}.{AP_DOWN}", ap=self._first.ap_name),), ()
        happened = t(f"{base}.{AP_DOWN}_many", n=len(self._all))
        return (happened,), tuple(self._access_point(each) for each in self._all)

    def _access_point(self, evidence: Evidence) -> str:
        since = self._moment(evidence.since_ms)
        room = self._room(evidence.room)
        key = "access_point" if room else "access_point_no_room"
        point = self._t(
            f"mail.value.{key}", ap=evidence.ap_name, room=room, since=since
        )
        trail = self._trail(evidence)
        if not trail or self._notice.event is MailEvent.RECOVERY:
            return point
        return self._t("mail.value.access_point_trail", point=point, trail=trail)

    def _trail(self, evidence: Evidence) -> str:
        """Return where an access point's trail ends; empty where nobody knows."""
        truth = evidence.truth
        if truth is None or truth.state is ApState.UNKNOWN:
            return ""
        if truth.end in {None, TrailEnd.PORT_UNKNOWN} and truth.change is None:
            return ""
        return trail_text(truth, self._inventory, self._t)

    def _where(self) -> _Section:
        t, building = self._t, self._building
        if building is None:
            unknown = t(
                "mail.where.unknown_building", id=self._notice.incident.building_id
            )
            return self._section("where", items=(unknown,))
        items = [
            t("mail.where.building", name=building.name),
            t(
                "mail.where.address",
                street=building.street,
                postcode=building.postcode,
                city=building.city,
            ),
            _labelled(t("mail.where.district"), building.campus_district),
        ]
        if self._rule == AP_DOWN and len(self._all) == 1 and self._first.room:
            items.append(_labelled(t("mail.where.room"), self._room(self._first.room)))
        if building.rack_room:
            items.append(_labelled(t("mail.where.rack"), building.rack_room))
        return self._section("where", items=tuple(items))

    def _since(self) -> _Section:
        moment = self._t.moment(from_ms(self._since_ms))
        if self._rule == NO_DATA and self._first.last_valid_ms is not None:
            return self._section(
                "since", (self._t("mail.since.last_valid", moment=moment),)
            )
        return self._section("since", (self._t("mail.since.line", moment=moment),))

    def _time(self) -> _Section:
        t, ended_ms = self._t, self._notice.at_ms
        duration = t.duration((ended_ms - self._since_ms) / 1000)
        items = (
            t("mail.since.began", moment=t.moment(from_ms(self._since_ms))),
            t("mail.since.ended", moment=t.moment(from_ms(ended_ms))),
            t("mail.since.duration", duration=duration),
        )
        return self._section("time", items=items)

    def _effect(self) -> str:
        variant: str = self._role
        if self._rule == AP_DOWN:
            variant = "many" if len(self._all) > 1 else "one"
        return self._t(f"mail.effect.{self._rule}.{variant}")

    def _cause(self) -> _Section:
        t, evidence = self._t, self._first
        key = str(evidence.cause)
        if self._rule == AP_DOWN and len(self._all) > 1:
            key += "_many"
        elif evidence.cause is Cause.AP_DOWN and self._trail(evidence):
            key += "_known"
        reason = evidence.failure
        cause = t(
            f"mail.cause.{key}",
            measured=self._measured(evidence),
            expected=t.rate(evidence.expected_bps),
            contracted=t.rate(evidence.contracted_bps),
            target=t.rate(TARGET_DOWN_BPS),
            technology=t(f"technology.{evidence.technology}")
            if evidence.technology
            else "",
            controller=evidence.controller_name or evidence.controller,
            reason=t(f"failure.{reason}") if reason else "",
            moment=""
            if evidence.failure_ms is None
            else self._moment(evidence.failure_ms),
        )
        sentences = (cause, *self._explained(evidence))
        if len(self._all) > 1 or not evidence.results:
            return self._section("cause", sentences)
        results = tuple(self._result(result) for result in evidence.results)
        return self._section("cause", (*sentences, t("mail.cause.results")), results)

    def _explained(self, evidence: Evidence) -> tuple[str, ...]:
        """Return what is known of line or access point; nothing where that is nothing."""
        if len(self._all) == 1 and (trail := self._trail(evidence)):
            return (ended(trail),)
        verdict = evidence.verdict
        if verdict is None:
            return ()
        if verdict.verdict is VerdictClass.BELOW_TARGET:
            # The target is told in the sentence before.
            reasons = [r for r in verdict.reasons if r.code is not ReasonCode.EXPECTED]
            verdict = replace(verdict, reasons=tuple(reasons[:_MOST_REASONS]))
            told = tell(verdict, self._t, self._moment)
            sentences = (told.headline, *told.sentences)
        else:
            # That there is no number is told already.
            sentences = tell_causes(verdict, self._t)[:_MOST_REASONS]
        said = " ".join(map(ended, sentences))
        return (said,) if said else ()

    def _result(self, result: Result) -> str:
        t = self._t
        if result.failure is not None:
            value = t(f"failure.{result.failure}")
        elif self._rule == LINE_BELOW_TARGET:
            value = self._rate(result.value, at_least=result.at_least)
        else:
            value = t("mail.value.up" if result.value else "mail.value.down")
        return t("mail.cause.result", moment=self._moment(result.ts_ms), value=value)

    def _measured(self, evidence: Evidence) -> str:
        """Return the newest number; that of a lower bound says so."""
        return self._rate(evidence.measured_bps, at_least=evidence.measured_at_least)

    def _rate(self, rate_bps: float | None, *, at_least: bool) -> str:
        rate = self._t.rate(rate_bps)
        return self._t("mail.value.at_least", rate=rate) if at_least else rate

    def _steps(self) -> _Section:
        number = self._notice.incident.id
        steps = tuple(
            self._t(f"mail.steps.{self._rule}.{n}", number=number) for n in (1, 2, 3)
        )
        return self._section("steps", items=steps, ordered=True)

    def _more(self) -> _Section:
        t, incident = self._t, self._notice.incident
        lines = [t("mail.more.number", number=incident.id)]
        if self._notice.event is MailEvent.ALARM:
            key = "will_tell_all" if len(self._all) > 1 else "will_tell"
            lines.append(t(f"mail.more.{key}"))
        return _Section(
            t("mail.heading.more"),
            tuple(lines),
            link=f"{self._url}/gebaeude/{quote(incident.building_id, safe='')}",
            link_text=t("mail.more.link"),
        )

    def _room(self, room_id: str) -> str:
        """Return how people call a room; the id where the inventory has no room."""
        for room in self._inventory.rooms:
            if room.id == room_id:
                if not room.floor:
                    return room.name
                return self._t(
                    "mail.where.floor_room", room=room.name, floor=room.floor
                )
        return room_id

    def _moment(self, ms: int) -> str:
        """Return the time, with the day where it is not the day of the mail."""
        moment = from_ms(ms)
        if berlin_day(ms) == berlin_day(self._notice.at_ms):
            return self._t.time(moment)
        return self._t.moment(moment)
