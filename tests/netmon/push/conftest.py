"""A spool, a gateway to send it to, and pushers between them."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from netmon.clock import ManualClock
from netmon.config import Secret
from netmon.push import Pusher
from netmon.spool import Spool
from netmon.wire import decode_batch
from tests.netmon.push.gateway import START, TOKEN, Gateway


@pytest.fixture
def gateway_server() -> Iterator[tuple[Gateway, str]]:
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            batch = decode_batch(gzip.decompress(body))
            headers = {**dict(self.headers), "path": self.path}
            gateway.requests.append((headers, batch))
            status, extra, content = gateway.answer(batch) or gateway.take(batch)
            if gateway.lose_answers:
                gateway.lose_answers -= 1
                # A reset, as by a router that forgot the connection.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **extra}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Say nothing: the tests read the log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield gateway, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def gateway(gateway_server: tuple[Gateway, str]) -> Gateway:
    return gateway_server[0]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.sqlite3") as opened:
        yield opened


@pytest.fixture
async def make_pusher(spool, gateway_server):
    clients = []

    def make(url: str = gateway_server[1], **changes: object) -> Pusher:
        client = httpx.AsyncClient(timeout=5)
        clients.append(client)
        options: dict[str, object] = {"share": lambda: 0.0, **changes}
        return Pusher(
            spool,
            url,
            Secret(TOKEN),
            "probe-1",
            client,
            ManualClock(START),
            **options,  # type: ignore[arg-type]
        )

    yield make
    for client in clients:
        await client.aclose()
