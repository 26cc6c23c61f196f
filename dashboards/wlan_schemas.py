"""What the JSON API answers about access points and the coverage of a building."""

from __future__ import annotations

from dashboards.schema_base import Generated, Moment, Reply, Stale
from dashboards.views import Verdict
from netmon.model import Coverage, Survey
from netmon.wlan_truth import ApState, Change, PlaceSource, TrailEnd, UnknownReason


class AccessPointCounts(Reply):
    """The access points of a building; ``clients_count`` null where unknown."""

    state: Verdict
    total_count: int
    planned_count: int
    ok_count: int
    suspect_count: int
    degraded_count: int
    never_seen_count: int
    down_count: int
    unknown_count: int
    clients_count: int | None
    reported_at: Moment | None
    stale: Stale
    generated: Generated


class RadioReply(Reply):
    """A radio of an access point; null where not reported."""

    radio: str
    channel: int | None
    utilisation_ratio: float | None
    clients_count: int | None
    noise_dbm: float | None
    band_hz: float | None
    width_hz: float | None
    tx_power_dbm: float | None
    retries_ratio: float | None
    up: bool | None
    reported_at: Moment | None


class FindingReply(Reply):
    """What plan, controller and switch together say of an access point.

    ``end`` is where the trail from the switch to the radio ends, ``change`` by what
    a replaced one was recognised, ``unknown`` why nothing is known, ``other`` which
    access point or device is meant by them. ``port`` is where it is by ``place``;
    values null where the switch does not tell.
    """

    state: ApState
    works: bool | None
    text: str
    trail: str
    end: TrailEnd | None
    change: Change | None
    unknown: UnknownReason | None
    other: str
    switch_id: str
    port: str
    place: PlaceSource | None
    planned_port: str
    controller_id: str
    port_up: bool | None
    port_speed_bps: float | None
    uplink_speed_bps: float | None
    poe_on: bool | None
    poe_w: float | None
    radios_on_count: int | None
    silent_days_count: int | None


class AccessPointReply(Reply):
    """An access point; ``planned`` false: reported, but not in the inventory.

    ``state`` is that of its alarm, ``finding`` what three sources say; null of one
    that is nowhere told any more.
    """

    id: str
    name: str
    room: str
    model: str
    planned: bool
    state: Verdict
    state_since: Moment | None
    clients_count: int | None
    reported_at: Moment | None
    stale: Stale
    generated: Generated
    radios: list[RadioReply]
    finding: FindingReply | None


class CoverageFigure(Reply):
    """LAN or WLAN of a building: teaching rooms covered, and the class of them.

    Rooms of which nothing is known leave the share between two ends. ``measured``
    is unknown where these are different classes, or no list is there to measure by.
    """

    declared: Coverage
    measured: Coverage
    contradicts: bool
    has_list: bool
    rooms_count: int
    covered_count: int
    unknown_count: int
    low_ratio: float | None
    high_ratio: float | None
    text: str


class RoomReply(Reply):
    """A room; ``lan`` and ``wlan`` null where that is not known."""

    id: str
    name: str
    floor: str
    teaching: bool
    survey: Survey | None
    lan: bool | None
    sockets_count: int
    live_count: int
    linked_count: int
    unknown_count: int
    wlan: bool | None
    access_points: list[str]
    working_count: int
    working_unknown_count: int


class CoverageReply(Reply):
    """The coverage of a building as measured, beside what is declared."""

    lan: CoverageFigure
    wlan: CoverageFigure
    rooms: list[RoomReply]
