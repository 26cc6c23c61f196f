"""What two polls of a device tell together of its ports and radios. Pure.

A counter is compared modulo its width, so that passing the end of 32 or 64 bits is no
event. Nothing is said where it may have been reset (the device restarted, or the rate
would be more than the port can carry, or both its 32-bit counters fell), or where a
32-bit counter may have gone round more than once. Of radios it is the share of frames that were sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collectors.base import Value
from collectors.decode import Row, TableResult
from collectors.pace import has_restarted
from collectors.plan import Counters
from netmon.units import MAX_RATE_BPS

RATES = {"in_octets_total": "in_rate_bps", "out_octets_total": "out_rate_bps"}
_BITS_PER_OCTET = 8
# Devices refresh their counters now and then: octets of some seconds more may show.
_REFRESH_S = 10.0
# More frames than a radio sends in a second: a counter that went further was set back.
_MAX_FRAMES_PER_S = 200_000


Radio = tuple[str, str]
Frames = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Before:
    """What is remembered of the poll before.

    ``at_s`` are monotonic seconds, ``counters`` octets by object, ``oper_up`` and
    ``changes`` (how often it was seen to change since the collector's start) by port,
    ``frames`` those sent and those sent again by access point and radio.
    """

    at_s: float
    uptime_ticks: int | None
    counters: Mapping[str, int] = field(default_factory=dict)
    oper_up: Mapping[str, float | None] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    frames: Mapping[Radio, Frames] = field(default_factory=dict)

    def restarted(self, at_s: float, uptime_ticks: int | None) -> bool:
        """Say whether the device began anew since; False where it does not tell."""
        if self.uptime_ticks is None or uptime_ticks is None:
            return False
        return has_restarted(self.uptime_ticks, uptime_ticks, at_s - self.at_s)


@dataclass(frozen=True, slots=True)
class Compared:
    """The tables with what was learnt, what to remember, and the ports that changed."""

    tables: tuple[TableResult, ...]
    now: Before
    changed: tuple[str, ...]


def rate_bps(
    before: int, now: int, bits: int, elapsed_s: float, speed_bps: float | None
) -> float | None:
    """Return the mean rate between two readings of an octet counter.

    None where the readings do not tell it: the counter was set back, may have gone
    round more than once, or no time has passed.
    """
    if elapsed_s <= 0:
        return None
    ceiling_bps = speed_bps or float(MAX_RATE_BPS)
    most_octets = ceiling_bps * (elapsed_s + _REFRESH_S) / _BITS_PER_OCTET
    if most_octets >= 2**bits:
        return None
    octets = (now - before) % 2**bits
    return octets * _BITS_PER_OCTET / elapsed_s if octets <= most_octets else None


def retries_ratio(before: Frames, now: Frames, elapsed_s: float) -> float | None:
    """Return the share of frames sent again between two readings of 32-bit counters.

    None where no frame was sent, a counter was set back, or no time has passed.
    """
    sent, again = ((new - old) % 2**32 for old, new in zip(before, now, strict=True))
    if elapsed_s <= 0 or sent > _MAX_FRAMES_PER_S * (elapsed_s + _REFRESH_S):
        return None
    return again / sent if 0 < sent >= again else None


def compare(
    tables: Iterable[TableResult],
    counters: Iterable[Counters],
    answer: Mapping[str, Value],
    before: Before | None,
    at_s: float,
    uptime_ticks: int | None,
) -> Compared:
    """Return the tables with rates and changes of ports, and retries of radios."""
    elapsed_s = 0.0 if before is None else at_s - before.at_s
    is_new = before is None or before.restarted(at_s, uptime_ticks)
    known = {} if before is None or is_new else before.counters
    told: dict[str, int] = {}
    by_port: dict[str, list[tuple[str, int, int, int]]] = {}
    for column in counters:
        name, bits = RATES[column.field], column.bits
        for port, oid in zip(column.ports, column.oids, strict=True):
            value = answer.get(oid)
            if not isinstance(value, int):
                continue
            told[oid] = value
            last = known.get(oid)
            if last is not None:
                by_port.setdefault(port, []).append((name, last, value, bits))
    was_up = {} if before is None else before.oper_up
    changes = {} if before is None else dict(before.changes)
    is_up: dict[str, float | None] = {}
    changed: list[str] = []
    frames: dict[Radio, Frames] = {}
    were = {} if before is None or is_new else before.frames
    done: list[TableResult] = []
    for table in tables:
        if table.result == "radio":
            rows = [_with_retries(row, were, frames, elapsed_s) for row in table.rows]
            done.append(replace(table, rows=tuple(rows)))
            continue
        if table.result != "port":
            done.append(table)
            continue
        rows = []
        for row in table.rows:
            port = row.parts["port"]
            up = is_up[port] = row.numbers.get("oper_up")
            if up is not None and was_up.get(port, up) not in (up, None):
                changes[port] = changes.get(port, 0) + 1
                changed.append(port)
            rows.append(_learnt(row, by_port.get(port, ()), elapsed_s, changes))
        done.append(replace(table, rows=tuple(rows)))
    now = Before(at_s, uptime_ticks, told, is_up, changes, frames)
    return Compared(tuple(done), now, tuple(changed))


def _learnt(
    row: Row,
    moved: Sequence[tuple[str, int, int, int]],
    elapsed_s: float,
    changes: Mapping[str, int],
) -> Row:
    numbers = dict(row.numbers)
    numbers["oper_changes_total"] = float(changes.get(row.parts["port"], 0))
    if _were_set_back(moved):
        return Row(row.parts, numbers, row.words)
    speed_bps = numbers.get("speed_bps")
    # A counter that stands at 0 beside a worse one that does not is none.
    idle: set[str] = set()
    for name, last, value, bits in moved:
        if numbers.get(name) is None or (value and name in idle):
            numbers[name] = rate_bps(last, value, bits, elapsed_s, speed_bps)
        if not value:
            idle.add(name)
    return Row(row.parts, numbers, row.words)


def _were_set_back(moved: Iterable[tuple[str, int, int, int]]) -> bool:
    """Say whether a port that has 32-bit counters only had both of them cleared.

    One that fell has passed its end; that both did so between two polls is rarer.
    """
    fell: set[str] = set()
    for name, last, value, bits in moved:
        if bits == 32:
            if value < last:
                fell.add(name)
        elif value:
            return False
    return len(fell) == len(RATES)


def _with_retries(
    row: Row,
    before: Mapping[Radio, Frames],
    frames: dict[Radio, Frames],
    elapsed_s: float,
) -> Row:
    """Return a radio with its retries, and note its counters in ``frames``."""
    sent = row.numbers.get("frames_total")
    again = row.numbers.get("retried_frames_total")
    if sent is None or again is None:
        return row
    radio = (row.parts["ap"], row.parts["radio"])
    frames[radio] = (sent, again)
    if radio not in before:
        return row
    ratio = retries_ratio(before[radio], frames[radio], elapsed_s)
    return Row(row.parts, {**row.numbers, "retries_ratio": ratio}, row.words)
