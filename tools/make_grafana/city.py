"""The city at a glance: how many stand how, where, and which are worst."""

from __future__ import annotations

from make_grafana.ask import (
    Values,
    each,
    field_of,
    fresh,
    kept_i,
    minutes,
    newest,
    over,
    rows_i,
    selector,
)
from make_grafana.model import (
    GREEN,
    GREY,
    RED,
    STANDING_STEPS,
    STANDING_TEXTS,
    STANDING_WORDS,
    YELLOW,
    Board,
    Look,
    Panel,
    Query,
    standing_color,
)
from make_grafana.shared import ap_stats, silent_probes, stat
from netmon.model import TARGET_DOWN_BPS
from netmon.own_metrics import STANDINGS

_RATE = "throughput_rate_down_bps"
_LINE_LABELS = {"building": "Gebäude", "line": "Leitung"}
_PLACE_LABELS = {
    "building": "Gebäude",
    "name": "Name",
    "campus_district": "Campusbezirk",
}
_WORDS_BY_DISTRICT = ("bad", "suspect", "stale", "ok")
TARGET_STEPS = ((None, GREY), (0, RED), (float(TARGET_DOWN_BPS), GREEN))


def _when(metric: str) -> str:
    """Return when each series had its last value, to the minute.

    timestamp() tells a sample's own time only for a bare selector, hence the subquery.
    """
    return f"max_over_time(timestamp({selector(metric)})[{minutes(metric)}:1m])"


def _down() -> Values:
    """Return of each line the value of the series that spoke last.

    A line is measured in several ways, each a series: the largest of them would
    hide for hours that a line fell. InfluxQL's last() is over all of them anyway.
    """
    found = newest(_RATE, "building", "line")
    last = f"topk by (building, line) (1, {_when(_RATE)} and {fresh(_RATE)})"
    promql = f"max by (building, line) ({fresh(_RATE)} and {last})"
    return Values(found.metric, found.by, promql, found.where)


def _standings(word: str) -> Values:
    return newest(f"building_is_{word}", "building")


_STANDINGS = Panel(
    title="Gebäude nach Zustand",
    description=(
        "Wie viele Gebäude wie stehen, nach denselben Regeln wie auf der Statusseite. "
        "Wovon nichts bekannt ist, zählt als „Nicht gemessen“ oder „Unbekannt“."
    ),
    queries=[over(STANDING_WORDS[word], "sum", _standings(word)) for word in STANDINGS],
    look=Look.STAT,
    width=24,
    height=4,
    steps=((None, GREY),),
    # None of them is no colour, one is.
    colors={
        STANDING_WORDS[word]: ((None, GREY), (1, standing_color(word)))
        for word in STANDINGS
    },
)


def _counts() -> tuple[Panel, ...]:
    told = newest("building_told", "building")
    below = newest("building_below_target", "building")
    return (
        stat(
            "Gebäude mit Messwert",
            "Gebäude, deren Download in den letzten 3 Stunden gemessen oder mindestens "
            "nachgewiesen wurde.",
            over("Gebäude", "sum", told),
        ),
        stat(
            "Gebäude unter 100 Mbit/s",
            "Gebäude, deren beste Leitung zuletzt weniger als 100 Mbit/s Download "
            "erreichte und seitdem nicht mehr nachwies. Auch Gebäude, deren Vertrag "
            "weniger verspricht, zählen mit.",
            over("Gebäude", "sum", below),
            (1, YELLOW),
            (10, RED),
            good=True,
        ),
        *ap_stats(),
        silent_probes(),
    )


def _map() -> Panel:
    columns = {
        "Zustand": "building_standing",
        "Breite": "building_latitude_deg",
        "Länge": "building_longitude_deg",
    }
    placed = {name: newest(metric, *_PLACE_LABELS) for name, metric in columns.items()}
    return Panel(
        title="Karte der Gebäude",
        description=(
            "Jedes Gebäude an seinem Ort, gefärbt nach seinem Zustand. Dieselben Angaben "
            "stehen in der Tabelle daneben."
        ),
        queries=[Query(name, of.promql) for name, of in placed.items()],
        influxql=rows_i(
            {n: field_of(m) for n, m in columns.items()}, placed["Zustand"]
        ),
        look=Look.MAP,
        height=12,
        headings=_PLACE_LABELS,
        steps=STANDING_STEPS,
        texts={"Zustand": STANDING_TEXTS},
    )


