"""What netmon knows by itself, written to the time-series database again and again.

A dashboard needs the campus district of a building, its coordinates and how it
stands. None of that is measured, so it takes no way through the door and the log:
it is read from the store and written as the present. While the database is away
there is a gap, which is true; the history of states is in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from netmon.clock import Clock, to_ms
from netmon.lineprotocol import render, series_prefix
from netmon.own_metrics import OWN_KINDS, STANDINGS
from netmon.running import again_and_again
from netmon.storage.tsdb import Sink

# Who says it, where other lines name a probe or collector.
SOURCE = "netmon"
WRITE_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """One thing as it is now; ``generated`` where it rests on made-up data.

    Values that are None are not known and are left out.
    """

    kind: str
    tags: Mapping[str, str]
    values: Mapping[str, float | None]
    generated: bool = False


# What is true at a time (UTC milliseconds).
Reader = Callable[[int], Iterable[OwnRecord]]


def standing_values(standing: str) -> dict[str, float]:
    """Return the number of a standing, and its flags: one is 1, the others 0."""
    flags = {f"is_{word}": float(word == standing) for word in STANDINGS}
    return {"standing": float(STANDINGS[standing]), **flags}


def render_records(records: Iterable[OwnRecord], now_ms: int) -> bytes:
    """Return the records as line protocol; pure.

    Raises:
        ValueError: a name is not in the catalogue, or a number out of its range.
    """
    return b"".join(_line(record, now_ms) for record in records)


def _line(record: OwnRecord, now_ms: int) -> bytes:
    kind = OWN_KINDS[record.kind]
    tags = {name: value for name, value in record.tags.items() if value}
    if set(kind.tags) - tags.keys() or tags.keys() - {*kind.tags, *kind.optional_tags}:
        raise ValueError(f"{record.kind} has other tags than {sorted(tags)}")
    metrics = {metric.name: metric for metric in kind.metrics}
    # A bool would be written as one, which no database adds up.
    known = {name: float(x) for name, x in record.values.items() if x is not None}
    for name, value in known.items():
        if not metrics[name].low <= value <= metrics[name].high:
            raise ValueError(f"{record.kind}.{name} is out of range: {value}")
    prefix = series_prefix(record.kind, tags, SOURCE, generated=record.generated)
    return render(prefix, [now_ms], {name: [x] for name, x in known.items()}, None)


def write_once(sink: Sink, read: Reader, now_ms: int) -> int:
    """Write everything as it is now and return the number of lines.

    Raises:
        SendError: the database did not take it.
        StorageError: the store does not answer.
    """
    body = render_records(read(now_ms), now_ms)
    if body:
        sink.write(body)
    return body.count(b"\n")


def writing_own_records(
    sink: Sink, read: Reader, clock: Clock, every_s: float = WRITE_EVERY_S
) -> AbstractContextManager[None]:
    """Write at once and then again and again, for as long as the block runs."""
    return again_and_again(
        lambda: write_once(sink, read, to_ms(clock.now())),
        every_s,
        name="own-records",
        failed="own records not written",
    )
