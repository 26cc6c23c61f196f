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

from msgspec.structs import replace

from netmon.clock import berlin_day, to_ms
from netmon.lease_wire import Purpose
from netmon.model import FailureReason
from netmon.spool_record import SpoolRecord
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
from probes.uplink_base import Carrier, UplinkKind, UplinkSettings
from probes.uplink_choice import (
    Choice,
    Present,
    Spacing,
    choose,
)
from probes.uplink_effects import note
from probes.uplink_moment import Moment, moment_of
from probes.uplink_records import passive_result
from probes.uplink_run import Job, Kind, varies
from probes.uplink_state import StateFile, UplinkState
from probes.uplink_tester import Tester

log = logging.getLogger(__name__)

STATE_FILE = "uplink.json"
ASSIGNMENT_FILE = "assignment.json"
# No line carries more than its contract and a half; counters that say so are others'.
_MOST_SHARE = 1.5
# Readings older than so many intervals say nothing about now.
_FRESH_INTERVALS = 3
# What stands in the way for long is recorded so often.
_SAY_EVERY_MS = 3_600_000
# A probe that waits for an answer about a doubtful line asks so much more often.
_DOUBT_SHARE = 3

Save = Callable[[list[SpoolRecord]], Awaitable[None]]


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
        self._said_ms: dict[str, int] = {}
        self._minded = self._unpaid_day = ""
        self._kind = UplinkKind()
        self.carrier = Carrier()

    async def run(self, stop: asyncio.Event) -> None:
        """Measure what is due, until ``stop`` is set.

        Raises:
            OSError: the state's file cannot be read.
        """
        self._state = await asyncio.to_thread(self._file.load, self._context.line)
        await asyncio.to_thread(self._desk.load)
        # Beside the tests, which may wait for minutes.
        beside = [
            asyncio.create_task(self._keep_asking(stop)),
            asyncio.create_task(self._keep_sampling(stop)),
        ]
        try:
            while not stop.is_set():
                if not await self._guarded():
                    await wait(self._settings.tick_s, stop)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    def saw(self, record: SpoolRecord) -> None:
        """Take the round trips that the latency probe measured beside us."""
        shortest, usual = record.values.get("rtt_min_s"), record.values.get("rtt_s")
        if record.kind != "latency" or shortest is None or usual is None:
            return
        if record.tags.get("line") != self._context.line:
            return  # over another line
        self._state.saw_rtt(berlin_day(record.ts_ms), shortest)
        self._rtts.append((self._context.clock.monotonic_s(), usual))

    async def _keep_asking(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._desk.refresh()
            settings = self._settings
            interval_s = settings.assignment_interval_s
            if self._state.doubt:
                interval_s = min(interval_s, settings.confirm_spacing_s / _DOUBT_SHARE)
            await wait(interval_s, stop)

    async def _keep_sampling(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await in_thread(self._watch.sample)
            await wait(self._settings.passive_interval_s, stop)

    async def _guarded(self) -> bool:
        """Do one thing if one is due; say whether there was one."""
        try:
            now = self._now()
            if now is None:
                await self._say_unassigned()
                return False
            self._mind_budget(now)
            await self._know_counters(now)
            return await self._step(now)
        # As with the other probes (`runner.run_guarded`): a mistake of ours must not
        # end latency and sending, and a line not measured for it must say so.
        except Exception as error:
            log.exception("the uplink failed by itself")
            await self._say("internal", FailureReason.INTERNAL, type(error).__name__)
            return False

    def _now(self) -> Moment | None:
        """Return what holds now; None before the gateway has told anything."""
        told, clock = self._desk.current, self._context.clock
        if told is None:
            return None
        self._mind(told.line)
        now_ms = to_ms(clock.now())
        self._state.forget_future(now_ms)
        return moment_of(told, self._context.line, now_ms, clock.monotonic_s())

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

    def _mind_budget(self, now: Moment) -> None:
        """Say once a day that the budget does not pay for what the day owes."""
        day = berlin_day(now.ms).isoformat()
        if now.plan.unpaid_count and self._unpaid_day != day:
            self._unpaid_day = day
            log.warning(
                "the budget pays for %d tests less than this day owes",
                now.plan.unpaid_count,
            )

    async def _know_counters(self, now: Moment) -> None:
        """Learn once how often the router refreshes; passive proof rests on that."""
        if not self._watch.wants_to_learn:
            return
        job = self._job(now, "floor", "down", Purpose.FLOOR)
        await self._tester.look(job, say_nothing)
        self._watch.learnt(self._tester.refresh_s)

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
        view, said = self._passive(now)
        if said is Passive.PROVEN and view is not None and now.owes(self._state):
            # Dated when the traffic was, which may be an hour ago.
            at_ms = now.ms - round((now.mono_s - view.bound_at_s) * 1000)
            await self._keep_passive(view, at_ms, proven=True)
            self._state.proof_ms = at_ms
            await self._stated(now)
            return True
        choice = self._choose(now, said)
        if choice is None:
            if self._watch.is_deaf:
                await self._say_deaf()
            return False
        if choice.kind == "quiet":
            if view is not None:
                await self._keep_passive(view, now.ms, proven=False)
            await self._stated(now)
            return True
        await self._test(choice, now)
        return True

    def _passive(self, now: Moment) -> tuple[PassiveView | None, Passive]:
        since_s = now.slot_since_s
        contract_bps = now.line.contracted_down_bps
        view = self._watch.view("down", since_s, _MOST_SHARE * contract_bps)
        rtts = [rtt_s for at_s, rtt_s in self._rtts if at_s >= since_s]
        threshold_bps = now.line.threshold_down_bps * FRAME_BYTES / PAYLOAD_BYTES
        return view, passive.judge(view, threshold_bps, rtts, self._state.base_rtt_s)

    def _choose(self, now: Moment, said: Passive) -> Choice | None:
        settings = self._settings
        fresh_s = now.mono_s - _FRESH_INTERVALS * settings.passive_interval_s
        used_bps = self._watch.now_bps("down", fresh_s)
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
        state, answered = self._state, False
        kind: Kind = "floor" if choice.kind == "floor" else "full"
        for direction in choice.directions:
            job = replace(
                self._job(now, kind, direction, choice.purpose),
                campaign=choice.campaign,
            )
            found = await self._measured(job, now)
            if found is None:
                break  # protected by now: the plan says what is next
            at_ms = now.ms if found.at_ms is None else found.at_ms
            if direction == "down":
                answered = note(state, job, found, at_ms)
                if state.doubt and kind == "floor":
                    break  # the confirmation comes first
        self._failed_tries = 0 if answered else self._failed_tries + 1
        if not (kind == "floor" and state.doubt):
            state.tried_ms = to_ms(self._context.clock.now())
        if choice.planned is not None and answered:
            state.done(choice.planned.at_ms)
        if choice.moment_ms is not None:
            state.done(choice.moment_ms)
        await self._remember()

    async def _measured(self, job: Job, now: Moment) -> ProbeResult | None:
        """Run a test and keep its records; None where the line was not to be loaded."""
        patience_s = min(self._settings.patience_s, now.open_for_s)
        found = await self._tester.measure(
            job, patience_s, say_nothing, lambda: self._anew(job)
        )
        if found is None:
            return None
        # What the probe itself may have limited is a lower bound for us as well.
        certified = attach(found.values, self._context.certify())
        found = replace(found, values=certified if found.values else {})
        moved = found.moved_bytes
        if moved:
            # What a test moved is not what lessons did.
            self._watch.forget()
            self._state.spend(berlin_day(now.ms), moved)
        if self._tester.refresh_s is not None:
            self._watch.learnt(self._tester.refresh_s)
        if found.failure is None:
            self.carrier.line = found.tags.get("line", "")
        await self._keep(found, now.ms)
        return found

    def _anew(self, job: Job) -> Job | None:
        """Return the job as it is once its slot has come; None in a protected time."""
        now = self._now()
        if now is None or not now.may_load(now.ms):
            return None
        return replace(job, in_lessons=now.in_lessons)

    async def _keep_passive(
        self, view: PassiveView, at_ms: int, *, proven: bool
    ) -> None:
        result = passive_result(
            view,
            "down",
            proven=proven,
            refresh_s=self._watch.refresh_s,
            rtt_s=self._rtts[-1][1] if self._rtts else None,
        )
        await self._keep(_passively(result), at_ms)

    async def _say_deaf(self) -> None:
        """Record once an hour that the counters can't be read, with the cause."""
        if self._is_said("deaf"):
            return
        ports, line = self._tester.bench.wan, self._context.line
        text = await in_thread(ports.trouble, line) or "the router does not answer"
        await self._say("deaf", FailureReason.COUNTERS_UNREADABLE, text)

    async def _say_unassigned(self) -> None:
        """Record once an hour that nobody says what to measure."""
        reason, text = self._desk.trouble, "the gateway gives no assignment"
        if reason is None and self._desk.current is None:
            return  # not asked yet
        if reason is None:
            reason, text = FailureReason.UNSUPPORTED, "the centre knows no such line"
        await self._say("unassigned", reason, text)

    async def _say(self, what: str, reason: FailureReason, text: str) -> None:
        """Record a failure of the kind once an hour."""
        if self._is_said(what):
            return
        now_ms = self._said_ms[what] = to_ms(self._context.clock.now())
        await self._keep(_passively(failed(reason, text)), now_ms)

    def _is_said(self, what: str) -> bool:
        now_ms = to_ms(self._context.clock.now())
        return now_ms - self._said_ms.get(what, 0) < _SAY_EVERY_MS

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
