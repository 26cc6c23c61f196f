"""Ordering a campaign: what has to be there before, and the first link of its chain."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from msgspec import Struct

from netmon.clock import BERLIN, from_ms
from netmon.evidence import chain
from netmon.evidence.campaign import KIND, RefusedError, record_new
from netmon.evidence.criteria import highest_threshold_bps
from netmon.evidence.plan import WINDOW_MS, Allowed, NoPlanError, make_plan
from netmon.evidence.records import builtins, order_of
from netmon.model import Building, Inventory, Line
from netmon.storage.campaign_records import (
    AgreedRates,
    Campaign,
    CampaignState,
    Subject,
)
from netmon.storage.ports import Store
from netmon.storage.records import Latest

# Results wait at a probe whose line is down; so long after the last moment they count.
PATIENCE_MS = 3 * 24 * 3600 * 1000
# TCP payload in what an Ethernet port sends: 1448 of 1538 octets of a full frame with
# preamble and pause (IEEE 802.3, TCP with timestamps). More a port can never show.
PAYLOAD_SHARE = 1448 / 1538


class CampaignOrder(Struct, frozen=True, kw_only=True):
    """Somebody's wish for a campaign; it begins at ``from_ms``, UTC milliseconds."""

    line_id: str
    from_ms: int
    author: str = ""
    note: str = ""


def start(
    store: Store,
    inventory: Inventory,
    wish: CampaignOrder,
    *,
    now_ms: int,
    allowed: Allowed,
) -> Campaign:
    """Plan and store a campaign and return it; ``allowed`` is when it may measure.

    Raises:
        RefusedError: the line is unknown, has no probe, has a running campaign, was
            never measured, the probe's port is too slow, the day is past, or the
            allowed times leave no room.
        StorageError: the store refused.
    """
    line = inventory.line_by_id.get(wish.line_id)
    if line is None:
        raise RefusedError("unknown_line", line=wish.line_id)
    if wish.from_ms < now_ms:
        raise RefusedError("past")
    _check_not_running(store, line)
    probes = [probe.id for probe in inventory.probes if probe.line_id == line.id]
    if not probes:
        raise RefusedError("no_probe", line=line.id, building=line.building_id)
    latest = store.measurements.latest(building_id=line.building_id)
    _check_measured(latest, line, probes)
    day = from_ms(wish.from_ms).astimezone(BERLIN).date()
    campaign_id = f"ev-{day:%Y%m%d}-{secrets.token_hex(4)}"
    try:
        moments = make_plan(campaign_id, wish.from_ms, allowed)
    except NoPlanError as error:
        raise RefusedError("no_plan") from error
    building = inventory.building_by_id[line.building_id]
    down, up = _agreed(line)
    campaign = Campaign(
        id=campaign_id,
        line_id=line.id,
        building_id=line.building_id,
        started_ms=now_ms,
        author=wish.author,
        note=wish.note,
        moments_ms=moments,
        deadline_ms=moments[-1] + WINDOW_MS + PATIENCE_MS,
        down=down,
        up=up,
        subject=_subject(building, line, probes),
    )
    # What came before is no business of a campaign that begins now.
    record_new(store, now_ms)
    (first,) = chain.extend(None, [builtins(order_of(campaign))])
    store.campaigns.start(campaign, first)
    return campaign


def _check_not_running(store: Store, line: Line) -> None:
    for known in store.campaigns.of_line(line.id):
        if known.state is CampaignState.RUNNING:
            raise RefusedError("running", line=line.id, id=known.id)


def _check_measured(
    latest: Iterable[Latest], line: Line, probes: Sequence[str]
) -> None:
    """Refuse a line nobody has measured, or whose probe's port cannot show it."""
    measured = False
    # When it was told, and the port's speed: of several tellings the newest counts.
    ports: list[tuple[int, float]] = []
    for one in latest:
        if one.ok_ts_ms is None:
            continue
        tags = one.series.tags
        port_bps: float | None = None
        if one.series.kind == KIND and tags.get("line") == line.id:
            measured = True
            port_bps = one.values.get("port_speed_bps")
        elif one.series.kind == "probe_link" and tags.get("probe") in probes:
            port_bps = one.values.get("speed_bps")
        if port_bps is not None:
            ports.append((one.ok_ts_ms, port_bps))
    if not measured:
        raise RefusedError("not_measured", line=line.id)
    needed_bps = max(map(highest_threshold_bps, _agreed(line)))
    port_bps = max(ports)[1] if ports else None
    if port_bps is not None and port_bps * PAYLOAD_SHARE < needed_bps:
        raise RefusedError(
            "slow_port", line=line.id, port_bps=port_bps, needed_bps=needed_bps
        )


def _agreed(line: Line) -> tuple[AgreedRates, AgreedRates]:
    """Return what the contract says, down and up."""
    return (
        AgreedRates(
            maximum_bps=line.contracted_down_bps,
            normal_bps=line.normal_down_bps,
            minimum_bps=line.minimum_down_bps,
        ),
        AgreedRates(
            maximum_bps=line.contracted_up_bps,
            normal_bps=line.normal_up_bps,
            minimum_bps=line.minimum_up_bps,
        ),
    )


def _subject(building: Building, line: Line, probes: Sequence[str]) -> Subject:
    return Subject(
        building=building.name,
        address=f"{building.street}, {building.postcode} {building.city}",
        role=line.role.value,
        technology=line.technology.value,
        provider=line.provider,
        probes=tuple(probes),
    )
