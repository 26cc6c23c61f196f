"""Files: the settings, the secrets beside them, and the disk of the spool."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from netmon.config import read_secret
from netmon.errors import ConfigError
from probes.doctor.base import Finding, Place, error, hint, ok
from probes.settings import ProbeSettings

# The spool's own limit of 200 000 records takes some 100 MB.
LITTLE_BYTES = 500e6
TOO_LITTLE_BYTES = 50e6


async def settings(place: Place) -> list[Finding]:
    """Say whether the settings file was taken, or all that is wrong with it."""
    if place.settings is not None:
        return [ok("taken", file=str(place.file), probe=place.settings.probe)]
    return [
        error("refused", where=each.field or each.source, text=each.text, fix=each.fix)
        for each in place.problems
    ]


async def secrets(place: Place) -> list[Finding]:
    """Say of each secret's file whether we can read it and others cannot."""
    if place.settings is None:
        return []
    return [_secret(name, file) for name, file in _secret_files(place.settings)]


def _secret_files(settings: ProbeSettings) -> Iterator[tuple[str, str]]:
    yield "gateway.token_file", settings.gateway.token_file
    yield "server.token_file", settings.server.token_file
    for number, each in enumerate(settings.wan):
        for key in ("community_file", "auth_file", "priv_file"):
            if file := getattr(each, key):
                yield f"wan[{number}].{key}", file


def _secret(name: str, file: str) -> Finding:
    try:
        read_secret(file, setting=name)
        mode = Path(file).stat().st_mode
    except ConfigError as refused:
        return error("unreadable", name=name, file=file, text=refused.problems[0].text)
    except OSError as refused:
        return error("unreadable", name=name, file=file, text=str(refused.strerror))
    if mode & stat.S_IWOTH:
        return error("writable", name=name, file=file)
    if mode & stat.S_IROTH:
        return hint("open", name=name, file=file)
    return ok("closed", name=name)


async def spool(place: Place) -> list[Finding]:
    """Say whether the spool's folder takes data, and for how long."""
    if place.settings is None:
        return []
    return [await asyncio.to_thread(_spool, Path(place.settings.spool))]


def _spool(file: Path) -> Finding:
    folder = file.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"netmon")
            probe.flush()
            os.fsync(probe.fileno())
        free_bytes = float(shutil.disk_usage(folder).free)
    except OSError as refused:
        return error("not_writable", folder=str(folder), text=str(refused.strerror))
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        return error("not_ours", file=str(file))
    if free_bytes < TOO_LITTLE_BYTES:
        return error("full", folder=str(folder), free_bytes=free_bytes)
    if free_bytes < LITTLE_BYTES:
        return hint("little", folder=str(folder), free_bytes=free_bytes)
    return ok("room", folder=str(folder), free_bytes=free_bytes)
