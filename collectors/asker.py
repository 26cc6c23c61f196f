"""Asks one device: its structure now and then, its values every time."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from collectors.answers import Moved, Values, read_values
from collectors.base import Session, SessionError, Value
from collectors.compare import Before, compare
from collectors.decode import TableResult
from collectors.meaning import decode, decode_tables, joined, result_of
from collectors.pace import STRUCTURE_S, TICKS_PER_S, Due, structure_every_s
from collectors.plan import MARKS, Plan, Planner, counters_read
from collectors.platforms import Platforms
from collectors.read import read_device
from collectors.records import DeviceResult
from collectors.tally import Tally
from netmon.clock import Clock
from netmon.model import Device

log = logging.getLogger(__name__)

MAX_BUDGET_S = 60.0
# A mark that moves at every poll (some devices count it like a clock) tells nothing.
RESTLESS_POLLS = 3
_BUDGET_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Asking:
    """What all devices of a collector share."""

    platforms: Platforms
    planner: Planner
    tally: Tally
    clock: Clock
    interval_s: float
    structure_s: float = STRUCTURE_S


class Asker:
    """Remembers of a device what the next poll needs."""

    def __init__(self, shared: Asking) -> None:
        self._shared = shared
        self._plan: Plan | None = None
        self._due = Due()
        self._before: Before | None = None
        self._moves: Counter[str] = Counter()

    def forget(self) -> None:
        """Know nothing of the device any more: the next poll reads all of it."""
        self._plan, self._due, self._before = None, Due(), None

    async def ask(self, device: Device, session: Session) -> DeviceResult:
        """Return what a device says: its values, or with its structure where due.

        No `SessionError` leaves this function.
        """
        shared = self._shared
        start_s = shared.clock.monotonic_s()
        budget_s = min(MAX_BUDGET_S, shared.interval_s * _BUDGET_SHARE)
        every_s = structure_every_s(device.id, shared.structure_s)
        plan = self._plan
        if plan and not self._due.is_due(start_s, shared.interval_s, every_s):
            try:
                values = await read_values(
                    session,
                    plan,
                    clock=shared.clock,
                    budget_s=budget_s,
                    before=self._before,
                )
            except Moved as why:
                self._moves[why.mark] += 1
                log.info("%s: its structure is read anew: %s", device.id, why)
            else:
                self._moves.clear()
                return self._valued(device, plan, values, start_s)
        spent_s = shared.clock.monotonic_s() - start_s
        return await self._structured(device, session, budget_s - spent_s)

    def _valued(
        self, device: Device, plan: Plan, values: Values, at_s: float
    ) -> DeviceResult:
        result = DeviceResult(
            at_ms=values.at_ms,
            duration_s=values.duration_s,
            failure=values.failure,
            reason=values.reason,
        )
        if values.failure is not None:
            return result
        tables = self._compared(
            device, plan, values.tables, values.answer, at_s, values.uptime_ticks
        )
        return replace(
            result,
            platform=plan.platform.name,
            uptime_s=values.uptime_s,
            words=plan.words,
            tables=tables,
        )

    async def _structured(
        self, device: Device, session: Session, budget_s: float
    ) -> DeviceResult:
        """Read a device in full, and make the plan of the next polls."""
        shared = self._shared
        at_s = shared.clock.monotonic_s()
        shared.tally.structures += 1
        reading = await read_device(
            session,
            shared.platforms,
            clock=shared.clock,
            budget_s=budget_s,
            platform=device.platform,
            line=device.line_id is not None,
        )
        if reading.failure is not None or reading.platform is None:
            return decode(reading)
        tables = decode_tables(reading)
        result = result_of(reading, tables)
        try:
            marks = await session.get(MARKS)
        except SessionError:
            marks = {}
        marks = {o: v for o, v in marks.items() if self._moves[o] < RESTLESS_POLLS}
        plan = shared.planner.plan(
            reading, reading.platform, tables, result.words, marks
        )
        has_gaps = any(found.failures for found in reading.tables.values())
        self._plan = plan
        self._due = self._due.read(at_s, shared.interval_s, has_gaps=has_gaps)
        ticks = None
        if reading.uptime_s is not None:
            ticks = round(reading.uptime_s * TICKS_PER_S)
        compared = self._compared(
            device, plan, tables, counters_read(plan, reading), at_s, ticks
        )
        return replace(result, tables=compared)

    def _compared(
        self,
        device: Device,
        plan: Plan,
        tables: Sequence[TableResult],
        answer: Mapping[str, Value],
        at_s: float,
        uptime_ticks: int | None,
    ) -> tuple[TableResult, ...]:
        """Return the tables with what they tell beside the poll before."""
        found = compare(tables, plan.counters, answer, self._before, at_s, uptime_ticks)
        self._before = found.now
        if found.changed:
            # Whoever was plugged in or out has neighbours.
            self._due = self._due.changed(self._shared.interval_s)
            log.debug("%s: ports changed: %s", device.id, ", ".join(found.changed))
        return joined(found.tables)
