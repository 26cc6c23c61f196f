"""Leases and waiting requests as the state store keeps them; times are UTC ms."""

from __future__ import annotations

from msgspec import Struct

from netmon.lease_wire import Direction, Purpose


class LeaseRequest(Struct, frozen=True, kw_only=True):
    """A checked wish of a probe.

    ``rate_cap_bps`` is what the test is bounded to, ``least_bps`` the least with
    which it makes sense. ``length_s`` is a hard bound, ``expected_s`` the length
    to reckon with. ``latest_start_ms`` None: the purpose's patience.
    """

    probe: str
    building_id: str
    line_id: str
    purpose: Purpose
    directions: tuple[Direction, ...]
    rate_cap_bps: int
    length_s: float
    expected_s: float
    least_bps: int = 0
    streams_count: int = 1
    latest_start_ms: int | None = None
    avoid: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, str]:
        """Whose place in the queue it is: one for each probe and line."""
        return self.probe, self.line_id


class Waiting(Struct, frozen=True, kw_only=True):
    """A request that waits since ``since_ms`` and was told to ask at ``due_ms``."""

    request: LeaseRequest
    since_ms: int
    due_ms: int


class Lease(Struct, frozen=True, kw_only=True):
    """A slot: it ends by release, or by itself at ``expires_ms``.

    ``rate_cap_bps`` may be less than the request asked for. ``segment_ids`` are
    the shared segments of its way when it was granted.
    """

    id: str
    request: LeaseRequest
    rate_cap_bps: int
    server_id: str
    segment_ids: tuple[str, ...]
    granted_ms: int
    expires_ms: int


class LeaseBook(Struct, frozen=True):
    """All leases that run and all requests that wait, oldest first."""

    active: tuple[Lease, ...] = ()
    waiting: tuple[Waiting, ...] = ()


class LeaseChange(Struct, frozen=True):
    """What a decision writes: a lease (which ends its waiting), or a place to wait."""

    grant: Lease | None = None
    wait: Waiting | None = None
