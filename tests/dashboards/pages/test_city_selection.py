"""What the overview says beside the state, picks out, draws, and gives as a file."""

from __future__ import annotations

import csv
import io

import pytest
from msgspec.structs import replace

from netmon.model import Inventory
from netmon.storage.records import AlarmState

LINES = "Gebäude mit Anbindung"
WLAN = "Gebäude mit WLAN"


def row_of(rows, name: str) -> dict[str, str]:
    return next(cells for head, cells in rows.items() if head.startswith(name))


def covered(city, building_id, network, *, age_s=120.0, generated=False, **counts):
    city.write(
        "coverage",
        building_id,
        {"network": network},
        (age_s, {name: float(value) for name, value in counts.items()}),
        generated=generated,
    )


async def file_rows(client, query: str = "") -> list[dict[str, str]]:
    answer = await client.get(f"/gebaeude.csv{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


async def test_need_stands_beside_contract_and_rate(city, page):
    rows = (await page("/")).rows(LINES)
    # 12 classes and the office; the contract is 50.
    assert row_of(rows, "Schule 9")["Bedarf"] == "390 Mbit/sVertrag darunter"
    assert row_of(rows, "Ostschule")["Bedarf"] == "–Klassen unbekannt"


async def test_a_contract_that_is_enough_is_not_called_short(city, page):
    first, *others = city.inventory.buildings
    few = replace(first, classes=5)
    city.adopt(replace(city.inventory, buildings=(few, *others)))
    assert row_of((await page("/")).rows(LINES), "Ostschule")["Bedarf"] == "180 Mbit/s"


async def test_covered_rooms_come_from_what_was_recorded(city, page):
    covered(city, "b-ost", "lan", rooms_count=40, covered_count=38, open_count=2)
    covered(city, "b-ost", "wlan", rooms_count=40, covered_count=0, open_count=0)
    covered(city, "b-z9", "lan", rooms_count=12, declared_full=1)
    covered(
        city, "b-z10", "lan", age_s=1200, rooms_count=4, covered_count=4, open_count=0
    )
    shown = await page("/")
    lan, wlan = shown.rows(LINES), shown.rows(WLAN)
    told = {name: row_of(lan, name)["Räume mit LAN"] for name in ("Ost", "Schule 9")}
    assert told["Ost"].startswith("38 von 402 offen · vor 2 Min.Angabe: ")
    assert told["Schule 9"].startswith("–keine Liste")
    assert "veraltet" in row_of(lan, "Schule 10")["Räume mit LAN"]
    assert row_of(wlan, "Ostschule")["Räume mit WLAN"].startswith("0 von 40vor 2 Min.")
    assert row_of(wlan, "Schule 9")["Räume mit WLAN"].startswith("Nicht gemessen")


async def test_made_up_rooms_carry_their_badge_until_measured_ones_are_newer(
    city, page
):
    counts = {"rooms_count": 9, "covered_count": 9, "open_count": 0}
    covered(city, "b-ost", "lan", generated=True, **counts)
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert "erzeugt" in row["Räume mit LAN"]
    covered(city, "b-ost", "lan", age_s=60, **(counts | {"covered_count": 7}))
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Räume mit LAN"].startswith("7 von 9")
    assert "erzeugt" not in row["Räume mit LAN"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("city_district=H%C3%B6rde", {"Schule 9"}),
        ("provider=Funknetz", {"Schule 10"}),
        ("provider=funknetz", set()),
        ("line_state=bad", {"Schule 10"}),
        ("line_state=ok&provider=", {"Ostschule"}),
    ],
)
async def test_more_filters_pick_buildings(city, page, client, query, found):
    inventory = city.inventory
    buildings = [
        replace(x, city_district="Hörde") if x.id == "b-z9" else x
        for x in inventory.buildings
    ]
    lines = [
        replace(x, provider="Funknetz") if x.building_id == "b-z10" else x
        for x in inventory.lines
    ]
    city.adopt(replace(inventory, buildings=tuple(buildings), lines=tuple(lines)))
    city.line_state("b-z10", AlarmState.BAD)
    city.throughput("b-ost", (60, (240, 40)))
    city.line_state("b-ost", AlarmState.OK)
    shown = await page(f"/?{query}")
    names = {row["Gebäude"] for row in await file_rows(client, f"?{query}")}
    assert names == found
    pins = {e.text.partition(":")[0] for e in shown.all("a") if "data-at" in e.attrs}
    assert pins == found
    if found:
        assert len(shown.rows(LINES)) == len(found)


async def test_links_keep_the_selection(city, page):
    shown = await page("/?provider=DOKOM21&city_district=Brackel&sort=-need")
    links = [e.attrs["href"] for e in shown.all("a")]
    wanted = {"provider=DOKOM21", "city_district=Brackel", "sort=-need"}
    (file,) = [link for link in links if link.startswith("/gebaeude.csv?")]
    assert set(file.partition("?")[2].split("&")) == wanted
    # The button that asks again is a form with the selection in it.
    hidden = {
        f"{e.attrs['name']}={e.attrs['value']}"
        for e in shown.all("input")
        if e.attrs["type"] == "hidden"
    }
    assert hidden == wanted
    assert "Aktualisieren" in [e.text for e in shown.all("button")]


async def test_counts_of_lines_lead_to_those_lines(city, page):
    city.line_state("b-ost", AlarmState.BAD)
    links = [e.attrs["href"] for e in (await page("/")).all("a")]
    assert "/?line_state=bad#anbindung" in links
    assert next(iter((await page("/?line_state=bad")).rows(LINES))).startswith(
        "Ostschule"
    )


