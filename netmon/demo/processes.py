"""Child processes of the demo: started, watched, and all stopped again."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

STOP_S = 8.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# What can wait must not keep a probe from its processor: that would spoil tests.
_PATIENT_NICE = 10


def _begin(patient: bool) -> None:
    """Run in the child before its program."""
    if patient:
        os.nice(_PATIENT_NICE)
    if sys.platform == "linux":
        # So that even a kill -9 of the demo leaves nothing running.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Child:
    """A running part of the demo."""

    name: str
    process: Process
    log_path: Path
    stopping: bool = field(default=False)

    async def tell(self, line: bytes) -> None:
        """Write a line to its standard input.

        Raises:
            RuntimeError: it was started without one.
        """
        stdin = self.process.stdin
        if stdin is None:
            raise RuntimeError(f"{self.name} has no standard input")
        stdin.write(line + b"\n")
        await stdin.drain()

    async def hear(self) -> bytes:
        """Return the next line of its standard output; empty at its end.

        Raises:
            RuntimeError: it was started without one.
        """
        stdout = self.process.stdout
        if stdout is None:
            raise RuntimeError(f"{self.name} has no standard output")
        return await stdout.readline()


class Children:
    """All parts; `stop` ends them in the reverse order of their start."""

    def __init__(self, log_dir: Path, on_death: Callable[[str, int], None]) -> None:
        self._log_dir = log_dir
        self._on_death = on_death
        self._children: list[Child] = []
        self._watchers: set[asyncio.Task[None]] = set()

    @property
    def names(self) -> list[str]:
        """Names of what runs."""
        return [c.name for c in self._children if c.process.returncode is None]

    async def start(
        self,
        name: str,
        *arguments: str,
        talks: bool = False,
        patient: bool = False,
        fd: int | None = None,
    ) -> Child:
        """Start ``python <arguments>``; what it prints goes to its log.

        ``talks``: standard input and output are pipes to us instead. ``patient``: it
        gives way to the others where processors are scarce.
        """
        self._log_dir.mkdir(parents=True, exist_ok=True)
        log_path = self._log_dir / f"{name}.log"
        with log_path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                stdin=PIPE if talks else asyncio.subprocess.DEVNULL,
                stdout=PIPE if talks else log,
                stderr=log,
                pass_fds=() if fd is None else (fd,),
                start_new_session=True,  # Ctrl-C is ours to hand on, in order
                preexec_fn=partial(_begin, patient),
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        child = Child(name, process, log_path)
        self._children.append(child)
        watcher = asyncio.create_task(self._watch(child))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        return child

    async def _watch(self, child: Child) -> None:
        status = await child.process.wait()
        if not child.stopping:
            self._on_death(child.name, status)

    async def stop(self) -> None:
        """End every child: first politely, after STOP_S for good."""
        for child in reversed(self._children):
            child.stopping = True
            if child.process.returncode is None:
                child.process.terminate()
        for child in reversed(self._children):
            try:
                await asyncio.wait_for(child.process.wait(), STOP_S)
            except TimeoutError:
                child.process.kill()
                await child.process.wait()
        self._children.clear()
