"""The overview: right values, ages and states; nothing measured is never green."""

from __future__ import annotations

import pytest

from netmon.model import FailureReason, Inventory
from netmon.storage.database import Database
from netmon.storage.records import AlarmState

LINES = "Gebäude mit Anbindung"
WLAN = "Gebäude mit WLAN"


def row_of(rows, name: str) -> dict[str, str]:
    return next(cells for head, cells in rows.items() if head.startswith(name))


async def test_a_measured_line_shows_values_ages_and_state(city, page):
    city.throughput("b-ost", (720, (243.5, 38.25)))
    city.latency("b-ost", (120, 12.34))
    city.line_state("b-ost", AlarmState.OK, age_s=7200)
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Download"] == "244 Mbit/svor 12 Min."
    assert row["Upload"].startswith("38,2 Mbit/s")
    assert row["Laufzeit"].startswith("12,3 ms")
    assert row["Laufzeit"].endswith("vor 2 Min.")
    assert row["Zustand"] == "In Ordnungseit 2 Std."
    assert row["Anbindung"] == "GlasfaserDOKOM21"
    assert row["Vertrag"].startswith("250 Mbit/s")
    assert row["Räume mit LAN"] == "Nicht gemessenAngabe: flächendeckend"


async def test_no_data_is_never_green_and_never_zero(city, page):
    city.line_state("b-ost", AlarmState.OK)
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Zustand"].startswith("Nicht gemessen")
    assert row["Download"] == row["Upload"] == row["Laufzeit"] == "Nicht gemessen"
    assert "In Ordnung" not in " ".join(row.values())


async def test_a_building_without_line_is_not_measured(city, page):
    row = row_of((await page("/")).rows(LINES), "Anne-Frank-Schule")
    assert row["Anbindung"] == "Kein Anschluss"
    assert row["Zustand"] == "Nicht gemessen"
    assert row["Download"] == "Nicht gemessen"


async def test_a_measured_zero_is_shown_as_zero(city, page):
    city.throughput("b-ost", (60, (0.0, 0.0)))
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Download"].startswith("0,0 Mbit/s")


async def test_measured_but_not_judged_is_unknown(city, page):
    city.throughput("b-ost", (60, (240, 40)))
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Zustand"] == "Unbekannt"


@pytest.mark.parametrize(
    ("rule", "state", "word"),
    [
        ("line_below_target", AlarmState.BAD, "Unter Soll"),
        ("line_below_target", AlarmState.SUSPECT, "Auffällig"),
        ("line_below_target", AlarmState.STALE, "Nicht gemessen"),
        ("line_below_target", AlarmState.UNKNOWN, "Unbekannt"),
        ("no_data", AlarmState.BAD, "Nicht gemessen"),
        ("no_data", AlarmState.STALE, "Nicht gemessen"),
        ("line_down", AlarmState.BAD, "Nicht gemessen"),
    ],
)
async def test_states_come_from_the_alerts(city, page, rule, state, word):
    city.throughput("b-ost", (60, (240, 40)))
    if rule in {"no_data", "line_down"}:
        city.line_state("b-ost", AlarmState.OK)
    city.line_state("b-ost", state, rule=rule)
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Zustand"].startswith(word)


async def test_a_slow_value_alone_raises_nothing(city, page):
    city.throughput("b-ost", (60, (1.0, 0.5)))
    city.line_state("b-ost", AlarmState.OK)
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Zustand"].startswith("In Ordnung")


async def test_an_ok_with_a_value_from_yesterday_is_doubted(city, page):
    city.throughput("b-ost", (86_400, (240, 40)))
    city.line_state("b-ost", AlarmState.OK)
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Zustand"].startswith("Nicht gemessen")
    assert "veraltet" in row["Download"]


