"""Write ``grafana/dashboards/city.json`` from the table of panels below.

Run it after a change; a test holds the shipped file to what this prints.
Queries are plain PromQL, so VictoriaMetrics, Prometheus and Mimir all answer
them. Each says how long a value counts (the kind's own ``stale_after_s``) and
over which labels it is gathered: a series that ended must not linger, and one
building measured by two methods must not count twice.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netmon.coverage import FULL_SHARE
from netmon.metrics import KINDS
from netmon.model import TARGET_DOWN_BPS

OUTPUT = Path(__file__).resolve().parents[1] / "grafana" / "dashboards" / "city.json"
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Which data is shown: what was really measured, or the demo's made-up history as well.
_SHOWN = 'generated=~"$generated"'
_PICKED = f'building=~"$building",{_SHOWN}'
_FILTER = f"{{{_PICKED}}}"
_RED, _YELLOW, _GREEN, _BLUE = "red", "yellow", "green", "blue"


@dataclass(frozen=True)
class Panel:
    """One panel: what it asks, how it is written, how large it is."""

    title: str
    description: str
    # Legend text to query; in a table the legends are the headings of the values.
    queries: Mapping[str, str]
    kind: str = "timeseries"
    unit: str = "none"
    width: int = 12
    height: int = 8
    steps: Sequence[tuple[float | None, str]] = ((None, _GREEN),)
    headings: Mapping[str, str] = field(default_factory=dict)
    decimals: int | None = None
    # The axis begins at 0, since a cut axis makes small changes look large.
    high: float | None = None
    # Words to show instead of values.
    words: Mapping[int, str] = field(default_factory=dict)


def _fresh(metric: str) -> str:
    """Return the last value of a metric while it still says something about now."""
    return f"last_over_time({metric}{_FILTER}[{_stale_after(metric)}])"


def _stale_after(metric: str) -> str:
    kind = next(kind for name, kind in KINDS.items() if metric.startswith(f"{name}_"))
    return f"{round(kind.stale_after_s / 60)}m"


def _when(metric: str) -> str:
    """Return when each series had its last value, to the minute.

    timestamp() tells a sample's own time only for a bare selector, hence the subquery.
    """
    window = _stale_after(metric)
    return f"max_over_time(timestamp({metric}{_FILTER})[{window}:1m])"


def _newest(values: str, times: str) -> str:
    """Return of each line the value of the series that spoke last.

    A line is measured in several ways, each a series: the largest of them would
    hide for hours that a line fell.
    """
    last = f"topk by (building, line) (1, {times} and {values})"
    return f"max by (building, line) ({values} and {last})"


def _or_zero(query: str) -> str:
    """Return 0 where a count finds nothing, which Grafana would show as "No data"."""
    return f"{query} or vector(0)"


def _coverage(metric: str, network: str) -> str:
    """Return a figure of each building's LAN or WLAN coverage; none where unknown."""
    name = f"coverage_{metric}"
    picked = f'{{{_PICKED},network="{network}"}}'
    return f"max by (building) (last_over_time({name}{picked}[{_stale_after(name)}]))"


def _city_share(network: str) -> str:
    """Return the city's share of covered rooms, of buildings that are known about."""
    covered = _coverage("covered_count", network)
    return f"sum({covered}) / sum({_coverage('rooms_count', network)} and {covered})"


_TARGET = f"{TARGET_DOWN_BPS:.0f}"
_RATE = "throughput_rate_down_bps"
_PROOF = "throughput_at_least_down_bps"
_DOWN = _newest(_fresh(_RATE), _when(_RATE))
# A lower bound below the target tells nothing, one above it proves the line.
_PROVEN = f"{_fresh(_PROOF)} >= {_TARGET}"
_TOLD = _newest(
    f"({_fresh(_RATE)} or {_PROVEN})", f"({_when(_RATE)} or {_when(_PROOF)})"
)
_BEST_TOLD = f"max by (building) ({_TOLD})"
_MEASURED = f"max by (building) ({_fresh(_RATE)} or {_fresh(_PROOF)})"
_RTT = f"max by (building, line) ({_fresh('latency_rtt_s')})"
_LOSS = f"max by (building, line) ({_fresh('latency_loss_ratio')})"
_AP_UP = f"max by (building, ap) ({_fresh('wlan_ap_up')})"
_CLIENTS = f"max by (building, ap) ({_fresh('wlan_ap_clients_count')})"
_PROBE_LAST = (
    "max by (building, probe) (max_over_time("
    f"timestamp(probe_health_spool_records_count{_FILTER})[7d:5m]))"
)
_PROBE_SEEN = (
    f"count by (building, probe) ({_fresh('probe_health_spool_records_count')})"
)
_PROBE_KNOWN = (
    "count by (building, probe) "
    f"(last_over_time(probe_health_spool_records_count{_FILTER}[7d]))"
)
_PROBE_SILENT = f"({_PROBE_KNOWN} unless {_PROBE_SEEN})"
# Label in the database, name, and what makes a room covered.
_NETWORKS = (("lan", "LAN", "aktiver Dose"), ("wlan", "WLAN", "WLAN"))


