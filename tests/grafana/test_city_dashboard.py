"""The shipped dashboard: generated, well formed, and every query answered rightly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import promql_parser
import pytest
import yaml

from netmon.metrics import FAILURES, KINDS, METRICS, Unit

COLUMNS = 24
RED_LINE_BPS = 100_000_000.0
# Which unit of the dashboard fits which unit of the catalogue.
UNITS = {
    "bps": {Unit.BITS_PER_SECOND},
    "s": {Unit.SECONDS},
    "percentunit": {Unit.RATIO},
    # Counts of things, whatever the thing is measured in.
    "none": set(Unit),
    "dateTimeAsIso": set(Unit),
}
# What the filled database answers, by panel, legend and label values (in the order
# of the labels' names). Only measured data counts.
EXPECTED: dict[str, dict[str, dict[tuple[str, ...], float]]] = {
    "Gebäude mit Messwert": {"Gebäude": {(): 5}},
    "Gebäude unter 100 Mbit/s": {"Gebäude": {(): 2}},
    "Access Points in Betrieb": {"Access Points": {(): 2}},
    "Access Points ausgefallen": {"Access Points": {(): 1}},
    "WLAN-Clients": {"Clients": {(): 42}},
    "Sonden ohne Meldung": {"Sonden": {(): 1}},
    "Download aller Leitungen": {
        "{{building}} {{line}}": {
            ("a", "a-main"): 250e6,
            ("a", "a-backup"): 50e6,
            ("b", "b-main"): 60e6,
            ("fell", "fell-main"): 55e6,
            ("healed", "healed-main"): 45e6,
        }
    },
    "Langsamste Leitungen": {
        "Download": {
            ("a", "a-main"): 250e6,
            ("a", "a-backup"): 50e6,
            ("b", "b-main"): 60e6,
            ("fell", "fell-main"): 55e6,
            ("healed", "healed-main"): 45e6,
        }
    },
    "Laufzeit": {
        "Median": {(): 0.030},
        "95 %": {(): 0.048},
        "höchste": {(): 0.050},
    },
    "Paketverlust": {"Mittel": {(): 0.1}, "höchster": {(): 0.2}},
    "Access Points nach Zustand": {"in Betrieb": {(): 2}, "ausgefallen": {(): 1}},
    "WLAN-Clients je Gebäude": {"{{building}}": {("a",): 12, ("b",): 30}},
    # "b" has a room behind a silent switch; of "c" nothing is known, so it is nowhere.
    "LAN: Räume mit aktiver Dose je Gebäude": {
        "höchstens": {("a",): 0.75, ("b",): 1.0},
        "mindestens": {("a",): 0.75, ("b",): 0.5},
    },
    "WLAN: Räume mit WLAN je Gebäude": {
        "höchstens": {("a",): 0.25, ("b",): 0.5},
        "mindestens": {("a",): 0.25, ("b",): 0.5},
    },
    "Versorgte Räume im Verlauf": {"LAN": {(): 4 / 6}, "WLAN": {(): 2 / 6}},
    "LAN: Widersprüche": {"Gebäude": {(): 1}},
    "WLAN: Widersprüche": {"Gebäude": {(): 1}},
    "LAN: Widersprüche, welche": {
        "gemessen": {("a",): 0},
        "im Bestand": {("a",): 1},
    },
    "WLAN: Widersprüche, welche": {
        "gemessen": {("b",): 0},
        "im Bestand": {("b",): 1},
    },
    "Fehlgeschlagene Messungen": {"{{reason}}": {("timeout",): 3, ("dns",): 1}},
}


class _Filled(Protocol):
    now_ms: int
    victoria: Any

    def ask(self, query: str, **variables: str) -> dict[tuple[str, ...], float]: ...


def _panel(city: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = [panel for panel in city["panels"] if panel["title"] == title]
    return dict(found)


def _targets(city: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for panel in city["panels"]:
        for target in panel["targets"]:
            yield panel, target


def _selectors(expr: object) -> Iterator[promql_parser.VectorSelector]:
    if isinstance(expr, promql_parser.VectorSelector):
        yield expr
    for name in ("expr", "lhs", "rhs", "vector_selector", "vs"):
        inner = getattr(expr, name, None)
        if inner is not None:
            yield from _selectors(inner)
    for inner in getattr(expr, "args", []):
        yield from _selectors(inner)


# --- what it says of itself --------------------------------------------------


def test_the_shipped_file_is_what_the_script_makes(
    generator: ModuleType, repo_dir: Path
) -> None:
    shipped = repo_dir / "grafana" / "dashboards" / "city.json"
    assert shipped.read_text(encoding="utf-8") == generator.text(), (
        "run tools/make_grafana.py"
    )


def test_every_panel_says_what_it_shows_and_in_which_unit(city: dict[str, Any]) -> None:
    assert city["uid"] == "netmon-city"
    assert city["title"]
    assert city["timezone"] == "Europe/Berlin"
    ids = Counter(panel["id"] for panel in city["panels"])
    titles = Counter(panel["title"] for panel in city["panels"])
    assert max(ids.values()) == max(titles.values()) == 1
    for panel in city["panels"]:
        assert panel["title"].strip()
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        refs = [target["refId"] for target in panel["targets"]]
        assert len(refs) == len(set(refs)) > 0


def test_panels_stand_side_by_side_and_never_on_each_other(
    city: dict[str, Any],
) -> None:
    places = [panel["gridPos"] for panel in city["panels"]]
    for place in places:
        assert place["w"] > 0
        assert place["h"] > 0
        assert 0 <= place["x"] <= COLUMNS - place["w"]
    for a, b in combinations(places, 2):
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, (a, b)


def test_the_data_source_is_the_readers_choice(city: dict[str, Any]) -> None:
    variables = {variable["name"]: variable for variable in city["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    for panel, target in _targets(city):
        assert panel["datasource"]["uid"] == "${datasource}"
        assert target["datasource"]["uid"] == "${datasource}"


def test_every_variable_used_is_defined_and_every_one_defined_is_used(
    city: dict[str, Any],
) -> None:
    defined = {variable["name"] for variable in city["templating"]["list"]}
    text = str(city["panels"]) + str(city["templating"])
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__all"}
    assert used == defined


# --- what it asks ------------------------------------------------------------


def test_every_query_is_plain_promql_over_known_metrics(city: dict[str, Any]) -> None:
    known = {*METRICS, *(f"{kind}_{FAILURES}" for kind in KINDS)}
    for panel, target in _targets(city):
        parsed = promql_parser.parse(target["expr"])
        names = {selector.name for selector in _selectors(parsed)}
        assert names, panel["title"]
        assert names <= known, panel["title"]
        unit = panel["fieldConfig"]["defaults"]["unit"]
        # A share may be a quotient of counts.
        is_quotient = unit == "percentunit" and " / sum(" in target["expr"]
        allowed = {Unit.COUNT} if is_quotient else UNITS[unit]
        for name in names & METRICS.keys():
            assert METRICS[name].unit in allowed, panel["title"]


def test_every_query_leaves_generated_data_to_the_readers_choice(
    city: dict[str, Any],
) -> None:
    for panel, target in _targets(city):
        selectors = target["expr"].count("{")
        assert selectors == target["expr"].count('generated=~"$generated"') > 0
        assert selectors == target["expr"].count('building=~"$building"'), panel[
            "title"
        ]


def test_tables_ask_once_and_lines_ask_over_time(city: dict[str, Any]) -> None:
    for panel, target in _targets(city):
        assert target["range"] is (panel["type"] == "timeseries")
        assert target["instant"] is not target["range"]
        assert (target["format"] == "table") is (panel["type"] == "table")


def test_the_red_line_is_the_citys_promise(city: dict[str, Any]) -> None:
    steps = _panel(city, "Langsamste Leitungen")["fieldConfig"]["defaults"]
    assert [step["value"] for step in steps["thresholds"]["steps"]] == [
        None,
        RED_LINE_BPS,
    ]
    below = _panel(city, "Gebäude unter 100 Mbit/s")["targets"][0]["expr"]
    assert f"< {RED_LINE_BPS:.0f}" in below


# --- what a real database answers --------------------------------------------


@pytest.mark.victoria
@pytest.mark.parametrize("title", sorted(EXPECTED))
def test_a_panel_shows_the_right_rows_and_values(
    title: str, city: dict[str, Any], filled: _Filled
) -> None:
    panel = _panel(city, title)
    answers = {t["legendFormat"]: filled.ask(t["expr"]) for t in panel["targets"]}
    assert answers.keys() == EXPECTED[title].keys()
    for legend, expected in EXPECTED[title].items():
        assert answers[legend] == pytest.approx(expected)


@pytest.mark.victoria
def test_silent_probes_are_named_with_the_time_of_their_last_report(
    city: dict[str, Any], filled: _Filled
) -> None:
    (target,) = _panel(city, "Sonden ohne Meldung: welche")["targets"]
    assert filled.ask(target["expr"]) == pytest.approx(
        {("b", "p-b"): filled.now_ms - 120 * 60_000}, abs=1000
    )


def test_every_panel_has_its_expected_answer(city: dict[str, Any]) -> None:
    titles = {panel["title"] for panel in city["panels"]}
    assert titles == EXPECTED.keys() | {"Sonden ohne Meldung: welche"}


@pytest.mark.victoria
def test_generated_data_shows_when_it_is_asked_for(
    city: dict[str, Any], filled: _Filled
) -> None:
    (target,) = _panel(city, "Gebäude unter 100 Mbit/s")["targets"]
    assert filled.ask(target["expr"], generated=".*") == {(): 3}
    (target,) = _panel(city, "Download aller Leitungen")["targets"]
    shown = filled.ask(target["expr"], generated=".*")
    assert shown["made-up", "made-up-main"] == 20e6


@pytest.mark.victoria
def test_a_building_can_be_picked(city: dict[str, Any], filled: _Filled) -> None:
    (target,) = _panel(city, "WLAN-Clients")["targets"]
    assert filled.ask(target["expr"], building="a") == {(): 12}
    assert filled.ask(target["expr"], building="(a|b)") == {(): 42}


@pytest.mark.victoria
def test_counts_of_nothing_are_zero_and_not_empty(
    city: dict[str, Any], filled: _Filled
) -> None:
    for panel in city["panels"]:
        if panel["type"] == "stat":
            (target,) = panel["targets"]
            # Contradictions are none only where something was compared.
            expected = {} if "Widersprüche" in panel["title"] else {(): 0}
            assert filled.ask(target["expr"], building="nowhere") == expected


@pytest.mark.victoria
def test_coverage_without_data_is_no_value_and_never_zero(
    city: dict[str, Any], filled: _Filled
) -> None:
    targets = [t for _, t in _targets(city) if "coverage_" in t["expr"]]
    assert len(targets) == 12
    for target in targets:
        assert filled.ask(target["expr"], building="c") == {}
        # Compared and found the same: that is a 0.
    (target,) = _panel(city, "WLAN: Widersprüche")["targets"]
    assert filled.ask(target["expr"], building="a") == {(): 0}


@pytest.mark.victoria
def test_coverage_that_rests_on_generated_data_is_marked_like_it(
    city: dict[str, Any], filled: _Filled
) -> None:
    panel = _panel(city, "LAN: Räume mit aktiver Dose je Gebäude")
    for target in panel["targets"]:
        assert filled.ask(target["expr"], building="made-up") == {}
        shown = filled.ask(target["expr"], building="made-up", generated=".*")
        assert shown == {("made-up",): 0.5}


def test_a_table_of_two_values_names_both(city: dict[str, Any]) -> None:
    panel = _panel(city, "WLAN: Widersprüche, welche")
    merge, organize = panel["transformations"]
    assert merge["id"] == "merge"
    assert organize["options"]["renameByName"] == {
        "building": "Gebäude",
        "Value #A": "gemessen",
        "Value #B": "im Bestand",
    }
    (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
    assert mapping["options"] == {
        "0": {"text": "partiell"},
        "1": {"text": "flächendeckend"},
    }


@pytest.mark.victoria
def test_lines_over_time_end_at_the_last_value(
    city: dict[str, Any], filled: _Filled
) -> None:
    now_s = filled.now_ms / 1000
    for panel, target in _targets(city):
        if panel["type"] != "timeseries":
            continue
        query = target["expr"].replace("$generated", "^$").replace("$building", ".*")
        series = filled.victoria.query_range(query, now_s - 600, now_s, 60)
        assert series, panel["title"]
        last = [values[-1][1] for _, values in series if values[-1][0] >= now_s - 60]
        expected = EXPECTED[panel["title"]][target["legendFormat"]]
        assert sorted(last) == pytest.approx(sorted(expected.values()))


# --- how Grafana finds it ----------------------------------------------------


def test_provisioning_names_the_data_source_and_the_folder(
    repo_dir: Path, city: dict[str, Any]
) -> None:
    folder = repo_dir / "grafana" / "provisioning"
    sources = yaml.safe_load(
        (folder / "datasources" / "netmon.yaml").read_text("utf-8")
    )
    (source,) = sources["datasources"]
    variable = next(v for v in city["templating"]["list"] if v["name"] == "datasource")
    assert source["type"] == variable["query"] == "prometheus"
    assert source["uid"] == variable["current"]["value"]
    boards = yaml.safe_load((folder / "dashboards" / "netmon.yaml").read_text("utf-8"))
    (provider,) = boards["providers"]
    assert (provider["type"], sources["apiVersion"], boards["apiVersion"]) == (
        "file",
        1,
        1,
    )
    assert provider["options"]["path"].startswith("/")