async def test_a_contract_below_the_target_has_its_own_badge(city, page):
    city.throughput("b-z9", (60, (48, 9)))
    city.line_state("b-z9", AlarmState.OK)
    rows = (await page("/")).rows(LINES)
    assert row_of(rows, "Schule 9")["Zustand"].startswith("Unter Vertrag bekannt")
    city.line_state("b-z9", AlarmState.BAD)
    row = row_of((await page("/")).rows(LINES), "Schule 9")
    assert row["Zustand"].startswith("Unter Soll")
    assert "Unter Vertrag bekannt" in row["Anbindung"]


async def test_the_newest_failure_is_told_in_words(city, page):
    city.throughput("b-ost", (600, (240, 40)), (300, FailureReason.TIMEOUT))
    city.line_state("b-ost", AlarmState.SUSPECT)
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert "Zeitüberschreitung, vor 5 Min." in row["Zustand"]
    assert row["Download"].startswith("240 Mbit/s")
    assert row["Download"].endswith("vor 10 Min.")


async def test_a_failure_that_was_overcome_is_not_told(city, page):
    city.throughput("b-ost", (600, FailureReason.TIMEOUT), (300, (240, 40)))
    city.line_state("b-ost", AlarmState.OK)
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert "Zeitüberschreitung" not in row["Zustand"]


async def test_made_up_values_carry_their_badge_and_measured_ones_do_not(city, page):
    city.throughput("b-ost", (60, (240, 40)))
    city.throughput("b-oest", (60, (190, 40)), generated=True)
    city.access_point("b-z9", "wlc-9/AP 9", 3, generated=True)
    shown = await page("/")
    rows = shown.rows(LINES)
    assert "erzeugt" in row_of(rows, "Östliche")["Download"]
    assert "erzeugt" in row_of(rows, "Östliche")["Upload"]
    assert "erzeugt" not in row_of(rows, "Ostschule")["Download"]
    wlan = row_of(shown.rows(WLAN), "Schule 9")
    assert "erzeugt" in wlan["In Ordnung"]
    assert "erzeugt" in wlan["Endgeräte"]
    assert "2 von 5 Gebäuden zeigen erzeugte Beispieldaten" in shown.text


async def test_the_newest_of_two_senders_counts(city, page):
    city.throughput("b-ost", (7000, (111, 11)), generated=True)
    city.throughput("b-ost", (60, (240, 40)))
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Download"].startswith("240 Mbit/s")
    assert "erzeugt" not in row["Download"]


async def test_access_points_are_counted_by_state(city, page):
    for ap, up in (("ost-1", True), ("ost-2", False)):
        city.access_point("b-ost", ap, 7 if up else 0, up=up)
    city.state("ap_down", "ap:ost-1", "b-ost", AlarmState.OK)
    city.state("ap_down", "ap:ost-2", "b-ost", AlarmState.BAD)
    row = row_of((await page("/")).rows(WLAN), "Ostschule")
    assert row["In Ordnung"].startswith("1 von 3")
    assert row["Ausgefallen"] == "1"
    assert row["Unbekannt"] == "1"
    assert row["Endgeräte"].startswith("7")
    assert row["Zustand"] == "Gestört"


async def test_planned_access_points_that_never_reported_are_not_green(city, page):
    row = row_of((await page("/")).rows(WLAN), "Ostschule")
    assert row["Zustand"] == "Nicht gemessen"
    assert row["In Ordnung"] == "0 von 3Nie gemeldet"
    assert row["Ausgefallen"] == "–"
    assert row["Endgeräte"] == "Nicht gemessen"


async def test_plan_and_report_meet_by_the_planned_id_only(city, page):
    city.access_point("b-ost", "ost-1", 2, name="neuer Name")
    # Name and serial number of a plan, but its controller's own: nobody planned it.
    city.access_point("b-ost", "wlc-1/AP 2", 2, name="AP 2", serial="SN2")
    city.state("ap_down", "ap:ost-1", "b-ost", AlarmState.OK)
    city.state("ap_down", "ap:wlc-1/AP 2", "b-ost", AlarmState.OK)
    row = row_of((await page("/")).rows(WLAN), "Ostschule")
    assert row["In Ordnung"].startswith("2 von 4")
    assert row["Unbekannt"] == "2"


