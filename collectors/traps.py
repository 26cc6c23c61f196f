"""Traps and informs: a device says that something changed, and is polled at once.

A trap decides nothing. It comes by UDP, perhaps twice or not at all, and is hardly
more than a name; what has changed is asked of the device itself, through the
poller's own queue. Whoever is no device of the inventory is not even read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import cast

from collectors.base import SessionError, split_address
from collectors.bucket import Bucket
from collectors.credentials import Credential, Credentials
from collectors.platform_model import Trap
from collectors.resolve import resolve
from collectors.ssh_model import PREFIX
from collectors.tally import Tally
from collectors.trap_engine import (
    Address,
    TrapEngine,
    TrapRefusedError,
    TrapUnreadableError,
)
from netmon.clock import Clock
from netmon.errors import ConfigError
from netmon.model import Device
from netmon.refused import refused

log = logging.getLogger(__name__)

# pysnmp needs some 3 ms for a notification: at the limit a tenth of one core.
ALL_BURST, ALL_PER_S = 100, 30.0
# A 48-port switch that loses its power supply may say so once for each port.
DEVICE_BURST, DEVICE_PER_S = 50, 2.0
# Of a device over its limit nothing is read, but it did speak of a change just now.
STORM_S = 60.0


@dataclass(slots=True)
class _Sender:
    """An address of the inventory: its devices, its group, its limit."""

    devices: tuple[str, ...]
    credential: Credential
    limit: Bucket = field(default_factory=lambda: Bucket(DEVICE_BURST, DEVICE_PER_S))
    # When a trap that is known came last, monotonic seconds.
    meant_s: float | None = None


class TrapReceiver(asyncio.DatagramProtocol):
    """Listens at one address and calls ``hurry`` with the device to be polled.

    It is read and counted in ``tally``; nothing of a datagram is kept or logged but
    the device and the name of a known trap.
    """

    def __init__(
        self,
        *,
        traps: Mapping[str, Trap],
        credentials: Credentials,
        hurry: Callable[[str], None],
        tally: Tally,
        clock: Clock,
    ) -> None:
        self._traps = traps
        self._credentials = credentials
        self._hurry = hurry
        self._tally = tally
        self._clock = clock
        self._limit = Bucket(ALL_BURST, ALL_PER_S)
        self._senders: dict[str, _Sender] = {}
        self._engines: dict[str, TrapEngine] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._naming: asyncio.Task[None] | None = None

    async def listen(self, where: str) -> str:
        """Begin to receive at ``host:port``; return the address that was taken.

        Raises:
            ConfigError: the address cannot be had.
        """
        host, _, port = where.rpartition(":")
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: self, local_addr=(host.strip("[]"), int(port))
            )
        except OSError as error:
            wrong = refused(where, "collector.traps_listen", "traps_port", why=error)
            raise ConfigError([wrong]) from error
        taken = transport.get_extra_info("sockname")
        return f"{taken[0]}:{taken[1]}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket; asyncio's own call."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def know(self, devices: Iterable[Device]) -> None:
        """Listen to these devices and to no others.

        Those with a name instead of an address follow as soon as it is resolved.
        """
        before, self._senders = self._senders, {}
        named: list[tuple[str, Device]] = []
        for device in devices:
            if device.platform.startswith(PREFIX):
                # It has no secrets of SNMP that its traps could be checked with.
                continue
            host, _ = split_address(device.address)
            try:
                address = str(ip_address(host))
            except ValueError:
                named.append((host, device))
                continue
            self._add(address, device)
        for address, sender in self._senders.items():
            # A storm does not end with a new inventory.
            if address in before:
                sender.limit = before[address].limit
        if self._naming is not None:
            self._naming.cancel()
            self._naming = None
        if named:
            self._naming = asyncio.create_task(self._resolve(named))

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Count a datagram, and call its device if it is a trap that means something.

        What costs least comes first: the address, the limits, then the secrets.
        """
        sender = self._senders.get(plain_address(str(addr[0])))
        now_s = self._clock.monotonic_s()
        if sender is None:
            self._tally.traps_strange += 1
        elif not sender.limit.take(now_s) or not self._limit.take(now_s):
            self._tally.traps_limited += 1
            if sender.meant_s is not None and now_s - sender.meant_s < STORM_S:
                self._call(sender)
        elif not self._is_trap(sender, data, addr, now_s):
            # SNMPv3 asks for the engine before it informs.
            return
        self._tally.traps += 1

    def _is_trap(
        self, sender: _Sender, data: bytes, addr: Address, now_s: float
    ) -> bool:
        """Read a datagram and do what it asks for; False if it is a mere question."""
        try:
            name = self._engine(sender.credential).take(data, addr, now_s)
        except TrapRefusedError:
            self._tally.traps_refused += 1
            return True
        except TrapUnreadableError:
            self._tally.traps_unreadable += 1
            return True
        if name is None:
            return False
        trap = self._traps.get(name)
        if trap is None:
            self._tally.traps_unknown += 1
            return True
        log.debug("%s: trap about %s", ", ".join(sender.devices), trap.about)
        sender.meant_s = now_s
        self._call(sender)
        return True

    def error_received(self, exc: Exception) -> None:
        """Do nothing: whoever did not take our answer asks again."""

    async def aclose(self) -> None:
        """Give back the socket."""
        if self._naming is not None:
            self._naming.cancel()
            await asyncio.gather(self._naming, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()

    def _call(self, sender: _Sender) -> None:
        for device in sender.devices:
            self._hurry(device)

    def _add(self, address: str, device: Device) -> None:
        """Add a device; of several at one address those of the first one's group."""
        credential = self._credentials.get(device.credential)
        found = self._senders.get(address)
        if found is None:
            self._senders[address] = _Sender((device.id,), credential)
        elif found.credential == credential:
            found.devices = (*found.devices, device.id)

    async def _resolve(self, named: Iterable[tuple[str, Device]]) -> None:
        for host, device in named:
            try:
                self._add(plain_address(await resolve(host, 0)), device)
            except SessionError as error:
                log.info("no traps from %s are taken: %s", device.id, error)

    def _engine(self, credential: Credential) -> TrapEngine:
        engine = self._engines.get(credential.name)
        if engine is None:
            engine = self._engines[credential.name] = TrapEngine(credential, self._send)
        return engine

    def _send(self, answer: bytes, receiver: Address) -> None:
        if self._transport is not None:
            self._transport.sendto(answer, receiver)


def plain_address(text: str) -> str:
    """Return an address as the inventory has it: IPv4 also where IPv6 wraps it."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
