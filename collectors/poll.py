"""The poller: every device in its turn, results into the spool.

One process, one question at a time for each device, at most ``concurrency``
devices in flight. Their structure is read now and then, their values every time
(`collectors.plan`). A device that is dead costs its retries and nothing else: those
that were silent last time have places of their own, and are asked ever more seldom.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from collectors.asker import Asker, Asking
from collectors.base import DEFAULT_PORT, Session, split_address, timing_for
from collectors.bucket import Bucket
from collectors.credentials import Credential, Credentials
from collectors.hosts import Hosts
from collectors.meaning import decode
from collectors.pace import STRUCTURE_S, rounds_between
from collectors.plan import Planner
from collectors.platforms import Platforms
from collectors.records import DeviceResult, Known, to_records
from collectors.schedule import next_start_s, offset_s
from collectors.snmp import open_session
from collectors.ssh_model import PREFIX, load_ssh_platforms
from collectors.stock import Stock
from collectors.tally import Tally
from netmon.clock import Clock, to_ms
from netmon.errors import ConfigError, StorageError
from netmon.model import AccessPoint, Device, FailureReason, Inventory
from netmon.refused import refused
from netmon.spool import Spool
from netmon.spool_record import SpoolRecord

__all__ = ["Poller", "decode", "planned_for", "pollable"]

if TYPE_CHECKING:
    from collectors.ssh import SshCollector

log = logging.getLogger(__name__)

# A device that was replaced has another SNMPv3 engine, perhaps another address.
REOPEN_AFTER_FAILED_POLLS = 2

# A device that cries wolf is polled out of turn thrice at once, then every ten seconds.
HURRY_BURST = 3
HURRY_EVERY_S = 10.0
SSH_PORT = 22

SessionFactory = Callable[[Device, Credential], Session]


@dataclass(slots=True)
class _DeviceState:
    """What is remembered of a device between two polls."""

    device: Device
    asker: Asker
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
        structure_s: float = STRUCTURE_S,
        known_hosts: str = "",
    ) -> None:
        self._platforms = platforms
        self._credentials = credentials
        self.stock = Stock(spool)
        self.tally = Tally()
        self._clock = clock
        self.wake = wake
        self._interval_s = interval_s
        self._in_flight = asyncio.Semaphore(concurrency)
        # Those that were silent last time wait for each other, not the others for them.
        self._doubtful = asyncio.Semaphore(concurrency)
        self._open = session_factory or self._open_session
        self._states: dict[str, _DeviceState] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._known_hosts = known_hosts
        self._ssh: SshCollector | None = None
        self._calls: dict[str, asyncio.Event] = {}
        self._hosts = Hosts()
        self._asking = Asking(
            platforms, Planner(), self.tally, clock, interval_s, structure_s
        )

    async def run(self, inventory: Inventory, stop: asyncio.Event) -> None:
        """Poll all devices that have an address until ``stop`` is set.

        Whoever cancels it sets ``stop`` before: Python 3.11's ``wait_for``, which
        gufo-snmp uses, swallows a cancellation that comes together with an answer.

        Raises:
            ConfigError: a device names a credential or platform that is not there.
        """
        devices = pollable(inventory)
        self.check(devices)
        self.know(inventory)
        await self._forget_others({device.id for device in devices})
        log.info("%d devices every %g s", len(devices), self._interval_s)
        if not devices:
            await stop.wait()
            return
        self._calls = {device.id: asyncio.Event() for device in devices}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._wake_all(stop))
            for device in devices:
                planned = planned_for(inventory, device)
                group.create_task(self._keep_polling(device, planned, stop))

    def hurry(self, device_id: str) -> None:
        """Poll a device soon instead of at its turn, once for all calls until then.

        A device that is being polled is polled again; one that is not polled at all
        is not polled now either.
        """
        if (call := self._calls.get(device_id)) is not None:
            call.set()

    def know(self, inventory: Inventory) -> None:
        """Learn which access points may be at which controllers from now on."""
        self._hosts.know(inventory)

    def check(self, devices: Sequence[Device]) -> None:
        """Check that every credential and platform that devices name is there.

        Raises:
            ConfigError: naming each that is not.
        """
        check_devices(devices, self._credentials, self._platforms)

    async def poll(
        self, device: Device, planned: Sequence[AccessPoint]
    ) -> list[SpoolRecord]:
        """Poll one device now and return its records; nothing is spooled.

        Never raises for what a device does; a fault of our own becomes a record
        with the reason ``internal`` and a traceback in the log.
        """
        # Two polls of one device at once would mix their answers and load it twice.
        place = _place(device)
        async with self._turns.setdefault(place, asyncio.Lock()):
            state = await self._state_of(device)
            try:
                result = await self._ask(state, device)
                roster = self._hosts.roster(device, result.at_ms)
                records, state.known = to_records(
                    device, planned, result, state.known, roster
                )
            except Exception:
                log.exception("polling %s failed inside netmon", device.id)
                result = DeviceResult(
                    to_ms(self._clock.now()), 0.0, failure=FailureReason.INTERNAL
                )
                roster = self._hosts.roster(device, result.at_ms)
                records, _ = to_records(device, planned, result, state.known, roster)
                # Whatever it was, it must not come again with the same plan.
                self._forget(state)
            is_silent = result.failure is not None
            up = None if is_silent else state.known.up
            self._hosts.note(device, result.at_ms, up, state.known.twice)
            await self._note(state, result)
        return records

    @property
    def open_sessions(self) -> int:
        """Number of sessions that are open."""
        return sum(1 for state in self._states.values() if state.session is not None)

    @property
    def known_devices(self) -> int:
        """Number of devices of the inventory that were polled so far."""
        return len(self._states)

    @property
    def silent_devices(self) -> int:
        """Number of devices whose last poll failed."""
        return sum(1 for state in self._states.values() if state.failed_polls)

    async def aclose(self) -> None:
        """Write what was polled and close all sessions."""
        await self.stock.aclose()
        if self._ssh is not None:
            self._ssh.close()
        for state in self._states.values():
            await _close(state)

    async def _keep_polling(
        self, device: Device, planned: Sequence[AccessPoint], stop: asyncio.Event
    ) -> None:
        place_s = offset_s(device.id, self._interval_s)
        call = self._calls[device.id]
        hurried = Bucket(HURRY_BURST, 1 / HURRY_EVERY_S)
        while not stop.is_set():
            now_s = self._clock.now().timestamp()
            start_s = next_start_s(now_s, place_s, self._interval_s)
            spared = rounds_between(self._failed_polls(device), self._interval_s) - 1
            start_s += spared * self._interval_s
            is_called = await _is_set_within(call, start_s - now_s)
            if is_called and not stop.is_set():
                rest_s = hurried.wait_s(self._clock.monotonic_s())
                await _is_set_within(stop, rest_s)
            if stop.is_set():
                return
            if is_called:
                hurried.take(self._clock.monotonic_s())
                self.tally.trap_polls += 1
            else:
                self.tally.skipped += spared
            # A silent device that calls is not silent.
            is_silent = self._failed_polls(device) > 0 and not is_called
            async with self._doubtful if is_silent else self._in_flight:
                if stop.is_set():
                    return
                # Whoever calls from here on may mean what this poll does not see.
                call.clear()
                records = await self.poll(device, planned)
            await self._spool_all(device, records)
            late_s = self._clock.now().timestamp() - start_s
            self.tally.overdue += max(0, int(late_s // self._interval_s))

    async def _wake_all(self, stop: asyncio.Event) -> None:
        await stop.wait()
        for call in self._calls.values():
            call.set()

    async def _forget_others(self, ids: set[str]) -> None:
        for name in self._states.keys() - ids:
            await _close(self._states.pop(name))

    def _failed_polls(self, device: Device) -> int:
        state = self._states.get(device.id)
        return 0 if state is None else state.failed_polls

    async def _spool_all(self, device: Device, records: list[SpoolRecord]) -> None:
        try:
            await self.stock.add(records)
        except StorageError:
            log.exception("%d records of %s are lost", len(records), device.id)
        else:
            self.wake.set()

    async def _ask(self, state: _DeviceState, device: Device) -> DeviceResult:
        if not is_ssh(device):
            return await state.asker.ask(device, self._session_of(state))
        if self._ssh is None:
            # netmiko costs 40 MB and a third of a second; most cities have SNMP.
            from collectors.ssh import SshCollector  # noqa: PLC0415

            self._ssh = SshCollector(known_hosts=self._known_hosts, clock=self._clock)
        credential = self._credentials.get_ssh(device.credential)
        return await self._ssh.ask(device, credential)

    def _forget(self, state: _DeviceState) -> None:
        state.asker.forget()
        if self._ssh is not None:
            self._ssh.forget(state.device.id)

    def _session_of(self, state: _DeviceState) -> Session:
        if state.session is None:
            credential = self._credentials.get(state.device.credential)
            state.session = self._open(state.device, credential)
            self.tally.sessions_opened += 1
        return state.session

    def _open_session(self, device: Device, credential: Credential) -> Session:
        return open_session(
            device.address,
            credential,
            clock=self._clock,
            timing=timing_for(self._interval_s),
            tally=self.tally,
        )

    async def _state_of(self, device: Device) -> _DeviceState:
        state = self._states.get(device.id)
        if state is None:
            asker = Asker(self._asking)
            state = self._states[device.id] = _DeviceState(device, asker)
        elif (state.device.address, state.device.credential) != (
            device.address,
            device.credential,
        ) or (state.device.platform, state.device.line_id) != (
            device.platform,
            device.line_id,
        ):
            await _close(state)
            self._forget(state)
        state.device = device
        return state

    async def _note(self, state: _DeviceState, result: DeviceResult) -> None:
        """Say once that a device fell silent or came back; renew its session."""
        device = state.device
        self.tally.polls += 1
        self.tally.failed_polls += result.failure is not None
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


def check_devices(
    devices: Sequence[Device], credentials: Credentials, platforms: Platforms
) -> None:
    """Check that every credential and platform that devices name is there.

    Raises:
        ConfigError: naming each that is not.
    """
    by_ssh = {device.credential for device in devices if is_ssh(device)}
    by_snmp = {device.credential for device in devices if not is_ssh(device)}
    credentials.require(by_ssh, ssh=True)
    credentials.require(by_snmp)
    names = [*platforms.names, *(PREFIX + n for n in load_ssh_platforms())]
    known = {"", *names}
    problems = [
        refused(
            "devices",
            f"{device.id}.platform",
            "no_platform",
            value=device.platform,
            known=", ".join(names),
        )
        for device in devices
        if device.platform not in known
    ]
    if problems:
        raise ConfigError(problems)


def is_ssh(device: Device) -> bool:
    """Say whether a device is asked by SSH instead of SNMP."""
    return device.platform.startswith(PREFIX)


def _place(device: Device) -> str:
    """Return host and port: an address may be written in several ways."""
    default = SSH_PORT if is_ssh(device) else DEFAULT_PORT
    try:
        host, port = split_address(device.address, default)
    except ValueError:
        return device.address
    try:
        host = str(ip_address(host))
    except ValueError:
        host = host.casefold()
    return f"{host} {port}"


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
