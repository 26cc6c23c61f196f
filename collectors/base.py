"""The port to a device: two questions, and errors that say if asking again helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from netmon.errors import NetmonError, WrongValueError
from netmon.model import FailureReason

# What a device says: a number, or the bytes of everything else. Object ids and
# IP addresses come as their dotted text in ASCII.
Value = int | bytes

SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
DEFAULT_PORT = 161


class SessionError(NetmonError):
    """A device could not be asked; ``reason`` is what the record will carry."""

    reason = FailureReason.PROTOCOL


class NoReplyError(SessionError):
    """Nothing came back: device down, path broken or community unknown."""

    reason = FailureReason.NO_REPLY
    retry = True


class RefusedError(SessionError):
    """The address answers, but nobody listens on the port."""

    reason = FailureReason.REFUSED
    retry = True


class UnreachableError(SessionError):
    """There is no way to the address."""

    reason = FailureReason.UNREACHABLE
    retry = True


class UnknownHostError(SessionError):
    """The host name means nothing to the resolver."""

    reason = FailureReason.DNS
    retry = True


class DeniedError(SessionError):
    """SNMPv3 user, key or time window was not accepted."""

    reason = FailureReason.DENIED


class ProtocolError(SessionError):
    """An answer came that breaks the rules of SNMP or says "error"."""

    reason = FailureReason.PROTOCOL


class ErrorStatusError(ProtocolError):
    """The device itself says that it cannot answer this request."""


class GarbledError(ProtocolError):
    """A datagram could not be read: damaged, foreign, or too large."""

    retry = True


class DeadlineError(SessionError):
    """The device answers, but too slowly to be read to the end."""

    reason = FailureReason.TIMEOUT
    retry = True


class TooManyRowsError(SessionError):
    """A table is longer than it can reasonably be; what was read is dropped."""

    reason = FailureReason.PARTIAL


class Session(Protocol):
    """A device that can be asked; one question at a time.

    Both questions raise a `SessionError` and never return half an answer.
    """

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """Return the values of objects; what the device lacks is missing."""

    async def walk(
        self, root: str, *, max_repetitions: int, max_rows: int, deadline_s: float
    ) -> list[tuple[str, Value]]:
        """Return everything below ``root`` in order of object id.

        ``max_repetitions`` is how many rows one datagram should hold;
        ``deadline_s`` are seconds from now. Empty where nothing lies below.
        """

    async def aclose(self) -> None:
        """Give back the socket; the session must not be used afterwards."""


class Rows(Protocol):
    """One walk in progress; a call that failed may be repeated."""

    async def next_page(self) -> list[tuple[str, Value]]:
        """Return the next rows; empty after the last one below the root."""


class Link(Protocol):
    """What a driver gives: single attempts without retry and without judgement.

    `collectors.guards.GuardedSession` makes a `Session` of it, so that every
    library is held to the same rules.
    """

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """Ask once; missing objects are missing in the answer."""

    def rows(self, root: str, max_repetitions: int) -> Rows:
        """Return a walk below ``root``; nothing is sent yet."""

    async def refresh(self) -> None:
        """Renew engine id, boots and time (SNMPv3); else do nothing."""

    async def aclose(self) -> None:
        """Give back the socket."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient a session is. ``backoff_s`` has one pause for each retry."""

    timeout_s: float = 2.0
    backoff_s: tuple[float, ...] = (1.0, 2.0)


def timing_for(interval_s: float) -> Timing:
    """Return a patience that lets a dead device cost less than its interval.

    At 90 s and above it is two seconds and two retries after 1 s and 2 s; the
    short cycles of the demo scale it down.
    """
    scale = min(1.0, interval_s / 90.0)
    full = Timing()
    return Timing(
        timeout_s=max(0.3, full.timeout_s * scale),
        backoff_s=tuple(pause_s * scale for pause_s in full.backoff_s),
    )


def split_address(address: str, default: int = DEFAULT_PORT) -> tuple[str, int]:
    """Return host and port of ``host``, ``host:port`` or ``[v6]:port``.

    Raises:
        WrongValueError: no host, or the port is no number from 1 to 65535.
    """
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        port_text = rest.removeprefix(":")
    elif address.count(":") > 1:
        host, port_text = address, ""
    else:
        host, _, port_text = address.partition(":")
    if not host:
        raise WrongValueError("no_host", value=address)
    if not port_text:
        return host, default
    if not port_text.isdecimal() or not 1 <= int(port_text) <= 65535:
        raise WrongValueError("no_port", value=address)
    return host, int(port_text)


def oid_key(oid: str) -> tuple[int, ...]:
    """Return an object id as numbers, for comparing and cutting.

    Raises:
        ValueError: it is no dotted list of numbers.
    """
    return tuple(int(part) for part in oid.split("."))


@lru_cache(maxsize=50_000)
def index_key(index: str) -> tuple[int, ...]:
    """Return `oid_key` of a row's index, which comes again with every column."""
    return oid_key(index)
