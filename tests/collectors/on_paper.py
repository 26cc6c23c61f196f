"""Devices on paper whose lines change between two polls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from collectors.answers import Values, read_values
from collectors.base import Session, Timing, Value
from collectors.compare import Before
from collectors.decode import TableResult
from collectors.guards import GuardedSession
from collectors.meaning import decode_tables, joined, result_of
from collectors.plan import MARKS, Plan, Planner, counters_read
from collectors.platforms import load_platforms
from collectors.read import read_device
from collectors.recorded import RecordedLink, parse_recording
from netmon.clock import ManualClock

SWITCH = """\
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.32473.1.1
1.3.6.1.2.1.1.3.0|67|100000
1.3.6.1.2.1.2.1.0|2|3
1.3.6.1.2.1.2.2.1.3.1|2|6
1.3.6.1.2.1.2.2.1.3.2|2|6
1.3.6.1.2.1.2.2.1.3.3|2|53
1.3.6.1.2.1.2.2.1.5.1|66|100000000
1.3.6.1.2.1.2.2.1.5.2|66|100000000
1.3.6.1.2.1.2.2.1.8.1|2|1
1.3.6.1.2.1.2.2.1.8.2|2|2
1.3.6.1.2.1.2.2.1.8.3|2|1
1.3.6.1.2.1.2.2.1.10.1|65|11
1.3.6.1.2.1.2.2.1.10.2|65|4294967295
1.3.6.1.2.1.31.1.1.1.1.1|4|Gi1
1.3.6.1.2.1.31.1.1.1.1.2|4|Gi2
1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615
1.3.6.1.2.1.31.1.1.1.15.1|66|0
1.3.6.1.2.1.31.1.1.1.15.2|66|1000
1.3.6.1.2.1.105.1.1.1.6.1.1|2|3
1.3.6.1.2.1.105.1.1.1.6.1.2|2|2
"""
CONTROLLER = """\
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.14823.1.2.59
1.3.6.1.2.1.1.3.0|67|100000
1.3.6.1.4.1.14823.2.3.3.1.2.1.1.2.0.11.134.0.0.1|4|AP 1
1.3.6.1.4.1.14823.2.3.3.1.2.1.1.2.0.11.134.0.0.2|4|AP 2
1.3.6.1.4.1.14823.2.3.3.1.2.1.1.4.0.11.134.0.0.1|4|CN1
1.3.6.1.4.1.14823.2.3.3.1.2.1.1.4.0.11.134.0.0.2|4|CN2
1.3.6.1.4.1.14823.2.3.3.1.2.1.1.11.0.11.134.0.0.1|2|1
1.3.6.1.4.1.14823.2.3.3.1.2.1.1.11.0.11.134.0.0.2|2|1
1.3.6.1.4.1.14823.2.3.3.1.2.2.1.4.0.11.134.0.0.1.0|4|36E
1.3.6.1.4.1.14823.2.3.3.1.2.2.1.4.0.11.134.0.0.2.0|4|6
1.3.6.1.4.1.14823.2.3.3.1.2.2.1.21.0.11.134.0.0.1.0|2|7
1.3.6.1.4.1.14823.2.3.3.1.2.2.1.21.0.11.134.0.0.2.0|2|5
"""

# Its radios answer only for what is asked by name.
SZ_AP, SZ_RADIO = (
    "1.3.6.1.4.1.25053.1.4.2.1.1.2.2.1",
    "1.3.6.1.4.1.25053.1.8.1.1.1.2.3.1",
)
SMARTZONE = f"""\
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.25053.3.1.11.1
1.3.6.1.2.1.1.3.0|67|100000
{SZ_AP}.5.6.2.0.0.0.0.1|4|AP 1
{SZ_AP}.5.6.2.0.0.0.0.2|4|AP 2
{SZ_AP}.15.6.2.0.0.0.0.1|66|7
1.3.6.1.4.1.25053.1.8.1.1.1.1.1.1.19.1.65|66|2
{SZ_RADIO}.10.6.2.0.0.0.0.1.0|2|6
{SZ_RADIO}.10.6.2.0.0.0.0.1.1|2|36
{SZ_RADIO}.10.6.2.0.0.0.0.2.0|2|11
{SZ_RADIO}.41.6.2.0.0.0.0.1.0|2|7
{SZ_RADIO}.41.6.2.0.0.0.0.1.1|2|5
{SZ_RADIO}.41.6.2.0.0.0.0.2.0|2|1
"""

# Who has joined is in one table, who has not in another.
JOINED, MISSING = "1.3.6.1.4.1.2356.11.1.73.9.2.1", "1.3.6.1.4.1.2356.11.1.73.9.1.1"
LANCOM = f"""\
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2356.11.8.4
1.3.6.1.2.1.1.3.0|67|100000
1.3.6.1.4.1.2356.11.1.73.5.0|2|2
1.3.6.1.4.1.2356.11.1.73.7.0|2|2
{JOINED}.3.2.0.0.0.0.1.1|4|AP 1
{JOINED}.3.2.0.0.0.0.2.1|4|AP 2
{JOINED}.9.2.0.0.0.0.1.1|2|6
{JOINED}.9.2.0.0.0.0.2.1|2|11
{JOINED}.22.2.0.0.0.0.1.1|4|4001
{JOINED}.22.2.0.0.0.0.2.1|4|4002
"""

# Noise is told by channel, and that in use is asked.
CISCO = """\
1.3.6.1.2.1.1.1.0|4|Cisco Controller
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.9.1.1069
1.3.6.1.2.1.1.3.0|67|100000
1.3.6.1.2.1.2.2.1.3.1|2|6
1.3.6.1.2.1.2.2.1.8.1|2|1
1.3.6.1.4.1.9.9.513.1.2.1.1.23.2.0.0.0.0.1.0|2|3
1.3.6.1.4.1.14179.2.2.1.1.3.2.0.0.0.0.1|4|AP 1
1.3.6.1.4.1.14179.2.2.2.1.4.2.0.0.0.0.1.0|2|1
1.3.6.1.4.1.14179.2.2.2.1.4.2.0.0.0.0.1.1|2|100
1.3.6.1.4.1.14179.2.2.2.1.15.2.0.0.0.0.1.0|65|7
1.3.6.1.4.1.14179.2.2.15.1.21.2.0.0.0.0.1.0.1|2|-92
1.3.6.1.4.1.14179.2.2.15.1.21.2.0.0.0.0.1.0.5|2|-95
1.3.6.1.4.1.14179.2.2.15.1.21.2.0.0.0.0.1.1.100|2|-90
"""


class Bench:
    """A device on paper whose lines may change; counts what it is asked."""

    def __init__(self, said: str) -> None:
        self.clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
        self.asked: list[str] = []
        self.broken: dict[str, Exception] = {}
        self.say(said)

    def say(self, said: str) -> None:
        self._link = RecordedLink(parse_recording(said.splitlines(), "said"))

    @property
    def session(self) -> Session:
        return GuardedSession(self, clock=self.clock, timing=Timing(backoff_s=()))

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        self._note(oids)
        return await self._link.get(oids)

    def rows(self, root: str, max_repetitions: int):
        self._note([root])
        return self._link.rows(root, max_repetitions)

    def _note(self, oids: Sequence[str]) -> None:
        self.asked += oids
        for oid, error in self.broken.items():
            if oid in oids:
                raise error

    async def refresh(self) -> None: ...

    async def aclose(self) -> None: ...

    async def plan(self) -> Plan:
        plan, _ = await planned(self.session, self.clock)
        self.asked.clear()
        return plan

    async def values(self, plan: Plan, before: Before | None = None) -> Values:
        return await read_values(
            self.session, plan, clock=self.clock, budget_s=30.0, before=before
        )


async def planned(
    session: Session, clock: ManualClock
) -> tuple[Plan, list[TableResult]]:
    reading = await read_device(session, load_platforms(), clock=clock, budget_s=60.0)
    assert reading.platform is not None, reading.reason
    tables = decode_tables(reading)
    words = result_of(reading, tables).words
    marks = await session.get(MARKS)
    plan = Planner().plan(reading, reading.platform, tables, words, marks)
    counters_read(plan, reading)
    return plan, tables


def shown(tables: Sequence[TableResult]) -> list[object]:
    """Return what tables tell together; neighbours tell it at their ports."""
    return [
        (table.name, table.result, table.complete, table.rows)
        for table in joined(tables)
        if table.result not in {"neighbour", "local_port", "bridge_port"}
    ]
