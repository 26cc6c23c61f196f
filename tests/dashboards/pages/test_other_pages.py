"""Incidents, senders and netmon's own health as pages."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from msgspec.structs import replace

from netmon.config import Settings, TsdbSettings
from netmon.login_settings import LoginSettings
from netmon.storage.records import AlarmState, Mail, MailEvent, ThreadNews, Transition


async def test_incidents_are_split_into_open_and_past(city, page, clock):
    past = city.line_state("b-ost", AlarmState.BAD, age_s=0)
    clock.advance(600)
    city.end_incident(past, "line_below_target", "line:b-ost-main", "b-ost")
    city.line_state("b-z9", AlarmState.BAD, rule="no_data", failure="no_reply")
    shown = await page("/stoerungen")
    is_open = shown.rows("Offene Störungen")
    ended = shown.rows("Die letzten beendeten Störungen")
    assert list(is_open) == ["Schule 9"]
    assert is_open["Schule 9"]["Ursache"] == "Keine Messwerte. (Keine Antwort)"
    assert list(ended) == ["Ostschule"]
    assert ended["Ostschule"]["Dauer"] == "10 Min."


@pytest.mark.parametrize("evidence", [b"", b"[]", b"no json", b'{"measured_bps": "x"}'])
async def test_strange_evidence_still_gives_a_sentence(city, page, evidence):
    change = Transition(
        id=0,
        rule="line_below_target",
        target="line:gone",
        building_id="b-gone",
        from_state=AlarmState.OK,
        to_state=AlarmState.BAD,
        at_ms=city.now_ms,
        incident_id=-1,
        evidence=evidence,
    )
    city.store.alarms.commit(
        [], [change], reader="alerts", position=0, now_ms=city.now_ms
    )
    row = (await page("/stoerungen")).rows("Offene Störungen")["b-gone"]
    assert row["Ursache"] == "Download unter dem Soll."
    assert row["Was"] == "Anbindung goneschwer"


@pytest.mark.parametrize(
    ("rule", "target", "building", "place", "what", "cause"),
    [
        ("monitor", "netmon:self", "", "Zentrale", "netmon selbst", "netmon hört"),
        (
            "device_down",
            "device:sw-1",
            "b-ost",
            "Ostschule",
            "Gerät Switch Ost",
            "Gerät antwortet nicht.",
        ),
        (
            "line_down",
            "line:b-ost-main",
            "b-ost",
            "Ostschule",
            "Hauptanbindung",
            "Sonde und Geräte",
        ),
    ],
)
async def test_what_no_single_measurement_says_has_words(
    city, page, rule, target, building, place, what, cause
):
    city.state(rule, target, building, AlarmState.BAD)
    shown = await page("/stoerungen")
    row = shown.rows("Offene Störungen")[place]
    assert row["Was"].startswith(what)
    assert row["Ursache"].startswith(cause)
    assert 'href="/gebaeude/"' not in shown.text
    await page("/")


async def test_no_incident_is_said_in_words(city, page):
    text = (await page("/stoerungen")).text
    assert "Keine Störung ist offen." in text


async def test_senders_show_contact_clock_spool_and_version(city, page, clock):
    city.source("b-ost-p1", "b-ost")
    city.source("b-z9-p1", "b-z9")
    city.write(
        "probe_health",
        "b-ost",
        {"probe": "b-ost-p1"},
        (30, {"spool_records_count": 1234.0, "spool_dropped_total": 7.0}),
        source="b-ost-p1",
    )
    clock.advance(300)
    rows = (await page("/sonden")).rows("Alle Sender")
    seen = rows["b-ost-p1Messsonde"]
    assert seen["Letzter Kontakt"] == "vor 5 Min."
    assert seen["Uhrabweichung"] == "1,5 s"
    assert seen["Warteschlange"].startswith("1.234")
    assert seen["Verworfen"] == "7"
    assert seen["Version"] == "netmon/0.1.0"
    assert seen["Gebäude"] == "Ostschule"
    silent = rows["b-z9-p1Messsonde"]
    assert silent["Letzter Kontakt"] == "Nie gemeldet"
    assert silent["Uhrabweichung"] == "–"
    assert silent["Verworfen"] == "–"
    clock.advance(4000)
    rows = (await page("/sonden")).rows("Alle Sender")
    assert rows["b-ost-p1Messsonde"]["Letzter Kontakt"] == "Verstummtvor 1 Std."


async def test_senders_made_for_the_demo_carry_the_badge(city, page):
    city.throughput("b-ost", (60, (240, 40)), generated=True)
    assert any(
        "erzeugt" in head for head in (await page("/sonden")).rows("Alle Sender")
    )


async def test_own_health_shows_lags_quarantine_and_waiting_mails(city, page):
    city.all_alive()
    city.throughput("b-ost", (60, (240, 40)))
    city.write("latency", "b-ost", {"line": "b-ost-main"}, quarantined=3)
    opened = city.line_state("b-ost", AlarmState.BAD)
    mail = Mail(
        id=0,
        incident_id=opened,
        event=MailEvent.ALARM,
        recipient="service@example.org",
        message_id="<1@example.org>",
        in_reply_to="",
        subject="s",
        text="t",
        html="h",
        created_ms=city.now_ms,
        attempts=0,
        next_try_ms=city.now_ms,
        sent_ms=None,
        last_error="",
        unwritten="KeyError: 'mail.what.new_rule'",
    )
    city.store.threads.tell(
        [ThreadNews(thread=None, mails=(mail,))],
        reader="mail",
        position=1,
        now_ms=city.now_ms,
        memory="",
    )
    shown = await page("/system")
    tiles = dict(
        zip(
            (e.text for e in shown.all("dt")),
            (e.text.strip() for e in shown.all("dd")),
            strict=True,
        )
    )
    assert tiles["In Quarantäne"] == "3"
    assert tiles["Wartende Mails"] == "1"
    assert tiles["Mails nur in Kurzform"].startswith("1")
    assert "mail.what.new_rule" in tiles["Mails nur in Kurzform"]
    assert tiles["Gespeicherte Messwerte"] == "1"
    assert tiles["Rückstand der Alarmierung (Datenpakete)"] == "1"
    assert tiles["Rückstand der Weitergabe (Datenpakete)"] == "nicht eingerichtet"
    assert tiles["Inventar"].startswith("Version 1")
    assert "service@example.org" not in shown.text


class TestWithRelay:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(
            tsdb=TsdbSettings(url="http://127.0.0.1:1"),
            login=LoginSettings(required=False),
        )

    async def test_a_relay_that_is_set_up_has_a_backlog_and_is_needed(self, city, page):
        city.throughput("b-ost", (60, (240, 40)))
        shown = await page("/system")
        rows = shown.rows("Woran /healthz")
        assert (
            rows["Weitergabe an die Zeitreihendatenbank"]["Zustand"] == "Nie gemeldet"
        )
        assert "Rückstand der Weitergabe" in shown.text
        assert "nicht eingerichtet" not in shown.text


async def test_a_known_contract_is_listed_but_is_no_open_fault(city, client, page):
    evidence = {"cause": "contract", "line": "b-z9-main", "contracted_bps": 50e6}
    number = city.line_state(
        "b-z9", AlarmState.BAD, rule="below_by_contract", **evidence
    )
    front = await page("/")
    assert not [e for e in front.all("span") if e.attrs.get("class") == "count"]
    assert front.rows("Offene Störungen") == {}
    listed = await page("/stoerungen")
    assert listed.rows("Offene Störungen") == {}
    (row,) = listed.rows("Keine Störung").values()
    cause = "Der Vertrag sieht 50,0 Mbit/s vor, das Ziel sind 100 Mbit/s."
    assert row["Ursache"] == cause
    # All ways to count say the same.
    found = (await client.get("/api/v1/buildings/b-z9")).json()
    assert found["open_incidents_count"] == 0
    assert "Offene Störungen" not in (await page("/gebaeude/b-z9")).text
    one = await page(f"/stoerungen/{number}")
    assert "state-below_contract" in one.html
    assert "state-bad" not in one.html


async def test_fibre_that_should_be_there_by_now_is_called_so(city, page):
    inventory = city.inventory
    lines = {line.id: line for line in inventory.lines}
    for line_id, day in (("b-z9-main", 19), ("b-oest-main", 20)):
        planned = date(2026, 11, day)
        lines[line_id] = replace(lines[line_id], fibre_planned_on=planned)
    city.adopt(replace(inventory, lines=tuple(lines.values())))
    late = (await page("/gebaeude/b-z9")).text
    assert "Glasfaser war geplant für 19.11.2026: Termin vorbei" in late
    assert "Glasfaser geplant: 20.11.2026" in (await page("/gebaeude/b-oest")).text


async def test_rooms_of_which_nothing_is_known_are_no_zero(city, client, page):
    rooms = {"rooms_count": 11.0, "covered_count": 0.0, "open_count": 11.0}
    city.write("coverage", "b-ost", {"network": "lan"}, (1200, rooms))
    row = (await page("/?q=Ostwall")).rows("Gebäude mit Anbindung")
    (cells,) = row.values()
    assert cells["Räume mit LAN"].startswith("–11 offen")
    told = (await client.get("/gebaeude.csv?q=Ostwall")).content.decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(told), delimiter=";")
    figures = {name: text for name, text in line.items() if "LAN" in name}
    assert "11" in figures.values()
    assert "0" not in [t for n, t in figures.items() if not n.startswith("W")]


async def test_a_file_of_no_building_has_its_headings(city, client):
    full = (await client.get("/gebaeude.csv")).text
    empty = (await client.get("/gebaeude.csv?q=nirgends")).text
    assert empty == full.partition("\r\n")[0] + "\r\n"
