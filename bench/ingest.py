"""How many lines a second the gateway takes, and how many reach the database.

Three runs on this machine, all over loopback, one after the other:

1. *accept*: 8 senders push batches of 500 lines to one gateway process; an
   answer counts once the gateway has committed (SQLite, WAL, synchronous=FULL).
2. *end to end*: the same with a relay process and a VictoriaMetrics; the clock
   stops when the last line can be read by PromQL.
3. *raw limit*: ready-made bodies of 10,000 lines straight into the same
   VictoriaMetrics.

A line is one point with 3 fields; in the accept runs it has 4 tags (kind
``wlan_radio``, no rollups) or, with ``--kind throughput``, 3 tags and rollups.
The last line printed is one JSON object; ``--check`` exits with 1 when a floor
is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from netmon.clock import SystemClock, to_ms
from netmon.demo.victoria import Victoria
from netmon.ingest import new_token, token_hash
from netmon.relay import READER
from netmon.storage.records import SourceKind
from netmon.storage.sqlite import SqliteStore

FLOORS = {"accept_lines_s": 120_000, "ratio": 0.15}
CEILINGS = {"ack_p99_ms": 100}
# One metric of each kind, to count what can be read.
METRIC = {
    "wlan_radio": "wlan_radio_utilisation_ratio",
    "throughput": "throughput_rate_down_bps",
}
SENDER = Path(__file__).with_name("ingest_sender.py")
# The longest a run may take before something is taken to be stuck.
PATIENCE_S = 60.0


@contextmanager
def process(*arguments: str, log: Path, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, its errors in a file."""
    with log.open("a") as errors:
        running = subprocess.Popen(
            [sys.executable, *arguments], stderr=errors, text=True, **more
        )
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextmanager
def gateway(data_dir: Path) -> Iterator[str]:
    """One gateway process on a free port; gives its address."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        number = server.fileno()
        with process(
            *("-m", "netmon", "gateway", "--fd", str(number)),
            log=data_dir / "gateway.log",
            pass_fds=(number,),
            stdout=subprocess.DEVNULL,
            env={**os.environ, "NETMON_DATA": str(data_dir)},
        ):
            yield url


def send(order: dict[str, Any], log: Path) -> dict[str, Any]:
    """Let the sender process do an order; return what it tells."""
    with process(
        str(SENDER),
        json.dumps(order),
        log=log,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as sender:
        assert sender.stdin is not None
        assert sender.stdout is not None
        if sender.stdout.readline() != "ready\n":
            raise SystemExit(f"the sender did not start: {log.read_text()}")
        sender.stdin.write("go\n")
        sender.stdin.flush()
        answer = sender.stdout.readline()
    result: dict[str, Any] = json.loads(answer or "{}")
    if not result or result["errors"]:
        raise SystemExit(f"sending failed: {result.get('errors')} {log.read_text()}")
    return result


def make_store(data_dir: Path, senders: int) -> tuple[SqliteStore, list[str]]:
    """Return a new store with a source for each sender, and their tokens."""
    store = SqliteStore(data_dir / "state.sqlite3")
    tokens = [new_token() for _ in range(senders)]
    for number, token in enumerate(tokens):
        store.sources.create(
            f"bench-{number}", SourceKind.COLLECTOR, None, token_hash(token)
        )
    return store, tokens


def wait_until(condition: Any, what: str) -> None:
    """Wait for a condition, looking 50 times a second."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {PATIENCE_S:g} s")
        time.sleep(0.02)


