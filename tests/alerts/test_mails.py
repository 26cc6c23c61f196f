"""What mails say: golden files for each sort, and what must hold for all."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import datetime
from html.parser import HTMLParser

import msgspec
import pytest

from alerts.evidence import Cause, Evidence, encode
from alerts.mails import Content, Notice, render, render_test
from alerts.watched import Result
from netmon.clock import BERLIN, to_ms
from netmon.line_verdict import (
    LineAlarms,
    LineFacts,
    Statement,
    Worth,
    judge_line,
)
from netmon.medium import Finding, MediumHealth, MediumState
from netmon.model import FailureReason, Inventory, Line, LineRole, Technology
from netmon.notify_settings import ContactSettings
from netmon.storage.records import AlarmState, Incident, MailEvent
from netmon.texts import Texts
from netmon.wlan_truth import ApState, ApTruth, PlaceSource, TrailEnd

URL = "https://netmon.dortmund.example/"


def ms(text: str) -> int:
    return to_ms(datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=BERLIN))


def incident(rule: str, evidence: Evidence, number: int = 12) -> Incident:
    return Incident(
        id=number,
        rule=rule,
        target=f"ap:{evidence.ap}" if evidence.ap else f"line:{evidence.line}",
        building_id="gs-07",
        started_ms=ms("20T08:42"),
        ended_ms=None,
        evidence=encode(evidence),
    )


SLOW = Evidence(
    cause=Cause.BELOW_TARGET,
    since_ms=ms("20T08:12"),
    results=(
        Result(ms("20T07:57"), 243.1e6),
        Result(ms("20T08:12"), 41.7e6),
        Result(ms("20T08:27"), None, FailureReason.TIMEOUT),
        Result(ms("20T08:28"), 44.0e6),
        Result(ms("20T08:42"), 43.04e6),
    ),
    measured_bps=43.04e6,
    expected_bps=100e6,
    contracted_bps=250e6,
    technology=Technology.FIBRE,
    role=LineRole.MAIN,
    line="gs-07-main",
)
KNOWN = msgspec.structs.replace(
    SLOW,
    cause=Cause.BELOW_KNOWN_CONTRACT,
    expected_bps=45e6,
    contracted_bps=50e6,
    technology=Technology.VDSL,
    results=(),
)
BACKUP = msgspec.structs.replace(
    SLOW,
    cause=Cause.BELOW_CONTRACT,
    role=LineRole.BACKUP,
    expected_bps=90e6,
    contracted_bps=100e6,
    technology=Technology.RADIO,
)
SLOW_DSL = msgspec.structs.replace(
    BACKUP,
    role=LineRole.MAIN,
    technology=Technology.VDSL,
    medium=MediumHealth(
        MediumState.CRITICAL,
        (
            Finding(
                "dsl_rate_fell",
                MediumState.CRITICAL,
                {"rate_bps": 45.1e6, "typical_bps": 109e6},
            ),
            Finding("dsl_resyncs", MediumState.CRITICAL, {"resyncs_count": 4.0}),
        ),
    ),
)
# A full test beside a lesson, with the router's counters.
TESTED = LineFacts(
    capacity=Statement(
        worth=Worth.CAPACITY,
        direction="down",
        at_ms=ms("20T08:42"),
        method="tcp-adaptive/2",
        basis="router",
        values={
            "rate_bps": 43.04e6,
            "rate_low_bps": 42.1e6,
            "rate_high_bps": 44.2e6,
            "cross_bps": 17.6e6,
            "rtt_idle_s": 0.011,
            "rtt_loaded_s": 0.0853,
        },
    ),
)
BELOW = LineAlarms(AlarmState.BAD, AlarmState.OK)
NO_NUMBERS = LineAlarms(AlarmState.STALE, AlarmState.BAD)


def explained(
    evidence: Evidence,
    measured: LineFacts = TESTED,
    alarms: LineAlarms = BELOW,
) -> Evidence:
    """Return the evidence as the engine completes it."""
    line = Line(
        id=evidence.line,
        building_id="gs-07",
        role=evidence.role or LineRole.MAIN,
        technology=evidence.technology or Technology.FIBRE,
        contracted_down_bps=round(evidence.contracted_bps or 250e6),
        contracted_up_bps=40_000_000,
        provider="DOKOM21",
    )
    verdict = judge_line(line, alarms, measured, evidence.medium, ms("20T08:42"))
    return msgspec.structs.replace(evidence, verdict=verdict)


DSL = explained(SLOW_DSL)
FIBRE = explained(
    msgspec.structs.replace(SLOW, medium=MediumHealth(MediumState.OK)),
    msgspec.structs.replace(TESTED, device={"rx_dbm": -12.3}),
)
SILENT = Evidence(
    cause=Cause.SILENT,
    since_ms=ms("19T22:05"),
    last_valid_ms=ms("19T22:05"),
    role=LineRole.MAIN,
    line="gs-07-main",
)
BREAKS = Evidence(
    cause=Cause.LINE_FLAPPING,
    since_ms=ms("20T07:50"),
    last_valid_ms=ms("20T08:14"),
    role=LineRole.MAIN,
    line="gs-07-main",
    breaks=(ms("20T07:50"), ms("20T07:58"), ms("20T08:06"), ms("20T08:15")),
)
FAILING = Evidence(
    cause=Cause.FAILING,
    since_ms=ms("20T05:41"),
    results=(Result(ms("20T08:41"), None, FailureReason.UNREACHABLE),),
    failure=FailureReason.UNREACHABLE,
    failure_ms=ms("20T08:41"),
    last_valid_ms=ms("20T05:41"),
    role=LineRole.MAIN,
    line="gs-07-main",
)
DOWN = Evidence(
    cause=Cause.AP_DOWN,
    since_ms=ms("20T08:37"),
    results=(Result(ms("20T08:37"), 0.0), Result(ms("20T08:42"), 0.0)),
    ap="AP-01",
    ap_name="AP-01",
    controller="wlc-07",
    controller_name="wlc-gs-07",
    room="r112",
)
OTHER = msgspec.structs.replace(DOWN, ap_name="AP-02", room="", since_ms=ms("20T08:32"))
NO_POWER = ApTruth(
    ap="AP-01",
    name="AP-01",
    state=ApState.DOWN,
    works=False,
    end=TrailEnd.NO_POWER,
    switch_id="sw-07",
    port="Gi1/0/7",
    place=PlaceSource.PLAN,
    port_up=False,
    poe_on=False,
)
DARK = msgspec.structs.replace(DOWN, truth=NO_POWER)
UNJOINED = msgspec.structs.replace(
    OTHER, truth=msgspec.structs.replace(NO_POWER, end=TrailEnd.NOT_JOINED)
)
# Where nobody knows the port, the usual advice is told.
LOST = msgspec.structs.replace(
    DOWN, truth=msgspec.structs.replace(NO_POWER, end=TrailEnd.PORT_UNKNOWN)
)
BACK = Evidence(
    cause=Cause.IN_ORDER,
    since_ms=ms("20T08:12"),
    measured_bps=241.6e6,
    expected_bps=100e6,
    role=LineRole.MAIN,
)
GONE = Evidence(cause=Cause.RETIRED, since_ms=ms("20T08:12"))

CONTACTS = ContactSettings(
    service="Telefon 0231 555-100",
    devices="Systemhaus, Telefon 0231 555-200",
    provider={"DOKOM21": "Störungsannahme 0231 555-300"},
)

ALARM, RECOVERY = MailEvent.ALARM, MailEvent.RECOVERY
SORTS = {
    "line": Notice(ALARM, (incident("line_below_target", SLOW),), ms("20T08:42"), SLOW),
    "contract": Notice(
        ALARM, (incident("line_below_target", KNOWN),), ms("20T08:42"), KNOWN
    ),
    "backup": Notice(
        ALARM, (incident("line_below_target", BACKUP),), ms("20T08:42"), BACKUP
    ),
    "line-dsl": Notice(
        ALARM, (incident("line_below_target", DSL),), ms("20T08:42"), DSL
    ),
    "line-fibre": Notice(
        ALARM, (incident("line_below_target", FIBRE),), ms("20T08:42"), FIBRE
    ),
    "silent": Notice(ALARM, (incident("no_data", SILENT),), ms("20T01:05"), SILENT),
    "failing": Notice(ALARM, (incident("no_data", FAILING),), ms("20T08:42"), FAILING),
    "line-flapping": Notice(
        ALARM, (incident("line_flapping", BREAKS),), ms("20T08:19"), BREAKS
    ),
    "ap": Notice(ALARM, (incident("ap_down", DOWN),), ms("20T08:42"), DOWN),
    "aps": Notice(
        ALARM,
        (incident("ap_down", DOWN), incident("ap_down", OTHER, 13)),
        ms("20T08:42"),
        DOWN,
    ),
    "ap-trail": Notice(ALARM, (incident("ap_down", DARK),), ms("20T08:42"), DARK),
    "aps-trail": Notice(
        ALARM,
        (incident("ap_down", DARK), incident("ap_down", UNJOINED, 13)),
        ms("20T08:42"),
        DARK,
    ),
    "line-over": Notice(
        RECOVERY, (incident("line_below_target", SLOW),), ms("20T09:36"), BACK
    ),
    "silent-over": Notice(
        RECOVERY, (incident("no_data", SILENT),), ms("20T09:36"), BACK
    ),
    "ap-over": Notice(RECOVERY, (incident("ap_down", DOWN),), ms("20T09:36"), BACK),
    "aps-over": Notice(
        RECOVERY,
        (incident("ap_down", DOWN), incident("ap_down", OTHER, 13)),
        ms("22T09:36"),
        BACK,
    ),
    "retired": Notice(
        RECOVERY, (incident("line_below_target", SLOW),), ms("20T09:36"), GONE
    ),
}


SORTS |= {
    name: dataclasses.replace(SORTS[name], contacts=CONTACTS)
    for name in ("line-dsl", "silent", "aps")
}


def test_an_unknown_port_is_no_cause(city: Inventory, texts: Texts) -> None:
    lost = Notice(ALARM, (incident("ap_down", LOST),), ms("20T08:42"), LOST)
    assert render(lost, city, texts, URL) == render(SORTS["ap"], city, texts, URL)


@pytest.mark.parametrize("name", SORTS)
def test_mails_read_as_agreed(
    name: str, city: Inventory, texts: Texts, golden: Callable[[str, str], None]
) -> None:
    content = render(SORTS[name], city, texts, URL)
    golden(f"{name}.txt", f"Subject: {content.subject}\n\n{content.text}")
    if name in {"line", "aps", "line-over"}:
        golden(f"{name}.html", content.html)


@pytest.mark.parametrize(
    ("medium", "told"),
    [
        (None, "43 von 250 Mbit/s."),
        (
            MediumHealth(MediumState.OK),
            "43 von 250 Mbit/s; die Leitung selbst ist ohne Befund.",
        ),
        (MediumHealth(MediumState.UNKNOWN), "43 von 250 Mbit/s."),
    ],
)
def test_test_and_medium_stand_together_in_the_cause(
    medium: MediumHealth | None, told: str, city: Inventory, texts: Texts
) -> None:
    evidence = explained(msgspec.structs.replace(SLOW, medium=medium))
    notice = Notice(
        ALARM, (incident("line_below_target", evidence),), ms("20T08:42"), evidence
    )
    text = " ".join(render(notice, city, texts, URL).text.split())
    assert told in text
    assert "43 Mbit/s gemessen (42 bis 44), 08:42 Uhr, voller Test." in text
    assert "Fremder Verkehr von 18 Mbit/s ist am Router gezählt" in text
    assert "Laufzeit 11,0 ms im Leerlauf, 85,3 ms unter Last." in text


def test_a_line_without_numbers_is_told_by_its_medium(
    city: Inventory, texts: Texts
) -> None:
    dark = Finding("optics_dark", MediumState.CRITICAL, {"power_dbm": -40.0})
    medium = MediumHealth(MediumState.CRITICAL, (dark,))
    evidence = explained(
        msgspec.structs.replace(SILENT, medium=medium), LineFacts(), NO_NUMBERS
    )
    notice = Notice(ALARM, (incident("no_data", evidence),), ms("20T08:42"), evidence)
    text = " ".join(render(notice, city, texts, URL).text.split())
    assert text.count("Kein Licht auf der Glasfaser (−40,0 dBm).") == 1


def test_a_lower_bound_says_that_it_is_one(city: Inventory, texts: Texts) -> None:
    results = (*SLOW.results, Result(ms("20T08:50"), 104.2e6, at_least=True))
    alarm = msgspec.structs.replace(SLOW, results=results)
    over = msgspec.structs.replace(
        alarm, cause=Cause.IN_ORDER, measured_bps=104.2e6, measured_at_least=True
    )
    raised = (incident("line_below_target", alarm),)
    told = render(Notice(ALARM, raised, ms("20T09:00"), alarm), city, texts, URL).text
    assert "- 08:50 Uhr: mindestens 104 Mbit/s" in told
    healed = Notice(MailEvent.RECOVERY, raised, ms("20T09:00"), over)
    text = " ".join(render(healed, city, texts, URL).text.split())
    assert "Zuletzt gemessen: mindestens 104 Mbit/s, Soll" in text


def test_the_subject_is_the_one_of_the_agreement(city: Inventory, texts: Texts) -> None:
    subject = render(SORTS["line"], city, texts, URL).subject
    assert subject == (
        "[Störung] Grundschule 07 (Demo), Demostraße 7 – "
        "Anbindung unter Soll seit 08:12 Uhr"
    )


HEADINGS = [
    "Was",
    "Wo",
    "Seit wann",
    "Auswirkung auf den Unterricht",
    "Vermutliche Ursache",
    "Erste Schritte vor Ort",
    "Zuständig",
    "Weitere Angaben",
]


class Outline(HTMLParser):
    """The headings, links and language of a page; open tags must be closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.language = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.language = values.get("lang") or self.language
        if tag == "a":
            self.links.append(values["href"] or "")
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in {"h1", "h2"}:
            self.headings.append((self._open[-1], data))


