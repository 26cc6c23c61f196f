"""Closed lists of words: kinds of schools, lines and devices; why a number is missing."""

from __future__ import annotations

from enum import StrEnum


class SchoolType(StrEnum):
    """Reporting school type (Schulform), in the order the report prints."""

    GRUNDSCHULE = "Grundschule"
    GYMNASIUM = "Gymnasium"
    REALSCHULE = "Realschule"
    HAUPTSCHULE = "Hauptschule"
    GESAMTSCHULE = "Gesamtschule"
    FOERDERSCHULE = "Förderschule"
    BERUFSKOLLEG = "Berufskolleg"
    WEITERBILDUNGSKOLLEG = "Weiterbildungskolleg"


class Technology(StrEnum):
    """What the line is made of."""

    FIBRE = "fibre"
    RADIO = "radio"
    VDSL = "vdsl"


class LineRole(StrEnum):
    """Whether lessons normally run over the line."""

    MAIN = "main"
    BACKUP = "backup"


class Coverage(StrEnum):
    """LAN or WLAN coverage as declared: flächendeckend, partiell, keine Angabe."""

    FULL = "full"
    PARTIAL = "partial"
    UNKNOWN = "unknown"


class Survey(StrEnum):
    """What measuring a room's WLAN on the spot showed: ausgeleuchtet or not."""

    GOOD = "good"
    POOR = "poor"


class DeviceKind(StrEnum):
    """What a polled device is; an access point only if it has no controller."""

    CONTROLLER = "controller"
    ACCESS_POINT = "access_point"
    SWITCH = "switch"
    ROUTER = "router"


class SegmentKind(StrEnum):
    """What a shared stretch of the network is; only one test crosses a radio hop."""

    RADIO_HOP = "radio_hop"
    AGGREGATION = "aggregation"
    BACKBONE = "backbone"


class FailureReason(StrEnum):
    """Why a measurement has no number: a closed list, stored and counted.

    A new reason is one line here and one text in each catalogue.
    """

    REFUSED = "refused"
    TIMEOUT = "timeout"
    BROKEN_OFF = "broken_off"
    UNREACHABLE = "unreachable"
    DNS = "dns"
    BUSY = "busy"
    DENIED = "denied"
    UNTRUSTED = "untrusted"
    PROTOCOL = "protocol"
    NO_REPLY = "no_reply"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"
    PROBE_LIMITED = "probe_limited"
    UNSETTLED = "unsettled"
    COUNTERS_UNREADABLE = "counters_unreadable"
    OTHER_LINE = "other_line"
    INTERNAL = "internal"
