"""The page of one building: facts, history with the same numbers, devices, incidents."""

from __future__ import annotations

import pytest

from netmon.model import FailureReason, Inventory, LineRole
from netmon.storage.records import AlarmState

HOUR_S = 3600.0


async def test_facts_and_lines_are_shown(city, page):
    text = (await page("/gebaeude/b-oest")).text
    assert "Immanuel-Kant-Gymnasium" in text
    assert "Dollersweg 14, 44319 Dortmund" in text
    assert "Hauptanbindung Richtfunk, DOKOM21" in text
    assert "Ausfallsicherung VDSL, DOKOM21" in text


async def test_a_backup_line_nobody_measures_does_not_decide(city, page):
    city.throughput("b-oest", (60, (190, 40)))
    city.line_state("b-oest", AlarmState.OK)
    shown = await page("/gebaeude/b-oest")
    assert shown.all("h1")[0].text.split() == ["Östliche", "Schule", "In", "Ordnung"]
    assert "ohne Messung" in shown.text


async def test_the_worst_member_decides_and_a_share_of_the_access_points(city, page):
    city.throughput("b-ost", (60, (240, 40)))
    city.line_state("b-ost", AlarmState.OK)
    for ap in ("ost-1", "ost-2", "ost-3"):
        city.access_point("b-ost", ap, 1)
        city.state("ap_down", f"ap:{ap}", "b-ost", AlarmState.OK)
    assert "In Ordnung" in (await page("/gebaeude/b-ost")).all("h1")[0].text
    city.state("ap_down", "ap:ost-3", "b-ost", AlarmState.BAD)
    assert "Beeinträchtigt" in (await page("/gebaeude/b-ost")).all("h1")[0].text
    city.state("ap_down", "ap:ost-2", "b-ost", AlarmState.BAD)
    assert "Gestört" in (await page("/gebaeude/b-ost")).all("h1")[0].text


async def test_a_watched_backup_line_is_a_member(city, page):
    for role in (LineRole.MAIN, LineRole.BACKUP):
        city.throughput("b-oest", (60, (190, 40)), role=role)
    city.line_state("b-oest", AlarmState.OK)
    city.state("line_below_target", "line:b-oest-backup", "b-oest", AlarmState.BAD)
    assert "Gestört" in (await page("/gebaeude/b-oest")).all("h1")[0].text


@pytest.mark.parametrize(
    ("span", "ages_h", "rows", "grain"),
    [
        ("24h", (1, 2, 3), 3, "Einzelmessungen"),
        ("7d", (1, 30, 100), 3, "Mittel je Stunde"),
        ("30d", (1, 30, 500), 3, "Mittel je Tag"),
        ("1y", (1, 800, 5000), 3, "Mittel je Tag"),
    ],
)
async def test_every_span_has_a_chart_and_the_same_numbers(
    city, page, span, ages_h, rows, grain
):
    city.throughput("b-ost", *((h * HOUR_S, (200 + h, 40)) for h in ages_h))
    shown = await page(f"/gebaeude/b-ost?span={span}")
    assert f"Als Tabelle, Zeilen: {rows} ({grain})" in shown.text
    for hours in ages_h:
        assert f"{200 + hours:,} Mbit/s".replace(",", ".") in shown.text
    charts = [e for e in shown.all("svg") if "chart" in e.attrs.get("class", "")]
    assert charts
    assert all(e.attrs["role"] == "img" and e.text.strip() for e in charts)


async def test_nothing_older_than_the_span_is_drawn(city, page):
    city.throughput("b-ost", (25 * HOUR_S, (222, 40)))
    text = (await page("/gebaeude/b-ost?span=24h")).text
    assert "Nicht gemessen in diesem Zeitraum." in text
    assert "Als Tabelle" not in text


async def test_failures_are_in_the_history_without_numbers(city, page):
    city.throughput("b-ost", (7200, (240, 40)), (3600, FailureReason.REFUSED))
    shown = await page("/gebaeude/b-ost")
    assert "Messung gescheitert" in shown.text
    assert "Zuletzt ohne Ergebnis, vor 1 Std.: Verbindung abgelehnt." in shown.text
    table = shown.html.split("Als Tabelle", 1)[1].split("</table>", 1)[0]
    failed = table.split("<tbody", 1)[1].split("</tr>", 1)[0]
    assert failed.count("Nicht gemessen") == 2
    assert "0,0" not in failed


async def test_history_says_when_it_is_made_up(city, page):
    city.throughput("b-ost", (3600, (240, 40)), generated=True)
    captions = [e.text for e in (await page("/gebaeude/b-ost")).all("figcaption")]
    assert "erzeugt" in captions[0]
    assert "erzeugt" not in captions[1]