@pytest.mark.parametrize("name", [name for name in SORTS if "over" not in name])
def test_text_and_html_say_the_same_in_the_agreed_order(
    name: str, city: Inventory, texts: Texts
) -> None:
    notice = SORTS[name]
    content = render(notice, city, texts, URL)
    outline = Outline(content.html)
    assert outline.headings[0] == ("h1", content.subject)
    assert outline.language == "de"
    assert outline.links == ["https://netmon.dortmund.example/gebaeude/gs-07"]
    if notice.event is MailEvent.ALARM:
        assert [text for _, text in outline.headings[1:]] == HEADINGS
        found = [content.text.index(heading.upper() + "\n") for heading in HEADINGS]
        assert found == sorted(found)
    words = re.sub(r"<[^>]+>", " ", content.html)
    for word in ("Störungsnummer: 12", "Demostraße 7", "Campusbezirk"):
        assert word in words
        assert word in content.text


def test_a_name_cannot_break_out_of_header_or_page(
    city: Inventory, texts: Texts
) -> None:
    evil = msgspec.structs.replace(
        city.buildings[0], name="Schule\r\nBcc: x@example <script>alert(1)</script>"
    )
    content = render(SORTS["line"], Inventory(buildings=(evil,)), texts, URL)
    assert "\n" not in content.subject
    assert "\r" not in content.subject
    assert "<script>" not in content.html
    assert "<script>" in content.text


def test_a_building_that_left_the_inventory_still_gets_its_mail(texts: Texts) -> None:
    content = render(SORTS["line-over"], Inventory(buildings=()), texts, URL)
    assert content.subject.startswith("[Entstört] Gebäude gs-07 –")
    assert "Dauer: 1 Std. 24 Min." in content.text


@pytest.mark.parametrize("name", SORTS)
def test_every_mail_exists_in_every_language(name: str, city: Inventory) -> None:
    content = render(SORTS[name], city, Texts("en"), URL)
    assert content.subject.startswith(("[Incident]", "[Cleared]"))
    assert 'lang="en"' in content.html


def test_no_line_of_the_text_is_longer_than_a_mail_line_should_be(
    city: Inventory, texts: Texts
) -> None:
    for notice in SORTS.values():
        content: Content = render(notice, city, texts, URL)
        assert all(len(row) <= 78 for row in content.text.splitlines())


def test_the_test_mail_is_no_alarm(texts: Texts) -> None:
    content = render_test("service@dortmund.example", texts)
    assert content.subject == "[Test] netmon – Testmail"
    assert "service@dortmund.example" in content.text
    assert "keine Störung" in " ".join(content.text.split())
