"""From the state store to the time-series database: read on, write, tick off.

The measurements table is the outbox and this is one of its readers. A body is
ticked off only after the database took it, and everything may be sent again:
the same line twice is one point (InfluxDB overwrites it, VictoriaMetrics runs
with ``-dedup.minScrapeInterval=1ms``). That is what makes up for a database
that says yes and loses its last seconds when it is killed: once its start time
has changed, the relay goes back and sends the end again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
from msgspec import Struct

from netmon.clock import Clock, to_ms
from netmon.errors import SendError, StorageBusyError
from netmon.lineprotocol import render, series_prefix
from netmon.relay_memory import (
    Memory,
    Skipped,
    decode_memory,
    encode_memory,
    remember_skips,
)
from netmon.storage.ports import Store
from netmon.storage.records import Chunk
from netmon.storage.tsdb import IGNORED_ROWS, INVALID_ROWS, Sink, SinkHealth

READER = "relay"
_SHOWN_CHARS = 200
_log = logging.getLogger(__name__)


class RelaySettings(Struct, frozen=True):
    """How the relay paces itself; the defaults are measured, see docs/dev/relay.md.

    ``rewind_s`` must be longer than what the database loses when it is killed
    (VictoriaMetrics: under 10 s) plus ``check_every_s``.
    """

    records_per_body: int = 20_000
    idle_wait_s: float = 0.2
    check_every_s: float = 5.0
    settle_s: float = 2.0
    rewind_s: float = 60.0
    keep_deliveries_s: float = 900.0
    beat_every_s: float = 5.0
    first_retry_s: float = 0.5
    longest_retry_s: float = 30.0


class Part(Struct, frozen=True):
    """Lines of one chunk."""

    chunk_id: int
    lines: bytes


@dataclass(frozen=True, slots=True)
class RelayResult:
    """What one step did. ``wait_s`` says when the next one makes sense.

    ``error`` is None unless the database took nothing; then the same records
    are tried again.
    """

    lines: int
    wait_s: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Body:
    """What is sent at once: all chunks after one position up to another.

    ``parts`` lacks the chunks without a line, so it may be empty.
    """

    after: int
    position: int
    parts: list[Part]
    full: bool


@dataclass(slots=True)
class _Counts:
    lines_sent: int = 0
    bodies_sent: int = 0
    errors: int = 0
    rewinds: int = 0


@dataclass(slots=True)
class _Sent:
    lines: int = 0
    bodies: int = 0
    refused: list[tuple[Part, str]] = field(default_factory=list)


class Waiter(Protocol):
    """How `Relay.run` learns that it shall end; `threading.Event` is one."""

    def wait(self, timeout: float) -> bool:
        """Wait up to that many seconds; True as soon as it is time to end."""


def retry_after_s(failures: int, first_s: float, longest_s: float) -> float:
    """Return how long to wait after so many failures in a row (1 or more)."""
    # Beyond 2**32 the power is only a large number to compute.
    doubled: float = first_s * 2.0 ** min(failures - 1, 32)
    return min(longest_s, doubled)


def restarted(memory: Memory, health: SinkHealth) -> bool:
    """Say whether the database was started anew since it was last looked at."""
    now_s, before_s = health.started_at_s, memory.started_at_s
    return now_s is not None and before_s is not None and now_s != before_s


def settling_s(health: SinkHealth, now_s: float, settle_s: float) -> float:
    """Return how long to leave a database alone that was started only just now.

    Start times come in whole seconds: lines sent within the first second would
    be lost unseen if it is killed and started again within that same second.
    """
    if health.started_at_s is None:
        return 0.0
    age_s = now_s - health.started_at_s
    # A start in the future is a clock that differs: no reason to wait for it.
    return settle_s - age_s if 0.0 <= age_s < settle_s else 0.0


def halve(parts: Sequence[Part]) -> tuple[list[Part], list[Part]] | None:
    """Return two halves, of the chunks or of the lines of one; None for one line."""
    if len(parts) > 1:
        middle = len(parts) // 2
        return list(parts[:middle]), list(parts[middle:])
    lines = parts[0].lines.splitlines(keepends=True)
    if len(lines) == 1:
        return None
    middle = len(lines) // 2
    return (
        [Part(parts[0].chunk_id, b"".join(lines[:middle]))],
        [Part(parts[0].chunk_id, b"".join(lines[middle:]))],
    )


class Relay:
    """Reads chunks after its cursor and writes them to a sink."""

    def __init__(
        self, store: Store, sink: Sink, clock: Clock, settings: RelaySettings
    ) -> None:
        self._store = store
        self._sink = sink
        self._clock = clock
        self._settings = settings
        self._prefixes: dict[int, bytes] = {}
        self._ahead: _Body | None = None
        self._counts = _Counts()
        self._failures = 0
        self._error: str | None = None
        self._health = SinkHealth(None, {})
        self._check_due_s = clock.monotonic_s()
        self._prune_due_s = clock.monotonic_s()
        self._beat_due_s = clock.monotonic_s()

    def run(self, stop: Waiter) -> None:
        """Relay until ``stop`` says so; what is being sent is finished first.

        Raises:
            StorageError: the store failed in a way that waiting does not mend.
        """
        result = RelayResult(0, 0.0)
        while not stop.wait(result.wait_s):
            result = self.run_once()
            if self._beat_is_due(result):
                self._beat(result)
        self._beat(result)

    def run_once(self) -> RelayResult:
        """Send one body of what is new, or find that there is nothing.

        Raises:
            StorageError: as `run`; a busy store is tried again instead.
        """
        try:
            settle_s = self._check_database()
            result = RelayResult(0, settle_s) if settle_s else self._send_next()
        except (SendError, StorageBusyError) as error:
            return self._failed(error)
        if self._error is not None:
            _log.info("the database takes lines again")
        self._failures, self._error = 0, None
        return result

    def figures(self) -> Mapping[str, float]:
        """Return the numbers of the heartbeat; totals count since the start."""
        position = self._store.cursors.get(READER).position
        behind = self._store.measurements.last_position() - position
        return {
            "position": position,
            "backlog_chunks": max(0, behind),
            "lines_sent_total": self._counts.lines_sent,
            "bodies_sent_total": self._counts.bodies_sent,
            "send_errors_total": self._counts.errors,
            "rewinds_total": self._counts.rewinds,
            "skipped_lines_total": self._memory().skipped_total,
            "failing": float(self._error is not None),
            "detects_restarts": float(self._health.started_at_s is not None),
            **self._health.figures,
        }

    def _failed(self, error: SendError | StorageBusyError) -> RelayResult:
        self._failures += 1
        self._counts.errors += 1
        # The database may be another process when it answers again.
        self._check_due_s = self._clock.monotonic_s()
        text = str(error)
        if text != self._error:
            _log.warning("nothing relayed, trying again: %s", text)
        self._error = text
        wait_s = retry_after_s(
            self._failures, self._settings.first_retry_s, self._settings.longest_retry_s
        )
        return RelayResult(0, wait_s, text)

    def _send_next(self) -> RelayResult:
        position = self._store.cursors.get(READER).position
        body, self._ahead = self._ahead, None
        if body is None or body.after != position:
            body = self._read(position)
        if body is None:
            return RelayResult(0, self._settings.idle_wait_s)
        sent = _Sent()
        if body.full:
            # There is more: make it ready while the database works on this.
            with ThreadPoolExecutor(1, "relay-write") as writer:
                writing = writer.submit(self._send, body.parts, sent)
                self._ahead = self._read(body.position)
            writing.result()
        elif body.parts:
            self._send(body.parts, sent)
        self._tick_off(body.position, sent)
        # Few large bodies and commits instead of many small ones: where there is no
        # more, it pays to let some gather.
        return RelayResult(sent.lines, 0.0 if body.full else self._settings.idle_wait_s)

    def _read(self, after: int) -> _Body | None:
        """Return the next body; None if there is nothing after that position."""
        wanted = self._settings.records_per_body
        chunks = self._store.measurements.chunks_after(after, wanted)
        if not chunks:
            return None
        parts = [
            Part(chunk.id, lines) for chunk in chunks if (lines := self._render(chunk))
        ]
        full = bool(parts) and sum(len(c.points.ts) for c in chunks) >= wanted
        return _Body(after, chunks[-1].id, parts, full)

    def _render(self, chunk: Chunk) -> bytes:
        series, points = chunk.series, chunk.points
        prefix = self._prefixes.get(series.id)
        if prefix is None:
            prefix = self._prefixes[series.id] = series_prefix(
                series.kind, series.tags, series.source, generated=series.generated
            )
        return render(prefix, points.ts, points.values, points.failure)

    def _send(self, parts: Sequence[Part], sent: _Sent) -> None:
        """Send lines; what is refused is halved until the bad lines are alone."""
        body = b"".join(part.lines for part in parts)
        try:
            self._sink.write(body)
        except SendError as error:
            if not error.permanent:
                raise
            halves = halve(parts)
            if halves is None:
                sent.refused.append((parts[0], str(error)))
                return
            for half in halves:
                self._send(half, sent)
        else:
            sent.lines += body.count(b"\n")
            sent.bodies += 1

    def _tick_off(self, position: int, sent: _Sent) -> None:
        now_ms = to_ms(self._clock.now())
        if sent.refused:
            skipped = [
                Skipped(
                    part.chunk_id,
                    part.lines.decode().strip()[:_SHOWN_CHARS],
                    reason,
                    now_ms,
                )
                for part, reason in sent.refused
            ]
            for skip in skipped:
                _log.warning("line given up: %s (%s)", skip.line, skip.reason)
            # Before the cursor moves: a crash in between sends these lines again.
            self._remember(remember_skips(self._memory(), skipped))
        self._store.cursors.log_delivery(READER, position, now_ms)
        self._counts.lines_sent += sent.lines
        self._counts.bodies_sent += sent.bodies
        now_s = self._clock.monotonic_s()
        if now_s >= self._prune_due_s:
            self._prune_due_s = now_s + self._settings.rewind_s
            kept_ms = int(self._settings.keep_deliveries_s * 1000)
            self._store.cursors.prune_deliveries(READER, now_ms - kept_ms)

    def _check_database(self) -> float:
        """Look at the database from time to time, and go back if it is a new one.

        Returns how many seconds to wait before sending to it; mostly 0. Nothing
        is sent while this fails: lines written to a database that was restarted
        unnoticed would push the end of the old ones out of reach.
        """
        now_s = self._clock.monotonic_s()
        if now_s < self._check_due_s:
            return 0.0
        health = self._sink.health()
        memory = self._memory()
        if restarted(memory, health):
            self._rewind()
        self._warn_of_dropped_lines(health)
        self._health = health
        if health.started_at_s not in {None, memory.started_at_s}:
            self._remember(
                msgspec.structs.replace(memory, started_at_s=health.started_at_s)
            )
        wall_s = self._clock.now().timestamp()
        settle_s = settling_s(health, wall_s, self._settings.settle_s)
        if not settle_s:
            self._check_due_s = now_s + self._settings.check_every_s
        return settle_s

    def _rewind(self) -> None:
        cursor = self._store.cursors.get(READER)
        before_ms = cursor.updated_ms - int(self._settings.rewind_s * 1000)
        safe = self._store.cursors.delivered_before(READER, before_ms) or 0
        _log.warning(
            "the database was started anew: sending chunks %d to %d again",
            safe + 1,
            cursor.position,
        )
        # Logged as a delivery: what was ticked off beyond it counts no longer, also
        # if the database is killed a second time before it has all of it again.
        now_ms = to_ms(self._clock.now())
        self._store.cursors.log_delivery(READER, min(safe, cursor.position), now_ms)
        self._counts.rewinds += 1

    def _warn_of_dropped_lines(self, health: SinkHealth) -> None:
        for name in (INVALID_ROWS, IGNORED_ROWS):
            before = self._health.figures.get(name, 0.0)
            dropped = health.figures.get(name, 0.0) - before
            if dropped > 0 and self._health.figures:
                _log.warning("the database dropped %d lines (%s)", dropped, name)

    def _memory(self) -> Memory:
        return decode_memory(self._store.cursors.get(READER).memory)

    def _remember(self, memory: Memory) -> None:
        cursor = self._store.cursors.get(READER)
        text = encode_memory(memory)
        # The time stays that of the last delivery, from which a rewind counts back.
        self._store.cursors.set(READER, cursor.position, cursor.updated_ms, text)

    def _beat_is_due(self, result: RelayResult) -> bool:
        began_to_fail = result.error is not None and self._failures == 1
        return began_to_fail or self._clock.monotonic_s() >= self._beat_due_s

    def _beat(self, result: RelayResult) -> None:
        self._beat_due_s = self._clock.monotonic_s() + self._settings.beat_every_s
        now_ms = to_ms(self._clock.now())
        note = result.error or ""
        try:
            self._store.heartbeats.beat(READER, now_ms, self.figures(), note)
        except StorageBusyError as error:
            _log.warning("no sign of life this time: %s", error)
