"""The WLAN of all picked buildings."""

from __future__ import annotations

from make_grafana.ask import Values, highest_i, kept_i, newest, over
from make_grafana.model import GREEN, GREY, RED, YELLOW, Board, Look, Panel, Query
from make_grafana.shared import (
    BUILDING,
    ap_stats,
    aps_up,
    clients,
    contradictions,
    rooms,
    stat,
)

_RADIO_LABELS = {"building": "Gebäude", "ap": "Access Point", "radio": "Funkmodul"}
_AP_LABELS = {"building": "Gebäude", "ap": "Access Point"}
_SLOW_BPS = 100_000_000
_BUSY = ((None, GREY), (0, GREEN), (0.5, YELLOW), (0.75, RED))


def _course() -> tuple[Panel, Panel]:
    return (
        Panel(
            title="Access Points nach Zustand",
            description="Access Points in Betrieb und ausgefallen im Verlauf.",
            queries=[
                over("in Betrieb", "sum", aps_up(), course=True),
                over("ausgefallen", "sum", aps_up(), course=True, inverted=True),
            ],
            step_s=900,
        ),
        Panel(
            title="Clients im Verlauf",
            description="Im WLAN angemeldete Geräte, Summe der gewählten Gebäude.",
            queries=[over("Clients", "sum", clients(), course=True)],
            step_s=900,
        ),
    )


def _clients() -> Panel:
    per_ap = (
        'SELECT last("clients_count") AS "v" FROM "wlan_ap" WHERE time > now() - 15m'
    )
    per_building = (
        f'SELECT sum("v") AS "s" FROM ({per_ap} AND {clients().where} '
        'GROUP BY "building", "ap") GROUP BY "building"'
    )
    return Panel(
        title="WLAN-Clients je Gebäude",
        description="Die 10 Gebäude mit den meisten im WLAN angemeldeten Geräten.",
        queries=[Query("Clients", f"topk(10, sum by (building) ({clients().promql}))")],
        influxql=f'SELECT top("s", "building", 10) AS "Clients" FROM ({per_building})',
        look=Look.TABLE,
        width=8,
        headings=BUILDING,
    )


def _radios(title: str, description: str, legend: str, field: str) -> Panel:
    of: Values = newest(f"wlan_radio_{field}", *_RADIO_LABELS)
    return Panel(
        title=title,
        description=description,
        queries=[Query(legend, f"topk(20, {of.promql})")],
        influxql=highest_i({legend: field}, 20, of, list(_RADIO_LABELS)),
        look=Look.TABLE,
        unit="percentunit",
        width=8,
        headings=_RADIO_LABELS,
        steps=_BUSY,
        decimals=0,
    )


def _slow() -> Panel:
    of = newest("wlan_ap_uplink_speed_bps", *_AP_LABELS)
    return Panel(
        title="Access Points an langsamem Port",
        description="Access Points, deren Zuleitung höchstens 100 Mbit/s schnell ist.",
        queries=[Query("Zuleitung", f"{of.promql} <= {_SLOW_BPS}")],
        influxql=kept_i(
            {"Zuleitung": "uplink_speed_bps"},
            of,
            list(_AP_LABELS),
            f'"uplink_speed_bps" <= {_SLOW_BPS}',
        ),
        look=Look.TABLE,
        unit="bps",
        headings=_AP_LABELS,
    )


def _controllers() -> Panel:
    listed = newest("wlan_controller_listed_aps_count", "device")
    return stat(
        "Access Points der Controller",
        "Was die Controller in ihren Listen führen und was sie selbst zählen.",
        [
            over("in Listen", "sum", listed),
            over("gezählt", "sum", newest("wlan_controller_aps_count", "device")),
        ],
        width=12,
    )


BOARD = Board(
    uid="netmon-wlan",
    title="netmon: WLAN",
    description="Access Points, Funkkanäle, Clients und versorgte Räume.",
    rows=(
        (*ap_stats(), _controllers()),
        _course(),
        (
            _clients(),
            _radios(
                "Ausgelastete Kanäle",
                "Die 20 Funkmodule mit dem am stärksten belegten Kanal.",
                "belegt",
                "utilisation_ratio",
            ),
            _radios(
                "Wiederholungen",
                "Die 20 Funkmodule mit dem größten Anteil wiederholter Pakete.",
                "wiederholt",
                "retries_ratio",
            ),
        ),
        (_slow(), rooms("wlan", "WLAN", "WLAN")),
        contradictions("wlan", "WLAN"),
    ),
)