def _stat(
    title: str, description: str, legend: str, query: str, *alarms: tuple[int, str]
) -> Panel:
    """Return a panel with one number, coloured from the given values on."""
    return Panel(
        title=title,
        description=description,
        kind="stat",
        width=4,
        height=4,
        queries={legend: _or_zero(query)},
        steps=((None, _GREEN), *alarms) if alarms else ((None, _BLUE),),
    )


ROWS: Sequence[Sequence[Panel]] = (
    (
        _stat(
            "Gebäude mit Messwert",
            "Gebäude, deren Download in den letzten 3 Stunden gemessen oder mindestens "
            "nachgewiesen wurde.",
            "Gebäude",
            f"count({_MEASURED})",
        ),
        _stat(
            "Gebäude unter 100 Mbit/s",
            "Gebäude, deren beste Leitung zuletzt weniger als 100 Mbit/s Download "
            "erreichte und seitdem nicht mehr nachwies. Auch Gebäude, deren Vertrag "
            "weniger verspricht, zählen mit.",
            "Gebäude",
            f"count({_BEST_TOLD} < {_TARGET})",
            (1, _YELLOW),
            (10, _RED),
        ),
        _stat(
            "Access Points in Betrieb",
            "Access Points, die ihr Controller zuletzt als aktiv meldete.",
            "Access Points",
            f"count({_AP_UP} == 1)",
        ),
        _stat(
            "Access Points ausgefallen",
            "Access Points, die ihr Controller zuletzt als ausgefallen meldete.",
            "Access Points",
            f"count({_AP_UP} == 0)",
            (1, _RED),
        ),
        _stat(
            "WLAN-Clients",
            "Im WLAN angemeldete Geräte, Summe über alle Access Points.",
            "Clients",
            f"sum({_CLIENTS})",
        ),
        _stat(
            "Sonden ohne Meldung",
            "Sonden, die in den letzten 7 Tagen gemeldet haben, aber seit einer Stunde "
            "nicht mehr.",
            "Sonden",
            f"count({_PROBE_SILENT})",
            (1, _RED),
        ),
    ),
    (
        Panel(
            title="Download aller Leitungen",
            description=(
                "Zuletzt gemessener Download jeder Leitung, ohne Mindestnachweise. "
                "Gestrichelt: 100 Mbit/s."
            ),
            unit="bps",
            width=14,
            height=10,
            queries={"{{building}} {{line}}": _DOWN},
            steps=((None, _RED), (float(TARGET_DOWN_BPS), _GREEN)),
        ),
        Panel(
            title="Langsamste Leitungen",
            description="Die 20 Leitungen mit dem geringsten zuletzt gemessenen Download.",
            kind="table",
            unit="bps",
            width=10,
            height=10,
            queries={"Download": f"bottomk(20, {_DOWN})"},
            headings={"building": "Gebäude", "line": "Leitung"},
            steps=((None, _RED), (float(TARGET_DOWN_BPS), _GREEN)),
            decimals=1,
        ),
    ),
    (
        Panel(
            title="Laufzeit",
            description=(
                "Laufzeit (RTT) über alle Leitungen: die Hälfte der Leitungen liegt unter "
                "dem Median, 95 von 100 unter dem 95-%-Wert."
            ),
            unit="s",
            queries={
                "Median": f"quantile(0.5, {_RTT})",
                "95 %": f"quantile(0.95, {_RTT})",
                "höchste": f"max({_RTT})",
            },
        ),
        Panel(
            title="Paketverlust",
            description="Anteil verlorener Pakete: Mittel aller Leitungen und höchster Wert.",
            unit="percentunit",
            queries={"Mittel": f"avg({_LOSS})", "höchster": f"max({_LOSS})"},
            high=1,
        ),
    ),
    (
        Panel(
            title="Access Points nach Zustand",
            description="Access Points in Betrieb und ausgefallen im Verlauf.",
            queries={
                "in Betrieb": _or_zero(f"count({_AP_UP} == 1)"),
                "ausgefallen": _or_zero(f"count({_AP_UP} == 0)"),
            },
        ),
        Panel(
            title="WLAN-Clients je Gebäude",
            description="Die 10 Gebäude mit den meisten im WLAN angemeldeten Geräten.",
            queries={"{{building}}": f"topk(10, sum by (building) ({_CLIENTS}))"},
        ),
    ),
    (
        *(
            Panel(
                title=f"{name}: Räume mit {what} je Gebäude",
                description=(
                    f"Die 20 Gebäude mit dem kleinsten Anteil von Unterrichtsräumen mit "
                    f"{what}. Räume, von denen nichts bekannt ist, fehlen bei „mindestens“ "
                    "und zählen bei „höchstens“ mit. Ohne Angaben fehlt das Gebäude."
                ),
                kind="table",
                unit="percentunit",
                width=8,
                queries={
                    "höchstens": f"bottomk(20, {_coverage('high_ratio', network)})",
                    "mindestens": (
                        f"{_coverage('low_ratio', network)} and "
                        f"bottomk(20, {_coverage('high_ratio', network)})"
                    ),
                },
                headings={"building": "Gebäude"},
                steps=((None, _RED), (FULL_SHARE, _GREEN)),
                decimals=0,
            )
            for network, name, what in _NETWORKS
        ),
        Panel(
            title="Versorgte Räume im Verlauf",
            description=(
                "Anteil der Unterrichtsräume mit aktiver Dose und mit WLAN, mindestens, über "
                "alle Gebäude, zu denen etwas bekannt ist."
            ),
            unit="percentunit",
            width=8,
            queries={name: _city_share(network) for network, name, _ in _NETWORKS},
            high=1,
        ),
    ),
    (
        *(
            Panel(
                title=f"{name}: Widersprüche",
                description=(
                    f"Gebäude, bei denen der gemessene Ausbau des {name} dem im Bestand "
                    "widerspricht, von allen, die sich vergleichen lassen. Ohne Wert: "
                    "keines lässt sich vergleichen."
                ),
                kind="stat",
                width=4,
                height=8,
                queries={"Gebäude": f"sum({_coverage('contradicts', network)})"},
                steps=((None, _GREEN), (1, _YELLOW)),
            )
            for network, name, _ in _NETWORKS
        ),
        *(
            Panel(
                title=f"{name}: Widersprüche, welche",
                description=(
                    "Gemessener Ausbau und Angabe im Bestand, wo sie sich widersprechen. "
                    "Keines von beiden wird von selbst geändert."
                ),
                kind="table",
                width=8,
                queries={
                    heading: (
                        f"{_coverage(metric, network)} and "
                        f"{_coverage('contradicts', network)} == 1"
                    )
                    for heading, metric in (
                        ("gemessen", "measured_full"),
                        ("im Bestand", "declared_full"),
                    )
                },
                headings={"building": "Gebäude"},
                words={0: "partiell", 1: "flächendeckend"},
            )
            for network, name, _ in _NETWORKS
        ),
    ),
    (
        Panel(
            title="Fehlgeschlagene Messungen",
            description="Durchsatzmessungen ohne Ergebnis je Stunde, nach Grund.",
            queries={
                "{{reason}}": (
                    "sum by (reason) "
                    f"(count_over_time(throughput_failures{_FILTER}[60m]))"
                )
            },
        ),
        Panel(
            title="Sonden ohne Meldung: welche",
            description="Letzte Meldung der Sonden, die seit einer Stunde schweigen.",
            kind="table",
            unit="dateTimeAsIso",
            queries={"Letzte Meldung": f"({_PROBE_LAST} unless {_PROBE_SEEN}) * 1000"},
            headings={"building": "Gebäude", "probe": "Sonde"},
        ),
    ),
)