async def test_states_under_other_names_of_an_access_point_do_not_count(city, page):
    city.access_point("b-ost", "ost-1", 2)
    for name in ("AP 1", "wlc-1/AP 1", "wlc-1/ost-1", "SN1"):
        city.state("ap_down", f"ap:{name}", "b-ost", AlarmState.OK)
    row = row_of((await page("/")).rows(WLAN), "Ostschule")
    assert row["In Ordnung"].startswith("0 von 3")


async def test_made_up_access_points_and_lines_show_state_and_badge(city, page):
    city.throughput("b-ost", (60, (240, 40)), generated=True)
    city.line_state("b-ost", AlarmState.OK)
    for ap, state in (
        ("ost-1", AlarmState.OK),
        ("ost-2", AlarmState.SUSPECT),
        ("ost-3", AlarmState.OK),
    ):
        city.access_point("b-ost", ap, 2, generated=True)
        city.state("ap_down", f"ap:{ap}", "b-ost", state)
    shown = await page("/")
    line = row_of(shown.rows(LINES), "Ostschule")
    assert line["Zustand"].startswith("In Ordnung")
    assert "erzeugt" in line["Download"]
    wlan = row_of(shown.rows(WLAN), "Ostschule")
    assert wlan["Zustand"] == "Auffällig"
    assert wlan["In Ordnung"].startswith("2 von 3")
    assert "erzeugt" in wlan["In Ordnung"]


async def test_clients_of_a_vanished_access_point_are_not_added(city, page):
    city.access_point("b-ost", "ost-1", 30, age_s=7 * 86_400)
    city.access_point("b-ost", "ost-2", 5)
    row = row_of((await page("/")).rows(WLAN), "Ostschule")
    assert row["Endgeräte"].startswith("5")


async def test_the_counts_add_up_to_all_buildings(city, page):
    city.throughput("b-ost", (60, (20, 4)))
    city.line_state("b-ost", AlarmState.BAD, measured_bps=20e6, expected_bps=100e6)
    city.throughput("b-oest", (60, (190, 40)))
    city.line_state("b-oest", AlarmState.OK)
    shown = await page("/")
    links = {e.attrs.get("href", ""): e.text for e in shown.all("a")}
    counts = {
        state: int(links[f"/?state={state}#anbindung"].split()[-1])
        for state in ("bad", "suspect", "stale", "unknown", "below_contract", "ok")
    }
    assert sum(counts.values()) == len(city.inventory.buildings)
    assert counts["bad"] == 1
    assert counts["ok"] == 1


async def test_open_incidents_stand_on_the_page_with_cause_and_age(city, page):
    city.line_state(
        "b-ost", AlarmState.BAD, age_s=5040, measured_bps=18.2e6, expected_bps=1e8
    )
    shown = await page("/")
    row = row_of(shown.rows("Offene Störungen"), "Ostschule")
    assert row["Ursache"] == "Download 18,2 Mbit/s, erwartet mindestens 100 Mbit/s."
    assert row["Was"] == "Hauptanbindung (Glasfaser, DOKOM21)"
    assert row["Beginn"] == "20.11.2026, 06:48 Uhr"
    assert row["Dauer"] == "1 Std. 24 Min."


async def test_names_sort_as_german_text_and_numbers_by_value(city, page):
    names = [head.split("Dollersweg")[0] for head in (await page("/")).rows(LINES)]
    begun = [name[:9] for name in names]
    assert begun == ["Anne-Fran", "Östliche ", "Ostschule", "Schule 9", "Schule 10"]


