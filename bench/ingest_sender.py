"""The load of ``bench/ingest.py``: built first, then sent as fast as it is taken.

A process of its own, and lean: ready-made requests over plain sockets, so that
what is measured is the gateway (or the database) and not its client. Prints
``ready``, waits for a line on its standard input, sends everything, then prints
one JSON object: seconds, requests, and the wait for each answer in order.
"""

from __future__ import annotations

import gzip
import json
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SERIES = 20
POINTS = 25
LINES_PER_BATCH = SERIES * POINTS
LINES_PER_RAW_BODY = 10_000
_POINT_MS = 1000


@dataclass(frozen=True)
class Order:
    """What to send; comes as JSON in the first argument."""

    url: str
    mode: str
    kind: str
    senders: int
    batches: int
    begin_ms: int
    span_s: int
    tokens: list[str] = field(default_factory=list)


def tags(kind: str, sender: int, series: int) -> dict[str, str]:
    """Return the tags of a series, unique by sender and number."""
    building = f"gs-{sender:02d}"
    if kind == "throughput":
        return {
            "building": building,
            "line": f"{building}-line-{series}",
            "method": "tcp-plain/1",
        }
    return {
        "building": building,
        "device": f"{building}-wlc",
        "ap": f"{building}-ap-{series:03d}",
        "radio": "5GHz",
    }


def columns(kind: str, seed: int) -> dict[str, list[float]]:
    """Return three columns of numbers that look measured."""
    noise = [((seed * 7919 + i * 104_729) % 9973) / 9973 for i in range(POINTS)]
    if kind == "throughput":
        return {
            "rate_down_bps": [round(9e7 + x * 1e7, 1) for x in noise],
            "rate_up_bps": [round(4e7 + x * 2e6, 1) for x in noise],
            "duration_s": [round(3 + x, 4) for x in noise],
        }
    return {
        "clients_count": [float(int(x * 40)) for x in noise],
        "utilisation_ratio": [round(x, 4) for x in noise],
        "noise_dbm": [round(-95 + x * 10, 1) for x in noise],
    }


def times(order: Order, batch: int) -> list[int]:
    """Return the moments of a batch's points; no two batches share one."""
    first = order.begin_ms + batch * POINTS * _POINT_MS
    return [first + i * _POINT_MS for i in range(POINTS)]


def batch_body(order: Order, sender: int, batch: int) -> bytes:
    """Return one batch as a probe sends it: columnar JSON, gzip'd."""
    ts = times(order, batch)
    series = []
    for number in range(SERIES):
        first = 1 + batch * LINES_PER_BATCH + number * POINTS
        series.append(
            {
                "kind": order.kind,
                "tags": tags(order.kind, sender, number),
                "seq": list(range(first, first + POINTS)),
                "ts": ts,
                "values": columns(order.kind, batch * SERIES + number + sender),
            }
        )
    message = {
        "v": 1,
        "source": f"bench-{sender}",
        "spool": f"{sender:032x}",
        "sent_ms": order.begin_ms,
        "series": series,
    }
    text = json.dumps(message, separators=(",", ":")).encode()
    return gzip.compress(text, compresslevel=6)


def raw_body(order: Order, sender: int, number: int) -> bytes:
    """Return 10,000 lines of line protocol of the same shape."""
    lines = []
    for batch in range(LINES_PER_RAW_BODY // LINES_PER_BATCH):
        index = number * (LINES_PER_RAW_BODY // LINES_PER_BATCH) + batch
        ts = times(order, index)
        for series in range(SERIES):
            words = ",".join(
                f"{k}={v}" for k, v in tags(order.kind, sender, series).items()
            )
            found = columns(order.kind, index * SERIES + series + sender)
            names = list(found)
            for moment, row in zip(ts, zip(*found.values(), strict=True), strict=True):
                values = ",".join(f"{n}={v}" for n, v in zip(names, row, strict=True))
                lines.append(f"raw_{order.kind},{words} {values} {moment}000000\n")
    return "".join(lines).encode()


def requests(order: Order, sender: int) -> list[bytes]:
    """Return everything one connection sends, headers included."""
    parts = urlsplit(order.url)
    if order.mode == "raw":
        path, extra = "/api/v2/write?bucket=b&precision=ns", ""
        per_sender = order.batches * LINES_PER_BATCH // LINES_PER_RAW_BODY
        count = max(1, per_sender // order.senders)
        bodies = [raw_body(order, sender, n) for n in range(count)]
    else:
        path = "/api/v1/measurements"
        extra = (
            f"Authorization: Bearer {order.tokens[sender]}\r\n"
            "Content-Encoding: gzip\r\nContent-Type: application/json\r\n"
        )
        count = order.batches // order.senders
        bodies = [batch_body(order, sender, n) for n in range(count)]
    return [
        (
            f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{extra}"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        + body
        for body in bodies
    ]


def read_answer(connection: socket.socket) -> int:
    """Read one whole answer; return its status."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += _some(connection)
    if status >= 300:
        raise RuntimeError(f"answered {status}: {body[:300]!r}")
    return status


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise RuntimeError("the connection was closed")
    return data


def main() -> int:
    """Build, wait, send, tell."""
    order = Order(**json.loads(sys.argv[1]))
    parts = urlsplit(order.url)
    work = [requests(order, sender) for sender in range(order.senders)]
    waits: list[list[float]] = [[] for _ in work]
    errors: list[str] = []

    def send(sender: int) -> None:
        try:
            with socket.create_connection((parts.hostname, parts.port), 60) as peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for request in work[sender]:
                    began = time.perf_counter()
                    peer.sendall(request)
                    read_answer(peer)
                    waits[sender].append(time.perf_counter() - began)
        except (OSError, RuntimeError) as error:
            errors.append(str(error))

    threads = [threading.Thread(target=send, args=(n,)) for n in range(order.senders)]
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    flat = [wait for each in waits for wait in each]
    per_request = LINES_PER_RAW_BODY if order.mode == "raw" else LINES_PER_BATCH
    result = {
        "seconds": seconds,
        "lines": len(flat) * per_request,
        "waits_s": flat,
        "errors": errors,
    }
    print(json.dumps(result), flush=True)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
