"""A mail about one rule in one building; pure.

The words stand in the catalogue (``mail.*``), the order of a mail here: what,
where, since when, effect on lessons, probable cause, first steps, more.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from alerts.evidence import Cause, Evidence, decode
from alerts.mails.layout import Section
from alerts.mails.notice import Notice
from alerts.mails.proof import proof
from alerts.mails.responsible import responsible
from alerts.mails.words import (
    address_of,
    headline,
    is_flapping,
    moment_of,
    more,
    name_of,
    on_lessons,
    place_of,
    room_of,
    subject_of,
    urgent,
    variant_of,
    waited,
)
from alerts.rules import (
    AP_DEGRADED,
    AP_DOWN,
    BELOW_BY_CONTRACT,
    DEVICE_DOWN,
    LINE_BELOW_TARGET,
    NO_DATA,
    RULES,
    line_of,
)
from alerts.watched import Result
from netmon.clock import from_ms
from netmon.line_verdict import ended
from netmon.model import TARGET_DOWN_BPS, Inventory, LineRole
from netmon.storage.records import MailEvent
from netmon.texts import Texts
from netmon.wlan_truth import ApState, TrailEnd, trail_text

_ACCESS_POINTS = (AP_DOWN, AP_DEGRADED)
# What their evidence says of the cause is told; of other rules the rule tells it.
_EXPLAINED = (LINE_BELOW_TARGET, NO_DATA, AP_DOWN)


class SingleWriter:
    """The sentences of one notice."""

    def __init__(
        self, notice: Notice, inventory: Inventory, texts: Texts, public_url: str
    ) -> None:
        self._notice = notice
        self._inventory = inventory
        self._t = texts
        self._url = public_url.rstrip("/")
        self._told_of = notice.told
        self._incident = notice.told[0]
        self._all = [decode(incident.evidence) for incident in notice.told]
        self._first = self._all[0]
        self._rule = self._incident.rule
        self._building = inventory.building_by_id.get(self._incident.building_id)
        self._since_ms = min(evidence.since_ms for evidence in self._all)
        self._role = self._first.role or LineRole.MAIN
        self._variant = variant_of(self._incident, inventory)
        self._is_access_point = self._rule in _ACCESS_POINTS

    def subject(self) -> str:
        """Return the subject."""
        place = place_of(self._building, self._incident, self._t)
        return subject_of(self._notice, place, self._what(), self._since_ms, self._t)

    def sections(self) -> tuple[Section, ...]:
        """Return the mail, section by section."""
        notice = self._notice
        if notice.event is MailEvent.RECOVERY:
            return (self._recovered(), self._where(), self._time(), self._more())
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

    def _section(
        self,
        name: str,
        paragraphs: tuple[str, ...] = (),
        items: tuple[str, ...] = (),
        *,
        ordered: bool = False,
    ) -> Section:
        return Section(self._t(f"mail.heading.{name}"), paragraphs, items, ordered)

    def _what(self) -> str:
        return headline(self._told_of, self._inventory, self._t)

    def _happened(self) -> Section:
        told, items = self._told("mail.alarm", self._first)
        if is_flapping(self._first):
            told = (*told, self._t("mail.alarm.flapping"))
        return self._section("what", told, items)

    def _recovered(self) -> Section:
        last = self._notice.last
        if last is not None and last.cause is Cause.RETIRED:
            return self._section("what", (self._t("mail.recovery.retired"),))
        return self._section("what", *self._told("mail.recovery", last or self._first))

    def _told(
        self, base: str, evidence: Evidence
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the sentence that says what happened, and a list if it needs one."""
        t, members = self._t, self._told_of
        if len(members) > 1:
            happened = t(f"{base}.{self._rule}_many", n=len(members))
            return (happened,), tuple(self._named(n) for n in range(len(members)))
        happened = t(
            f"{base}.{self._rule}",
            name=name_of(self._incident, self._inventory),
            role=t(f"line_role.{self._role}"),
            measured=self._measured(evidence),
            expected=t.rate(evidence.expected_bps),
            contracted=t.rate(evidence.contracted_bps),
            target=t.rate(TARGET_DOWN_BPS),
        )
        return (happened,), ()

    def _named(self, number: int) -> str:
        """Return a member as a row of the list."""
        incident, evidence = self._told_of[number], self._all[number]
        if self._is_access_point:
            return self._access_point(evidence)
        what = headline((incident,), self._inventory, self._t)
        since = self._moment(evidence.since_ms)
        return self._t("mail.value.named", what=what, since=since)

    def _access_point(self, evidence: Evidence) -> str:
        since = self._moment(evidence.since_ms)
        room = room_of(evidence.room, self._inventory, self._t)
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

    def _where(self) -> Section:
        t, building = self._t, self._building
        if building is None:
            place = place_of(None, self._incident, t)
            return self._section("where", items=(place,))
        items = address_of(building, t, room=self._room())
        return self._section("where", items=items)

    def _room(self) -> str:
        """Return where the one device or access point is; empty where unknown."""
        if len(self._all) > 1:
            return ""
        target = self._incident.target
        device = self._inventory.device_by_id.get(target.partition(":")[2])
        if device is not None:
            return device.room
        if self._is_access_point and self._first.room:
            return room_of(self._first.room, self._inventory, self._t)
        return ""

    def _since(self) -> Section:
        moment = self._t.moment(from_ms(self._since_ms))
        if self._rule == NO_DATA and self._first.last_valid_ms is not None:
            said = self._t("mail.since.last_valid", moment=moment)
        else:
            said = self._t("mail.since.line", moment=moment)
        return self._section("since", (said, *waited(self._notice, self._t)))

    def _time(self) -> Section:
        t, ended_ms = self._t, self._notice.at_ms
        duration = t.duration((ended_ms - self._since_ms) / 1000)
        items = (
            t("mail.since.began", moment=t.moment(from_ms(self._since_ms))),
            t("mail.since.ended", moment=t.moment(from_ms(ended_ms))),
            t("mail.since.duration", duration=duration),
        )
        return self._section("time", items=items)

    def _effect(self) -> str:
        variant = "many" if len(self._all) > 1 else self._variant
        if not self._t.has(f"mail.effect.{self._rule}.{variant}"):
            variant = str(self._role)
        return self._t(f"mail.effect.{self._rule}.{variant}")

    def _cause(self) -> Section:
        t, evidence = self._t, self._first
        key = str(evidence.cause) if self._rule in _EXPLAINED else self._rule
        if self._rule == AP_DOWN and self._inventory.stands_alone(evidence.ap):
            key += "_alone"
        if self._rule == AP_DOWN and len(self._all) > 1:
            key += "_many"
        elif self._rule == AP_DOWN and self._trail(evidence):
            key += "_known"
        elif self._rule == DEVICE_DOWN and not self._incident.building_id:
            key += "_central"
        reason = evidence.failure
        if evidence.ap_verdict is not None and evidence.ap_verdict.reason is not None:
            key = f"{key}_{evidence.ap_verdict.reason}"
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
            used=""
            if evidence.ap_verdict is None
            else t.percent(evidence.ap_verdict.utilisation_ratio, 0),
            reason=t(f"failure.{reason}") if reason else "",
            moment=""
            if evidence.failure_ms is None
            else self._moment(evidence.failure_ms),
        )
        sentences = [cause, *self._planned(), *self._explained(evidence)]
        if evidence.silent_count is not None:
            sentences.append(
                t(
                    "mail.cause.shaken"
                    if evidence.flapping
                    else "mail.cause.silent_at_once",
                    n=t.number(evidence.silent_count),
                    total=t.number(evidence.speaking_count),
                )
            )
        if evidence.skewed:
            sentences.append(t("mail.cause.skewed"))
        # What is derived was not measured.
        derived = not RULES[self._rule].kinds
        if len(self._all) > 1 or not evidence.results or derived:
            return self._section("cause", tuple(sentences))
        results = tuple(self._result(result) for result in evidence.results)
        return self._section("cause", (*sentences, t("mail.cause.results")), results)

    def _planned(self) -> Iterator[str]:
        """Yield when a known contract will be mended, where the inventory says it."""
        line = self._inventory.line_by_id.get(line_of(self._incident.target))
        known = self._rule == BELOW_BY_CONTRACT and len(self._all) == 1
        if known and line is not None and line.fibre_planned_on is not None:
            date = self._t.date(line.fibre_planned_on)
            yield self._t("mail.cause.planned", date=date)

    def _explained(self, evidence: Evidence) -> Iterator[str]:
        """Yield what is known of line or access point; nothing where that is nothing."""
        if len(self._all) == 1 and (trail := self._trail(evidence)):
            yield ended(trail)
        elif len(self._all) == 1 or not evidence.breaks:
            yield from proof(evidence, self._notice.at_ms, self._t)

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

    def _steps(self) -> Section:
        number = self._notice.incident.id
        # A probe that measures in vain is not to be pulled.
        failing = self._rule == NO_DATA and self._first.cause is Cause.FAILING
        base = "mail.steps.failing" if failing else f"mail.steps.{self._rule}"
        steps = tuple(self._t(f"{base}.{n}", number=number) for n in (1, 2, 3))
        return self._section("steps", items=steps, ordered=True)

    def _more(self) -> Section:
        incident, closing = self._incident, ""
        if self._notice.event is not MailEvent.RECOVERY:
            key = "will_tell_all" if len(self._all) > 1 else "will_tell"
            if self._rule == BELOW_BY_CONTRACT:
                key = "will_tell_known"
            elif key == "will_tell_all" and not self._is_access_point:
                key = "will_tell_group"
            closing = self._t(f"mail.more.{key}")
        link = self._url
        if incident.building_id:
            link += f"/gebaeude/{quote(incident.building_id, safe='')}"
        return more(self._notice, closing, link, self._t)

    def _moment(self, ms: int) -> str:
        return moment_of(ms, self._notice.at_ms, self._t)
