"""Who stands around the relay: measurements in a store, a small database."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from netmon.clock import to_ms
from netmon.demo.victoria import Victoria
from netmon.model import FailureReason
from netmon.relay import READER, Relay
from netmon.storage.records import CheckedBatch, CheckedSeries, Source, SourceKind
from netmon.storage.sqlite import SqliteStore

SPOOL = "0123456789abcdef0123456789abcdef"


class Measuring:
    """Puts throughput records of one probe into a store, numbered on and on."""

    def __init__(self, store: SqliteStore, *, generated: bool = False) -> None:
        self.store = store
        self.seq = 0
        self.source: Source = store.sources.create(
            "probe-07", SourceKind.PROBE, None, "a" * 64, generated=generated
        )

    def __call__(
        self,
        *,
        at_ms: int,
        records: int = 10,
        line: str = "gs-07-main",
        step_ms: int = 1000,
        down: Callable[[int], float | None] = lambda seq: 1e6 + seq,
        failure: Callable[[int], FailureReason | None] | None = None,
    ) -> list[int]:
        """Store one chunk; return the numbers of its records."""
        seq = [self.seq + 1 + i for i in range(records)]
        self.seq += records
        series = CheckedSeries(
            kind="throughput",
            building_id="gs-07",
            tags={"building": "gs-07", "line": line, "method": "tcp"},
            seq=seq,
            ts=[at_ms + i * step_ms for i in range(records)],
            values={
                "rate_down_bps": [down(n) for n in seq],
                "rate_up_bps": [None if down(n) is None else float(n) for n in seq],
            },
            failure=None if failure is None else [failure(n) for n in seq],
            info={},
            keep_rollups=False,
        )
        self.store.measurements.write(
            [
                CheckedBatch(
                    source=self.source,
                    spool=SPOOL,
                    received_ms=at_ms,
                    sent_ms=at_ms,
                    agent="",
                    series=[series],
                    quarantined=[],
                )
            ]
        )
        return seq


class Database:
    """A small HTTP server that speaks as much of the v2 write API as is needed.

    ``refuse`` says how a body is answered (None: 204); ``metrics`` is the text
    of its /metrics page (None: 404).
    """

    def __init__(self) -> None:
        self.lines: Counter[str] = Counter()
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.refuse: Callable[[bytes], int | None] = lambda _: None
        self.metrics: str | None = "vm_app_start_timestamp 1000\n"
        self.metrics_asked = 0
        self.wrote = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        database = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                database.bodies.append(body)
                database.headers.append(dict(self.headers))
                database.paths.append(self.path)
                status = database.refuse(body)
                if status is None:
                    database.lines.update(body.decode().splitlines())
                    database.wrote.set()
                self._answer(status or 204, b'{"message":"no"}' if status else b"")

            def do_GET(self) -> None:
                database.metrics_asked += 1
                text = database.metrics
                self._answer(404 if text is None else 200, (text or "").encode())

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if status != 204:
                    self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Keep the test's output clean."""

        return Handler


START = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
AT_MS = to_ms(START)


def position(store: SqliteStore) -> int:
    return store.cursors.get(READER).position


def drain(relay: Relay) -> int:
    lines = 0
    while True:
        result = relay.run_once()
        assert result.error is None
        if result.lines == 0:
            return lines
        lines += result.lines


def points(victoria: Victoria) -> int:
    victoria.flush()
    return victoria.points("throughput_rate_down_bps")


def comes_to(victoria: Victoria, count: int) -> None:
    """Wait until so many points are seen; more would never become so many.

    After a start the database may answer a selector from its cache of a moment
    ago, when it had found nothing.
    """
    wait_for(lambda: points(victoria) == count)


def wait_for(condition: object, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
