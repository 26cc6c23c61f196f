"""Make a session to a device out of its address and credential."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from collectors.base import Link, Session, Timing, split_address
from collectors.credentials import Credential
from collectors.guards import GuardedSession
from collectors.recorded import RecordedLink
from collectors.tally import Tally
from netmon.clock import Clock


def _gufo(host: str, port: int, credential: Credential, timeout_s: float) -> Link:
    from collectors.snmp_gufo import GufoLink  # noqa: PLC0415

    return GufoLink(host, port, credential, timeout_s=timeout_s)


def _pysnmp(host: str, port: int, credential: Credential, timeout_s: float) -> Link:
    # Importing pysnmp costs a tenth of a second and 30 MB; most never need it.
    from collectors.snmp_pysnmp import PysnmpLink  # noqa: PLC0415

    return PysnmpLink(host, port, credential, timeout_s=timeout_s)


DRIVERS: dict[str, Callable[[str, int, Credential, float], Link]] = {
    "gufo": _gufo,
    "pysnmp": _pysnmp,
}


def open_session(
    address: str,
    credential: Credential,
    *,
    clock: Clock,
    timing: Timing,
    tally: Tally | None = None,
) -> Session:
    """Return a session; nothing is sent before the first question.

    What it does is counted in ``tally``.

    Raises:
        ValueError: the address is no ``host:port``.
    """
    host, port = split_address(address)
    link = DRIVERS[credential.driver](host, port, credential, timing.timeout_s)
    return GuardedSession(link, clock=clock, timing=timing, tally=tally)


def open_recording(path: Path, *, clock: Clock) -> Session:
    """Return a session on a ``.snmprec`` file.

    Raises:
        InputError: the file cannot be read or a line is wrong.
    """
    return GuardedSession(
        RecordedLink.open(path), clock=clock, timing=Timing(), always_up=False
    )
