"""Processes that a bench starts beside itself, and what they cost."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import IO

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def child(
    stack: ExitStack, command: list[str], log: IO[bytes], **environment: str
) -> subprocess.Popen[bytes]:
    """Start a process that is ended with the stack."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )

    def end() -> None:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    stack.callback(end)
    return process


def said(process: subprocess.Popen[bytes]) -> str:
    """Return the next line a process prints."""
    if process.stdout is None:
        raise RuntimeError("no output to read")
    return process.stdout.readline().decode()


def address(process: subprocess.Popen[bytes]) -> str:
    """Return ``host:port``, or the URL, of the line that says where a part listens."""
    return next(
        word for word in said(process).split() if ":" in word and word[-1].isdigit()
    )


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process so far (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S
