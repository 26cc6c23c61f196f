"""kill -9 in the middle of pruning: what is left, what is counted and the place agree."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from netmon.storage.records import CheckedBatch, CheckedSeries, SourceKind
from netmon.storage.sqlite import SqliteStore

CHUNKS = 3000
# Lines so long that the pipe lets it be a few steps ahead of who reads them, and no more.
ENDLESS = """
import sys
from pathlib import Path
from netmon.storage.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
while store.measurements.prune("keep", ["latency"], 10, 10**9, now_ms=1, max_chunks=3).more:
    print("step".ljust(8000), flush=True)
"""


def test_a_kill_leaves_a_whole_number_of_steps(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    with closing(SqliteStore(path)) as store:
        source = store.sources.create("p", SourceKind.COLLECTOR, None, "x" * 64)
        series = [
            CheckedSeries(
                kind="latency",
                building_id="b",
                tags={"n": str(n % 9)},
                seq=[n],
                ts=[n],
                values={"rtt_s": [1.0]},
                failure=None,
                info={},
                keep_rollups=False,
            )
            for n in range(1, CHUNKS + 1)
        ]
        batch = CheckedBatch(
            source=source,
            spool="a" * 32,
            received_ms=1,
            sent_ms=1,
            agent="",
            series=series,
            quarantined=[],
        )
        store.measurements.write([batch])
    seen = CHUNKS
    for _ in range(3):
        command = [sys.executable, "-c", ENDLESS, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(20):
                assert child.stdout.readline().startswith("step")
            child.send_signal(signal.SIGKILL)
        with closing(SqliteStore(path)) as store:
            left = store.measurements.chunks_after(0, 10**6)
            assert store.measurements.count() == len(left) <= seen - 60
            assert left[0].id == store.cursors.get("keep").position + 1
            seen = len(left)
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