def _worst() -> Panel:
    standing = newest("building_standing", *_PLACE_LABELS)
    incidents = newest("building_open_incidents_count", *_PLACE_LABELS)
    # What the contract limits is no surprise, and a third of the city.
    limit = STANDINGS["below_contract"]
    return Panel(
        title="Auffällige Gebäude",
        description=(
            "Alle Gebäude, die weder in Ordnung noch nur durch ihren Vertrag begrenzt "
            "sind, das schlechteste zuerst."
        ),
        queries=[
            Query("Zustand", f"{standing.promql} < {limit}"),
            Query(
                "Offene Vorfälle", f"{incidents.promql} and {standing.promql} < {limit}"
            ),
        ],
        influxql=kept_i(
            {"Zustand": "standing", "Offene Vorfälle": "open_incidents_count"},
            standing,
            list(_PLACE_LABELS),
            f'"standing" < {limit}',
        ),
        look=Look.TABLE,
        height=12,
        headings=_PLACE_LABELS,
        colors={"Zustand": STANDING_STEPS},
        texts={"Zustand": STANDING_TEXTS},
    )


def _by_district() -> Panel:
    of = {
        w: newest(f"building_is_{w}", "building", "campus_district")
        for w in _WORDS_BY_DISTRICT
    }
    sums = ", ".join(
        f'sum("is_{w}") AS "{STANDING_WORDS[w]}"' for w in _WORDS_BY_DISTRICT
    )
    inner = rows_i({f"is_{w}": f"is_{w}" for w in _WORDS_BY_DISTRICT}, of["bad"])
    return Panel(
        title="Zustand nach Campusbezirk",
        description="Wie viele Gebäude eines Campusbezirks gestört, auffällig, nicht gemessen und in Ordnung sind.",
        queries=[
            Query(STANDING_WORDS[w], f"sum by (campus_district) ({of[w].promql})")
            for w in _WORDS_BY_DISTRICT
        ],
        influxql=f'SELECT {sums} FROM ({inner}) GROUP BY "campus_district"',
        look=Look.TABLE,
        headings={"campus_district": "Campusbezirk"},
    )


def _latency() -> tuple[Panel, Panel]:
    rtt = newest("latency_rtt_s", "building", "line")
    loss = newest("latency_loss_ratio", "building", "line")
    return (
        Panel(
            title="Laufzeit",
            description=(
                "Laufzeit (RTT) über alle Leitungen: die Hälfte der Leitungen liegt unter "
                "dem Median, 95 von 100 unter dem 95-%-Wert."
            ),
            unit="s",
            queries=[
                over(
                    "Median",
                    "median",
                    rtt,
                    course=True,
                    promql="quantile(0.5, %s)",
                ),
                over(
                    "95 %",
                    "percentile",
                    rtt,
                    course=True,
                    promql="quantile(0.95, %s)",
                    influxql="percentile(%s, 95)",
                ),
                over("höchste", "max", rtt, course=True),
            ],
            step_s=900,
        ),
        Panel(
            title="Paketverlust",
            description="Anteil verlorener Pakete: Mittel aller Leitungen und höchster Wert.",
            unit="percentunit",
            queries=[
                over("Mittel", "avg", loss, course=True, influxql="mean(%s)"),
                over("höchster", "max", loss, course=True),
            ],
            high=1,
            step_s=900,
        ),
    )


def _lines() -> tuple[Panel, Panel]:
    lowest = rows_i({"c": field_of(_RATE)}, _down())
    return (
        Panel(
            title="Download aller Leitungen",
            description=(
                "Zuletzt gemessener Download jeder Leitung, ohne Mindestnachweise. "
                "Gestrichelt: 100 Mbit/s."
            ),
            unit="bps",
            width=14,
            height=10,
            queries=[each("{{building}} {{line}}", _down(), course=True)],
            steps=TARGET_STEPS,
        ),
        Panel(
            title="Langsamste Leitungen",
            description="Die 20 Leitungen mit dem geringsten zuletzt gemessenen Download.",
            look=Look.TABLE,
            unit="bps",
            width=10,
            height=10,
            queries=[Query("Download", f"bottomk(20, {_down().promql})")],
            influxql=f'SELECT bottom("c", "building", "line", 20) AS "Download" FROM ({lowest})',
            headings=_LINE_LABELS,
            steps=TARGET_STEPS,
            decimals=1,
        ),
    )


def _course() -> Panel:
    words = [word for word in STANDINGS if word != "unknown"]
    return Panel(
        title="Zustand der Gebäude im Verlauf",
        description="Wie viele Gebäude wie standen. Lücken: netmon schrieb nichts.",
        queries=[
            over(STANDING_WORDS[word], "sum", _standings(word), course=True)
            for word in words
        ],
        colors={STANDING_WORDS[w]: ((None, standing_color(w)),) for w in words},
        step_s=300,
    )


BOARD = Board(
    uid="netmon-city",
    title="netmon: Schulgebäude der Stadt",
    description="Zustand, Leitungen, WLAN und Sonden aller Schulgebäude auf einen Blick.",
    rows=(
        (_STANDINGS,),
        _counts(),
        (_map(), _worst()),
        _lines(),
        _latency(),
        (_by_district(), _course()),
    ),
)
