"""What a table of a device can be about, and what may be known of each thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from netmon.metrics import KINDS

FieldType = Literal["number", "text"]
ResultKind = Literal[
    "access_point",
    "radio",
    "port",
    "network",
    "controller",
    "vap",
    "poe",
    "if_poe",
    "neighbour",
    "local_port",
    "bridge_port",
    "dsl",
    "optics",
    "radio_link",
    "sensor",
    "module",
    "entity",
    "alias",
]

# The sort of record each result becomes; None: shown, joined, but not stored.
KIND_OF: Mapping[ResultKind, str | None] = {
    "access_point": "wlan_ap",
    "radio": "wlan_radio",
    "port": "lan_port",
    "network": None,
    "controller": "wlan_controller",
    "vap": None,
    "poe": None,
    "if_poe": None,
    "neighbour": None,
    "local_port": None,
    "bridge_port": None,
    "dsl": "line_dsl",
    "optics": "line_optics",
    "radio_link": "line_radio",
    "sensor": None,
    "module": None,
    "entity": None,
    "alias": None,
}
# Of what is not stored itself: the kind whose limits its numbers keep.
LIMITS_OF: Mapping[ResultKind, str] = {
    "vap": "wlan_radio",
    "poe": "lan_port",
    "if_poe": "lan_port",
    "module": "line_optics",
}
# Asked only of devices that carry a line: they tell of its medium.
MEDIUM_RESULTS: frozenset[ResultKind] = frozenset(
    ("dsl", "optics", "radio_link", "sensor", "module", "entity", "alias")
)


# No device tells these: `collectors.compare` learns them from two polls.
LEARNT = frozenset(("in_rate_bps", "out_rate_bps", "oper_changes_total"))


def _numbers(kind: str) -> dict[str, FieldType]:
    names = (metric.name for metric in KINDS[kind].metrics)
    return {name: "number" for name in names if name not in LEARNT}


# What each kind of result may know; the numbers are named as in netmon.metrics.
RESULT_FIELDS: Mapping[ResultKind, Mapping[str, FieldType]] = {
    "access_point": {
        "name": "text",
        "serial": "text",
        "model": "text",
        "firmware": "text",
        **_numbers("wlan_ap"),
    },
    # `key` is by what `collectors.wlan` finds the radio's networks; `powers` are dBm,
    # of which `power_level` says the place, 1 being the first. `is_six_ghz` decides
    # where a channel is in two bands: 0 is never 6 GHz, 1 never 2.4 (`collectors.bands`). `mode` is for `keep`.
    # `collectors.compare` learns from frames sent, and of them those sent again.
    "radio": {
        "key": "text",
        "powers": "text",
        "power_level": "number",
        "is_six_ghz": "number",
        "mode": "number",
        "frames_total": "number",
        "retried_frames_total": "number",
        **_numbers("wlan_radio"),
    },
    "port": {
        "name": "text",
        "alias": "text",
        "type": "number",
        **_numbers("lan_port"),
    },
    "network": {
        "name": "text",
        "clients_count": "number",
        "clients_2g_count": "number",
        "clients_5g_count": "number",
    },
    "controller": _numbers("wlan_controller"),
    # A network on a radio, of devices that count there: `collectors.wlan`.
    "vap": {
        "key": "text",
        "clients_count": "number",
        "channel": "number",
        "tx_power_dbm": "number",
    },
    # Power and neighbours of ports, by the device's other port numbers:
    # `collectors.lan` finds the port.
    "poe": {"poe_on": "number", "poe_w": "number"},
    # The same by ifIndex, where a device has it.
    "if_poe": {"poe_on": "number", "poe_w": "number"},
    "neighbour": {
        "name": "text",
        "port_id": "text",
        "chassis": "text",
        "infrastructure": "number",
    },
    "local_port": {"name": "text", "descr": "text"},
    "bridge_port": {"if_index": "number"},
    "dsl": {"name": "text", **_numbers("line_dsl")},
    # `measures` is what a table is kept by: whether a module or radio measures at all.
    "optics": {"name": "text", "measures": "number", **_numbers("line_optics")},
    "radio_link": {"name": "text", "measures": "number", **_numbers("line_radio")},
    # ENTITY-SENSOR-MIB and ENTITY-MIB: `collectors.optics` makes optics of them.
    "sensor": {
        "name": "text",
        "descr": "text",
        "type": "number",
        "scale": "number",
        "precision": "number",
        "value": "number",
        "status": "number",
    },
    # Optical modules told by entity instead of port. `rx_raw` and `tx_raw` are powers in
    # 0.01 dBm or in uW: `collectors.optics` finds out which.
    "module": {
        "name": "text",
        "rx_raw": "number",
        "tx_raw": "number",
        **_numbers("line_optics"),
    },
    "entity": {"name": "text", "class": "number", "within": "number"},
    "alias": {"if_index": "number"},
}
# The index must tell these apart; `ap` joins radios to their access points.
RESULT_PARTS: Mapping[ResultKind, tuple[str, ...]] = {
    "access_point": ("ap",),
    "radio": ("ap", "radio"),
    "port": ("port",),
    "network": ("network",),
    "controller": ("controller",),
    "vap": ("vap",),
    "poe": ("group", "port"),
    "if_poe": ("port",),
    "neighbour": ("time", "port", "neighbour"),
    "local_port": ("port",),
    "bridge_port": ("port",),
    "dsl": ("port",),
    "optics": ("port",),
    "radio_link": ("radio",),
    "sensor": ("entity",),
    "module": ("entity",),
    "entity": ("entity",),
    "alias": ("entity", "logical"),
}
