"""The poller: every device in its turn, results into the spool.

One process, one question at a time for each device, at most ``concurrency``
devices in flight. A device that is dead costs its retries and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from collectors.base import Session, timing_for
from collectors.credentials import Credential, Credentials
from collectors.decode import decode_facts, decode_table
from collectors.lan import with_lan
from collectors.optics import optics_of
from collectors.platforms import Platforms
from collectors.read import Reading, read_device
from collectors.records import DeviceResult, Known, to_records
from collectors.schedule import next_start_s, offset_s
from collectors.snmp import open_session
from collectors.wlan import with_vaps
from netmon.clock import Clock, to_ms
from netmon.errors import ConfigError, Problem, StorageError
from netmon.model import AccessPoint, Device, FailureReason, Inventory
from netmon.spool import Spool, SpoolRecord

log = logging.getLogger(__name__)

# A device that was replaced has another SNMPv3 engine, perhaps another address.
REOPEN_AFTER_FAILED_POLLS = 2
MAX_BUDGET_S = 60.0
_BUDGET_SHARE = 0.9

SessionFactory = Callable[[Device, Credential], Session]


def decode(reading: Reading) -> DeviceResult:
    """Return what a reading means; pure."""
    if reading.failure is not None or reading.platform is None:
        return DeviceResult(
            at_ms=reading.at_ms,
            duration_s=reading.duration_s,
            failure=reading.failure or FailureReason.PROTOCOL,
            reason=reading.reason,
        )
    tables = []
    for table in reading.platform.tables:
        found = reading.tables.get(table.name)
        if found is not None:
            tables.append(decode_table(table, found.columns, found.failures))
    tables = with_lan(with_vaps(tables))
    tables += optics_of(tables)
    return DeviceResult(
        at_ms=reading.at_ms,
        duration_s=reading.duration_s,
        platform=reading.platform.name,
        uptime_s=reading.uptime_s,
        words=decode_facts(reading.platform.facts, reading.facts),
        tables=tuple(tables),
    )


@dataclass(slots=True)
class _DeviceState:
    """What is remembered of a device between two polls."""

    device: Device
    session: Session | None = None
    known: Known = field(default_factory=Known)
    failed_polls: int = 0
    last_failure: FailureReason | None = None


class Poller:
    """Polls the devices of an inventory until it is told to stop.

    ``wake`` is set whenever records were added, for the sender.
    """

    def __init__(  # noqa: PLR0913 - each is a different peer or limit
        self,
        *,
        platforms: Platforms,
        credentials: Credentials,
        spool: Spool,
        clock: Clock,
        wake: asyncio.Event,
        interval_s: float,
        concurrency: int,
        session_factory: SessionFactory | None = None,
    ) -> None:
        self._platforms = platforms
        self._credentials = credentials
        self._spool = spool
        self._clock = clock
        self.wake = wake
        self._interval_s = interval_s
        self._in_flight = asyncio.Semaphore(concurrency)
        self._open = session_factory or self._open_session
        self._states: dict[str, _DeviceState] = {}

    async def run(self, inventory: Inventory, stop: asyncio.Event) -> None:
        """Poll all devices that have an address until ``stop`` is set.

        Raises:
            ConfigError: a device names a credential or platform that is not there.
        """
        devices = pollable(inventory)
        self.check(devices)
        log.info("%d devices every %g s", len(devices), self._interval_s)
        if not devices:
            await stop.wait()
            return
        async with asyncio.TaskGroup() as group:
            for device in devices:
                planned = planned_for(inventory, device)
                group.create_task(self._keep_polling(device, planned, stop))

    def check(self, devices: Sequence[Device]) -> None:
        """Check that every credential and platform that devices name is there.

        Raises:
            ConfigError: naming each that is not.
        """
        self._credentials.require({device.credential for device in devices})
        known = {"", *self._platforms.names}
        problems = [
            Problem(
                "inventory",
                None,
                f"{device.id}.platform",
                f"{device.platform!r} is no platform",
                f"use one of {', '.join(self._platforms.names)}, or leave it empty",
            )
            for device in devices
            if device.platform not in known
        ]
        if problems:
            raise ConfigError(problems)

    async def poll(
        self, device: Device, planned: Sequence[AccessPoint]
    ) -> list[SpoolRecord]:
        """Poll one device now and return its records; nothing is spooled.

        Never raises for what a device does; a fault of our own becomes a record
        with the reason ``internal`` and a traceback in the log.
        """
        state = await self._state_of(device)
        try:
            result = decode(await self._read(state))
            records, state.known = to_records(device, planned, result, state.known)
        except Exception:
            log.exception("polling %s failed inside netmon", device.id)
            result = DeviceResult(
                to_ms(self._clock.now()), 0.0, failure=FailureReason.INTERNAL
            )
            records, _ = to_records(device, planned, result, state.known)
        await self._note(state, result)
        return records

    @property
    def open_sessions(self) -> int:
        """Number of sessions that are open."""
        return sum(1 for state in self._states.values() if state.session is not None)

    async def aclose(self) -> None:
        """Close all sessions."""
        for state in self._states.values():
            await _close(state)

    async def _keep_polling(
        self, device: Device, planned: Sequence[AccessPoint], stop: asyncio.Event
    ) -> None:
        place_s = offset_s(device.id, self._interval_s)
        while True:
            now_s = self._clock.now().timestamp()
            wait_s = next_start_s(now_s, place_s, self._interval_s) - now_s
            if await _is_set_within(stop, wait_s):
                return
            async with self._in_flight:
                if stop.is_set():
                    return
                records = await self.poll(device, planned)
                await self._spool_all(device, records)

    async def _spool_all(self, device: Device, records: list[SpoolRecord]) -> None:
        try:
            # Waiting for the disk must not hold up the other devices.
            await asyncio.to_thread(self._spool.add_many, records)
        except StorageError:
            log.exception("%d records of %s are lost", len(records), device.id)
        else:
            self.wake.set()

    async def _read(self, state: _DeviceState) -> Reading:
        device = state.device
        if state.session is None:
            credential = self._credentials.get(device.credential)
            state.session = self._open(device, credential)
        return await read_device(
            state.session,
            self._platforms,
            clock=self._clock,
            budget_s=min(MAX_BUDGET_S, self._interval_s * _BUDGET_SHARE),
            platform=device.platform,
            line=device.line_id is not None,
        )

    def _open_session(self, device: Device, credential: Credential) -> Session:
        return open_session(
            device.address,
            credential,
            clock=self._clock,
            timing=timing_for(self._interval_s),
        )

    async def _state_of(self, device: Device) -> _DeviceState:
        state = self._states.get(device.id)
        if state is None:
            state = self._states[device.id] = _DeviceState(device)
        elif (state.device.address, state.device.credential) != (
            device.address,
            device.credential,
        ):
            await _close(state)
        state.device = device
        return state

    async def _note(self, state: _DeviceState, result: DeviceResult) -> None:
        """Say once that a device fell silent or came back; renew its session."""
        device = state.device
        if result.failure is None:
            if state.last_failure is not None:
                log.info("%s answers again", device.id)
            state.failed_polls = 0
        else:
            state.failed_polls += 1
            if result.failure is not state.last_failure:
                log.warning("%s: %s (%s)", device.id, result.failure, result.reason)
            if state.failed_polls % REOPEN_AFTER_FAILED_POLLS == 0:
                await _close(state)
        state.last_failure = result.failure


def pollable(inventory: Inventory) -> list[Device]:
    """Return the devices that have an address."""
    return [device for device in inventory.devices if device.address]


def planned_for(inventory: Inventory, device: Device) -> list[AccessPoint]:
    """Return the access points the inventory gives a controller."""
    return [ap for ap in inventory.access_points if ap.controller_id == device.id]


async def _close(state: _DeviceState) -> None:
    if state.session is not None:
        await state.session.aclose()
        state.session = None


async def _is_set_within(event: asyncio.Event, limit_s: float) -> bool:
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
