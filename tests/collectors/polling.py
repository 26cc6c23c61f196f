"""What the tests of polling share; the fixtures are in ``conftest.py``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from collectors.base import Session, Timing
from collectors.credentials import Credential, Credentials
from collectors.poll import Poller, planned_for
from collectors.snmp import open_session
from netmon.clock import SystemClock
from netmon.model import Device, Inventory
from netmon.spool_record import SpoolRecord
from tests.patience import PATIENT

# For a device that falls silent in the middle of a test.
FAST = Timing(timeout_s=1.0, backoff_s=(0.01,))


class Sessions:
    """Opens real sessions and remembers them; ``timing`` is that of the next ones."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.timing = PATIENT

    def __call__(self, device: Device, credential: Credential) -> Session:
        self.opened.append(device.id)
        return open_session(
            device.address, credential, clock=SystemClock(), timing=self.timing
        )


class MakePoller(Protocol):
    """Makes pollers of short or long rounds; each is closed after the test."""

    def __call__(
        self,
        interval_s: float,
        *,
        concurrency: int = 2,
        session_factory: Callable[..., Session] = ...,
        credentials: Credentials = ...,
    ) -> Poller: ...


async def poll(poller: Poller, city: Inventory, device_id: str) -> list[SpoolRecord]:
    device = city.device_by_id[device_id]
    return await poller.poll(device, planned_for(city, device))


def ups(records: Sequence[SpoolRecord]) -> dict[str, float | None]:
    return {r.tags["ap"]: r.values.get("up") for r in records if r.kind == "wlan_ap"}
