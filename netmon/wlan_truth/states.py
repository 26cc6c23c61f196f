"""What may be said of an access point: closed lists, each with its texts."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class ApState(StrEnum):
    """The one state of an access point; ``wlan.state.<state>`` names it."""

    IN_ORDER = "in_order"
    DOWN = "down"
    NEVER_SEEN = "never_seen"
    REPLACED = "replaced"
    UNPLANNED = "unplanned"
    SLOW_PORT = "slow_port"
    NO_CLIENTS = "no_clients"
    UNKNOWN = "unknown"


class TrailEnd(StrEnum):
    """Where the trail from the switch to the radio ends; ``wlan.end.<end>``.

    The first five are found at the access point's own port and radios, the others
    say why nothing was found there.
    """

    NO_POWER = "no_power"
    PORT_DOWN = "port_down"
    NOT_JOINED = "not_joined"
    NO_ANSWER = "no_answer"
    RADIO_OFF = "radio_off"
    PORT_DISABLED = "port_disabled"
    OTHER_DEVICE = "other_device"
    SWITCH_SILENT = "switch_silent"
    PORT_UNKNOWN = "port_unknown"


class Change(StrEnum):
    """By what a replaced or renamed access point was recognised."""

    OTHER_SERIAL = "other_serial"
    OTHER_NAME = "other_name"
    SAME_PORT = "same_port"
    SAME_ROOM = "same_room"


class UnknownReason(StrEnum):
    """Why nothing is known of an access point."""

    CONTROLLER_SILENT = "controller_silent"
    AP_SILENT = "ap_silent"
    LINE_DOWN = "line_down"
    INCOMPLETE = "incomplete"
    NOT_ASKED = "not_asked"


class PlaceSource(StrEnum):
    """Who says at which port an access point is.

    The switch now, by LLDP; the inventory; or the switch when it last saw it.
    """

    LLDP = "lldp"
    PLAN = "plan"
    LEARNED = "learned"


class ApTruth(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An access point's state and its trail.

    ``ap`` is the planned id, or the tag of one that nobody planned. ``other`` names
    the access point that took its place, or whose place it took, or what else is at
    its port. ``works`` is None where nobody knows; an unplanned one may work as
    well as one at a slow port. ``controller_id`` is the controller that speaks of it
    where that is not the planned one. Numbers are None where the switch does not tell.
    """

    ap: str
    name: str
    state: ApState
    works: bool | None
    room_id: str = ""
    end: TrailEnd | None = None
    change: Change | None = None
    unknown: UnknownReason | None = None
    other: str = ""
    switch_id: str = ""
    port: str = ""
    place: PlaceSource | None = None
    planned_port: str = ""
    controller_id: str = ""
    port_up: bool | None = None
    port_speed_bps: float | None = None
    uplink_speed_bps: float | None = None
    poe_on: bool | None = None
    poe_w: float | None = None
    radios_on_count: int | None = None
    silent_days_count: int | None = None