async def test_access_points_show_radios_and_those_outside_the_inventory(city, page):
    city.access_point("b-ost", "ost-1", 12, model="AP-515", name="Eingang")
    city.access_point("b-ost", "wlc-1/Fremder", 1)
    city.state("ap_down", "ap:wlc-1/Fremder", "b-ost", AlarmState.OK)
    city.write(
        "wlan_radio",
        "b-ost",
        {"device": "wlc-1", "ap": "ost-1", "radio": "0"},
        (
            60,
            {
                "channel": 36.0,
                "utilisation_ratio": 0.231,
                "clients_count": 12.0,
                "noise_dbm": -94.0,
            },
        ),
    )
    rows = (await page("/gebaeude/b-ost")).rows("Access Points")
    assert rows["AP 1"]["Funkmodule"] == (
        "0: Kanal 36, Auslastung 23 %, 12 Endgeräte, Rauschen −94 dBm"
    )
    assert rows["AP 1"]["Modell"] == "AP-515"
    assert rows["AP 1"]["Raum"] == "Aula"
    assert rows["AP 1"]["Endgeräte"] == "12"
    assert rows["AP 2"]["Endgeräte"] == "Nicht gemessen"
    assert rows["AP 2"]["Gemeldet"] == "Nie gemeldet"
    assert "Eingang" not in rows
    assert rows["Fremder nicht im Inventar"]["Laut Controller"].startswith("In Ordnung")


async def test_a_made_up_access_point_shows_its_state_and_its_badge(city, page):
    city.access_point("b-ost", "ost-1", 12, generated=True)
    city.access_point("b-ost", "ost-2", 12)
    for ap in ("ost-1", "ost-2"):
        city.state("ap_down", f"ap:{ap}", "b-ost", AlarmState.OK)
    rows = (await page("/gebaeude/b-ost")).rows("Access Points")
    assert rows["AP 1"]["Laut Controller"].startswith("In Ordnung")
    assert "erzeugt" in rows["AP 1"]["Gemeldet"]
    assert "erzeugt" not in rows["AP 2"]["Gemeldet"]


async def test_switch_ports_are_summed(city, page):
    speeds = {"1": (1.0, 1e9), "2": (1.0, 1e8), "3": (0.0, 0.0)}
    for port, (up, speed_bps) in speeds.items():
        city.write(
            "lan_port",
            "b-ost",
            {"device": "sw-1", "port": port},
            (60, {"oper_up": up, "speed_bps": speed_bps, "in_errors_total": 2.0}),
        )
    city.write("device", "b-ost", {"device": "sw-1"}, (60, {"up": 1.0}))
    city.write("device", "b-ost", {"device": "wlc-1"}, (60, FailureReason.NO_REPLY))
    rows = (await page("/gebaeude/b-ost")).rows("Controller und Switches")
    switch = rows["Switch OstSwitch"]
    assert switch["Ports aktiv"].startswith("2 von 3")
    assert switch["davon bis 100 Mbit/s"] == "1"
    assert switch["Portfehler"] == "6"
    assert switch["Erreichbar"].startswith("Ja")
    controller = rows["Controller OstWLAN-Controller"]
    assert controller["Erreichbar"] == "Keine Antwort"
    assert controller["Ports aktiv"] == "Nicht gemessen"


async def test_latest_measurements_name_method_sender_and_failure(city, page):
    city.throughput("b-ost", (600, (240, 40)), (60, FailureReason.BUSY))
    city.latency("b-ost", (120, 9.0), loss_ratio=0.02)
    rows = (await page("/gebaeude/b-ost")).rows("Neueste Messung")
    assert rows["Durchsatz"]["Verfahren"] == "tcp-plain/1"
    assert rows["Durchsatz"]["Sender"] == "sammler"
    assert rows["Durchsatz"]["Ergebnis"].startswith("Messserver ausgelastet")
    assert "vor 10 Min." in rows["Durchsatz"]["Ergebnis"]
    assert "Paketverlust: 2,0 %" in rows["Laufzeit"]["Ergebnis"].replace("\u00a0", " ")


async def test_incidents_of_the_building_with_their_end(city, page, clock):
    opened = city.line_state("b-ost", AlarmState.BAD, age_s=0, failure="timeout")
    clock.advance(5400)
    city.end_incident(opened, "line_below_target", "line:b-ost-main", "b-ost")
    city.state("ap_down", "ap:ost-2", "b-ost", AlarmState.BAD, ap_name="alter Name")
    city.state("ap_down", "ap:wlc-1/Fremder", "b-ost", AlarmState.BAD, ap_name="Gast")
    city.state("ap_down", "ap:wlc-1/AP 2/b", "b-ost", AlarmState.BAD)
    shown = await page("/gebaeude/b-ost")
    assert "Messung gescheitert: Zeitüberschreitung." in shown.text
    assert "1 Std. 30 Min." in shown.text
    for name in ("AP 2 ", "Gast", "AP 2/b"):
        # open, and in the list of all
        assert shown.text.count(f"Access Point {name}") == 2
    assert "alter Name" not in shown.text
    other = (await page("/gebaeude/b-oest")).text
    assert "Keine Störungen." in other


async def test_an_unknown_building_is_a_page_of_its_own(city, client, read_page):
    answer = await client.get("/gebaeude/gibt-es-nicht")
    assert answer.status_code == 404
    shown = read_page(answer.text)
    assert shown.all("h1")[0].text == "Nicht gefunden"
    assert "gibt-es-nicht" not in shown.text


async def test_an_id_with_odd_characters_is_linked_and_found(
    city, page, building_maker
):
    odd = 'b 1ä"<x>'
    city.adopt(Inventory(buildings=(building_maker(odd, '<b>"Schule" & Co'),)))
    shown = await page("/")
    assert "&lt;b&gt;" in shown.html
    assert '<b>"Schule"' not in shown.html
    href = next(
        e.attrs["href"] for e in shown.all("a") if "/gebaeude/" in e.attrs["href"]
    )
    assert not set(href) & set('<>" ')
    assert "Schule" in (await page(href)).text
