"""Bad folders: each way to be bad has its exact message, and all come at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netmon.inventory import load_folder
from netmon.model import DeviceKind

Replace = Callable[[str, str, str], None]
Refusals = Callable[[], list[str]]

# One line a refusal: file, old text, new text, the exact problem.
BAD_CELLS = [
    (
        "buildings.csv",
        "51.51,7.46",
        "7.46,51.51",
        "buildings.csv:2 [latitude_deg]: 7.46 passt zur anderen Koordinate -> "
        "latitude_deg und longitude_deg sind vermutlich vertauscht (in NRW: Breite "
        "50.3 bis 52.6, Länge 5.8 bis 9.5)",
    ),
    (
        "buildings.csv",
        "51.52,",
        "48.14,",
        "buildings.csv:3 [latitude_deg]: Breite 48.14 liegt außerhalb von NRW -> "
        "Dezimalgrad zwischen 50.3 und 52.6 eintragen",
    ),
    (
        "buildings.csv",
        "Eins,Grundschule,",
        "Eins,Grundshule,",
        "buildings.csv:2 [school_type]: „Grundshule“ ist nicht bekannt -> vermutlich "
        "ist „Grundschule“ gemeint; erlaubt sind: Grundschule, Gymnasium, Realschule, "
        "Hauptschule, Gesamtschule, Förderschule, Berufskolleg, Weiterbildungskolleg",
    ),
    (
        "buildings.csv",
        "full,partial",
        "full,",
        "buildings.csv:2 [wlan]: ist leer -> erlaubt sind: full, partial, unknown",
    ),
    (
        "buildings.csv",
        "Weg 1",
        "",
        "buildings.csv:2 [street]: ist leer -> den Wert eintragen",
    ),
    (
        "buildings.csv",
        "200,8",
        "200 Kinder,8",
        "buildings.csv:2 [pupils]: „200 Kinder“ ist keine ganze Zahl von 0 bis 100000 "
        "-> eine ganze Zahl ohne Punkt und Einheit schreiben oder leer lassen",
    ),
    (
        "buildings.csv",
        '"Realschule Zwei, Haus A"',
        "Realschule Zwei, Haus A",
        "buildings.csv:3: 16 Felder statt 15 -> Kommas in dieser Zeile prüfen; Texte "
        "mit Komma in Anführungszeichen setzen",
    ),
    (
        "lines.csv",
        "250 Mbit/s",
        "250",
        "lines.csv:2 [contracted_down]: „250“ hat keine Einheit -> die Einheit "
        "dazuschreiben, z. B. „250 Mbit/s“",
    ),
    (
        "lines.csv",
        "250 Mbit/s",
        "250 Mbyte/s",
        "lines.csv:2 [contracted_down]: „Mbyte/s“ ist keine Einheit einer Bandbreite "
        "-> bit/s, kbit/s, Mbit/s oder Gbit/s verwenden, z. B. „250 Mbit/s“",
    ),
    (
        "lines.csv",
        "250 Mbit/s",
        "25 Gbit/s",
        "lines.csv:2 [contracted_down]: mehr als 1 Gbit/s gibt es über VDSL nicht -> "
        "Einheit oder Technik prüfen",
    ),
    (
        "lines.csv",
        "250 Mbit/s,40 Mbit/s",
        "40 Mbit/s,1 Gbit/s",
        "lines.csv:2 [contracted_up]: der Upload ist mehr als 10-mal so groß wie der "
        "Download -> prüfen, ob contracted_down und contracted_up vertauscht sind",
    ),
    (
        "lines.csv",
        "main,vdsl",
        "main,adsl",
        "lines.csv:2 [technology]: „adsl“ ist nicht bekannt -> vermutlich ist „vdsl“ "
        "gemeint; erlaubt sind: fibre, radio, vdsl",
    ),
    (
        "lines.csv",
        "2025-10-01",
        "1.10.2025",
        "lines.csv:2 [checked_on]: „1.10.2025“ ist nicht in der Form Jahr-Monat-Tag "
        "-> „2025-10-01“ schreiben",
    ),
    (
        "lines.csv",
        "f1 b1",
        "f1 b2",
        "lines.csv:4 [segments]: „b2“ gibt es in „segments“ nicht -> die Kennung "
        "berichtigen oder den Eintrag in „segments“ ergänzen",
    ),
    (
        "segments.csv",
        "400 Mbit/s",
        "90 Mbit/s",
        "lines.csv:4 [segments]: das gemeinsame Segment „f1“ hat weniger Kapazität "
        "als der Vertrag dieser Anbindung -> Einheit der Kapazität in segments oder "
        "den Vertrag prüfen",
    ),
    (
        "segments.csv",
        "400 Mbit/s",
        "400",
        "segments.csv:3 [capacity]: „400“ hat keine Einheit -> die Einheit "
        "dazuschreiben, z. B. „400 Mbit/s“",
    ),
    (
        "segments.csv",
        "radio_hop",
        "Richtfunkstrecke",
        "segments.csv:3 [kind]: „Richtfunkstrecke“ ist nicht bekannt -> erlaubt sind: "
        "radio_hop, aggregation, backbone",
    ),
    (
        "lines.csv",
        "g2,backup",
        "g2,main",
        "lines.csv:4 [role]: Gebäude „g2“ hat schon eine Hauptanbindung (Zeile 3) -> "
        "eine der beiden als „backup“ führen",
    ),
    (
        "lines.csv",
        "l3,g2",
        "l2,g2",
        "lines.csv:4 [id]: Kennung „l2“ ist schon in Zeile 3 vergeben -> eine eigene "
        "Kennung vergeben",
    ),
    (
        "lines.csv",
        "l3,g2",
        "l3,g22",
        "lines.csv:4 [building_id]: „g22“ gibt es in „buildings“ nicht -> vermutlich "
        "ist „g2“ gemeint; sonst den Eintrag in „buildings“ ergänzen",
    ),
    (
        "schools.csv",
        "g2 g1",
        "g2 xyz",
        "schools.csv:3 [building_ids]: „xyz“ gibt es in „buildings“ nicht -> die "
        "Kennung berichtigen oder den Eintrag in „buildings“ ergänzen",
    ),
    (
        "devices.csv",
        "10.0.0.1:161",
        "10.0.0.1",
        "devices.csv:2 [address]: „10.0.0.1“ ist keine Adresse mit Port -> wie "
        "„wlan.example:161“ schreiben (Name oder IP-Adresse, Doppelpunkt, Port 1 bis "
        "65535)",
    ),
    (
        "rooms.csv",
        "EG,true",
        "EG,wahr",
        "rooms.csv:2 [teaching]: „wahr“ ist weder ja noch nein -> „true“ oder „false“ "
        "schreiben",
    ),
    (
        "access_points.csv",
        "c0,,,",
        "s1,,,",
        "access_points.csv:3 [controller_id]: das Gerät ist kein WLAN-Controller -> "
        "ein Gerät mit kind „controller“ oder „access_point“ nennen",
    ),
    (
        "access_points.csv",
        "c0,,,",
        "c1,,,",
        "access_points.csv:3 [controller_id]: der WLAN-Controller gehört zu einem "
        "anderen Gebäude -> die Kennung prüfen; bei einem Controller für mehrere "
        "Gebäude dessen building_id leer lassen",
    ),
    (
        "access_points.csv",
        "c0,,,",
        "c0,,,r1",
        "access_points.csv:3 [room_id]: der Raum liegt in einem anderen Gebäude -> "
        "room_id oder building_id berichtigen",
    ),
    (
        "access_points.csv",
        "a1,g1,ap01,c1",
        "a1,g1,ap02,c0",
        "access_points.csv:3 [name]: der Controller hat schon einen Access Point "
        "„ap02“ (Zeile 2) -> den Namen so eintragen, wie der Controller ihn nennt",
    ),
    (
        "probes.csv",
        "p1,g1,l1",
        "p1,g1,l2",
        "probes.csv:2 [line_id]: die Anbindung gehört zu Gebäude „g2“ -> eine "
        "Anbindung desselben Gebäudes nennen",
    ),
    (
        "probes.csv",
        "id,building_id,line_id",
        "id,building,line_id",
        "probes.csv:1 [building]: unbekannte Spalte „building“ -> vermutlich ist "
        "„building_id“ gemeint; erlaubt sind: id, building_id, line_id",
    ),
    (
        "rooms.csv",
        "name,floor,teaching",
        "name,floor,name",
        "rooms.csv:1 [name]: Spalte „name“ kommt zweimal vor -> eine der beiden "
        "entfernen",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "problem"), BAD_CELLS)
def test_each_slip_is_named_with_place_and_fix(
    replace_in: Replace, refusals: Refusals, name: str, old: str, new: str, problem: str
) -> None:
    replace_in(name, old, new)
    assert problem in refusals()


def test_one_slip_is_one_problem(replace_in: Replace, refusals: Refusals) -> None:
    replace_in("buildings.csv", "51.52,", "48.14,")
    assert len(refusals()) == 1


def test_a_wrong_cell_makes_no_dangling_references(
    replace_in: Replace, refusals: Refusals
) -> None:
    """The building is there, only its coordinate is wrong: lines still find it."""
    replace_in("buildings.csv", "51.52,", "x,")
    assert all("buildings.csv" in problem for problem in refusals())


def test_all_problems_of_all_files_come_at_once(
    replace_in: Replace, refusals: Refusals
) -> None:
    replace_in("buildings.csv", "51.51", "59")
    replace_in("lines.csv", "250 Mbit/s", "schnell")
    replace_in("probes.csv", "g1,l1", "g1,l9")
    replace_in("schools.csv", "100001,Schule Eins", "100002,")
    assert [problem.split(":")[0] for problem in refusals()] == [
        "buildings.csv",
        "lines.csv",
        "probes.csv",
        "schools.csv",
        "schools.csv",
    ]


def test_a_missing_column_is_told_once(folder: Path, refusals: Refusals) -> None:
    (folder / "rooms.csv").write_text("id,building_id,name,floor\nr1,g1,R,EG\n")
    (folder / "access_points.csv").unlink()
    assert refusals() == [
        "rooms.csv:1 [teaching]: Spalte „teaching“ fehlt -> die Spalte ergänzen"
    ]


def test_a_column_with_a_default_may_be_missing(folder: Path) -> None:
    (folder / "devices.csv").write_text(
        "id,kind,name,address\nc0,controller,w,h:161\nc1,controller,w,h:161\n"
    )
    device = load_folder(folder).device_by_id["c0"]
    assert (device.building_id, device.ports, device.platform) == (None, None, "")


def test_not_utf8_names_the_line(folder: Path, refusals: Refusals) -> None:
    path = folder / "buildings.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    found = refusals()
    assert found == [
        "buildings.csv:2: Zeile enthält Zeichen, die nicht UTF-8 sind -> die Datei "
        "als „CSV UTF-8“ speichern (vermutlich ist sie Windows-1252)"
    ]


def test_semicolons_get_a_hint(folder: Path, refusals: Refusals) -> None:
    path = folder / "probes.csv"
    path.write_text(path.read_text().replace(",", ";"))
    assert refusals() == [
        "probes.csv:1: die Spalten sind nicht mit Komma getrennt -> mit Komma als "
        "Trennzeichen speichern (statt Semikolon oder Tabulator)"
    ]


def test_files_that_must_be_there_are_named(folder: Path, refusals: Refusals) -> None:
    (folder / "lines.csv").unlink()
    assert refusals() == [
        "lines.csv: Datei fehlt -> die Datei anlegen (als .csv oder .yaml)"
    ]


def test_a_misspelt_file_is_not_passed_over(folder: Path, refusals: Refusals) -> None:
    (folder / "probes.csv").rename(folder / "probe.csv")
    assert refusals() == [
        "probe.csv: unbekannter Dateiname -> vermutlich ist „probes“ gemeint; erlaubt "
        "sind: buildings, schools, lines, devices, rooms, access_points, probes, "
        "segments, sockets"
    ]


def test_two_files_of_a_kind_are_refused(folder: Path, refusals: Refusals) -> None:
    (folder / "probes.yaml").write_text("[]")
    assert refusals() == [
        "probes.yaml: dieselbe Liste gibt es schon als probes.csv -> eine der beiden "
        "Dateien entfernen"
    ]


def test_no_lines_at_all_is_a_problem(folder: Path, refusals: Refusals) -> None:
    (folder / "probes.csv").unlink()
    path = folder / "lines.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert refusals()[0].startswith("lines.csv: enthält keine Anbindung")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "- id: p1\n  building_id: g1\n  line: l1\n",
            "probes.yaml:3 [line]: unbekannte Spalte",
        ),
        ("- id: p1\n  building_id: g1\n", "probes.yaml:1 [line_id]: Spalte „line_id“"),
        (
            "- id: p1\n  building_id: g1\n  line_id: l9\n",
            "probes.yaml:3 [line_id]: „l9“ gibt es",
        ),
        ("id: p1\n", "probes.yaml:1: die Datei ist keine Liste"),
        ("- p1\n", "probes.yaml:1: der Eintrag besteht nicht"),
        (
            "- id: {a: 1}\n  building_id: g1\n",
            "probes.yaml:1 [id]: der Wert ist verschachtelt",
        ),
        ("- id: 'p1\n", "probes.yaml:2: kein gültiges YAML"),
        (
            "- id: p1\n  id: p2\n  line_id: l1\n",
            "probes.yaml:2 [id]: Spalte „id“ kommt zweimal vor",
        ),
    ],
)
def test_yaml_problems_have_their_line(
    folder: Path, refusals: Refusals, text: str, problem: str
) -> None:
    (folder / "probes.csv").unlink()
    (folder / "probes.yaml").write_text(text)
    assert any(found.startswith(problem) for found in refusals()), refusals()


def test_an_unclosed_quote_is_a_problem(folder: Path, refusals: Refusals) -> None:
    path = folder / "probes.csv"
    path.write_text(path.read_text() + '"p2,g1,l1\n')
    assert refusals()[0].startswith("probes.csv:3: kein gültiges CSV")


def test_a_header_below_blank_lines_keeps_its_line(
    folder: Path, refusals: Refusals
) -> None:
    path = folder / "probes.csv"
    path.write_text("\n\n" + path.read_text().replace("line_id", "line"))
    assert [problem.split(" ")[0] for problem in refusals()] == ["probes.csv:3"] * 2


def test_wrong_patching_is_refused(folder: Path, refusals: Refusals) -> None:
    (folder / "access_points.csv").write_text(
        "id,building_id,name,controller_id,switch_id,switch_port,mac\n"
        "a1,g1,ap01,c1,s1,Gi1/0/2,20-4C-03-AA-BB-CC\n"
        "a2,g2,ap02,c0,s1,Gi1/0/2,20:4c:03:aa:bb\n"
        "a3,g2,ap03,c0,s1,,\n"
        "a4,g1,ap04,c1,c1,1,\n"
    )
    (folder / "sockets.csv").write_text(
        "room_id,name,switch_id,switch_port\n"
        "r2,1.01,s1,Gi1/0/1\nr2,1.01,,\nr2,1.03,s1,Gi1/0/1\n"
        "r1,1,s1,Gi1/0/9\nr1,2,,Gi1/0/8\n"
    )
    assert [text.partition(" -> ")[0] for text in refusals()] == [
        "access_points.csv:2 [switch_id]: der Switch steht in einem anderen Gebäude (g2)",
        "access_points.csv:3 [mac]: „20:4c:03:aa:bb“ ist keine Hardware-Adresse",
        "access_points.csv:3 [switch_port]: der Port „Gi1/0/2“ ist schon vergeben "
        "(Zeile 2)",
        "access_points.csv:4 [switch_port]: Switch und Port gehören zusammen, eines "
        "davon fehlt",
        "access_points.csv:5 [switch_id]: „c1“ ist kein Switch",
        "sockets.csv:3 [name]: der Raum hat schon eine Dose „1.01“ (Zeile 2)",
        "sockets.csv:4 [switch_port]: der Port „Gi1/0/1“ ist schon vergeben (Zeile 2)",
        "sockets.csv:5 [switch_id]: der Switch steht in einem anderen Gebäude (g2)",
        "sockets.csv:6 [switch_id]: Switch und Port gehören zusammen, eines davon fehlt",
    ]


def test_a_device_that_is_an_access_point_is_only_one(
    folder: Path, refusals: Refusals
) -> None:
    devices = folder / "devices.csv"
    text = devices.read_text(encoding="utf-8")
    devices.write_text(text.replace("c1,g1,controller", "c1,g1,access_point"))
    assert load_folder(folder).device_by_id["c1"].kind is DeviceKind.ACCESS_POINT
    points = folder / "access_points.csv"
    with points.open("a", encoding="utf-8") as file:
        file.write("a3,g1,ap03,c1,,,\n")
    (problem,) = refusals()
    assert problem.startswith(
        "access_points.csv:4 [controller_id]: das Gerät ist selbst ein Access Point, "
        "und Zeile 2 nennt es schon -> "
    )
