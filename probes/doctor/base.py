"""What a check of the doctor gets; what it answers is in ``probes.finding``.

The words stand in ``locale/*/doctor.toml`` as ``doctor.<check>.<says>``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from netmon.clock import Clock
from netmon.errors import Problem
from probes.finding import Finding, Grade, error, hint, ok
from probes.settings import ProbeSettings


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

__all__ = ["Check", "Finding", "Grade", "Place", "error", "hint", "ok"]
