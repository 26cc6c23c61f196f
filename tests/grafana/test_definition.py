"""The shipped dashboards: generated, well formed, and about known quantities."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from make_grafana import files
from make_grafana.ask import ALL_KINDS, ALL_METRICS

from netmon.metrics import FAILURES, KINDS
from netmon.quantities import Unit

COLUMNS = 24
LANGUAGES = ("promql", "influxql")
TYPES = {"promql": "prometheus", "influxql": "influxdb"}
# Which unit of the dashboard fits which unit of the catalogue.
UNITS = {
    "bps": {Unit.BITS_PER_SECOND},
    "s": {Unit.SECONDS},
    "percentunit": {Unit.RATIO},
    "watt": {Unit.WATT},
    # Counts of things, whatever the thing is measured in, states and coordinates.
    "none": set(Unit),
}
Boards = dict[str, dict[str, dict[str, Any]]]


def _boards(boards: Boards) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for language, named in boards.items():
        for name, board in named.items():
            yield language, name, board


def _panels(boards: Boards, language: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, board in boards[language].items():
        for panel in board["panels"]:
            yield f"{name}: {panel['title']}", panel


def _expressions(boards: Boards) -> Iterator[tuple[str, str]]:
    for where, panel in _panels(boards, "promql"):
        for target in panel["targets"]:
            yield where, target["expr"]


def _selectors(expr: object) -> Iterator[promql_parser.VectorSelector]:
    if isinstance(expr, promql_parser.VectorSelector):
        yield expr
    for name in ("expr", "lhs", "rhs", "vector_selector", "vs"):
        inner = getattr(expr, name, None)
        if inner is not None:
            yield from _selectors(inner)
    for inner in getattr(expr, "args", []):
        yield from _selectors(inner)


# --- what they are -----------------------------------------------------------


def test_the_shipped_files_are_what_the_definition_makes(repo_dir: Path) -> None:
    made = files()
    folder = repo_dir / "grafana"
    shipped = {
        str(path.relative_to(folder))
        for language in LANGUAGES
        for path in (folder / language).iterdir()
    }
    assert shipped == made.keys(), "run python tools/make_grafana"
    for name, text in made.items():
        shipped_text = (folder / name).read_text(encoding="utf-8")
        assert shipped_text == text, f"{name}: run python tools/make_grafana"


def test_the_sdks_own_models_know_every_key(boards: Boards) -> None:
    # With these it reads options, fields and PromQL targets by the models of each.
    register_default_plugins()
    for language, name, board in _boards(boards):
        plain = json.loads(json.dumps(board))
        if language == "influxql":
            # The SDK has no model of these.
            assert all(panel.pop("targets") for panel in plain["panels"])
        read = Dashboard.from_json(json.loads(json.dumps(plain)))
        kinds = {type(panel.options).__module__ for panel in read.panels}
        assert "builtins" not in kinds, name
        again = json.loads(JSONEncoder().encode(read))
        if language == "influxql":
            for panel in again["panels"]:
                panel.pop("targets", None)
        assert again == plain, (language, name)


def test_both_languages_show_the_same_in_the_same_place(boards: Boards) -> None:
    def shape(language: str) -> list[tuple[Any, ...]]:
        return [
            (where, p["type"], p["gridPos"], p["description"], p["fieldConfig"])
            for where, p in _panels(boards, language)
        ]

    assert shape("promql") == shape("influxql")
    assert boards["promql"].keys() == boards["influxql"].keys()


def test_every_panel_says_what_it_shows_and_in_which_unit(boards: Boards) -> None:
    uids = Counter(board["uid"] for board in boards["promql"].values())
    assert max(uids.values()) == 1
    for _, name, board in _boards(boards):
        assert board["title"].startswith("netmon: ")
        assert board["timezone"] == "Europe/Berlin"
        ids = Counter(panel["id"] for panel in board["panels"])
        titles = Counter(panel["title"] for panel in board["panels"])
        assert max(ids.values()) == max(titles.values()) == 1, name
        for panel in board["panels"]:
            assert panel["title"].strip() == panel["title"] != ""
            assert panel["description"].endswith(".")
            defaults = panel["fieldConfig"]["defaults"]
            assert defaults["unit"] in UNITS
            assert defaults["noValue"] == "keine Daten"
            refs = [target["refId"] for target in panel["targets"]]
            assert len(refs) == len(set(refs)) > 0


def test_panels_stand_side_by_side_and_never_on_each_other(boards: Boards) -> None:
    for _, name, board in _boards(boards):
        places = [panel["gridPos"] for panel in board["panels"]]
        for place in places:
            assert place["w"] > 0
            assert place["h"] > 0
            assert 0 <= place["x"] <= COLUMNS - place["w"], name
        for a, b in combinations(places, 2):
            apart = (
                a["x"] + a["w"] <= b["x"]
                or b["x"] + b["w"] <= a["x"]
                or a["y"] + a["h"] <= b["y"]
                or b["y"] + b["h"] <= a["y"]
            )
            assert apart, (name, a, b)


def test_no_data_is_never_green(boards: Boards) -> None:
    for where, panel in _panels(boards, "promql"):
        fields = panel["fieldConfig"]
        found = [fields["defaults"]["thresholds"]["steps"]]
        for override in fields["overrides"]:
            found += [
                each["value"]["steps"]
                for each in override["properties"]
                if each["id"] == "thresholds"
            ]
        for steps in found:
            assert steps[0].get("value") is None, where
            assert steps[0]["color"] != "green", where


def test_a_colour_in_a_table_is_that_of_a_number_or_a_word(boards: Boards) -> None:
    colored = {"type": "color-text"}
    seen = 0
    for where, panel in _panels(boards, "promql"):
        if panel["type"] != "table":
            continue
        defaults = panel["fieldConfig"]["defaults"]
        if len(defaults["thresholds"]["steps"]) > 1:
            assert defaults["custom"]["cellOptions"] == colored, where
            seen += 1
        for override in panel["fieldConfig"]["overrides"]:
            given = {prop["id"]: prop["value"] for prop in override["properties"]}
            if "thresholds" in given:
                assert given["custom.cellOptions"] == colored, where
                assert given["mappings"], where
                seen += 1
    assert seen > 5


def test_the_data_source_is_the_readers_choice(boards: Boards) -> None:
    for language, name, board in _boards(boards):
        listed = {
            variable["name"]: variable for variable in board["templating"]["list"]
        }
        assert listed["datasource"]["type"] == "datasource"
        assert listed["datasource"]["query"] == TYPES[language]
        named = [
            thing["datasource"]
            for panel in board["panels"]
            for thing in (panel, *panel["targets"])
        ]
        named += [v["datasource"] for v in listed.values() if v["type"] == "query"]
        expected = {"type": TYPES[language], "uid": "${datasource}"}
        assert all(each == expected for each in named), name


def test_every_variable_used_is_defined_and_every_one_defined_is_used(
    boards: Boards,
) -> None:
    for language, name, board in _boards(boards):
        defined = {variable["name"] for variable in board["templating"]["list"]}
        text = str(board["panels"]) + str(board["templating"]) + str(board["links"])
        used = set(re.findall(r"\$\{?(\w+)", text))
        built_in = {"__all", "__value", "__interval", "timeFilter"}
        named = {word for word in used if word.startswith("tag_")}
        assert used - built_in - named == defined, (language, name)


def test_boards_lead_to_each_other_and_to_the_status_site(boards: Boards) -> None:
    for _, name, board in _boards(boards):
        others, site = board["links"]
        assert (others["type"], others["tags"]) == ("dashboards", board["tags"])
        page = "/gebaeude/${building}" if name == "building" else "/"
        assert site["url"] == f"${{site}}{page}"
    worst = next(p for w, p in _panels(boards, "promql") if "Auffällige" in w)
    links = [
        prop["value"]
        for override in worst["fieldConfig"]["overrides"]
        for prop in override["properties"]
        if prop["id"] == "links"
    ]
    assert links[0][0]["url"] == "${site}/gebaeude/${__value.raw}"


# --- what they ask -----------------------------------------------------------


def _units(panel: dict[str, Any]) -> set[Unit]:
    fields = panel["fieldConfig"]
    named = [fields["defaults"]["unit"]]
    for override in fields["overrides"]:
        named += [p["value"] for p in override["properties"] if p["id"] == "unit"]
    return set().union(*(UNITS[name] for name in named))


def test_every_query_is_plain_promql_over_known_metrics(boards: Boards) -> None:
    known = {*ALL_METRICS, *(f"{kind}_{FAILURES}" for kind in KINDS)}
    for where, panel in _panels(boards, "promql"):
        for target in panel["targets"]:
            parsed = promql_parser.parse(target["expr"])
            names = {selector.name for selector in _selectors(parsed)}
            assert names, where
            assert names <= known, where
            # A share may be a quotient of counts, and a table asks flags beside.
            is_quotient = " / sum(" in target["expr"]
            allowed = _units(panel) | {Unit.NONE}
            if is_quotient:
                allowed = {Unit.COUNT}
            units = {ALL_METRICS[name].unit for name in names & ALL_METRICS.keys()}
            assert units <= allowed, where


def test_every_influxql_query_is_over_known_fields(boards: Boards) -> None:
    for where, panel in _panels(boards, "influxql"):
        for target in panel["targets"]:
            kinds = re.findall(r'FROM "(\w+)"', target["query"])
            assert len(set(kinds)) == 1, where
            kind = ALL_KINDS[kinds[0]]
            fields = {metric.name for metric in kind.metrics} | {FAILURES}
            asked = set(re.findall(r'(?:last|first|count)\("(\w+)"\)', target["query"]))
            assert asked - {"v"} <= fields, where
            tags = {*kind.tags, *kind.optional_tags, "reason"}
            for groups in re.findall(r"GROUP BY ([^)]*)", target["query"]):
                assert set(re.findall(r'"(\w+)"', groups)) <= tags, where


def test_every_query_leaves_generated_data_to_the_readers_choice(
    boards: Boards,
) -> None:
    for where, expression in _expressions(boards):
        selectors = expression.count("{")
        assert selectors == expression.count('generated=~"$generated"') > 0, where
        metrics = re.findall(r"(\w+)\{", expression)
        of_buildings = [
            m for m in metrics if not re.match("process|system|collector", m)
        ]
        assert len(of_buildings) == expression.count('building=~"$building"'), where
    for where, panel in _panels(boards, "influxql"):
        for target in panel["targets"]:
            assert '"generated" =~ /$generated/' in target["query"], where


def test_prometheus_reads_every_query(boards: Boards, tmp_path: Path) -> None:
    binary = shutil.which("promtool")
    if binary is None:
        reason = "no promtool on the PATH (Debian package prometheus)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing in CI: {reason}")
        pytest.skip(reason)
    rules = [
        {"record": f"panel:number_{number}", "expr": expression}
        for number, (_, expression) in enumerate(_expressions(boards))
    ]
    assert len(rules) > 80
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        [binary, "check", "rules", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_tables_name_their_labels_and_values(boards: Boards) -> None:
    for language in LANGUAGES:
        for where, panel in _panels(boards, language):
            if panel["type"] not in {"table", "geomap"}:
                continue
            *_, organize = panel["transformations"]
            options = organize["options"]
            assert options["excludeByName"] == {"Time": True}, where
            named = options["renameByName"]
            assert options["indexByName"].keys() == named.keys(), where
            if language == "promql":
                legends = [target["legendFormat"] for target in panel["targets"]]
                place = options["indexByName"]
                in_order = sorted(named, key=lambda name: place[name])
                values = [named[name] for name in in_order[-len(legends) :]]
                assert values == legends, where
    shown = next(
        p for w, p in _panels(boards, "promql") if "WLAN: Wid" in w and "welche" in w
    )
    merge, organize = shown["transformations"]
    assert merge["id"] == "merge"
    assert organize["options"]["renameByName"] == {
        "building": "Gebäude",
        "Value #A": "gemessen",
        "Value #B": "im Bestand",
    }
    (mapping,) = shown["fieldConfig"]["defaults"]["mappings"]
    texts = {value: found["text"] for value, found in mapping["options"].items()}
    assert texts == {"0": "partiell", "1": "flächendeckend"}


def test_the_red_line_is_the_citys_promise(boards: Boards) -> None:
    for where, panel in _panels(boards, "promql"):
        if where.endswith(("Langsamste Leitungen", "Download aller Leitungen")):
            steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
            assert [step.get("value") for step in steps] == [None, 0, 100_000_000]


# --- how Grafana finds them --------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_provisioning_names_the_data_source_and_the_folder(
    repo_dir: Path, boards: Boards, language: str
) -> None:
    folder = repo_dir / "grafana" / "provisioning" / language
    sources, providers = (
        yaml.safe_load((folder / kind / "netmon.yaml").read_text("utf-8"))
        for kind in ("datasources", "dashboards")
    )
    (source,) = sources["datasources"]
    listed = boards[language]["city"]["templating"]["list"]
    variable = next(each for each in listed if each["name"] == "datasource")
    assert source["type"] == variable["query"] == TYPES[language]
    assert source["uid"] == variable["current"]["value"]
    assert source["editable"] is False
    (provider,) = providers["providers"]
    assert provider["type"] == "file"
    assert sources["apiVersion"] == providers["apiVersion"] == 1
    assert provider["options"]["path"].startswith("/")
    assert provider["folder"]