async def test_sorting_by_a_value_puts_missing_ones_last(city, page):
    city.throughput("b-ost", (60, (240, 40)))
    city.throughput("b-z9", (60, (48, 9)))
    up = list((await page("/?sort=down")).rows(LINES))
    down = list((await page("/?sort=-down")).rows(LINES))
    assert [up[0][:8], up[1][:8]] == ["Schule 9", "Ostschul"]
    assert [down[0][:8], down[1][:8]] == ["Ostschul", "Schule 9"]
    assert up[2:] == down[2:]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=oestliche", set()),
        ("q=ostliche", {"Östliche"}),
        ("q=ÖSTLICHE+schule", {"Östliche"}),
        ("q=kant", {"Östliche"}),
        ("q=123456", {"Östliche"}),
        ("q=ostwall", {"Ostschule"}),
        ("school_type=Berufskolleg", {"Schule 10"}),
        ("campus_district=Kirchlinde", {"Schule 10"}),
        ("technology=vdsl", {"Schule 9"}),
        ("state=bad", {"Ostschule"}),
        ("technology=fibre&school_type=Grundschule", {"Ostschule"}),
        (
            "q=&school_type=&campus_district=&technology=&state=&sort=",
            {"Ostschule", "Östliche", "Schule 10", "Schule 9", "Anne-Frank"},
        ),
    ],
)
async def test_filters_pick_buildings(city, client, read_page, query, found):
    city.line_state("b-ost", AlarmState.BAD)
    shown = read_page((await client.get(f"/?{query}")).text)
    if not found:
        assert "Kein Gebäude passt zu dieser Auswahl." in shown.text
        return
    heads = list(shown.rows(LINES))
    assert len(heads) == len(found)
    assert all(any(head.startswith(name) for name in found) for head in heads)


async def test_the_form_keeps_what_was_chosen(city, page):
    shown = await page("/?q=schule&technology=fibre&sort=-down")
    chosen = {e.attrs["value"] for e in shown.all("option") if "selected" in e.attrs}
    assert {"fibre", "-down"} <= chosen
    search = next(e for e in shown.all("input") if e.attrs["name"] == "q")
    assert search.attrs["value"] == "schule"
    sorts = [
        e.attrs["href"] for e in shown.all("a") if "sort" in e.attrs.get("class", "")
    ]
    assert all("technology=fibre" in href and "q=schule" in href for href in sorts)


async def test_an_import_is_seen_at_the_next_request(city, page, building_maker):
    assert "Neue Schule" not in (await page("/")).text
    buildings = (*city.inventory.buildings, building_maker("b-neu", "Neue Schule"))
    city.adopt(Inventory(buildings=buildings))
    assert "Neue Schule" in (await page("/")).text


async def test_before_the_first_import_the_page_says_so(store, page):
    assert "Es ist noch kein Inventar eingelesen." in (await page("/")).text


async def test_the_number_of_reads_does_not_grow_with_the_city(
    city, page, monkeypatch, building_maker, line_maker
):
    reads = []
    original = Database.reading

    def counted(self):
        reads.append(1)
        return original(self)

    monkeypatch.setattr(Database, "reading", counted)
    await page("/")
    small = len(reads)
    ids = [f"b{n}" for n in range(60)]
    city.adopt(
        Inventory(
            buildings=tuple(building_maker(i, f"Schule {i}") for i in ids),
            lines=tuple(line_maker(i, 200, "fibre") for i in ids),
        )
    )
    for building_id in ids:
        city.throughput(building_id, (60, (190, 40)))
        city.access_point(building_id, f"{building_id}-ap", 3)
    await page("/")
    reads.clear()
    await page("/")
    assert len(reads) <= small


async def test_a_silent_alarm_engine_is_told_on_the_page(city, page, clock):
    assert "Die Alarmierung hat sich noch nie gemeldet." in (await page("/")).text
    city.all_alive()
    assert "Die Alarmierung" not in (await page("/")).text.replace(
        "allein aus der Alarmierung", ""
    )
    clock.advance(1800)
    text = (await page("/")).text
    assert "Die Alarmierung gibt seit 30 Min. kein Lebenszeichen." in text