def _ref(index: int) -> str:
    return chr(ord("A") + index)


def _target(panel: Panel, index: int, legend: str, query: str) -> dict[str, Any]:
    return {
        "refId": _ref(index),
        "datasource": _DATASOURCE,
        "expr": query,
        "legendFormat": legend,
        "instant": panel.kind != "timeseries",
        "range": panel.kind == "timeseries",
        "format": "table" if panel.kind == "table" else "time_series",
    }


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {
            "colorMode": "value",
            "graphMode": "none",
            "reduceOptions": {"calcs": ["lastNotNull"], "values": False},
        }
    if panel.kind == "table":
        heading = next(iter(panel.queries))
        return {"showHeader": True, "sortBy": [{"displayName": heading, "desc": False}]}
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "asc"},
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    steps = [{"color": color, "value": value} for value, color in panel.steps]
    wanted: dict[str, Any] = {
        "unit": panel.unit,
        "decimals": panel.decimals,
        "min": 0 if panel.kind == "timeseries" else None,
        "max": panel.high,
    }
    defaults = {key: value for key, value in wanted.items() if value is not None}
    if panel.words:
        texts = {str(value): {"text": text} for value, text in panel.words.items()}
        defaults["mappings"] = [{"type": "value", "options": texts}]
    defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.kind == "timeseries":
        custom: dict[str, Any] = {"lineWidth": 1, "fillOpacity": 0, "spanNulls": False}
        if len(steps) > 1:
            custom["thresholdsStyle"] = {"mode": "dashed"}
        defaults["custom"] = custom
    return defaults


