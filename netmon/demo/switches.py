"""The demo's switches: break, fill and heal what the child processes play."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine

import msgspec

from netmon.demo.faults import ApFault
from netmon.demo.files import LINE_CONFIRM_COUNT
from netmon.demo.line_traffic import Traffic
from netmon.demo.plan import Plan, broken_rates, healthy_rates, line_shapes
from netmon.demo.processes import Child
from netmon.demo.worlds import LineCommand
from netmon.texts import Texts


class Switches:
    """Tells the worlds what to play; for the loop that started them.

    ``lines`` and ``devices`` are those worlds, None before they run.
    """

    def __init__(self, plan: Plan, texts: Texts) -> None:
        self.lines: Child | None = None
        self.devices: Child | None = None
        self._plan = plan
        self._texts = texts
        self._tasks: set[asyncio.Task[None]] = set()

    def press(self, command: dict[str, str]) -> str:
        """Break or heal something; KeyError with a text for people if unknown."""
        texts, building_id = self._texts, command.get("building", "")
        broken = command.get("action") == "break"
        names = {building.id: building.name for building in self._plan.live}
        if building_id not in names:
            live = ", ".join(names)
            raise KeyError(
                texts("demo.unknown_building", building=building_id, live=live)
            )
        if command.get("what") == "line":
            if command.get("action") == "fill":
                self._spawn(self._tell_line(building_id, traffic=Traffic.FULL))
                return texts("demo.line_filled", name=names[building_id])
            self._spawn(self._set_rate(building_id, broken=broken))
            line = self._plan.line(building_id)
            rates = broken_rates(line) if broken else healthy_rates(line)
            return texts(
                "demo.line_broken" if broken else "demo.line_healed",
                name=names[building_id],
                rate=texts.rate(rates[0]),
                contract=texts.rate(line.contracted_down_bps),
                n=LINE_CONFIRM_COUNT,
            )
        asked = command.get("ap", "")
        points = self._plan.city.access_points_of[building_id]
        ap = next((p for p in points if asked in {p.id, p.name}), None)
        if ap is None:
            aps = ", ".join(p.id for p in points)
            raise KeyError(
                texts("demo.unknown_ap", building=building_id, ap=asked, aps=aps)
            )
        asked = command.get("how") or ApFault.POWER
        how = next((fault for fault in ApFault if fault == asked), ApFault.POWER)
        if self.devices is not None:
            fault = how if broken else None
            tell = {"building": building_id, "ap": ap.id, "fault": fault}
            self._spawn(self.devices.tell(json.dumps(tell).encode()))
        if not broken:
            return texts("demo.ap_healed", name=names[building_id], ap=ap.name)
        return texts(f"demo.ap_broken.{how}", name=names[building_id], ap=ap.name)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _set_rate(self, building_id: str, *, broken: bool) -> None:
        """Break a line, or heal it, with whatever else was done to it."""
        line = self._plan.line(building_id)
        down_bps, up_bps = broken_rates(line) if broken else healthy_rates(line)
        usual = next(x for x in line_shapes(self._plan) if x.id == line.id).traffic
        await self._tell_line(
            building_id,
            down_bps=down_bps,
            up_bps=up_bps,
            traffic=None if broken else usual,
        )
        if self.devices is not None:
            # Its router, if it has one, tells why.
            ill = {"line": line.id, "broken": broken}
            await self.devices.tell(json.dumps(ill).encode())

    async def _tell_line(
        self,
        building_id: str,
        *,
        down_bps: float | None = None,
        up_bps: float | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        if self.lines is None:
            return
        command = LineCommand(
            line=self._plan.line(building_id).id,
            down_bps=down_bps,
            up_bps=up_bps,
            traffic=traffic,
        )
        await self.lines.tell(msgspec.json.encode(command))
