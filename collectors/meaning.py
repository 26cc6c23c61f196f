"""From a reading of a device to its result: each table for itself, then together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from collectors.decode import TableResult, decode_facts, decode_table
from collectors.lan import with_lan
from collectors.optics import optics_of
from collectors.read import Reading
from collectors.records import DeviceResult
from collectors.wlan import merged, with_radios
from netmon.model import FailureReason


def decode(reading: Reading) -> DeviceResult:
    """Return what a reading means; pure."""
    if reading.failure is not None or reading.platform is None:
        return DeviceResult(
            at_ms=reading.at_ms,
            duration_s=reading.duration_s,
            failure=reading.failure or FailureReason.PROTOCOL,
            reason=reading.reason,
        )
    tables = decode_tables(reading)
    return replace(result_of(reading, tables), tables=joined(tables))


def result_of(reading: Reading, tables: Sequence[TableResult]) -> DeviceResult:
    """Return the result of a device that answered."""
    platform = reading.platform
    return DeviceResult(
        at_ms=reading.at_ms,
        duration_s=reading.duration_s,
        platform=platform.name if platform else "",
        uptime_s=reading.uptime_s,
        words=decode_facts(platform.facts, reading.facts) if platform else {},
        tables=tuple(tables),
    )


def decode_tables(reading: Reading) -> list[TableResult]:
    """Return the tables of a reading, each for itself."""
    platform = reading.platform
    return [
        decode_table(table, found.columns, found.failures)
        for table in (platform.tables if platform else ())
        if (found := reading.tables.get(table.name)) is not None
    ]


def joined(tables: Sequence[TableResult]) -> tuple[TableResult, ...]:
    """Return the tables with what they tell about each other."""
    known = with_lan(with_radios(merged(tables)))
    return (*known, *optics_of(known))
