"""What the city's polled records weigh on the disk, and what removing them costs.

    .venv/bin/python bench/retention.py [--cycles 24]

The collector polls the town of ``snmp.py``, a real gateway accepts it, and its last cycle
is written again and again as the cycles that follow, five minutes apart, by the gateway's
own write path. Then all is swept away, with the gateway's steps and pauses, while batches
of 500 go on being written.

- ``bytes_per_record``: what the file grows by for a record that is polled, with its index.
- ``polled_gb_per_day``: that at 288 cycles a day.
- ``hourly_rows_per_hour``: how many hourly values an hour brings, which stay (some 40 bytes
  each; daily ones are a twenty-fourth of that).
- ``step_p50_ms``, ``step_p99_ms``: one step of the sweep, in which a receipt waits.
- ``removed_per_s``: chunks removed a second, the pauses counted; the city brings 257.
- ``write_p50_ms`` and ``write_p99_ms``: a batch's commit beside the sweep, ``..._alone_ms``
  without.

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from snmp import Centre
from snmp_city import agents

from dashboards.keeping import REST, SHORTEST_REST_S
from netmon.clock import SystemClock, to_ms
from netmon.metrics import KINDS
from netmon.retention import CHUNKS_A_STEP, KEPT
from netmon.storage.ports import Store
from netmon.storage.records import (
    CheckedBatch,
    CheckedSeries,
    Chunk,
    Source,
    SourceKind,
)
from netmon.storage.sqlite import SqliteStore

CYCLE_MS = 300_000
BATCH = 500
CYCLES_A_DAY = 288


def again(chunk: Chunk, number: int, later_ms: int) -> CheckedSeries:
    """Return a chunk of one record as the one of a later cycle."""
    points = chunk.points
    return CheckedSeries(
        kind=chunk.series.kind,
        building_id=chunk.series.building_id,
        tags=chunk.series.tags,
        seq=[number + i for i in range(len(points.seq))],
        ts=[ts + later_ms for ts in points.ts],
        values=points.values,
        failure=points.failure,
        info={},
        keep_rollups=KINDS[chunk.series.kind].keep_rollups,
    )


def batches(
    chunks: list[Chunk], source: Source, first: int, later_ms: int
) -> Iterator[CheckedBatch]:
    """Return a cycle in batches."""
    for start in range(0, len(chunks), BATCH):
        part = chunks[start : start + BATCH]
        received_ms = part[0].received_ms + later_ms
        yield CheckedBatch(
            source=source,
            spool="b" * 32,
            received_ms=received_ms,
            sent_ms=received_ms,
            agent="bench",
            series=[
                again(chunk, first + start + i, later_ms)
                for i, chunk in enumerate(part)
            ],
            quarantined=[],
        )


def file_bytes(folder: Path) -> int:
    """Return the bytes of the file after a checkpoint."""
    with sqlite3.connect(folder / "state.sqlite3") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(connection.execute("PRAGMA page_count").fetchone()[0]) * 4096


def hourly_rows(folder: Path) -> int:
    """Return how many hourly values a full hour has."""
    with sqlite3.connect(folder / "state.sqlite3") as connection:
        sql = "SELECT max(n) FROM (SELECT count(*) n FROM rollups_hour GROUP BY bucket)"
        return int(connection.execute(sql).fetchone()[0])


def percentile(found_s: list[float], share: float) -> float:
    ordered = sorted(found_s)
    return round(ordered[int((len(ordered) - 1) * share)] * 1000, 1)


def timed_writes(
    store: Store, cycle: Iterator[CheckedBatch], until: threading.Event, most_s: float
) -> list[float]:
    """Write batches, ten a second, until told; return how long each took."""
    took, end_s = [], time.monotonic() + most_s
    for batch in cycle:
        if until.is_set() or time.monotonic() > end_s:
            break
        began_s = time.monotonic()
        store.measurements.write([batch])
        took.append(time.monotonic() - began_s)
        until.wait(0.1)
    return took


def run(cycles: int) -> dict[str, float]:
    """Measure everything and return the figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with ExitStack() as polling:
            log = polling.enter_context((folder / "log").open("wb"))
            centre = Centre(polling, folder, log)
            asyncio.run(centre.cycles(agents(polling, log)))
        store = SqliteStore(folder / "state.sqlite3")
        stack.callback(store.close)
        last = store.measurements.last_position()
        chunks = store.measurements.chunks_after(last - centre.records, 10**9)
        source = store.sources.create(
            "bench", SourceKind.COLLECTOR, None, "x" * 64, generated=True
        )
        before = file_bytes(folder)
        number = 1
        for cycle in range(1, cycles + 1):
            for batch in batches(chunks, source, number, cycle * CYCLE_MS):
                store.measurements.write([batch])
            number += 10 * len(chunks)
        after = file_bytes(folder)
        records = cycles * centre.records
        per_record = (after - before) / records
        figures = {
            "records": records,
            "bytes_per_record": round(per_record, 1),
            "polled_gb_per_day": round(
                per_record * centre.records * CYCLES_A_DAY / 1e9, 2
            ),
            "hourly_rows_per_hour": hourly_rows(folder),
        }
        nothing = threading.Event()
        late_ms = (cycles + 1) * CYCLE_MS
        alone = timed_writes(
            store, batches(chunks, source, number, late_ms), nothing, 14.0
        )
        number += 10 * len(chunks)
        figures["write_p50_alone_ms"] = percentile(alone, 0.5)
        figures["write_p99_alone_ms"] = percentile(alone, 0.99)
        done, beside = threading.Event(), list[float]()
        late = batches(chunks, source, number, late_ms + CYCLE_MS)
        writer = threading.Thread(
            target=lambda: beside.extend(timed_writes(store, late, done, 14.0))
        )
        writer.start()
        now_ms = to_ms(SystemClock().now())
        steps, removed = [], 0
        began_s, position = time.monotonic(), store.measurements.last_position()
        while writer.is_alive():
            step_s = time.monotonic()
            result = store.measurements.prune(
                "bench",
                tuple(KEPT),
                now_ms + 10**10,
                position,
                now_ms=now_ms,
                max_chunks=CHUNKS_A_STEP,
            )
            steps.append(time.monotonic() - step_s)
            removed += result.chunks
            if not result.more:
                break
            done.wait(max(SHORTEST_REST_S, REST * steps[-1]))
        figures["removed_per_s"] = round(removed / (time.monotonic() - began_s))
        done.set()
        writer.join()
        figures |= {
            "steps": len(steps),
            "step_p50_ms": percentile(steps, 0.5),
            "step_p99_ms": percentile(steps, 0.99),
            "write_p50_ms": percentile(beside, 0.5),
            "write_p99_ms": percentile(beside, 0.99),
            "reusable_mb": round(store.room().reusable_bytes / 1e6, 1),
        }
    return figures


def main() -> int:
    """Run, print the figures, and the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=24)
    logging.getLogger("collectors").setLevel(logging.ERROR)
    figures = run(parser.parse_args().cycles)
    for name, figure in figures.items():
        print(f"{name}: {figure:g}")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
