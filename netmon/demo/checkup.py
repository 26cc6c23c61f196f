"""The demo's own check: everything measured, broken, mailed, healed, mailed again."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable

from netmon.alarm_classes import RuleName
from netmon.clock import SystemClock, to_ms
from netmon.demo.mailbox import ReceivedMail
from netmon.demo.plan import Plan, healthy_rates
from netmon.model import Building, Technology, below_by_contract, expected_down_bps
from netmon.storage.ports import Store
from netmon.storage.records import MailEvent
from netmon.texts import Texts

POLL_S = 0.5
# A line has to be full for so long before its measurements count here.
FULL_FOR_S = 40
# As the mails of both languages name it, wherever their lines end.
_CAUSE = re.compile(r"DSL[-\s]+sync", re.IGNORECASE)
Press = Callable[[dict[str, str]], str]


def _tells_cause(plan: Plan, building: Building) -> bool:
    """Say whether the device that ends a line shows the demo's fault of it.

    A fibre's light stays as it is.
    """
    line = plan.line(building.id)
    ends = any(device.line_id == line.id for device in plan.city.devices)
    return ends and line.technology is Technology.VDSL


def _spare(plan: Plan, building: Building) -> float:
    """Return a healthy line's rate as a share of what it must reach."""
    line = plan.line(building.id)
    if below_by_contract(line):
        return 0.0
    return healthy_rates(line)[0] / expected_down_bps(line)


class CheckUp:
    """Breaks one line and one access point, and sees both through to their end.

    ``open`` says in words what has not happened yet; empty when all has.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        mails: Callable[[], list[ReceivedMail]],
        press: Press,
        texts: Texts,
    ) -> None:
        self._plan = plan
        self._store = store
        self._mails = mails
        self._press = press
        self._texts = texts
        self._started_s = time.monotonic()
        # A line whose own device tells the cause, and an access point elsewhere.
        self.line_building = next(b for b in plan.live if _tells_cause(plan, b))
        self.ap_building = next(b for b in plan.live if b.id != self.line_building.id)
        self.ap = plan.city.access_points_of[self.ap_building.id][0]
        # The healthy line with the least to spare: there others could be mistaken for
        # a fault soonest.
        self.full_building = min(
            (b for b in plan.live if not self._is_used(b) and _spare(plan, b) > 1),
            key=lambda b: _spare(plan, b),
        )
        line_name, ap_name = self.line_building.name, self.ap.name
        self.open: dict[str, str] = {
            "reports": "",
            "line_alarm": texts("demo.open.line_alarm", building=line_name),
            "ap_alarm": texts("demo.open.ap_alarm", ap=ap_name),
            "line_cause": texts("demo.open.line_cause", building=line_name),
            "line_recovery": texts("demo.open.line_recovery", building=line_name),
            "ap_recovery": texts("demo.open.ap_recovery", ap=ap_name),
            "full_line": texts("demo.open.full_line", building=self.full_building.name),
        }

    async def run(self) -> None:
        """Return when everything has happened; cancel it when time is up."""
        filled_s, filled_ms = time.monotonic(), to_ms(SystemClock().now())
        fill = {"action": "fill", "what": "line", "building": self.full_building.id}
        print(self._press(fill), flush=True)
        await asyncio.gather(
            self._reports(),
            self._line(),
            self._access_point(),
            self._full_line(filled_s, filled_ms),
        )

    async def _reports(self) -> None:
        await self._until(self._all_reported)
        seconds = round(time.monotonic() - self._started_s)
        texts, n = self._texts, len(self._plan.live)
        print(texts("demo.step_reported", n=n, seconds=seconds), flush=True)

    async def _line(self) -> None:
        building = self.line_building.id
        await self._until(lambda: self._has_reported(self.line_building))
        target = f"line:{self._plan.line(building).id}"
        command = {"what": "line", "building": building}
        await self._through("line", target, command)

    async def _access_point(self) -> None:
        command = {"what": "ap", "building": self.ap_building.id, "ap": self.ap.id}
        await self._until(lambda: self._has_reported(self.ap_building))
        await self._through("ap", f"ap:{self.ap.id}", command)

    async def _full_line(self, filled_s: float, filled_ms: int) -> None:
        """See that the full line is measured, a while after it was filled."""
        building = self.full_building

        async def measured() -> bool:
            return any(
                each.series.building_id == building.id
                and each.ok_ts_ms is not None
                and each.ok_ts_ms > filled_ms + FULL_FOR_S * 1000
                for each in self._store.measurements.latest(kind="throughput")
            )

        await self._until(measured)
        del self.open["full_line"]
        seconds = round(time.monotonic() - filled_s)
        step = self._texts("demo.step_full", building=building.name, seconds=seconds)
        print(step, flush=True)

    def false_alarms(self) -> list[str]:
        """Return in words which lines nobody broke have an incident all the same."""
        names = {
            f"line:{self._plan.line(building.id).id}": building.name
            for building in self._plan.live
            if building.id != self.line_building.id
        }
        found = set(names) & {
            each.target
            for each in self._store.alarms.incidents()
            # What the contract is was known before.
            if each.rule != RuleName.BELOW_BY_CONTRACT
        }
        texts = self._texts
        return [
            texts("demo.open.false_alarm", building=names[x]) for x in sorted(found)
        ]

    def _is_used(self, building: Building) -> bool:
        return building.id in {self.line_building.id, self.ap_building.id}

    async def _through(self, name: str, target: str, command: dict[str, str]) -> None:
        print(self._press({"action": "break", **command}), flush=True)
        alarm = await self._mail(target, MailEvent.ALARM)
        del self.open[f"{name}_alarm"]
        if name == "line" and _CAUSE.search(alarm.text):
            # What the line's own device says stands in the mail.
            del self.open["line_cause"]
        print(self._texts("demo.step_alarm", subject=alarm.subject), flush=True)
        print(self._press({"action": "heal", **command}), flush=True)
        recovery = await self._mail(target, MailEvent.RECOVERY)
        del self.open[f"{name}_recovery"]
        print(self._texts("demo.step_recovery", subject=recovery.subject), flush=True)

    async def _mail(self, target: str, event: MailEvent) -> ReceivedMail:
        found: list[ReceivedMail] = []

        async def arrived() -> bool:
            ids = {
                mail.message_id
                for incident in self._store.alarms.incidents()
                if incident.target == target
                for mail in self._store.outbox.mails(incident_id=incident.id)
                if mail.event is event and mail.sent_ms is not None
            }
            found[:] = [mail for mail in self._mails() if mail.message_id in ids]
            return bool(found)

        await self._until(arrived)
        return found[0]

    async def _all_reported(self) -> bool:
        missing = self._silent()
        if missing:
            names = ", ".join(building.name for building in missing)
            self.open["reports"] = self._texts("demo.open.reports", buildings=names)
        else:
            self.open.pop("reports", None)
        return not missing

    async def _has_reported(self, building: Building) -> bool:
        return building not in self._silent()

    def _silent(self) -> list[Building]:
        """Return live buildings without a statement or with unseen access points."""
        measured = {
            each.series.building_id
            for each in self._store.measurements.latest(kind="throughput")
            if each.ok_ts_ms is not None and not each.series.generated
        }
        seen = {
            ap.building_id
            for ap in self._store.measurements.access_points()
            if not ap.generated and ap.up is not None
        }
        return [b for b in self._plan.live if b.id not in measured or b.id not in seen]

    @staticmethod
    async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
        # The condition is in the store, written by other processes: no event to await.
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
