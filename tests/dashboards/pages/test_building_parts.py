"""Access points by floor, ports of switches, probes, and what is folded."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from netmon.metrics import KINDS
from netmon.model import AccessPoint, FailureReason, Room
from netmon.storage.records import AlarmState
from netmon.texts import Texts

SWITCH = {"device": "sw-1"}


def summaries(shown) -> list[str]:
    return [" ".join(each.text.split()) for each in shown.all("summary")]


def a_port(city, port: str, info: dict[str, str] | None = None, **numbers: float):
    told = {"oper_up": 1.0, "admin_up": 1.0} | numbers
    city.write("lan_port", "b-ost", SWITCH | {"port": port}, (60, told), info=info)


def with_floors(city, count: int) -> None:
    """Put so many access points into two floors of the Ostschule, upper one first."""
    known = city.inventory
    rooms = tuple(
        Room(
            id=f"r-{n}", building_id="b-ost", name=f"R {n}", floor=floor, teaching=True
        )
        for n, floor in enumerate(("1. OG", "EG"))
    )
    points = tuple(
        AccessPoint(
            id=f"ap-{n}",
            building_id="b-ost",
            name=f"AP {n:02}",
            controller_id="wlc-1",
            room_id=f"r-{n % 2}",
        )
        for n in range(count)
    )
    city.adopt(replace(known, rooms=rooms, access_points=points))


async def test_access_points_stand_by_floor_in_the_order_of_the_rooms(city, page):
    with_floors(city, 14)
    for n in range(14):
        city.access_point("b-ost", f"ap-{n}", 3, name=f"AP {n:02}")
        state = AlarmState.BAD if n == 1 else AlarmState.OK
        city.state("ap_down", f"ap:ap-{n}", "b-ost", state)
    city.access_point("b-ost", "wlc-1/Fremder", 1)
    shown = await page("/gebaeude/b-ost")
    floors = [text for text in summaries(shown) if "Access Points" in text]
    assert [text.partition(" · ")[0] for text in floors] == ["1. OG", "EG", "Ohne Raum"]
    assert floors[0].startswith("1. OG · Access Points: 7 7 In Ordnung")
    assert "1 Gestört" in floors[1]
    assert "6 In Ordnung" in floors[1]
    # So many are folded; the summary says what is inside.
    assert not any("open" in e.attrs for e in shown.all("details")[:3])
    rows = shown.rows("Access Points mit Zustand, Endgeräten und Funkmodulen: EG")
    assert list(rows) == [f"AP {n:02}" for n in range(1, 14, 2)]


async def test_few_access_points_are_not_folded(city, page):
    city.access_point("b-ost", "ost-1", 3)
    shown = await page("/gebaeude/b-ost")
    floors = [e for e in shown.all("details") if "AP 1" in e.text]
    assert ["open" in floor.attrs for floor in floors] == [True]


async def test_a_radio_tells_all_that_its_controller_does(city, page):
    city.access_point("b-ost", "ost-1", 12)
    radio = {"device": "wlc-1", "ap": "ost-1"}
    city.write(
        "wlan_radio",
        "b-ost",
        radio | {"radio": "0"},
        (
            60,
            {
                "band_hz": 5e9,
                "channel": 36.0,
                "width_hz": 40e6,
                "tx_power_dbm": 17.0,
                "utilisation_ratio": 0.23,
                "clients_count": 6.0,
                "retries_ratio": 0.08,
                "noise_dbm": -94.0,
            },
        ),
    )
    city.write(
        "wlan_radio",
        "b-ost",
        radio | {"radio": "1"},
        (60, {"up": 0.0, "band_hz": 2.4e9}),
    )
    told = (await page("/gebaeude/b-ost")).rows("Access Points")["AP 1"]["Funkmodule"]
    assert told.replace("\u00a0", " ") == (
        "0: 5 GHz, Kanal 36 (40 MHz), Sendeleistung 17 dBm, Auslastung 23 %, "
        "6 Endgeräte, Wiederholungen 8 %, Rauschen −94 dBm1: aus, 2,4 GHz"
    )


async def test_ports_tell_state_speed_power_and_errors(city, page):
    a_port(
        city,
        "2",
        speed_bps=1e8,
        full_duplex=0.0,
        poe_w=7.4,
        in_errors_total=3.0,
        out_errors_total=4.0,
        oper_changes_total=9.0,
        in_rate_bps=2e6,
        out_rate_bps=35e5,
    )
    a_port(city, "10", oper_up=0.0, admin_up=0.0, poe_on=0.0)
    a_port(city, "9", info={"name": "Gi1/0/9"}, oper_up=0.0)
    city.write(
        "lan_port", "b-ost", SWITCH | {"port": "11"}, (60, FailureReason.TIMEOUT)
    )
    shown = await page("/gebaeude/b-ost")
    rows = shown.rows("Ports von Switch Ost")
    assert list(rows) == ["2", "Gi1/0/9", "10", "11"]
    assert rows["2"] == {
        "Zustand": "aktiv, 100 Mbit/s, halbduplex",
        "Angeschlossen": "–",
        "PoE": "7,4 W",
        "Fehler": "7",
        "Linkwechsel": "9",
        "Verkehr ein / aus": "2,0 / 3,5 Mbit/s",
    }
    assert rows["Gi1/0/9"]["Zustand"] == "kein Link"
    assert rows["Gi1/0/9"]["Fehler"] == "–", "what was not told is no zero"
    assert rows["10"]["Zustand"] == "abgeschaltet"
    assert rows["10"]["PoE"] == "aus"
    assert rows["11"]["Zustand"] == "Nicht gemessen"
    (summary,) = [text for text in summaries(shown) if "Ports" in text]
    assert summary.startswith("Switch Ost · Ports: 4, aktiv: 1 1 mit Fehlern")


async def test_only_the_networks_own_devices_are_named_at_a_port(city, page):
    a_port(city, "1", info={"neighbour": "AP 2.schule.example"})
    a_port(city, "2", info={"neighbour": "LAPTOP-VON-ERIKA"})
    a_port(city, "3", info={"neighbour_chassis": "02:00:00:00:00:07"})
    shown = await page("/gebaeude/b-ost")
    rows = shown.rows("Ports von Switch Ost")
    assert rows["1"]["Angeschlossen"] == "AP 2.schule.example"
    assert rows["2"]["Angeschlossen"] == "anderes Gerät"
    assert rows["3"]["Angeschlossen"] == "anderes Gerät"
    assert "ERIKA" not in shown.html
    assert "02:00:00" not in shown.html


async def test_a_name_of_a_device_is_text_and_no_markup(city, page):
    a_port(city, "1", info={"name": "<b>1</b>"})
    shown = await page("/gebaeude/b-ost")
    assert "<b>1</b>" not in shown.html
    assert "&lt;b&gt;1&lt;/b&gt;" in shown.html


async def test_a_probe_shows_its_own_health(city, page):
    assert (
        "In diesem Gebäude steht keine Sonde." in (await page("/gebaeude/b-ost")).text
    )
    city.source("sonde-ost", "b-ost")
    numbers = {
        "spool_records_count": 12.0,
        "spool_dropped_total": 1.0,
        "spool_rejected_total": 2.0,
    }
    own = {"probe": "sonde-ost"}
    city.write("probe_health", "b-ost", own, (60, numbers), source="sonde-ost")
    link = {"speed_bps": 1e8, "full_duplex": 0.0}
    city.write("probe_link", "b-ost", own, (60, link), source="sonde-ost")
    row = (await page("/gebaeude/b-ost")).rows("Sonden")["sonde-ost"]
    assert row["Letzter Kontakt"].startswith("vor")
    assert row["Warteschlange"].startswith("12vor 1 Min.")
    assert row["Verworfen"].startswith("1 verworfen, 2 abgelehnt")
    assert row["Version"] == "netmon/0.1.0"
    assert row["Eigener Port"].startswith("100 Mbit/s, halbduplex")
    assert "sonde-ost" not in (await page("/gebaeude/b-oest")).text


async def test_a_measurement_shows_every_number_it_brought(city, page):
    city.test(
        "b-ost",
        (
            60,
            {
                "rate_down_bps": 241.3,
                "retransmitted_ratio": 0.012,
                "transferred_bytes": 312e6,
                "duration_s": 10.4,
                "streams_count": 4.0,
            },
        ),
    )
    told = (await page("/gebaeude/b-ost")).rows("Neueste Messung")["Durchsatz"]
    text = told["Ergebnis"].replace("\u00a0", " ")
    for part in (
        "Download: 241 Mbit/s",
        "Erneut gesendet: 1,2 %",
        "Übertragen: 312,0 MB",
        "Dauer: 10,4 Sek.",
        "Verbindungen: 4",
    ):
        assert part in text


def test_every_number_of_a_line_has_a_name():
    texts = Texts()
    for kind in ("throughput", "latency", "path", "dns"):
        for metric in KINDS[kind].metrics:
            assert texts.has(f"site.metric.{metric.name}"), metric.name


@pytest.mark.parametrize(("count", "folded"), [(10, False), (13, True)])
async def test_old_incidents_are_folded(city, page, count, folded):
    for n in range(count):
        city.state("ap_down", f"ap:wlc-1/x{n}", "b-ost", AlarmState.BAD, age_s=60 + n)
    texts = summaries(await page("/gebaeude/b-ost"))
    assert ("3 ältere Störungen" in texts) is folded


async def test_a_long_history_is_put_together_and_has_a_page_of_its_own(city, page):
    city.latency("b-ost", *((60.0 * n, 10.0 + n % 7) for n in range(1, 200)))
    shown = await page("/gebaeude/b-ost")
    (link,) = {
        e.attrs["href"] for e in shown.all("a") if "/verlauf/loss" in e.attrs["href"]
    }
    assert any("Mittel je Stunde" in text for text in summaries(shown))
    whole = await page(link)
    assert len(whole.rows("Paketverlust")) == 199
    assert whole.all("h1")[0].text.startswith("Paketverlust in %")
    assert any(e.attrs.get("aria-current") == "true" for e in whole.all("a"))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/gebaeude/nichts/verlauf/rates", 404),
        ("/gebaeude/b-ost/verlauf/rates?line=nichts", 404),
        ("/gebaeude/b-ost/verlauf/nichts", 422),
        ("/gebaeude/b-leer/verlauf/rates", 404),
    ],
)
async def test_there_is_no_history_of_what_is_not_there(city, client, path, status):
    answer = await client.get(path)
    assert answer.status_code == status
    assert "<h1>" in answer.text


async def test_a_history_without_measurements_says_so(city, page):
    shown = await page("/gebaeude/b-ost/verlauf/rates")
    assert "Nicht gemessen in diesem Zeitraum." in shown.text


async def test_the_jump_list_leads_to_every_section(city, page):
    shown = await page("/gebaeude/b-ost")
    ids = {e.attrs.get("id") for e in shown.elements}
    jumps = [e for e in shown.all("a") if e.attrs["href"].startswith("#h-")]
    assert len(jumps) == 7
    assert {e.attrs["href"][1:] for e in jumps} <= ids
