"""One building: its lines, access points, switches and rooms."""

from __future__ import annotations

from make_grafana.ask import each, newest, over, rows_i
from make_grafana.model import (
    GREEN,
    GREY,
    RED,
    STANDING_STEPS,
    STANDING_TEXTS,
    YELLOW,
    Board,
    Look,
    Panel,
    Query,
)
from make_grafana.shared import COVERED, each_course, stat
from netmon.model import TARGET_DOWN_BPS

_UP = {0: "ausgefallen", 1: "in Betrieb"}
_UP_STEPS = ((None, GREY), (0, RED), (1, GREEN))
_TARGET = ((None, GREY), (float(TARGET_DOWN_BPS), GREEN))


def _state() -> Panel:
    return Panel(
        title="Zustand",
        description="Wie das Gebäude steht: sein schlechtestes Glied entscheidet.",
        queries=[each("Zustand", newest("building_standing", "building"))],
        look=Look.STAT,
        width=6,
        height=4,
        steps=STANDING_STEPS,
        words=STANDING_TEXTS,
    )


def _covered(network: str, name: str) -> Query:
    of = newest("coverage_low_ratio", "building", where={"network": network})
    return over(name, "min", of)


def _top() -> tuple[Panel, ...]:
    rooms = Panel(
        title="Versorgte Räume",
        description="Anteil der Unterrichtsräume mit aktiver Dose und mit WLAN, mindestens.",
        queries=[_covered("lan", "LAN"), _covered("wlan", "WLAN")],
        look=Look.STAT,
        unit="percentunit",
        width=6,
        height=4,
        steps=COVERED,
        decimals=0,
    )
    return (
        _state(),
        stat(
            "Offene Vorfälle",
            "Vorfälle des Gebäudes, die noch nicht beendet sind.",
            over(
                "Vorfälle", "sum", newest("building_open_incidents_count", "building")
            ),
            (1, YELLOW),
            good=True,
            width=6,
        ),
        stat(
            "Access Points",
            "Access Points in Ordnung und insgesamt.",
            [
                over("in Ordnung", "sum", newest("building_aps_ok_count", "building")),
                over("insgesamt", "sum", newest("building_aps_count", "building")),
            ],
            width=6,
        ),
        rooms,
    )


def _lines() -> Panel:
    labels = {"line": "Leitung", "role": "Rolle", "technology": "Technik"}
    columns = {
        "Zustand": "standing",
        "Vertrag Download": "contracted_down_bps",
        "Vertrag Upload": "contracted_up_bps",
        "Soll": "expected_down_bps",
    }
    of = {name: newest(f"line_{field}", *labels) for name, field in columns.items()}
    return Panel(
        title="Leitungen",
        description=(
            "Was der Vertrag jeder Leitung verspricht und ab welchem Download sie "
            "gesund ist."
        ),
        queries=[Query(name, values.promql) for name, values in of.items()],
        influxql=rows_i(columns, of["Zustand"]),
        look=Look.TABLE,
        unit="bps",
        width=24,
        height=5,
        headings=labels,
        units={"Zustand": "none"},
        colors={"Zustand": STANDING_STEPS},
        texts={"Zustand": STANDING_TEXTS},
    )


def _rates() -> tuple[Panel, Panel]:
    return (
        Panel(
            title="Download",
            description=(
                "Gemessener Download, Mindestnachweise und Vertrag jeder Leitung. "
                "Gestrichelt: 100 Mbit/s."
            ),
            unit="bps",
            queries=[
                each_course("throughput_rate_down_bps", "{{line}} gemessen", "line"),
                each_course(
                    "throughput_at_least_down_bps", "{{line}} mindestens", "line"
                ),
                each_course("line_contracted_down_bps", "{{line}} Vertrag", "line"),
            ],
            steps=_TARGET,
        ),
        Panel(
            title="Upload",
            description="Gemessener Upload, Mindestnachweise und Vertrag jeder Leitung.",
            unit="bps",
            queries=[
                each_course("throughput_rate_up_bps", "{{line}} gemessen", "line"),
                each_course(
                    "throughput_at_least_up_bps", "{{line}} mindestens", "line"
                ),
                each_course("line_contracted_up_bps", "{{line}} Vertrag", "line"),
            ],
        ),
    )


