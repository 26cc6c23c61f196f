"""The measurement server's gate: a lease lets one test through, within its bounds.

A lease is good for one test in each of its directions: as many connections as it has
streams, all begun before the last of them has closed, and one control connection for
each. All of them are one test to the server: the lease's id names it. Ids are remembered until the
lease has expired; afterwards the signature's own time refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from netmon.clock import Clock, SystemClock, to_ms
from netmon.config import Secret
from netmon.lease_token import LeaseClaims, TokenError, check_key, verify
from netmon.model import FailureReason
from probes.failures import ProbeFailedError
from probes.measure_protocol import Request


@dataclass(slots=True)
class _Side:
    """Connections of one direction: begun so far, and open now."""

    begun: int = 0
    open: int = 0


@dataclass(slots=True)
class _Used:
    """A lease that was seen, until it expires."""

    expires_ms: int
    sides: dict[str, _Side] = field(default_factory=dict)


class LeaseGate:
    """Checks lease tokens for one measurement server; not for several threads."""

    def __init__(self, key: Secret, server_id: str, clock: Clock | None = None) -> None:
        """Take the key shared with the gateway, and the server's id there.

        Raises:
            ValueError: the key is too short.
        """
        self._key = check_key(key)
        self._server_id = server_id
        self._clock = clock or SystemClock()
        self._used: dict[str, _Used] = {}

    @contextmanager
    def admit(self, request: Request) -> Iterator[Request]:
        """Give the request bounded by its lease, for as long as it is served.

        Raises:
            ProbeFailedError: the lease is not good, not for this, or used already.
        """
        now_ms = to_ms(self._clock.now())
        try:
            claims = verify(
                request.token, self._key, server=self._server_id, now_ms=now_ms
            )
        except TokenError as error:
            raise _denied(str(error)) from error
        if request.line != claims.line:
            raise _denied("the lease is for another line")
        if request.op == "ping":
            yield request
            return
        if request.op == "control":
            side = self._control(claims, now_ms)
        elif request.op in claims.directions:
            side = self._side(claims, request.op, now_ms)
        else:
            raise _denied("the lease is for the other direction")
        side.begun += 1
        side.open += 1
        try:
            yield _bounded(request, claims, now_ms)
        finally:
            side.open -= 1

    def _seen(self, claims: LeaseClaims, name: str, now_ms: int) -> _Side:
        """Return the connections of that name; forgets expired leases."""
        self._used = {
            lease: used
            for lease, used in self._used.items()
            if used.expires_ms > now_ms
        }
        used = self._used.setdefault(claims.id, _Used(claims.expires_ms))
        return used.sides.setdefault(name, _Side())

    def _control(self, claims: LeaseClaims, now_ms: int) -> _Side:
        """Return the control connections, if one more may begin."""
        side = self._seen(claims, "control", now_ms)
        if side.begun >= len(claims.directions):
            raise _denied("the lease was used already")
        return side

    def _side(self, claims: LeaseClaims, direction: str, now_ms: int) -> _Side:
        """Return the direction's connections, if one more may begin."""
        side = self._seen(claims, direction, now_ms)
        if side.begun and not side.open:
            raise _denied("the lease was used already")
        if side.begun >= claims.streams_count:
            raise _denied("the lease has no further stream")
        return side


def _bounded(request: Request, claims: LeaseClaims, now_ms: int) -> Request:
    """Return the request within its lease.

    Rate and bytes are the whole test's: the server holds its streams to them together.
    """
    pacing_bps = float(claims.rate_cap_bps)
    if request.pacing_bps > 0:
        pacing_bps = min(pacing_bps, request.pacing_bps)
    left_s = (claims.expires_ms - now_ms) / 1000
    return replace(
        request,
        test=claims.id,
        bytes=min(request.bytes, claims.bytes),
        seconds=min(request.seconds, claims.seconds, left_s),
        pacing_bps=pacing_bps,
    )


def _denied(text: str) -> ProbeFailedError:
    return ProbeFailedError(FailureReason.DENIED, text)
