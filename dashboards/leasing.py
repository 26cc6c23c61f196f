"""The desk where probes get their slots: store, inventory, servers and signature.

What may be granted is decided by `netmon.leases`; here it gets what it needs, and
its answer becomes what a probe understands.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from dashboards.bearer import refuse
from netmon.clock import Clock, to_ms
from netmon.config import MeasureServerSettings, MeasureSettings, Secret, read_secret
from netmon.errors import ConfigError
from netmon.lease_token import MIN_KEY_CHARS, LeaseClaims, check_key, sign
from netmon.lease_ways import Resources, ServerRoom
from netmon.lease_wire import (
    TYPICAL_S,
    Direction,
    LeaseAsk,
    LeaseGranted,
    LeaseWait,
    ServerAddress,
)
from netmon.leases import (
    Decision,
    Granted,
    Held,
    Refused,
    change,
    forget_before_ms,
    settle,
)
from netmon.model import Inventory, Line
from netmon.refused import refused
from netmon.storage.current import CurrentInventory
from netmon.storage.lease_records import Lease, LeaseBook, LeaseChange, LeaseRequest
from netmon.storage.ports import Store
from netmon.storage.records import Source
from netmon.texts import Texts

# Where a probe names no rate: the contract and this much, for what lies above it.
HEADROOM = 1.1
CHECK_EVERY_S = 15.0
_CONNECT_S = 2.0
# One lost connection is no illness.
_FAILURES_TO_BE_ILL = 2


class ServerHealth:
    """Whether the measurement servers accept connections; healthy until known."""

    def __init__(self, servers: Sequence[MeasureServerSettings]) -> None:
        self._servers = servers
        self._failures = dict.fromkeys((server.id for server in servers), 0)

    def healthy(self, server_id: str) -> bool:
        """Say whether a server may get tests."""
        return self._failures[server_id] < _FAILURES_TO_BE_ILL

    async def check(self) -> None:
        """Try every server once."""
        found = await asyncio.gather(*(_accepts(one.address) for one in self._servers))
        for server, is_good in zip(self._servers, found, strict=True):
            self._failures[server.id] = 0 if is_good else self._failures[server.id] + 1

    async def keep_checking(self) -> None:
        """Try every server again and again until cancelled."""
        while True:
            await self.check()
            await asyncio.sleep(CHECK_EVERY_S)


async def _accepts(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, UnicodeError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


class LeaseDesk:
    """Answers probes that want to measure; all methods but `watching` block."""

    def __init__(
        self, settings: MeasureSettings, store: Store, clock: Clock, texts: Texts
    ) -> None:
        """Read the key.

        Raises:
            ConfigError: the key cannot be read or is too short.
        """
        self.health = ServerHealth(settings.servers)
        self._servers = settings.servers
        self._key = _read_key(settings.key_file)
        self._store = store
        self._clock = clock
        self._texts = texts
        self._inventory = CurrentInventory(store.inventories)
        self._resources: tuple[Inventory, Resources] | None = None

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch over the servers' health within the block."""
        task = asyncio.create_task(self.health.keep_checking())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def ask(self, source: Source, wish: LeaseAsk) -> LeaseGranted | LeaseWait:
        """Return a lease, or when to ask again.

        Raises:
            RefusedError: no slots here, not this sender's line, or never possible.
            StorageError: the store is not ready.
        """
        key = self._key
        if key is None or not self._servers:
            raise refuse(
                HTTPStatus.NOT_FOUND,
                "leases_off",
                "this gateway gives out no slots",
                "name the servers in [[measure.servers]], or measure without leases",
            )
        inventory = self._inventory()
        request = _request(source, wish, _line_of(source, wish, inventory))
        now_ms = to_ms(self._clock.now())
        resources = self._resources_of(inventory)
        lease_id = secrets.token_hex(16)

        def decide(book: LeaseBook) -> tuple[LeaseChange, Decision]:
            decision = settle(request, book, resources, now_ms, lease_id)
            return change(decision), decision

        forget_ms = forget_before_ms(now_ms)
        decision = self._store.leases.settle(now_ms, forget_ms, decide)
        match decision:
            case Granted(lease):
                return self._offer(lease, key)
            case Held():
                return self._wait(decision)
            case Refused(most_bps):
                rate = self._texts.rate(most_bps)
                raise refuse(
                    HTTPStatus.CONFLICT,
                    "impossible",
                    f"no way to a measurement server can ever give more than {rate}",
                    "ask for less, or connect a server with more capacity",
                    field="least_bps",
                )

    def release(self, source: Source, lease_id: str) -> bool:
        """End a lease of the sender's building; False where there is none."""
        if source.building_id is None:
            return False
        return self._store.leases.release(lease_id, source.building_id)

    def _offer(self, lease: Lease, key: Secret) -> LeaseGranted:
        request = lease.request
        allowed_bytes = math.ceil(lease.rate_cap_bps * request.length_s / 8)
        claims = LeaseClaims(
            id=lease.id,
            server=lease.server_id,
            line=request.line_id,
            directions=request.directions,
            rate_cap_bps=lease.rate_cap_bps,
            bytes=allowed_bytes,
            seconds=request.length_s,
            streams_count=request.streams_count,
            expires_ms=lease.expires_ms,
        )
        return LeaseGranted(
            id=lease.id,
            token=sign(claims, key),
            line=request.line_id,
            directions=request.directions,
            rate_cap_bps=lease.rate_cap_bps,
            bytes=allowed_bytes,
            length_s=request.length_s,
            streams_count=request.streams_count,
            expires_ms=lease.expires_ms,
            servers=self._addresses(lease.server_id),
        )

    def _addresses(self, first_id: str) -> tuple[ServerAddress, ...]:
        """Return all servers: the lease's, then healthy ones, then the others."""
        found = [
            ServerAddress(
                id=one.id, address=one.address, healthy=self.health.healthy(one.id)
            )
            for one in self._servers
        ]
        return tuple(sorted(found, key=lambda x: (x.id != first_id, not x.healthy)))

    def _wait(self, held: Held) -> LeaseWait:
        return LeaseWait(
            retry_after_s=held.retry_after_s,
            why=held.why,
            message=self._texts(f"lease.wait.{held.why}", resource=held.resource),
            resource=held.resource,
            ahead_count=held.ahead_count,
        )

    def _resources_of(self, inventory: Inventory) -> Resources:
        known = self._resources
        if known is None or known[0] is not inventory:
            made = Resources(
                servers=(),
                segments=inventory.segment_by_id,
                ways={line.id: line.segments for line in inventory.lines},
            )
            known = self._resources = inventory, made
        rooms = tuple(
            ServerRoom(
                id=one.id,
                capacity_bps=one.capacity_bps,
                max_tests=one.max_tests,
                healthy=self.health.healthy(one.id),
            )
            for one in self._servers
        )
        return Resources(servers=rooms, segments=known[1].segments, ways=known[1].ways)