def _transformations(panel: Panel) -> list[dict[str, Any]]:
    if panel.kind != "table":
        return []
    # Grafana's names: of several queries, one table with "Value #A", "Value #B".
    is_one = len(panel.queries) == 1
    values = (
        ["Value"]
        if is_one
        else [f"Value #{_ref(i)}" for i in range(len(panel.queries))]
    )
    order = [*panel.headings, *values]
    named = {**panel.headings, **dict(zip(values, panel.queries, strict=True))}
    organize = {
        "id": "organize",
        "options": {
            "excludeByName": {"Time": True},
            "indexByName": {name: index for index, name in enumerate(order)},
            "renameByName": named,
        },
    }
    return [organize] if is_one else [{"id": "merge", "options": {}}, organize]


def _panel(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _DATASOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "targets": [
            _target(panel, index, legend, query)
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
        "transformations": _transformations(panel),
    }


def _panels() -> list[dict[str, Any]]:
    placed: list[dict[str, Any]] = []
    y = 0
    for row in ROWS:
        x = 0
        for panel in row:
            placed.append(_panel(panel, len(placed) + 1, x, y))
            x += panel.width
        y += max(panel.height for panel in row)
    return placed


def _variables() -> list[dict[str, Any]]:
    building_query = f"label_values(throughput_rate_down_bps{{{_SHOWN}}}, building)"
    shown = [("Messwerte", "^$"), ("mit erzeugten Daten", ".*")]
    return [
        {
            "name": "datasource",
            "label": "Datenquelle",
            "type": "datasource",
            "query": "prometheus",
            "current": {"text": "netmon", "value": "netmon"},
        },
        {
            "name": "generated",
            "label": "Daten",
            "description": "Im Vorführbetrieb gibt es auch erzeugte Daten.",
            "type": "custom",
            "query": ",".join(f"{text} : {value}" for text, value in shown),
            "options": [
                {"text": text, "value": value, "selected": value == "^$"}
                for text, value in shown
            ],
            "current": {"text": "Messwerte", "value": "^$"},
            "multi": False,
            "includeAll": False,
        },
        {
            "name": "building",
            "label": "Gebäude",
            "type": "query",
            "datasource": _DATASOURCE,
            "query": {"query": building_query, "refId": "building"},
            "definition": building_query,
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
    ]


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana reads it."""
    return {
        "uid": "netmon-city",
        "title": "netmon: Schulgebäude der Stadt",
        "description": "Leitungen, WLAN und Sonden aller Schulgebäude auf einen Blick.",
        "tags": ["netmon"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "timezone": "Europe/Berlin",
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": _variables()},
        "annotations": {"list": []},
        "links": [],
        "panels": _panels(),
    }


def text() -> str:
    """Return the file's content; the same for the same table."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the file and name it."""
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(text(), encoding="utf-8")
    print(OUTPUT.relative_to(Path.cwd()) if Path.cwd() in OUTPUT.parents else OUTPUT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
