"""Incidents: filters, one with its timeline and evidence, and who sees what."""

from __future__ import annotations

import pytest

from netmon.actions import commands
from netmon.config import Settings, load_settings
from netmon.storage.account_records import Role
from netmon.storage.action_records import Actor, MaintenanceScope, OneOff, Via
from netmon.storage.records import AlarmState, Mail, MailEvent, ThreadNews

OPEN, PAST = "Offene Störungen", "Die letzten"
LINE = "line_below_target"
WATCH = Actor("leitstelle", Via.API)


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def troubled(city, clock):
    """An old incident that is over, one that is acknowledged, one in maintenance."""
    past = city.line_state("b-ost", AlarmState.BAD, age_s=0)
    clock.advance(600)
    city.end_incident(past, LINE, "line:b-ost-main", "b-ost")
    seen = city.line_state("b-z9", AlarmState.BAD, rule="no_data", failure="no_reply")
    muted = city.state("ap_down", "ap:ost-1", "b-ost", AlarmState.BAD)
    other = city.line_state("b-z10", AlarmState.BAD, measured_bps=2e7, expected_bps=1e8)
    commands.acknowledge(city.store, seen, "bestellt", actor=WATCH, now_ms=city.now_ms)
    when = OneOff(starts_ms=city.now_ms, ends_ms=city.now_ms + 3_600_000)
    place = (MaintenanceScope.BUILDING, "b-ost")
    commands.add_maintenance(
        city.store,
        city.inventory,
        place,
        when,
        "Umbau",
        actor=WATCH,
        now_ms=city.now_ms,
    )
    return {"past": past, "seen": seen, "muted": muted, "other": other}


@pytest.mark.parametrize(
    ("query", "is_open", "past"),
    [
        ("", ["Ostschule", "Schule 10", "Schule 9"], ["Ostschule"]),
        ("?rule=&severity=&campus_district=&state=", 3, 1),
        ("?rule=ap_down", ["Ostschule"], None),
        ("?severity=major", ["Schule 10", "Schule 9"], ["Ostschule"]),
        ("?campus_district=Kirchlinde", ["Schule 10"], None),
        ("?state=unseen", ["Schule 10"], None),
        ("?state=acknowledged", ["Schule 9"], None),
        ("?state=muted", ["Ostschule"], None),
        ("?state=over", None, ["Ostschule"]),
        ("?state=false", None, None),
        ("?page=2", None, None),
    ],
)
async def test_filters(troubled, page, log_in, query, is_open, past):
    log_in(Role.READ)
    shown = await page(f"/stoerungen{query}")
    for caption, wanted in ((OPEN, is_open), (PAST, past)):
        has = caption in " ".join(e.text for e in shown.all("caption"))
        assert has is (wanted is not None)
        if isinstance(wanted, list):
            assert sorted(shown.rows(caption)) == wanted


SOFTER = """[[alerts.rules]]
rule = "line_below_target"
campus_district = "Kirchlinde"
severity = "info"
"""


class TestSeverityInAPlace:
    """The settings of the alerts count on the pages too."""

    @pytest.fixture
    def settings(self, tmp_path) -> Settings:
        path = tmp_path / "netmon.toml"
        path.write_text(SOFTER, encoding="utf-8")
        return load_settings(path)

    async def test_filter_and_page(self, troubled, page, log_in):
        log_in(Role.READ)
        assert list((await page("/stoerungen?severity=info")).rows(OPEN)) == [
            "Schule 10"
        ]
        shown = await page(f"/stoerungen/{troubled['other']}")
        assert "Hinweis" in shown.text


@pytest.mark.parametrize("query", ["?rule=nonsense", "?page=0", "?foo=1"])
async def test_a_filter_that_is_none_is_refused(troubled, client, log_in, query):
    log_in(Role.READ)
    assert (await client.get(f"/stoerungen{query}")).status_code == 422


