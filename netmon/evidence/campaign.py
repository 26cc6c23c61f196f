"""The use cases of a running campaign: record results, what is due, abort.

Recording is a reader of the measurement log with a cursor of its own: a restart goes
on where it was, and each result becomes exactly one link of a chain.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import msgspec

from netmon.assignment_wire import CampaignTask
from netmon.errors import NetmonError, StorageError
from netmon.evidence import chain
from netmon.evidence.plan import (
    next_try,
)
from netmon.evidence.readings import Evaluation, NoOrderError, evaluate
from netmon.evidence.records import (
    Result,
    builtins,
    end_of,
    read_records,
    results_of,
)
from netmon.storage.campaign_records import (
    Campaign,
    CampaignEnd,
    CampaignState,
    CampaignStep,
    ChainEntry,
)
from netmon.storage.ports import Store
from netmon.storage.records import Chunk

READER = "evidence"
KIND = "throughput"
TAG = "campaign"
RECORDS_A_STEP = 5_000
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


def evaluation_of(entries: Sequence[ChainEntry]) -> Evaluation:
    """Return what a stored chain says."""
    return evaluate(read_records(entries))


def _evaluated(campaign: Campaign, entries: Sequence[ChainEntry]) -> Evaluation | None:
    """Return what a chain says; None, and a line in the log, if it is unreadable.

    One campaign whose links somebody spoilt must keep no other one waiting.
    """
    try:
        return evaluation_of(entries)
    except (msgspec.DecodeError, NoOrderError) as error:
        _log.error("the chain of campaign %s cannot be read: %s", campaign.id, error)
        return None


def running_task(store: Store, line_id: str, now_ms: int) -> CampaignTask | None:
    """Return what the probe on a line still has to measure; None without campaign.

    Both directions are wanted at each moment. What is past by no more than a probe
    may be late, or failed and is to be tried again, stands in it as well.
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
    evaluation = _evaluated(campaign, store.campaigns.entries(campaign.id))
    if evaluation is None:
        return None
    due = [
        at_ms
        for one in evaluation.measurements
        if not one.valid
        and (at_ms := next_try(one.planned_ms, one.tries, now_ms)) is not None
    ]
    return CampaignTask(id=campaign.id, moments_ms=tuple(due))


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
    evaluation = _evaluated(campaign, [*known, *entries])
    complete = evaluation is not None and evaluation.complete
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
