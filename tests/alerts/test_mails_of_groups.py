"""What mails of further rules, of groups, and the digest say: golden files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from msgspec.structs import replace

from alerts.evidence import Cause, Evidence, encode
from alerts.mails import DigestFacts, Notice, render, render_digest
from alerts.mails.notice import Aside
from alerts.watched import Result
from netmon.clock import BERLIN, to_ms
from netmon.model import (
    Device,
    DeviceKind,
    Inventory,
    LineRole,
    Segment,
    SegmentKind,
    Technology,
)
from netmon.storage.records import Incident, MailEvent
from netmon.texts import Texts

URL = "https://netmon.dortmund.example/"
ALARM, UPDATE, RECOVERY = MailEvent.ALARM, MailEvent.UPDATE, MailEvent.RECOVERY


def ms(text: str) -> int:
    return to_ms(datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=BERLIN))


NOW = ms("20T08:42")
EVIDENCE = Evidence(
    cause=Cause.SILENT,
    since_ms=ms("20T08:30"),
    role=LineRole.MAIN,
    technology=Technology.VDSL,
    contracted_bps=50e6,
)


@pytest.fixture(scope="module")
def town(city: Inventory) -> Inventory:
    """The small city with five more schools in two Campusbezirke, behind one hop."""
    (school,), (main, _) = city.buildings, city.lines
    numbers = (8, 9, 10, 11, 12)
    return replace(
        city,
        buildings=(
            school,
            *(
                replace(
                    school,
                    id=f"gs-{n:02}",
                    name=f"Grundschule {n:02} (Demo)",
                    street=f"Demostraße {n}",
                    campus_district=f"Campusbezirk {3 + n % 2}",
                )
                for n in numbers
            ),
        ),
        lines=(
            *city.lines,
            *(
                replace(
                    main,
                    id=f"gs-{n:02}-main",
                    building_id=f"gs-{n:02}",
                    segments=("hop",),
                    contracted_down_bps=50_000_000,
                    fibre_planned_on=date(2027, 8, 1) if n == 8 else None,
                )
                for n in numbers
            ),
        ),
        segments=(
            Segment(
                id="hop",
                kind=SegmentKind.RADIO_HOP,
                capacity_bps=300_000_000,
                name="Richtfunk Nord",
            ),
        ),
        devices=(
            *city.devices,
            Device(
                id="sw-07",
                building_id="gs-07",
                kind=DeviceKind.SWITCH,
                name="sw-gs-07-1",
                address="192.0.2.9:161",
                room="Verteiler 1. OG",
            ),
        ),
    )


def incident(
    number: int,
    rule: str,
    target: str,
    building: int | None = 7,
    evidence: Evidence = EVIDENCE,
    ended_ms: int | None = None,
) -> Incident:
    return Incident(
        id=number,
        rule=rule,
        target=target,
        building_id="" if building is None else f"gs-{building:02}",
        started_ms=evidence.since_ms,
        ended_ms=ended_ms,
        evidence=encode(evidence),
    )


def of_line(number: int, rule: str, building: int) -> Incident:
    return incident(number, rule, f"line:gs-{building:02}-main", building)


def of_ap(number: int, building: int) -> Incident:
    evidence = replace(
        EVIDENCE, cause=Cause.AP_DOWN, ap="x", ap_name=f"AP-{number}", role=None
    )
    return incident(number, "ap_down", f"ap:x-{number}", building, evidence)


DOWN = incident(
    12,
    "line_down",
    "line:gs-07-main",
    7,
    replace(
        EVIDENCE,
        results=(Result(ms("20T08:40"), 0.0),),
        devices_gone_count=2,
        points_gone_count=14,
    ),
)
SWITCH = incident(12, "device_down", "device:sw-07", 7, replace(EVIDENCE, role=None))
OWN = incident(
    12,
    "monitor",
    "netmon:self",
    None,
    replace(
        EVIDENCE, cause=Cause.BLIND, silent_count=61, speaking_count=170, role=None
    ),
)
IMPAIRED = incident(
    12,
    "ap_degraded",
    "ap:gs-07-ap-1",
    7,
    replace(EVIDENCE, ap="gs-07-ap-1", ap_name="AP-01", room="r112", role=None),
)
FLAPPING = incident(
    12,
    "line_down",
    "line:gs-07-main",
    7,
    replace(EVIDENCE, flapping=True, skewed=True),
)
DISTRICT = (
    *(of_line(20 + n, "line_down", n) for n in (7, 8, 10)),
    of_ap(40, 8),
    of_ap(41, 8),
)
CITY_WIDE = (*DISTRICT, *(of_line(20 + n, "line_down", n) for n in (9, 11, 12)))
BEHIND = tuple(of_line(20 + n, "no_data", n) for n in (8, 9, 10))
CONTRACTS = tuple(of_line(20 + n, "below_by_contract", n) for n in (8, 9, 10))
SORTS = {
    "line-down": Notice(ALARM, (DOWN,), NOW, reference="Doline 12"),
    "line-down-flapping": Notice(ALARM, (FLAPPING,), NOW),
    "device-down": Notice(ALARM, (SWITCH,), NOW),
    "device-down-centre": Notice(ALARM, (replace(SWITCH, building_id=""),), NOW),
    "ap-degraded": Notice(ALARM, (IMPAIRED,), NOW),
    "monitor": Notice(ALARM, (OWN,), NOW),
    "monitor-over": Notice(RECOVERY, (OWN,), ms("20T09:36")),
    "below-by-contract": Notice(ALARM, (of_line(12, "below_by_contract", 8),), NOW),
    "contracts": Notice(ALARM, CONTRACTS, NOW),
    "late": Notice(
        ALARM, (DOWN,), NOW, muted_until_ms=ms("20T08:40"), in_lessons=False
    ),
    "reminder": Notice(MailEvent.REMINDER, (DOWN,), ms("20T12:30")),
    "escalation": Notice(MailEvent.ESCALATION, (DOWN,), ms("20T10:30")),
    "building": Notice(ALARM, (DOWN, SWITCH, of_ap(13, 7), of_ap(14, 7)), NOW),
    "update-building": Notice(UPDATE, (DOWN, of_ap(13, 7)), NOW, about=(of_ap(13, 7),)),
    "district": Notice(ALARM, DISTRICT, NOW),
    "update-district": Notice(UPDATE, DISTRICT, NOW, about=DISTRICT[2:]),
    "flapping": Notice(UPDATE, (DOWN,), NOW, about=(DOWN,), aside=Aside.FLAPPING),
    "progress": Notice(
        UPDATE,
        (
            *(replace(one, ended_ms=NOW) for one in DISTRICT[:4]),
            DISTRICT[4],
        ),
        NOW,
        about=DISTRICT[4:],
        aside=Aside.PROGRESS,
    ),
    "city": Notice(ALARM, CITY_WIDE, NOW),
    "city-over": Notice(RECOVERY, CITY_WIDE, ms("20T09:36")),
    "segment": Notice(ALARM, BEHIND, NOW, segment="hop"),
}
MORNING = ms("23T07:00")


def ended(one: Incident, at: str) -> Incident:
    return replace(one, ended_ms=ms(at))


def facts(town: Inventory) -> DigestFacts:
    return DigestFacts(
        at_ms=MORNING,
        since_ms=ms("20T07:00"),
        fresh=(
            of_line(27, "no_data", 8),
            *(of_ap(n, 9) for n in range(30, 34)),
            of_line(40, "below_by_contract", 12),
        ),
        ongoing=(DOWN,),
        over=(ended(of_line(33, "line_below_target", 10), "20T19:10"),),
        ended=(ended(of_line(34, "no_data", 11), "21T09:00"),),
        gaps=(ended(of_line(35, "no_data", 12), "20T22:00"),),
        below=town.lines[2:],
        stale=(2, 14),
        reference="Doline 27",
    )


@pytest.mark.parametrize("name", SORTS)
def test_mails_read_as_agreed(
    name: str, town: Inventory, texts: Texts, golden: Callable[[str, str], None]
) -> None:
    content = render(SORTS[name], town, texts, URL)
    golden(f"{name}.txt", f"Subject: {content.subject}\n\n{content.text}")
    if name in {"city", "update-district"}:
        golden(f"{name}.html", content.html)
    assert all(len(row) <= 78 for row in content.text.splitlines())


def test_the_digest_reads_as_agreed(
    town: Inventory, texts: Texts, golden: Callable[[str, str], None]
) -> None:
    content = render_digest(facts(town), town, texts, URL)
    golden("digest.txt", f"Subject: {content.subject}\n\n{content.text}")
    golden("digest.html", content.html)
    own = replace_district(facts(town), "Campusbezirk 4")
    content = render_digest(own, town, texts, URL)
    assert content.subject == "[Lagebericht] 23.11.2026, Campusbezirk 4 – offen: 6"
    assert "Ohne aktuellen Messwert" not in content.text


def replace_district(told: DigestFacts, district: str) -> DigestFacts:
    from dataclasses import replace as changed  # noqa: PLC0415

    return changed(told, district=district)


@pytest.mark.parametrize("name", SORTS)
def test_tables_have_headings_for_rows_and_columns(
    name: str, town: Inventory, texts: Texts
) -> None:
    html = render(SORTS[name], town, texts, URL).html
    assert '<html lang="de">' in html
    rows = html.count("<tr>")
    if rows:
        assert html.count('<th scope="row"') == rows - 1
        assert html.count('<th scope="col"') == 4


@pytest.mark.parametrize("name", SORTS)
def test_every_mail_exists_in_every_language(name: str, town: Inventory) -> None:
    content = render(SORTS[name], town, Texts("en"), URL)
    assert content.subject.startswith("[")
    assert "Uhr" not in content.text


def test_a_long_list_ends_with_how_many_are_left(town: Inventory, texts: Texts) -> None:
    many = tuple(incident(n, "ap_down", f"ap:{n}", None) for n in range(1, 90))
    told = DigestFacts(at_ms=MORNING, since_ms=NOW, fresh=many)
    text = render_digest(told, town, texts, URL).text
    assert "Und 29 weitere; die Übersicht zeigt alle." in text
