"""Panels that more than one dashboard has."""

from __future__ import annotations

from collections.abc import Sequence

from make_grafana.ask import (
    Values,
    each,
    kept_i,
    lowest_i,
    newest,
    over,
)
from make_grafana.model import (
    GREEN,
    GREY,
    PLAIN,
    RED,
    YELLOW,
    Look,
    Panel,
    Query,
    Steps,
)
from netmon.coverage import FULL_SHARE

COVERED: Steps = ((None, GREY), (0, RED), (FULL_SHARE, GREEN))
BUILDING = {"building": "Gebäude"}


def stat(
    title: str,
    description: str,
    queries: Query | Sequence[Query],
    *alarms: tuple[int, str],
    good: bool = False,
    width: int = 4,
    unit: str = "none",
    height: int = 4,
) -> Panel:
    """Return a panel with one number or several, coloured from the given values on.

    ``good`` makes what is below the alarms green; no data stays grey.
    """
    base: Steps = ((None, GREY), (0, GREEN), *alarms) if good else PLAIN
    return Panel(
        title=title,
        description=description,
        queries=[queries] if isinstance(queries, Query) else queries,
        look=Look.STAT,
        unit=unit,
        width=width,
        height=height,
        steps=base,
    )


def coverage(metric: str, network: str) -> Values:
    """Return a figure of each building's LAN or WLAN coverage; none where unknown."""
    return newest(f"coverage_{metric}", "building", where={"network": network})


def rooms(network: str, name: str, what: str) -> Panel:
    """Return the buildings with the smallest share of covered rooms."""
    high, low = coverage("high_ratio", network), coverage("low_ratio", network)
    return Panel(
        title=f"{name}: Räume mit {what} je Gebäude",
        description=(
            f"Die 20 Gebäude mit dem kleinsten Anteil von Unterrichtsräumen mit {what}. "
            "Räume, von denen nichts bekannt ist, fehlen bei „mindestens“ und zählen "
            "bei „höchstens“ mit. Ohne Angaben fehlt das Gebäude."
        ),
        look=Look.TABLE,
        unit="percentunit",
        queries=[
            Query("höchstens", f"bottomk(20, {high.promql})"),
            Query("mindestens", f"{low.promql} and bottomk(20, {high.promql})"),
        ],
        influxql=lowest_i(
            {"höchstens": "high_ratio", "mindestens": "low_ratio"},
            20,
            high,
            ["building"],
        ),
        headings=BUILDING,
        steps=COVERED,
        decimals=0,
    )


def rooms_course(networks: Sequence[tuple[str, str]]) -> Panel:
    """Return the city's share of covered rooms, of buildings that are known about."""
    return Panel(
        title="Versorgte Räume im Verlauf",
        description=(
            "Anteil der Unterrichtsräume mit aktiver Dose und mit WLAN, mindestens, über "
            "alle Gebäude, zu denen etwas bekannt ist."
        ),
        unit="percentunit",
        queries=[_share(network, name) for network, name in networks],
        high=1,
        step_s=900,
    )


def _share(network: str, name: str) -> Query:
    covered, known = (
        coverage("covered_count", network),
        coverage("rooms_count", network),
    )
    inner = (
        'SELECT last("covered_count") AS "c", last("rooms_count") AS "r" FROM "coverage" '
        f"WHERE $timeFilter AND {known.where} "
        'GROUP BY time($__interval, now()), "building" fill(none)'
    )
    return Query(
        name,
        f"sum({covered.promql}) / sum({known.promql} and {covered.promql})",
        f'SELECT sum("c") / sum("r") AS "v" FROM ({inner}) WHERE $timeFilter AND "c" >= 0 '
        "GROUP BY time($__interval, now()) fill(none)",
    )


def contradictions(network: str, name: str) -> tuple[Panel, Panel]:
    """Return how many buildings contradict the inventory, and which."""
    found = coverage("contradicts", network)
    count = stat(
        f"{name}: Widersprüche",
        f"Gebäude, bei denen der gemessene Ausbau des {name} dem im Bestand "
        "widerspricht, von allen, die sich vergleichen lassen. Ohne Wert: keines lässt "
        "sich vergleichen.",
        over("Gebäude", "sum", found),
        (1, YELLOW),
        good=True,
        height=8,
    )
    columns = {"gemessen": "measured_full", "im Bestand": "declared_full"}
    which = Panel(
        title=f"{name}: Widersprüche, welche",
        description=(
            "Gemessener Ausbau und Angabe im Bestand, wo sie sich widersprechen. Keines "
            "von beiden wird von selbst geändert."
        ),
        look=Look.TABLE,
        width=8,
        queries=[
            Query(
                heading,
                f"{coverage(metric, network).promql} and {found.promql} == 1",
            )
            for heading, metric in columns.items()
        ],
        influxql=kept_i(
            columns,
            found,
            ["building"],
            '"contradicts" = 1',
            {"contradicts": "contradicts"},
        ),
        headings=BUILDING,
        words={0: "partiell", 1: "flächendeckend"},
    )
    return count, which


def aps_up() -> Values:
    """Return whether each access point works, as its controller says."""
    return newest("wlan_ap_up", "building", "ap")


def clients() -> Values:
    """Return the devices at each access point."""
    return newest("wlan_ap_clients_count", "building", "ap")


def ap_stats() -> tuple[Panel, ...]:
    """Return access points that work and that do not, and who uses them."""
    return (
        stat(
            "Access Points in Betrieb",
            "Access Points, die ihr Controller zuletzt als aktiv meldete.",
            over("Access Points", "sum", aps_up()),
        ),
        stat(
            "Access Points ausgefallen",
            "Access Points, die ihr Controller zuletzt als ausgefallen meldete.",
            over("Access Points", "sum", aps_up(), inverted=True),
            (1, RED),
            good=True,
        ),
        stat(
            "WLAN-Clients",
            "Im WLAN angemeldete Geräte, Summe über alle Access Points.",
            over("Clients", "sum", clients()),
        ),
    )


def silent_probes() -> Panel:
    """Return how many probes fell silent."""
    return stat(
        "Sonden ohne Meldung",
        "Sonden, von denen die Zentrale seit über einer Stunde nichts hörte.",
        over(
            "Sonden",
            "sum",
            newest("sender_silent", "sender", where={"sender_kind": "probe"}),
        ),
        (1, RED),
        good=True,
    )


def each_course(metric: str, legend: str, *by: str) -> Query:
    """Return the newest value of each thing over time."""
    return each(legend, newest(metric, *by), course=True)