async def test_past_incidents_have_pages(city, page, log_in, clock, monkeypatch):
    monkeypatch.setattr("dashboards.incident_page.PAGE_SIZE", 2)
    log_in(Role.READ)
    for _ in range(3):
        opened = city.line_state("b-ost", AlarmState.BAD, age_s=0)
        clock.advance(60)
        city.end_incident(opened, LINE, "line:b-ost-main", "b-ost")
    first = await page("/stoerungen")
    assert "Ältere Störungen" in first.text
    second = await page("/stoerungen?page=2")
    assert "Ältere Störungen" not in second.text
    assert "Neuere Störungen" in second.text
    links = [e.attrs["href"] for e in second.all("a") if e.text.startswith("Haupt")]
    assert links == ["/stoerungen/1"]


async def test_an_incident_tells_cause_evidence_and_timeline(
    troubled, city, page, log_in
):
    log_in(Role.READ)
    shown = await page(f"/stoerungen/{troubled['other']}")
    assert "Download 20,0 Mbit/s, erwartet mindestens 100" in shown.text
    names = [e.text for e in shown.all("dt")]
    assert "Gemessen" in names
    assert "Soll" in names
    assert "Zustand: Auffällig → Gestört" in shown.text
    assert "Bisher wurde keine Mail dazu eingereiht" in shown.text
    assert shown.all("form") == [] or "quittieren" not in shown.html
    muted = await page(f"/stoerungen/{troubled['muted']}")
    assert "In Wartung bis" in muted.text
    seen = await page(f"/stoerungen/{troubled['seen']}")
    assert "leitstelle (Schnittstelle): quittiert: bestellt" in seen.text
    past = await page(f"/stoerungen/{troubled['past']}")
    assert "beendet" in past.text


async def test_addresses_are_told_to_those_who_act(troubled, city, page, log_in):
    number = troubled["other"]
    mails = [
        Mail(
            id=0,
            incident_id=number,
            event=MailEvent.ALARM,
            recipient=to,
            message_id=f"<{to}>",
            in_reply_to="",
            subject="s",
            text="t",
            html="h",
            created_ms=city.now_ms,
            attempts=0,
            next_try_ms=city.now_ms,
            sent_ms=None,
            last_error="",
        )
        for to in ("service@example.org", "noc@example.org")
    ]
    news = ThreadNews(thread=None, mails=tuple(mails))
    city.store.threads.tell(
        [news], reader="mail", position=1, now_ms=city.now_ms, memory=""
    )
    log_in(Role.OPERATE)
    text = (await page(f"/stoerungen/{number}")).text
    assert "Störungsmail an service@example.org wartet" in text
    log_in(Role.READ, name="Leser")
    text = (await page(f"/stoerungen/{number}")).text
    assert text.count("Störungsmail wartet auf den Versand") == 1
    assert "example.org" not in text


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"results": "x", "since_ms": "y", "verdict": 3, "technology": []},
        {"results": [{"ts_ms": 1}, 7], "measured_bps": True, "held_by": ["a"]},
        {"flapping": True, "skewed": True, "held_by": ["line_down", "line:b-ost-main"]},
        {"results": [{"ts_ms": 1_763_000_000_000, "value": 0.0, "skewed": True}]},
    ],
)
async def test_strange_evidence_still_gives_a_page(city, page, log_in, evidence):
    log_in(Role.READ)
    number = city.line_state("b-ost", AlarmState.BAD, **evidence)
    text = (await page(f"/stoerungen/{number}")).text
    if evidence.get("flapping"):
        assert "wechselt ständig" in text
        assert "Eine Ursache davor ist noch gestört: Hauptanbindung" in text


async def test_of_other_buildings_there_is_none(troubled, client, log_in):
    log_in(Role.OPERATE, "Kirchlinde")
    assert (await client.get(f"/stoerungen/{troubled['other']}")).status_code == 200
    for number in (troubled["seen"], 4711):
        assert (await client.get(f"/stoerungen/{number}")).status_code == 404
    listed = (await client.get("/stoerungen")).text
    assert "Schule 10" in listed
    assert "Ostschule" not in listed
