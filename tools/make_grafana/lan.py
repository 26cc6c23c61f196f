"""The switches of all picked buildings and what hangs on their ports."""

from __future__ import annotations

from make_grafana.ask import Values, highest_i, kept_i, minutes, newest, over, selector
from make_grafana.model import RED, Board, Look, Panel, Query
from make_grafana.shared import contradictions, rooms, rooms_course, stat

_PORT_LABELS = {"building": "Gebäude", "device": "Gerät", "port": "Port"}
_DEVICE_LABELS = {"building": "Gebäude", "device": "Gerät"}
_SLOW_BPS = 100_000_000


def _ports(metric: str) -> Values:
    return newest(f"lan_port_{metric}", *_PORT_LABELS)


def _stats() -> tuple[Panel, ...]:
    up = newest("polled_device_answering", *_DEVICE_LABELS)
    return (
        stat(
            "Geräte mit Antwort",
            "Switches, Router und Controller, die zuletzt antworteten.",
            over("Geräte", "sum", up),
            width=6,
        ),
        stat(
            "Geräte ohne Antwort",
            "Switches, Router und Controller, die zuletzt nicht antworteten.",
            over("Geräte", "sum", up, inverted=True),
            (1, RED),
            good=True,
            width=6,
        ),
        stat(
            "Ports in Betrieb",
            "Verbundene Ports aller Switches.",
            over("Ports", "sum", _ports("oper_up")),
            width=6,
        ),
        stat(
            "PoE-Leistung",
            "Was die Ports zusammen an Leistung abgeben.",
            over("Leistung", "sum", _ports("poe_w")),
            width=6,
            unit="watt",
        ),
    )


def _silent() -> Panel:
    up = newest("polled_device_answering", *_DEVICE_LABELS)
    return Panel(
        title="Geräte ohne Antwort: welche",
        description="Switches, Router und Controller, die zuletzt nicht antworteten.",
        queries=[Query("Antwort", f"{up.promql} == 0")],
        influxql=kept_i(
            {"Antwort": "answering"}, up, list(_DEVICE_LABELS), '"answering" = 0'
        ),
        look=Look.TABLE,
        width=8,
        headings=_DEVICE_LABELS,
        words={0: "keine"},
    )


def _busy() -> Panel:
    of = _ports("in_rate_bps")
    return Panel(
        title="Größter Verkehr an Ports",
        description="Die 20 Ports, an denen gerade am meisten ankommt.",
        queries=[Query("ankommend", f"topk(20, {of.promql})")],
        influxql=highest_i({"ankommend": "in_rate_bps"}, 20, of, list(_PORT_LABELS)),
        look=Look.TABLE,
        unit="bps",
        width=8,
        headings=_PORT_LABELS,
    )


def _faulty() -> Panel:
    of = _ports("in_errors_total")
    metric = of.metric
    before = f"last_over_time({selector(metric)}[{minutes(metric)}] offset 2h)"
    labels = ", ".join(_PORT_LABELS)
    grown = f"{of.promql} - max by ({labels}) ({before})"
    groups = ", ".join(f'"{name}"' for name in _PORT_LABELS)
    inner = (
        'SELECT last("in_errors_total") - first("in_errors_total") AS "n" '
        f'FROM "lan_port" WHERE time > now() - 150m AND {of.where} GROUP BY {groups}'
    )
    return Panel(
        title="Ports mit Fehlern",
        description=(
            "Ports, die in den letzten gut 2 Stunden fehlerhafte Pakete empfingen. Oft "
            "ein schlechtes Kabel oder ungleiche Duplex-Einstellung."
        ),
        # A switch that started anew counts from 0: less than before is no fault.
        queries=[Query("Fehler", f"({grown}) > 0")],
        influxql=f'SELECT {groups}, "n" AS "Fehler" FROM ({inner}) WHERE "n" > 0',
        look=Look.TABLE,
        width=8,
        headings=_PORT_LABELS,
        decimals=0,
    )


def _slow() -> Panel:
    of = _ports("speed_bps")
    # A port nobody is at says some speed, too, of the last who was.
    is_up = f"{_ports('oper_up').promql} == 1"
    return Panel(
        title="Langsame Ports",
        description="Verbundene Ports mit höchstens 100 Mbit/s.",
        queries=[Query("Geschwindigkeit", f"{of.promql} <= {_SLOW_BPS} and ({is_up})")],
        influxql=kept_i(
            {"Geschwindigkeit": "speed_bps"},
            of,
            list(_PORT_LABELS),
            f'"speed_bps" <= {_SLOW_BPS} AND "oper_up" = 1',
            {"oper_up": "oper_up"},
        ),
        look=Look.TABLE,
        unit="bps",
        headings=_PORT_LABELS,
    )


BOARD = Board(
    uid="netmon-lan",
    title="netmon: LAN",
    description="Switches, Ports und versorgte Räume.",
    rows=(
        _stats(),
        (_silent(), _busy(), _faulty()),
        (_slow(), rooms("lan", "LAN", "aktiver Dose")),
        contradictions("lan", "LAN"),
        (rooms_course((("lan", "LAN"), ("wlan", "WLAN"))),),
    ),
)
