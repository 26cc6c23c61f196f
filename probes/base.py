"""What a probe is: a name, a kind of `netmon.metrics`, and one run.

A probe measures once and answers with values or with the reason why there are
none. It neither knows when it runs nor what becomes of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from netmon.clock import Clock
from netmon.config import Secret
from netmon.model import FailureReason
from probes.certificate import Certificate

# Events explain a run to a person: a name of the catalogue and its numbers.
Emit = Callable[[str, Mapping[str, float | str]], None]


def say_nothing(event: str, fields: Mapping[str, float | str]) -> None:
    """Take an event and forget it: the emitter of a run nobody watches."""


class MeasureAddress(Struct, frozen=True):
    """Where the measurement server is and the token it wants."""

    host: str
    port: int
    token: Secret


class ProbeContext(Struct, frozen=True, kw_only=True):
    """What a run needs to know of the place it runs at.

    ``certify`` answers with what the probe can prove at that moment, ``carrier`` with
    the line that carries the building's traffic if it is not ``line``, else nothing.
    """

    building: str
    line: str
    probe: str
    server: MeasureAddress
    clock: Clock
    emit: Emit = say_nothing
    certify: Callable[[], Certificate] = Certificate
    carrier: Callable[[], str] = lambda: ""


class ProbeResult(Struct, frozen=True, kw_only=True):
    """Values or a failure, never both; made by `measured` and `failed`.

    ``detail`` is the original text beside a failure's reason. ``info`` holds
    words about the measured thing. ``tags`` are added to the probe's own and
    count before them. ``more`` are further results of the same run, each a record
    of its own. ``at_ms`` is when it was measured, None for when it was asked for;
    ``moved_bytes`` is what it put on the line, also where it came to no number.
    """

    values: dict[str, float | None] = {}
    failure: FailureReason | None = None
    detail: str = ""
    info: dict[str, str] = {}
    tags: dict[str, str] = {}
    more: tuple[ProbeResult, ...] = ()
    at_ms: int | None = None
    moved_bytes: float = 0.0

    @property
    def all(self) -> tuple[ProbeResult, ...]:
        """This result and the further ones of its run."""
        return (self, *self.more)


def measured(
    values: dict[str, float | None], info: dict[str, str] | None = None
) -> ProbeResult:
    """Return the result of a run that came to numbers."""
    return ProbeResult(values=values, info=info or {})


def failed(reason: FailureReason, detail: str) -> ProbeResult:
    """Return the result of a run that came to none."""
    return ProbeResult(failure=reason, detail=detail)


class Probe(Protocol):
    """One sort of measurement.

    ``name`` is its key in the registry, ``kind`` what it writes. ``limit_s``
    is the time after which a run has certainly gone wrong.
    """

    name: str
    kind: str
    limit_s: float

    def tags(self, context: ProbeContext) -> dict[str, str]:
        """Return the tags of its records."""

    async def run(self, context: ProbeContext) -> ProbeResult:
        """Measure once.

        What the network does is answered as a failure, by `failures.classify`.
        Only mistakes of the program may be raised.
        """
