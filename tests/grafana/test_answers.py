"""What real databases answer to every query of every panel, in both languages.

The expected values are worked out by hand from what ``conftest.py`` puts in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import pytest

# One worker asks everything, so that each database is filled once.
pytestmark = pytest.mark.xdist_group("grafana")

# By board, panel, legend and label values (in the order of the labels' names). Only
# measured data counts: "made-up" is nowhere. The board of one building shows "a".
Answer = dict[tuple[str, ...], float]
PLACES = {
    name: (name, f"Campusbezirk {district}", f"Schule {name}")
    for name, district in {
        "a": 1,
        "b": 1,
        "c": 3,
        "fell": 2,
        "healed": 2,
        "proven": 2,
        "old": 3,
    }.items()
}
# "a" has an access point that is down and "b" a line that is; "fell" is suspected,
# of "c" comes nothing but failures, "old" has no verdict, at "healed" the contract
# is the limit, "proven" is as it should be.
STANDING = {
    "a": 10,
    "b": 10,
    "fell": 20,
    "c": 30,
    "old": 50,
    "healed": 70,
    "proven": 80,
}
NONE: Answer = {(): 0}
ONE: Answer = {(): 1}
AP_STATS: dict[str, dict[str, Answer]] = {
    "Access Points in Betrieb": {"Access Points": {(): 2}},
    "Access Points ausgefallen": {"Access Points": ONE},
    "WLAN-Clients": {"Clients": {(): 42}},
}
STANDINGS_COURSE: dict[str, Answer] = {
    "Gestört": {(): 2},
    "Nie gesehen": NONE,
    "Beeinträchtigt": NONE,
    "Auffällig": ONE,
    "Nicht gemessen": ONE,
    "Sonde begrenzt": NONE,
    "Ausgelastet": NONE,
    "Unter Vertrag bekannt": ONE,
    "In Ordnung": ONE,
}
LINES = {
    ("a", "a-main"): 250e6,
    ("a", "a-backup"): 50e6,
    ("b", "b-main"): 60e6,
    ("fell", "fell-main"): 55e6,
    ("healed", "healed-main"): 45e6,
}
PROBES = {name: ("netmon/1", name[-1], name) for name in ("p-a", "p-b", "p-c")}
# netmon wrote what it knows half a minute before the panels are asked.
SILENCE_S = {"p-a": 150, "p-b": 7170, "p-c": 691_170}

EXPECTED: dict[str, dict[str, dict[str, Answer]]] = {
    "city": {
        "Gebäude nach Zustand": {**STANDINGS_COURSE, "Unbekannt": ONE},
        "Gebäude mit Messwert": {"Gebäude": {(): 5}},
        "Gebäude unter 100 Mbit/s": {"Gebäude": {(): 2}},
        **AP_STATS,
        "Sonden ohne Meldung": {"Sonden": {(): 2}},
        "Karte der Gebäude": {
            "Zustand": {PLACES[name]: code for name, code in STANDING.items()},
            "Breite": {PLACES[x]: 51.5 + len(x) / 100 for x in STANDING},
            "Länge": {PLACES[x]: 7.4 + len(x) / 100 for x in STANDING},
        },
        "Auffällige Gebäude": {
            "Zustand": {PLACES[x]: code for x, code in STANDING.items() if code < 70},
            "Offene Vorfälle": {
                PLACES["a"]: 1,
                PLACES["b"]: 1,
                PLACES["c"]: 1,
                PLACES["fell"]: 0,
                PLACES["old"]: 0,
            },
        },
        "Download aller Leitungen": {"{{building}} {{line}}": LINES},
        "Langsamste Leitungen": {"Download": LINES},
        "Laufzeit": {
            "Median": {(): 0.030},
            "95 %": {(): 0.048},
            "höchste": {(): 0.050},
        },
        "Paketverlust": {"Mittel": {(): 0.1}, "höchster": {(): 0.2}},
        "Zustand nach Campusbezirk": {
            word: {
                (f"Campusbezirk {number}",): count
                for number, count in enumerate(counts, 1)
            }
            for word, counts in {
                "Gestört": (2, 0, 0),
                "Auffällig": (0, 1, 0),
                "Nicht gemessen": (0, 0, 1),
                "In Ordnung": (0, 1, 0),
            }.items()
        },
        "Zustand der Gebäude im Verlauf": STANDINGS_COURSE,
    },
    "building": {
        "Zustand": {"Zustand": {("a",): 10}},
        "Offene Vorfälle": {"Vorfälle": ONE},
        "Access Points": {"in Ordnung": ONE, "insgesamt": {(): 2}},
        "Versorgte Räume": {"LAN": {(): 0.75}, "WLAN": {(): 0.25}},
        "Leitungen": {
            legend: {
                ("a-main", "main", "fibre"): main,
                ("a-backup", "backup", "vdsl"): backup,
            }
            for legend, main, backup in (
                ("Zustand", 80, 70),
                ("Vertrag Download", 1e9, 50e6),
                ("Vertrag Upload", 200e6, 10e6),
                ("Soll", 100e6, 45e6),
            )
        },
        "Download": {
            "{{line}} gemessen": {("a-main",): 250e6, ("a-backup",): 50e6},
            "{{line}} mindestens": {("a-backup",): 45e6},
            "{{line}} Vertrag": {("a-main",): 1e9, ("a-backup",): 50e6},
        },
        "Upload": {
            "{{line}} gemessen": {("a-main",): 40e6},
            "{{line}} mindestens": {("a-backup",): 9e6},
            "{{line}} Vertrag": {("a-main",): 200e6, ("a-backup",): 10e6},
        },
        "Laufzeit ohne und unter Last": {
            "{{line}} ohne Last": {("a-main",): 0.01, ("a-backup",): 0.03},
            "{{line}} unter Last": {("a-main",): 0.08},
        },
        "Paketverlust": {"{{line}}": {("a-main",): 0.0, ("a-backup",): 0.1}},
        "Namensauflösung": {"{{line}}": {("a-main",): 0.02}},
        "Access Points: welche": {
            "Zustand": {("ap-1",): 1, ("ap-2",): 0},
            "Clients": {("ap-1",): 12, ("ap-2",): 0},
        },
        "Clients je Access Point": {"{{ap}}": {("ap-1",): 12, ("ap-2",): 0}},
        "Kanalauslastung": {"{{ap}} {{radio}}": {("ap-1", "0"): 0.8}},
        "Switches, Router und Controller": {"{{device}}": {("a-sw",): 1}},
        "Betriebszeit der Geräte": {"Betriebszeit": {("a-sw",): 86_400}},
        "Ports in Betrieb": {"{{device}}": {("a-sw",): 3}},
    },
    "wlan": {
        **AP_STATS,
        "Access Points der Controller": {"in Listen": {(): 3}, "gezählt": {(): 4}},
        "Access Points nach Zustand": {"in Betrieb": {(): 2}, "ausgefallen": ONE},
        "Clients im Verlauf": {"Clients": {(): 42}},
        "WLAN-Clients je Gebäude": {"Clients": {("a",): 12, ("b",): 30}},
        "Ausgelastete Kanäle": {
            "belegt": {("ap-1", "a", "0"): 0.8, ("ap-1", "b", "0"): 0.3}
        },
        "Wiederholungen": {
            "wiederholt": {("ap-1", "a", "0"): 0.1, ("ap-1", "b", "0"): 0.25}
        },
        "Access Points an langsamem Port": {"Zuleitung": {("ap-1", "b"): 100e6}},
        # Of "c" nothing is known, so it is nowhere.
        "WLAN: Räume mit WLAN je Gebäude": {
            "höchstens": {("a",): 0.25, ("b",): 0.5},
            "mindestens": {("a",): 0.25, ("b",): 0.5},
        },
        "WLAN: Widersprüche": {"Gebäude": ONE},
        "WLAN: Widersprüche, welche": {
            "gemessen": {("b",): 0},
            "im Bestand": {("b",): 1},
        },
    },
    "lan": {
        "Geräte mit Antwort": {"Geräte": ONE},
        "Geräte ohne Antwort": {"Geräte": ONE},
        "Ports in Betrieb": {"Ports": {(): 4}},
        "PoE-Leistung": {"Leistung": {(): 20}},
        "Geräte ohne Antwort: welche": {"Antwort": {("b", "b-router"): 0}},
        "Größter Verkehr an Ports": {"ankommend": {("a", "a-sw", "1"): 70e6}},
        "Ports mit Fehlern": {"Fehler": {("a", "a-sw", "1"): 5}},
        "Langsame Ports": {"Geschwindigkeit": {("a", "a-sw", "3"): 100e6}},
        # "b" has a room behind a silent switch.
        "LAN: Räume mit aktiver Dose je Gebäude": {
            "höchstens": {("a",): 0.75, ("b",): 1.0},
            "mindestens": {("a",): 0.75, ("b",): 0.5},
        },
        "LAN: Widersprüche": {"Gebäude": ONE},
        "LAN: Widersprüche, welche": {
            "gemessen": {("a",): 0},
            "im Bestand": {("a",): 1},
        },
        "Versorgte Räume im Verlauf": {"LAN": {(): 4 / 6}, "WLAN": {(): 2 / 6}},
    },
    "health": {
        "Sonden ohne Meldung": {"Sonden": {(): 2}},
        "Wartende Messwerte der Sonden": {"Messwerte": ONE},
        "Verworfene Messwerte der Sonden": {"Messwerte": {(): 5}},
        "Messwerte in Quarantäne": {"Messwerte": ONE},
        # No process evaluates alarms here.
        "Teile von netmon ohne Lebenszeichen": {"Prozesse": ONE},
        "Geräte ohne Antwort beim Sammler": {"Geräte": ONE},
        "Sonden ohne Meldung: welche": {
            "stumm seit": {PROBES[name]: SILENCE_S[name] for name in ("p-b", "p-c")}
        },
        "Sonden": {
            "Letzter Kontakt vor": {PROBES[x]: SILENCE_S[x] for x in PROBES},
            "Abweichung der Uhr": {PROBES[x]: 0.5 for x in PROBES},
        },
        "Fehlgeschlagene Messungen": {"{{reason}}": {("timeout",): 3, ("dns",): 1}},
        "Auslastung der Sonden": {"höchste": {(): 0.6}},
        "Teile von netmon": {
            "ohne Lebenszeichen": {("alerts",): 1, ("ingest",): 0, ("relay",): 0},
            "letztes vor": {("ingest",): 10, ("relay",): 10},
            "wartend": {("relay",): 3},
            "Fehler": {("relay",): 2},
        },
        "Rückstand": {"{{process}}": {("relay",): 3}},
        "Sammler": {
            "Geräte": {("main",): 3},
            "ohne Antwort": {("main",): 1},
            "Zeitüberschreitungen": {("main",): 7},
        },
    },
}
# InfluxQL takes the value at the rank, PromQL one between two of them.
OTHERWISE = {("influxql", "city", "Laufzeit", "95 %"): {(): 0.050}}

LANGUAGES = (
    pytest.param("promql", marks=pytest.mark.victoria),
    pytest.param("influxql", marks=pytest.mark.influx),
)
BOARDS = sorted(EXPECTED)
ONE_BUILDING = {"building": {"building": "a"}}


class _Database(Protocol):
    def ask(self, panel: Mapping[str, Any], **picked: str) -> dict[str, Answer]: ...

    def values(self, definition: str, **picked: str) -> set[str]: ...


Boards = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture
def database(language: str, request: pytest.FixtureRequest) -> _Database:
    found: _Database = request.getfixturevalue(language)
    return found


def _panel(boards: Boards, language: str, board: str, title: str) -> dict[str, Any]:
    (found,) = [p for p in boards[language][board]["panels"] if p["title"] == title]
    return dict(found)


def _definition(boards: Boards, language: str, name: str) -> str:
    listed = boards[language]["city"]["templating"]["list"]
    (found,) = [v["definition"] for v in listed if v["name"] == name]
    return str(found)


def _panels(boards: Boards, language: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, board in boards[language].items():
        for panel in board["panels"]:
            yield name, panel


@pytest.mark.parametrize("language", ["promql", "influxql"])
def test_every_panel_has_its_expected_answer(boards: Boards, language: str) -> None:
    shipped = {(name, panel["title"]) for name, panel in _panels(boards, language)}
    expected = {(name, title) for name, found in EXPECTED.items() for title in found}
    assert shipped == expected


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_panel_shows_the_right_rows_and_values(
    boards: Boards, database: _Database, language: str, board: str
) -> None:
    for title, expected in EXPECTED[board].items():
        panel = _panel(boards, language, board, title)
        answers = database.ask(panel, **ONE_BUILDING.get(board, {}))
        assert answers.keys() == expected.keys(), title
        for legend, values in expected.items():
            right = OTHERWISE.get((language, board, title, legend), values)
            assert answers[legend] == pytest.approx(right), (title, legend)


@pytest.mark.parametrize("language", LANGUAGES)
def test_generated_data_shows_when_it_is_asked_for(
    boards: Boards, database: _Database, language: str
) -> None:
    def ask(board: str, title: str, **picked: str) -> dict[str, Answer]:
        panel = _panel(boards, language, board, title)
        return database.ask(panel, generated=".*", **picked)

    below = ask("city", "Gebäude unter 100 Mbit/s")
    assert below == {"Gebäude": {(): 3}}
    lines = ask("city", "Download aller Leitungen")
    assert lines["{{building}} {{line}}"]["made-up", "made-up-main"] == 20e6
    rooms = ask("lan", "LAN: Räume mit aktiver Dose je Gebäude", building="made-up")
    assert rooms == {
        "höchstens": {("made-up",): 0.5},
        "mindestens": {("made-up",): 0.5},
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nothing_is_known_nothing_is_shown_and_never_a_zero(
    boards: Boards, database: _Database, language: str
) -> None:
    for name, panel in _panels(boards, language):
        if "building" not in str(panel["targets"]):
            continue
        answers = database.ask(panel, building="nowhere")
        assert all(not values for values in answers.values()), (name, panel["title"])
    # Rooms nobody knows anything of are no rooms without WLAN.
    for board, network in (("lan", "LAN"), ("wlan", "WLAN")):
        panel = _panel(boards, language, board, f"{network}: Widersprüche")
        assert database.ask(panel, building="c") == {"Gebäude": {}}
    # Compared and found the same: that is a 0.
    panel = _panel(boards, language, "wlan", "WLAN: Widersprüche")
    assert database.ask(panel, building="a") == {"Gebäude": NONE}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_choices_follow_each_other_and_reach_every_panel(
    boards: Boards, database: _Database, language: str
) -> None:
    def values(name: str, **picked: str) -> set[str]:
        return database.values(_definition(boards, language, name), **picked)

    districts = {f"Campusbezirk {number}" for number in (1, 2, 3)}
    assert values("campus_district") == districts
    assert values("school_type") == {"Grundschule", "Gymnasium"}
    assert values("school_type", campus_district="Campusbezirk 2") == {"Grundschule"}
    assert values("building", campus_district="Campusbezirk 1") == {"a", "b"}
    assert values("building", school_type="Gymnasium") == {"b"}
    assert "made-up" not in values("building")
    assert "made-up" in values("building", generated=".*")
    assert values("site") == {"http://127.0.0.1:8080"}

    chosen = values("building", campus_district="Campusbezirk 2")
    assert chosen == {"fell", "healed", "proven"}
    picked = f"({'|'.join(sorted(chosen))})"
    lines = _panel(boards, language, "city", "Langsamste Leitungen")
    assert database.ask(lines, building=picked) == {
        "Download": {k: v for k, v in LINES.items() if k[0] in chosen}
    }


@pytest.mark.victoria
def test_a_range_ends_with_the_value_of_now(boards: Boards, promql: Any) -> None:
    for _, panel in _panels(boards, "promql"):
        for target in panel["targets"]:
            assert target["range"] is (panel["type"] == "timeseries")
            assert target["instant"] is not target["range"]
            assert re.search(r"\[\d+[mhd]", target["expr"])