def _delay() -> tuple[Panel, Panel, Panel]:
    return (
        Panel(
            title="Laufzeit ohne und unter Last",
            description=(
                "Laufzeit (RTT) der Pings und während eines Durchsatztests. Steigt sie "
                "unter Last stark, sind Puffer zu groß."
            ),
            unit="s",
            width=8,
            queries=[
                each_course("latency_rtt_s", "{{line}} ohne Last", "line"),
                each_course("throughput_rtt_loaded_s", "{{line}} unter Last", "line"),
            ],
        ),
        Panel(
            title="Paketverlust",
            description="Anteil verlorener Pakete je Leitung.",
            unit="percentunit",
            width=8,
            queries=[each_course("latency_loss_ratio", "{{line}}", "line")],
            high=1,
        ),
        Panel(
            title="Namensauflösung",
            description="Wie lange eine DNS-Anfrage dauerte, je Leitung.",
            unit="s",
            width=8,
            queries=[each_course("dns_duration_s", "{{line}}", "line")],
        ),
    )


def _wlan() -> tuple[Panel, Panel, Panel]:
    up = newest("wlan_ap_up", "ap")
    columns = {"Zustand": "up", "Clients": "clients_count"}
    return (
        Panel(
            title="Access Points: welche",
            description="Jeder Access Point, wie ihn sein Controller zuletzt meldete.",
            queries=[
                Query("Zustand", up.promql),
                Query("Clients", newest("wlan_ap_clients_count", "ap").promql),
            ],
            influxql=rows_i(columns, up),
            look=Look.TABLE,
            width=8,
            headings={"ap": "Access Point"},
            colors={"Zustand": _UP_STEPS},
            texts={"Zustand": _UP},
        ),
        Panel(
            title="Clients je Access Point",
            description="Im WLAN angemeldete Geräte.",
            width=8,
            queries=[each_course("wlan_ap_clients_count", "{{ap}}", "ap")],
        ),
        Panel(
            title="Kanalauslastung",
            description="Anteil der Zeit, in der der Kanal eines Funkmoduls belegt ist.",
            unit="percentunit",
            width=8,
            queries=[
                each_course(
                    "wlan_radio_utilisation_ratio", "{{ap}} {{radio}}", "ap", "radio"
                )
            ],
            high=1,
        ),
    )


def _devices() -> tuple[Panel, Panel, Panel]:
    answering = newest("polled_device_answering", "device")
    uptime = newest("device_uptime_s", "device")
    return (
        Panel(
            title="Switches, Router und Controller",
            description="Ob das Gerät zuletzt antwortete.",
            queries=[each("{{device}}", answering)],
            look=Look.STAT,
            width=8,
            steps=_UP_STEPS,
            words={0: "antwortet nicht", 1: "antwortet"},
        ),
        Panel(
            title="Betriebszeit der Geräte",
            description="Wie lange jedes Gerät seit seinem letzten Start läuft.",
            queries=[Query("Betriebszeit", uptime.promql)],
            influxql=rows_i({"Betriebszeit": "uptime_s"}, uptime),
            look=Look.TABLE,
            unit="s",
            width=8,
            headings={"device": "Gerät"},
        ),
        Panel(
            title="Ports in Betrieb",
            description="Verbundene Ports je Switch.",
            width=8,
            queries=[
                over(
                    "{{device}}",
                    "sum",
                    newest("lan_port_oper_up", "device", "port"),
                    "device",
                    course=True,
                )
            ],
            step_s=1800,
        ),
    )


BOARD = Board(
    uid="netmon-building",
    title="netmon: Gebäude",
    description="Leitungen, Access Points, Switches und Räume eines Gebäudes.",
    one_building=True,
    rows=(_top(), (_lines(),), _rates(), _delay(), _wlan(), _devices()),
)
