"""What a check of the doctor gets and answers; words stand in ``locale/*/doctor.toml``.

A finding is a key of the catalogue and its numbers, never a sentence: the same
answer is text for the installer and JSON for a machine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import httpx
from msgspec import Struct

from netmon.clock import Clock
from netmon.errors import Problem
from probes.config import ProbeSettings


class Grade(StrEnum):
    """How bad a finding is. Only an error makes the doctor say no."""

    OK = "ok"
    HINT = "hint"
    ERROR = "error"


class Finding(Struct, frozen=True):
    """One line of the doctor's answer.

    ``says`` is the key ``doctor.<check>.<says>``; what is not OK has its remedy
    under the same key with ``_fix``. The names of ``fields`` end in their unit.
    """

    grade: Grade
    says: str
    fields: dict[str, float | str] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """The probe as the doctor finds it.

    ``settings`` is None where the file was refused, for ``problems``. ``client`` is
    None where none can be made. ``root`` is where ``/proc`` and ``/sys`` are found.
    """

    file: Path
    clock: Clock
    settings: ProbeSettings | None = None
    problems: tuple[Problem, ...] = ()
    client: httpx.AsyncClient | None = None
    root: Path = field(default=Path("/"))


Check = Callable[[Place], Awaitable[list[Finding]]]


def ok(says: str, **fields: float | str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Grade.OK, says, fields)


def hint(says: str, **fields: float | str) -> Finding:
    """Return something to know or to mend at leisure."""
    return Finding(Grade.HINT, says, fields)


def error(says: str, **fields: float | str) -> Finding:
    """Return what keeps the probe from its work."""
    return Finding(Grade.ERROR, says, fields)
