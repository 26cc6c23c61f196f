"""The uplink of a building, measured so that it disturbs no lesson.

Looks at the counters all the time, and loads the line only where they don't answer the
question: see `probes.uplink_choice` for what is measured when, `probes.uplink_tester`
for how. Each hour of lessons ends with a statement: proven by the traffic itself, by a
floor test, or by a full test.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from netmon.clock import berlin_day, to_ms
from netmon.lease_wire import Purpose
from netmon.model import FailureReason
from netmon.spool import SpoolRecord
from probes import passive
from probes.assignment import AssignmentDesk
from probes.background import in_thread
from probes.base import ProbeContext, ProbeResult, failed, say_nothing
from probes.certificate import attach
from probes.estimate import FRAME_BYTES, PAYLOAD_BYTES
from probes.measure_protocol import Direction
from probes.passive import Passive, PassiveView
from probes.passive_watch import PassiveWatch
from probes.runner import to_record, wait
from probes.uplink_choice import (
    Choice,
    Present,
    Spacing,
    after_floor,
    after_full,
    choose,
)
from probes.uplink_moment import Moment, moment_of
from probes.uplink_records import is_below, passive_result, shown_bps
from probes.uplink_run import Job, Kind, varies
from probes.uplink_state import StateFile, UplinkState
from probes.uplink_tester import Tester

log = logging.getLogger(__name__)

STATE_FILE = "uplink.json"
ASSIGNMENT_FILE = "assignment.json"
# No line carries more than its contract and a half; counters that say so are others'.
_MOST_SHARE = 1.5
# A probe that waits for an answer about a doubtful line asks so much more often.
_DOUBT_SHARE = 3

Save = Callable[[list[SpoolRecord]], Awaitable[None]]


class UplinkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the uplink is measured; what and when the gateway tells.

    ``interface`` is the probe's port, empty for that of the default route.
    ``proof_valid_s`` is how long a proof lets quiet lessons do without a test.
    """

    enabled: bool = True
    interface: str = ""
    passive_interval_s: float = 30.0
    assignment_interval_s: float = 60.0
    confirm_spacing_s: float = 60.0
    patience_s: float = 300.0
    proof_valid_s: float = 10_800.0
    tick_s: float = 5.0


class UplinkKind:
    """Tags and kind of the uplink's records; made into records like a probe's."""

    name = "uplink"
    kind = "throughput"
    limit_s = 0.0

    def tags(self, context: ProbeContext) -> dict[str, str]:
        """Return building and line; a result's own tags say the rest."""
        return {"building": context.building, "line": context.line}

    async def run(self, context: ProbeContext) -> ProbeResult:
        """Refuse: the uplink decides by itself when it measures."""
        text = f"{self.name} is not measured by the clock"
        return failed(FailureReason.UNSUPPORTED, text)