def _read_key(file: str) -> Secret | None:
    key = read_secret(file, setting="measure.key_file")
    if key is None:
        return None
    try:
        return check_key(key)
    except ValueError as error:
        told = {"least": MIN_KEY_CHARS}
        wrong = refused(file, "measure.key_file", "key_short", **told)
        raise ConfigError([wrong]) from error


def _line_of(source: Source, wish: LeaseAsk, inventory: Inventory) -> Line:
    if source.building_id is None:
        raise refuse(
            HTTPStatus.FORBIDDEN,
            "no_probe",
            "only the probe of a building measures its line",
            "use a token made with 'netmon sources add --building'",
        )
    line = inventory.line_by_id.get(wish.line)
    if line is None:
        raise refuse(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "unknown_line",
            "the inventory has no such line",
            "write the line's id as in lines.csv, or import the inventory",
            field="line",
        )
    if line.building_id != source.building_id:
        raise refuse(
            HTTPStatus.FORBIDDEN,
            "forbidden_building",
            "the line is of another building",
            "ask with the token of that building's probe",
            field="line",
        )
    return line


def _request(source: Source, wish: LeaseAsk, line: Line) -> LeaseRequest:
    contract_bps = max(
        line.contracted_down_bps if one is Direction.DOWN else line.contracted_up_bps
        for one in wish.directions
    )
    return LeaseRequest(
        probe=source.name,
        building_id=line.building_id,
        line_id=line.id,
        purpose=wish.purpose,
        directions=wish.directions,
        rate_cap_bps=wish.rate_cap_bps or math.ceil(contract_bps * HEADROOM),
        length_s=wish.length_s,
        expected_s=wish.expected_s or min(wish.length_s, TYPICAL_S),
        least_bps=wish.least_bps,
        streams_count=wish.streams_count,
        latest_start_ms=wish.latest_start_ms,
        avoid=wish.avoid,
        nearest=wish.nearest,
    )