@pytest.mark.parametrize(
    ("sort", "first"),
    [("-need", "Schule 10"), ("need", "Schule 9"), ("-lan_rooms", "Ost")],
)
async def test_new_columns_sort_with_missing_ones_last(city, page, sort, first):
    buildings = [
        replace(x, classes=40) if x.id == "b-z10" else x
        for x in city.inventory.buildings
    ]
    city.adopt(replace(city.inventory, buildings=tuple(buildings)))
    covered(city, "b-ost", "lan", rooms_count=4, covered_count=1, open_count=0)
    assert next(iter((await page(f"/?sort={sort}")).rows(LINES))).startswith(first)


async def test_the_file_is_for_a_german_spreadsheet(city, client):
    city.throughput("b-ost", (720, (93.45, 38.25)))
    city.line_state("b-ost", AlarmState.OK)
    covered(city, "b-ost", "lan", rooms_count=40, covered_count=38, open_count=2)
    rows = {row["Gebäude"]: row for row in await file_rows(client)}
    assert len(rows) == 5
    ost = rows["Ostschule"]
    assert ost["Download Mbit/s"] == "93,5"
    assert ost["Download gemessen"] == "20.11.2026 08:00"
    assert ost["Vertrag Download Mbit/s"] == "250,0"
    assert ost["Zustand Anbindung"] == "In Ordnung"
    assert (ost["Räume mit LAN"], ost["Räume unbekannt (LAN)"]) == ("38", "2")
    assert (ost["Access Points"], ost["Endgeräte"]) == ("3", "")
    assert rows["Schule 9"]["Bedarf Mbit/s"] == "390,0"
    # What is not known is empty, never 0.
    nothing = rows["Anne-Frank-Schule"]
    assert {nothing[x] for x in ("Technik", "Download Mbit/s", "Räume mit LAN")} == {""}


async def test_the_file_has_the_order_of_the_page(city, page, client):
    city.throughput("b-z9", (60, (48, 9)))
    city.throughput("b-ost", (60, (240, 40)))
    shown = list((await page("/?sort=-down")).rows(LINES))
    rows = await file_rows(client, "?sort=-down")
    assert all(
        head.startswith(row["Gebäude"]) for head, row in zip(shown, rows, strict=True)
    )


async def test_no_cell_is_a_formula(city, client, building_maker):
    city.adopt(Inventory(buildings=(building_maker("b1", "=cmd|' /C calc'!A0"),)))
    (row,) = await file_rows(client)
    assert row["Gebäude"] == "'=cmd|' /C calc'!A0"


async def test_a_selection_of_nothing_is_a_file_of_nothing(city, page, client):
    assert await file_rows(client, "?q=nirgends") == []
    shown = await page("/?q=nirgends")
    assert "Kein Gebäude passt zu dieser Auswahl." in shown.text
    assert not [e for e in shown.all("a") if "data-at" in e.attrs]


async def test_marks_on_the_map_say_state_by_shape_and_word(city, page):
    city.line_state("b-ost", AlarmState.BAD)
    shown = await page("/")
    pins = [e for e in shown.all("a") if "data-at" in e.attrs]
    assert len(pins) == 5
    # The worst is drawn last, and so lies above the others.
    assert pins[-1].text == "Ostschule: Gestört"
    assert pins[-1].attrs["href"] == "/gebaeude/b-ost"
    shapes = {e.attrs["href"] for e in shown.all("use")}
    assert "#s-bad" in shapes
    assert "keine amtlichen Grenzen" in shown.text


@pytest.mark.parametrize("path", ["/", "/gebaeude.csv"])
async def test_what_has_not_changed_is_not_sent_again(city, client, clock, path):
    city.throughput("b-ost", (60, (240, 40)))
    first = await client.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    tag = {"If-None-Match": f'"other", {first.headers["etag"]}'}
    again = await client.get(path, headers=tag)
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert "default-src 'none'" in again.headers["content-security-policy"]
    city.throughput("b-ost", (30, (111, 40)))
    changed = await client.get(path, headers=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_programs_get_need_and_rooms_too(city, client):
    covered(city, "b-ost", "lan", rooms_count=40, covered_count=38, open_count=2)
    found = (await client.get("/api/v1/buildings")).json()["buildings"]
    by_id = {building["id"]: building for building in found}
    assert by_id["b-z9"]["needed_down_bps"] == 390_000_000
    assert by_id["b-z9"]["lan_rooms"] is None
    rooms = by_id["b-ost"]["lan_rooms"]
    counts = ("rooms_count", "covered_count", "unknown_count")
    assert [rooms[name] for name in counts] == [40, 38, 2]
    assert by_id["b-ost"]["wlan_rooms"] is None


async def test_no_area_of_the_map_hides_a_name(city, page):
    places = [(51.4, 7.3), (51.4, 7.4), (51.5, 7.35)] * 2
    chosen = (*city.inventory.buildings, city.inventory.buildings[0])
    buildings = tuple(
        replace(
            building,
            id=f"m{n}",
            city_district="Brackel" if n < 3 else "Scharnhorst",
            latitude_deg=place[0],
            longitude_deg=place[1],
        )
        for n, (building, place) in enumerate(zip(chosen, places, strict=True))
    )
    city.adopt(Inventory(buildings=buildings))
    html = (await page("/")).html
    assert html.count('class="hull-name"') == 2
    assert html.rindex('class="hull"') < html.index('class="hull-name"')