class Uplink:
    """Measures one line until told to stop."""

    def __init__(
        self,
        settings: UplinkSettings,
        context: ProbeContext,
        desk: AssignmentDesk,
        tester: Tester,
        folder: Path,
        save: Save,
    ) -> None:
        self._settings = settings
        self._context = context
        self._desk = desk
        self._tester = tester
        self._file = StateFile(folder / STATE_FILE)
        self._save = save
        self._state = UplinkState()
        self._watch = PassiveWatch(tester.bench.wan.source(context.line))
        self._rtts: deque[tuple[float, float]] = deque(maxlen=600)
        self._failed_tries = 0
        self._deaf_ms = 0
        self._minded = ""
        self._kind = UplinkKind()

    async def run(self, stop: asyncio.Event) -> None:
        """Measure what is due, until ``stop`` is set.

        Raises:
            OSError: the state's file cannot be read.
        """
        self._state = await asyncio.to_thread(self._file.load, self._context.line)
        await asyncio.to_thread(self._desk.load)
        asked_s = sampled_s = -float("inf")
        while not stop.is_set():
            now_s = self._context.clock.monotonic_s()
            if now_s - asked_s >= self._asking_interval_s():
                asked_s = now_s
                await self._desk.refresh()
            if now_s - sampled_s >= self._settings.passive_interval_s:
                sampled_s = now_s
                await in_thread(self._watch.sample)
            now = self._now()
            if now is not None:
                await self._know_counters(now)
            if now is None or not await self._step(now):
                await wait(self._settings.tick_s, stop)

    def saw(self, record: SpoolRecord) -> None:
        """Take the round trips that the latency probe measured beside us."""
        shortest, usual = record.values.get("rtt_min_s"), record.values.get("rtt_s")
        if record.kind != "latency" or shortest is None or usual is None:
            return
        self._state.saw_rtt(berlin_day(record.ts_ms), shortest)
        self._rtts.append((self._context.clock.monotonic_s(), usual))

    def _asking_interval_s(self) -> float:
        settings = self._settings
        if not self._state.doubt:
            return settings.assignment_interval_s
        return min(
            settings.assignment_interval_s, settings.confirm_spacing_s / _DOUBT_SHARE
        )

    def _now(self) -> Moment | None:
        """Return what holds now; None before the gateway has told anything."""
        told, clock = self._desk.current, self._context.clock
        if told is None:
            return None
        self._mind(told.line)
        return moment_of(
            told, self._context.line, to_ms(clock.now()), clock.monotonic_s()
        )

    def _mind(self, told_line: str) -> None:
        """Say once that the centre means another line than the probe's settings."""
        if told_line in (self._context.line, self._minded):
            return
        self._minded = told_line
        log.warning(
            "the inventory says that this probe measures %s, its settings say %s",
            told_line,
            self._context.line,
        )

    async def _know_counters(self, now: Moment) -> None:
        """Learn once how often the router refreshes; passive proof rests on that."""
        if not self._watch.wants_to_learn:
            return
        job = self._job(now, "floor", "down", Purpose.FLOOR)
        found = await self._tester.learn(job, say_nothing)
        self._watch.learnt(None if found is None else found.period_s)

    def _job(
        self, now: Moment, kind: Kind, direction: Direction, purpose: Purpose
    ) -> Job:
        return Job(
            kind=kind,
            direction=direction,
            purpose=purpose,
            line=now.line,
            in_lessons=now.in_lessons,
            varies=varies(now.line.technology),
            base_rtt_s=self._state.base_rtt_s,
        )

    async def _step(self, now: Moment) -> bool:
        """Do one thing if one is due; say whether there was one."""
        view, said = self._passive(now)
        if said is Passive.PROVEN and view is not None and now.owes(self._state):
            await self._keep_passive(view, now, proven=True)
            self._state.proof_ms = now.ms
            await self._stated(now)
            return True
        choice = self._choose(now, said)
        if choice is None:
            await self._say_deaf(now)
            return False
        if choice.kind == "quiet":
            if view is not None:
                await self._keep_passive(view, now, proven=False)
            await self._stated(now)
            return True
        await self._test(choice, now)
        return True

    def _passive(self, now: Moment) -> tuple[PassiveView | None, Passive]:
        since_s = now.mono_s - now.assignment.slot_s
        contract_bps = now.line.contracted_down_bps
        view = self._watch.view("down", since_s, _MOST_SHARE * contract_bps)
        rtts = [rtt_s for at_s, rtt_s in self._rtts if at_s >= since_s]
        threshold_bps = now.line.threshold_down_bps * FRAME_BYTES / PAYLOAD_BYTES
        return view, passive.judge(view, threshold_bps, rtts, self._state.base_rtt_s)

    def _choose(self, now: Moment, said: Passive) -> Choice | None:
        settings = self._settings
        used_bps = self._watch.now_bps("down")
        contract_bps = now.line.contracted_down_bps
        present = Present(
            now_ms=now.ms,
            spent_bytes=self._state.spent_on(berlin_day(now.ms)),
            passive=said,
            busy_ratio=None if used_bps is None else used_bps / contract_bps,
            closed=now.closed,
            failed_tries=self._failed_tries,
        )
        spacing = Spacing(
            confirm_ms=round(settings.confirm_spacing_s * 1000),
            proof_ms=round(settings.proof_valid_s * 1000),
            slot_ms=round(now.assignment.slot_s * 1000),
        )
        return choose(
            now.assignment, now.plan, now.costs, self._state, present, spacing
        )

    async def _test(self, choice: Choice, now: Moment) -> None:
        state = self._state
        came_to_nothing = True
        for direction in choice.directions:
            kind: Kind = "floor" if choice.kind == "floor" else "full"
            job = replace(
                self._job(now, kind, direction, choice.purpose),
                campaign=choice.campaign,
            )
            started_ms = to_ms(self._context.clock.now())
            found = await self._tester.measure(
                job, self._settings.patience_s, say_nothing
            )
            # What the probe itself may have limited is a lower bound for us as well.
            certified = attach(found.values, self._context.certify())
            found = replace(found, values=certified if found.values else {})
            self._watch.forget()
            await self._keep(found, started_ms)
            for each in found.all:
                moved = each.values.get("transferred_bytes") or 0.0
                state.spend(berlin_day(started_ms), moved)
            if self._tester.refresh_s is not None:
                self._watch.learnt(self._tester.refresh_s)
            is_here = found.failure is None and not found.more
            came_to_nothing = came_to_nothing and not is_here
            if direction == "down":
                self._note(job, found, started_ms, is_here=is_here)
                if state.doubt and choice.kind == "floor":
                    break  # the confirmation comes first
        self._failed_tries = self._failed_tries + 1 if came_to_nothing else 0
        if not (choice.kind == "floor" and state.doubt):
            state.tried_ms = to_ms(self._context.clock.now())
        if choice.planned is not None:
            state.done(choice.planned.at_ms)
        if choice.moment_ms is not None:
            state.done(choice.moment_ms)
        await self._remember()

    def _note(self, job: Job, found: ProbeResult, at_ms: int, *, is_here: bool) -> None:
        """Remember what a test of the download means for the next one."""
        # A floor test that came to no answer is followed by a full one, as a miss is.
        unsettled = job.kind == "floor" and found.failure is FailureReason.UNSETTLED
        if not is_here and not unsettled:
            return
        shown = shown_bps(found, "down")
        if job.kind == "floor":
            passed = shown is not None and shown >= job.threshold_bps
            after_floor(self._state, passed=passed, at_ms=at_ms)
            return
        after_full(
            self._state,
            shown_bps=shown,
            below=is_below(found, "down", job.threshold_bps),
            threshold_bps=job.threshold_bps,
            at_ms=at_ms,
        )

    async def _keep_passive(
        self, view: PassiveView, now: Moment, *, proven: bool
    ) -> None:
        result = passive_result(
            view,
            "down",
            proven=proven,
            refresh_s=self._watch.refresh_s,
            rtt_s=self._rtts[-1][1] if self._rtts else None,
        )
        await self._keep(_passively(result), now.ms)

    async def _say_deaf(self, now: Moment) -> None:
        """Record once a slot that the counters don't answer."""
        if not self._watch.is_deaf:
            return
        if now.ms - self._deaf_ms < now.assignment.slot_s * 1000:
            return
        self._deaf_ms = now.ms
        text = "the router does not answer for its WAN port"
        result = failed(FailureReason.COUNTERS_UNREADABLE, text)
        await self._keep(_passively(result), now.ms)

    async def _stated(self, now: Moment) -> None:
        self._state.statement_ms = now.ms
        await self._remember()

    async def _remember(self) -> None:
        """Write the state; a disk that takes nothing costs a test after a restart."""
        try:
            await asyncio.to_thread(self._file.save, self._state)
        except OSError as error:
            log.warning("%s cannot be written: %s", STATE_FILE, error.strerror)

    async def _keep(self, result: ProbeResult, at_ms: int) -> None:
        records = [
            to_record(self._kind, self._context, each, at_ms) for each in result.all
        ]
        await self._save(records)


def _passively(result: ProbeResult) -> ProbeResult:
    tags = {"method": passive.METHOD, "direction": "down", "basis": "router"}
    return replace(result, tags=tags)
