"""The ministry's open data: real rows, and every way they can be odd."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from netmon.errors import InputError
from netmon.inventory import load_folder
from netmon.inventory.schuldaten import NOTES_FILE, read_schuldaten, write_draft

HEADER = (
    "Schulnummer;Schulform;Schulbezeichnung_1;Schulbezeichnung_2;Schulbezeichnung_3;"
    "Kurzbezeichnung;PLZ;Ort;Strasse;Telefonvorwahl;Telefon;Faxvorwahl;Fax;E-Mail;"
    "Homepage;Rechtsform;Traegernummer;Gemeindeschluessel;Schulbetriebsschluessel;"
    "Schulbetriebsdatum;EPSG;UTMRechtswert;UTMHochwert;"
)


def _school(
    number: str,
    school_type: str = "02",
    street: str = "Weg 1",
    carrier: str = "10297",
    state: str = "1",
    epsg: str = "EPSG:25832",
    east: str = "393117",
) -> str:
    cells = [number, school_type, f"Schule {number}", "", "", "", "44145", "Dortmund"]
    cells += [street, "", "", "", "", "", "", "1", carrier, "05913000", state]
    cells += ["01.08.1973", epsg, east, "5709627"]
    return ";".join(f'"{cell}"' for cell in cells)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "schuldaten.csv"


def _write(path: Path, *rows: str, head: str = "sep=;\n") -> Path:
    path.write_text(head + "\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def test_the_citys_schools_become_a_draft(shared_dir: Path, tmp_path: Path) -> None:
    data = shared_dir / "data"
    draft = read_schuldaten(data / "schuldaten-dortmund.csv")
    assert (len(draft.schools), len(draft.buildings)) == (154, 147)
    with (data / "dortmund_schulen.csv").open(encoding="utf-8", newline="") as file:
        known = {row["schulnummer"]: row for row in csv.DictReader(file)}
    moved: list[str] = []
    buildings = {building["id"]: building for building in draft.buildings}
    for school in draft.schools:
        row = known.pop(school["id"])
        building = buildings[school["building_ids"]]
        assert school["school_type"] == row["schulform"]
        if building["street"] != row["strasse"]:
            moved.append(row["name"])
            continue
        assert float(building["latitude_deg"]) == pytest.approx(
            float(row["lat"]), abs=1.01e-5
        )
        assert float(building["longitude_deg"]) == pytest.approx(
            float(row["lon"]), abs=1.01e-5
        )
    # The cleaned list has this school at its temporary address.
    assert moved == ["Wichlinghoferschule"]
    # What is left are the two schools founded since.
    assert set(known) == {""}
    # The Sekundarschule has no school type in the report: named, not passed over.
    assert any("Reinoldi-Sekundarschule" in warning for warning in draft.warnings)
    assert Counter(b["school_type"] for b in draft.buildings)[""] == 5


def test_check_names_what_the_draft_lacks(shared_dir: Path, tmp_path: Path) -> None:
    draft = read_schuldaten(shared_dir / "data" / "schuldaten-dortmund.csv")
    out = tmp_path / "draft"
    write_draft(draft, out)
    notes = (out / NOTES_FILE).read_text(encoding="utf-8")
    assert "dl-de/by-2-0" in notes
    assert "campus_district" in notes
    with pytest.raises(InputError) as caught:
        load_folder(out)
    lacking = Counter(
        (problem.source, problem.field) for problem in caught.value.problems
    )
    assert lacking == {
        ("buildings.csv", "campus_district"): 147,
        ("buildings.csv", "city_district"): 147,
        ("buildings.csv", "lan"): 147,
        ("buildings.csv", "wlan"): 147,
        ("buildings.csv", "school_type"): 5,
        ("lines.csv", None): 1,
    }


def test_a_completed_draft_loads(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "draft"
    write_draft(read_schuldaten(_write(source, _school("100001"))), out)
    path = out / "buildings.csv"
    text = path.read_text(encoding="utf-8")
    # campus and city district stand between the city and the coordinates
    text = text.replace("Dortmund,,,", "Dortmund,Campus 1,Eving,")
    text = text.replace(",,,,,\n", ",full,unknown,,,\n")
    path.write_text(text, encoding="utf-8")
    with (out / "lines.csv").open("a") as file:
        file.write("l1,b-100001,main,fibre,1 Gbit/s,1 Gbit/s,Netz,,,,,,,,\n")
    assert load_folder(out).schools[0].name == "Schule 100001"


@pytest.mark.parametrize("head", ["", "sep=;\n", "\ufeffsep=;\n", "Stand 2022\n\n"])
def test_the_header_is_found_by_its_text(source: Path, head: str) -> None:
    draft = read_schuldaten(_write(source, _school("100001"), head=head))
    assert [school["id"] for school in draft.schools] == ["100001"]


def test_rows_may_end_in_a_semicolon_too(source: Path) -> None:
    draft = read_schuldaten(_write(source, _school("100001") + ";"))
    assert len(draft.schools) == 1


def test_other_carriers_are_left_out(source: Path) -> None:
    rows = [_school("100001"), _school("100002", carrier="999")]
    assert len(read_schuldaten(_write(source, *rows)).schools) == 1
    draft = read_schuldaten(source, carrier="999")
    assert [school["id"] for school in draft.schools] == ["100002"]


def test_a_school_for_the_ill_counts_as_foerderschule(source: Path) -> None:
    draft = read_schuldaten(_write(source, _school("100001", "83")))
    assert draft.schools[0]["school_type"] == "Förderschule"


def test_epsg_null_means_the_same_system(source: Path) -> None:
    draft = read_schuldaten(_write(source, _school("100001", epsg="null")))
    assert draft.buildings[0]["latitude_deg"] == "51.52763"


def test_two_schools_at_an_address_share_a_building(source: Path) -> None:
    rows = [_school("100002", "10"), _school("100001", "02"), _school("3", street="B")]
    draft = read_schuldaten(_write(source, *rows))
    assert [school["building_ids"] for school in draft.schools] == [
        "b-100001",
        "b-100001",
        "b-3",
    ]
    shared = draft.buildings[0]
    assert (shared["name"], shared["school_type"]) == (
        "Schule 100001 / Schule 100002",
        "",
    )
    assert "verschiedene Schulformen" in draft.warnings[0]


def test_oddities_are_named(source: Path) -> None:
    rows = [_school("1", "14"), _school("2", state="9"), _school("3", east="393118")]
    draft = read_schuldaten(_write(source, *rows))
    assert draft.warnings == (
        "Zeile 3: Schule 1 „Schule 1“ nicht übernommen, Schulformschlüssel „14“ ist "
        "hier unbekannt",
        "Zeile 4: Schule 2 „Schule 2“ hat Betriebsschlüssel „9“ statt „1“, bitte prüfen",
        "Gebäude b-2: die Schulen an der Adresse haben verschiedene Koordinaten; die "
        "erste gilt",
    )


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (_school("1", epsg="EPSG:31467"), "EPSG:31467"),
        (_school("1", east=""), "UTM-Koordinaten"),
        (_school("1", east="nan"), "UTM-Koordinaten"),
        (_school("1", east="12"), "UTM-Koordinaten"),
        (_school("1", carrier="7"), "keine Schule des Trägers 10297"),
        ('"1";"02"', "2 Felder statt 23"),
    ],
)
def test_unusable_rows_are_refused(source: Path, row: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read_schuldaten(_write(source, row))


def test_another_file_is_refused(source: Path) -> None:
    source.write_text("id,name\n1,x\n")
    with pytest.raises(InputError, match="keine Kopfzeile"):
        read_schuldaten(source)
    source.write_text("Schulnummer;Schulform;\n1;02\n")
    with pytest.raises(InputError, match="Spalte „UTMHochwert“ fehlt"):
        read_schuldaten(source)


def test_a_persons_work_is_never_overwritten(source: Path, tmp_path: Path) -> None:
    draft = read_schuldaten(_write(source, _school("100001")))
    out = tmp_path / "draft"
    write_draft(draft, out)
    before = (out / "buildings.csv").read_bytes()
    with pytest.raises(InputError, match="enthält schon Dateien"):
        write_draft(draft, out)
    assert (out / "buildings.csv").read_bytes() == before