def run_accept(order: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Measure the gateway alone."""
    data_dir = folder / "accept"
    data_dir.mkdir()
    store, tokens = make_store(data_dir, order["senders"])
    with gateway(data_dir) as url:
        order = {**order, "url": url, "mode": "batches", "tokens": tokens}
        result = send(order, folder / "sender.log")
    stored = store.measurements.count()
    store.close()
    if stored != result["lines"]:
        raise SystemExit(f"{result['lines']} lines acknowledged, {stored} stored")
    return result


def run_end_to_end(
    order: dict[str, Any], folder: Path, victoria: Victoria
) -> tuple[int, float]:
    """Measure sender -> gateway -> relay -> readable; return lines and seconds."""
    data_dir = folder / "whole"
    data_dir.mkdir()
    store, tokens = make_store(data_dir, order["senders"])
    relay = ("-m", "netmon", "relay", "run", "--tsdb", victoria.url)
    environment = {**os.environ, "NETMON_DATA": str(data_dir)}
    with (
        gateway(data_dir) as url,
        process(
            *relay,
            log=data_dir / "relay.log",
            stdout=subprocess.DEVNULL,
            env=environment,
        ),
    ):
        wait_until(store.heartbeats.all, "the relay's start")
        order = {**order, "url": url, "mode": "batches", "tokens": tokens}
        result = send(order, folder / "sender.log")
        # The sender's seconds end with the last acknowledgement.
        acknowledged = time.perf_counter()
        wanted = result["lines"]

        def delivered() -> bool:
            position = store.cursors.get(READER).position
            return position == store.measurements.last_position()

        def readable() -> bool:
            victoria.flush()
            name = METRIC[order["kind"]]
            # A range is open at its far end: one second more for the first points.
            query = f"sum(count_over_time({name}[{order['span_s'] + 1}s]))"
            at_s = order["begin_ms"] / 1000 + order["span_s"]
            found = victoria.query(query, at_s)
            return bool(found) and found[0].value == wanted

        wait_until(delivered, "delivery")
        wait_until(readable, "reading all lines back")
        tail = time.perf_counter() - acknowledged
        seconds = result["seconds"] + tail
        print(
            f"  acknowledged after {result['seconds']:.1f} s, readable {tail:.1f} s on"
        )
    store.close()
    return wanted, seconds


def percentile(values: list[float], share: float) -> float:
    """Return the value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Do the three runs and return the figures."""
    span_s = options.batches // options.senders * 25 + 60
    now_ms = to_ms(SystemClock().now())
    base: dict[str, Any] = {
        "kind": options.kind,
        "senders": options.senders,
        "batches": options.batches,
        "begin_ms": now_ms - span_s * 1000,
        "span_s": span_s,
    }
    with tempfile.TemporaryDirectory(prefix="netmon-bench-") as name:
        folder = Path(name)
        print(f"accept: {options.batches} batches of 500 lines", flush=True)
        accept = run_accept(base, folder)
        with Victoria(folder / "victoria") as victoria:
            print("end to end: the same through relay and database", flush=True)
            lines, seconds = run_end_to_end(base, folder, victoria)
            print("raw limit: ready-made bodies into the same database", flush=True)
            raw = send(
                {**base, "url": victoria.url, "mode": "raw", "senders": 4},
                folder / "sender.log",
            )
    end_to_end = lines / seconds
    raw_limit = raw["lines"] / raw["seconds"]
    waits_ms = [wait * 1000 for wait in accept["waits_s"]]
    return {
        "bench": "ingest",
        "kind": options.kind,
        "lines": accept["lines"],
        "accept_lines_s": round(accept["lines"] / accept["seconds"]),
        "end_to_end_lines_s": round(end_to_end),
        "raw_limit_lines_s": round(raw_limit),
        "ratio": round(end_to_end / raw_limit, 3),
        "ack_p50_ms": round(percentile(waits_ms, 0.5), 1),
        "ack_p99_ms": round(percentile(waits_ms, 0.99), 1),
    }


def main() -> int:
    """Run and print; the last line is the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--batches", type=int, default=2400, help="batches of 500 lines per run"
    )
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--kind", choices=sorted(METRIC), default="wlan_radio")
    parser.add_argument("--check", action="store_true", help="1 when a floor is missed")
    options = parser.parse_args()
    figures = measure(options)
    missed = [
        *(f"{k} < {v}" for k, v in FLOORS.items() if figures[k] < v),
        *(f"{k} > {v}" for k, v in CEILINGS.items() if figures[k] > v),
    ]
    print("missed: " + ", ".join(missed) if missed else "all floors held", flush=True)
    print(json.dumps(figures))
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
