"""The use cases of a campaign: start, record results, what is due, abort.

Recording is a reader of the measurement log with a cursor of its own: a restart goes
on where it was, and each result becomes exactly one link of a chain.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Sequence

from msgspec import Struct

from netmon.assignment_wire import CampaignTask
from netmon.clock import BERLIN, from_ms
from netmon.errors import NetmonError, StorageError
from netmon.evidence import chain
from netmon.evidence.criteria import highest_threshold_bps
from netmon.evidence.plan import (
    WINDOW_MS,
    Allowed,
    NoPlanError,
    make_plan,
    retry_moments,
)
from netmon.evidence.readings import Evaluation, evaluate
from netmon.evidence.records import (
    Result,
    builtins,
    end_of,
    order_of,
    read_records,
    results_of,
)
from netmon.model import Building, Inventory, Line
from netmon.storage.campaign_records import (
    AgreedRates,
    Campaign,
    CampaignEnd,
    CampaignState,
    CampaignStep,
    ChainEntry,
    Subject,
)
from netmon.storage.ports import Store
from netmon.storage.records import Chunk, Latest

READER = "evidence"
KIND = "throughput"
TAG = "campaign"
RECORDS_A_STEP = 5_000
# Results wait at a probe whose line is down; so long after the last moment they count.
PATIENCE_MS = 3 * 24 * 3600 * 1000
# TCP payload in what an Ethernet port sends: 1448 of 1538 octets of a full frame with
# preamble and pause (IEEE 802.3, TCP with timestamps). More a port can never show.
PAYLOAD_SHARE = 1448 / 1538
# How often a step that somebody else overtook is tried again.
TRIES = 20

_log = logging.getLogger(__name__)


class RefusedError(NetmonError):
    """A campaign cannot be started or ended.

    ``code`` names the texts below ``evidence.refused``, ``values`` what they need.
    """

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(f"{code}: {values}")
        self.code = code
        self.values = values


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
    needed_bps = max(map(highest_threshold_bps, _agreed(line)))
    measured = False
    for one in latest:
        tags = one.series.tags
        port_bps: float | None = None
        if one.series.kind == KIND and tags.get("line") == line.id:
            measured = measured or one.ok_ts_ms is not None
            port_bps = one.values.get("port_speed_bps")
        elif one.series.kind == "probe_link" and tags.get("probe") in probes:
            port_bps = one.values.get("speed_bps")
        if port_bps is not None and port_bps * PAYLOAD_SHARE < needed_bps:
            raise RefusedError(
                "slow_port", line=line.id, port_bps=port_bps, needed_bps=needed_bps
            )
    if not measured:
        raise RefusedError("not_measured", line=line.id)


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


def evaluation_of(entries: Sequence[ChainEntry]) -> Evaluation:
    """Return what a stored chain says."""
    return evaluate(read_records(entries))


def running_task(store: Store, line_id: str, now_ms: int) -> CampaignTask | None:
    """Return what the probe on a line still has to measure; None without campaign.

    Both directions are wanted at each moment, and none of them is past. What failed
    stands in it again until its window closes.
    """
    campaign = next(
        (
            one
            for one in store.campaigns.of_line(line_id)
            if one.state is CampaignState.RUNNING
        ),
        None,
    )
    if campaign is None:
        return None
    evaluation = evaluation_of(store.campaigns.entries(campaign.id))
    due = [
        at
        for one in evaluation.measurements
        if not one.valid
        for at in _due(one.planned_ms, now_ms)
    ]
    return CampaignTask(id=campaign.id, moments_ms=tuple(due))


def _due(planned_ms: int, now_ms: int) -> Sequence[int]:
    """Return the planned moment, or once it is past when it is tried again."""
    if planned_ms >= now_ms:
        return (planned_ms,)
    return [at for at in retry_moments(planned_ms) if at >= now_ms]


def record_new(store: Store, now_ms: int) -> int:
    """Take new results of running campaigns into their chains; return how many.

    Campaigns that are complete, or whose time is over, end here. Any number of
    processes may call this at once.

    Raises:
        StorageError: the store refused; nothing of that step was written.
    """
    added, overtaken = 0, 0
    while overtaken < TRIES:
        taken = _step(store, now_ms)
        if taken is None:
            overtaken += 1
            continue
        count, full = taken
        added += count
        if not full:
            return added
    raise StorageError("the campaigns' chains went on without us again and again")


def _step(store: Store, now_ms: int) -> tuple[int, bool] | None:
    """Read on once; None where somebody was faster.

    Returns how many results were taken, and whether there may be more.
    """
    position = store.cursors.get(READER).position
    # First the log's end, then the campaigns: what one that starts in between gets
    # lies behind that end.
    newest = store.measurements.last_position()
    running = {one.id: one for one in store.campaigns.running()}
    chunks: list[Chunk] = []
    if running:
        chunks = store.measurements.chunks_after(position, RECORDS_A_STEP, kind=KIND)
    full = sum(len(chunk.points.seq) for chunk in chunks) >= RECORDS_A_STEP
    last = chunks[-1].id if chunks else position
    upto = last if full else max(newest, last)
    fresh = _sorted_out(running, chunks)
    steps = []
    for campaign in running.values():
        results = fresh.get(campaign.id, [])
        overdue = not full and now_ms > campaign.deadline_ms
        if results or overdue:
            steps.append(_next(store, campaign, results, now_ms, overdue=overdue))
    if not steps and upto == position:
        return 0, False
    done = store.campaigns.advance(
        steps, reader=READER, read_from=position, position=upto, now_ms=now_ms
    )
    return (sum(map(len, fresh.values())), full) if done else None


def _sorted_out(
    running: dict[str, Campaign], chunks: Iterable[Chunk]
) -> dict[str, list[Result]]:
    fresh: dict[str, list[Result]] = {}
    for chunk in chunks:
        campaign = running.get(chunk.series.tags.get(TAG, ""))
        if campaign is None:
            continue
        if chunk.series.building_id != campaign.building_id:
            _log.warning(
                "%s sent results for campaign %s of another building",
                chunk.series.source,
                campaign.id,
            )
            continue
        fresh.setdefault(campaign.id, []).extend(results_of(chunk))
    return fresh


def _next(
    store: Store,
    campaign: Campaign,
    results: Sequence[Result],
    now_ms: int,
    *,
    overdue: bool,
) -> CampaignStep:
    """Return what a campaign's chain gets: results, and its end if it is reached."""
    known = store.campaigns.entries(campaign.id)
    entries = chain.extend(known[-1], [builtins(one) for one in results])
    complete = evaluation_of([*known, *entries]).complete
    end = None
    if complete or overdue:
        state = CampaignState.COMPLETE if complete else CampaignState.EXPIRED
        end = CampaignEnd(state=state, ended_ms=now_ms)
        before = entries[-1] if entries else known[-1]
        entries += chain.extend(before, [builtins(end_of(end))])
    return CampaignStep(campaign_id=campaign.id, entries=entries, end=end)


def abort(store: Store, line_id: str, now_ms: int) -> Campaign:
    """End the campaign that runs on a line and return it.

    Raises:
        RefusedError: none runs on the line.
        StorageError: the store refused.
    """
    for _ in range(TRIES):
        # What has arrived counts, also for a campaign that ends now.
        record_new(store, now_ms)
        campaign = next(iter(store.campaigns.of_line(line_id)), None)
        if campaign is None or campaign.state is not CampaignState.RUNNING:
            raise RefusedError("none_running", line=line_id)
        end = CampaignEnd(state=CampaignState.ABORTED, ended_ms=now_ms)
        known = store.campaigns.entries(campaign.id)
        step = CampaignStep(
            campaign_id=campaign.id,
            entries=chain.extend(known[-1], [builtins(end_of(end))]),
            end=end,
        )
        position = store.cursors.get(READER).position
        if store.campaigns.advance(
            [step], reader=READER, read_from=position, position=position, now_ms=now_ms
        ):
            return campaign
    raise StorageError(f"the campaign on {line_id} went on again and again")
