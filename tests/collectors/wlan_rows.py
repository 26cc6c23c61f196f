"""Rows of WLAN devices: what the tests that write them by hand share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from collectors.records import DeviceResult
from netmon.model import Device, DeviceKind

Ask = Callable[..., Awaitable[DeviceResult]]
Told = dict[str, float | str]
CONTROLLER = Device(
    id="wlc", building_id="b1", kind=DeviceKind.CONTROLLER, name="wlc", address="x"
)
MAC, OTHER = "2.0.0.0.0.1", "2.0.0.0.0.2"


def text(words: str) -> str:
    """Return a value with spaces as a recording has it."""
    return f"4x|{words.encode().hex()}"


def told(result: DeviceResult, kind: str) -> dict[str, Told]:
    """Return what is known of each row, by the parts that name it."""
    return {
        "/".join(value for part, value in row.parts.items() if part != "mac"): {
            name: value
            for name, value in {**row.numbers, **row.words}.items()
            if value not in (None, "")
        }
        for table in result.tables
        if table.result == kind
        for row in table.rows
    }
