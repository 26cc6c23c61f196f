"""Sending against a real HTTP server that takes, refuses, loses and misbehaves."""

from __future__ import annotations

import asyncio
import gzip
import logging
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon import push
from netmon.clock import ClockOffset, ManualClock
from netmon.config import Secret
from netmon.errors import ConfigError, StorageError
from netmon.push import (
    BACKOFF_CAP_S,
    MAX_REJECTS_IN_ROW,
    Outcome,
    Pusher,
    backoff_s,
    parse_retry_after_s,
)
from netmon.spool import Spool
from netmon.spool_record import SpoolRecord
from netmon.wire import (
    MEASUREMENTS_PATH,
    Batch,
    ErrorBody,
    ErrorReply,
    Receipt,
    Rejected,
    decode_batch,
    encode,
)

START = datetime(2026, 11, 20, 7, 12, tzinfo=UTC)
TOKEN = "a-very-secret-token"
Answer = tuple[int, dict[str, str], bytes]


class Gateway:
    """Stores records by identity; ``answer`` decides otherwise for a batch."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, str, int]] = []
        self.requests: list[tuple[dict[str, str], Batch]] = []
        self.answer: Callable[[Batch], Answer | None] = lambda batch: None
        self.lose_answers = 0
        self.took = threading.Event()

    def take(self, batch: Batch, bad: frozenset[int] = frozenset()) -> Answer:
        seqs = [seq for series in batch.series for seq in series.seq]
        ids = [(batch.source, batch.spool, seq) for seq in seqs if seq not in bad]
        new = [each for each in ids if each not in self.stored]
        self.stored += new
        self.took.set()
        refused = tuple(Rejected(seq, "out of range") for seq in seqs if seq in bad)
        receipt = Receipt(len(new), len(ids) - len(new), refused, 1)
        return 200, {}, encode(receipt)

    def seqs(self) -> list[int]:
        return [seq for _, _, seq in self.stored]


def seqs_of(batch: Batch) -> set[int]:
    return {seq for series in batch.series for seq in series.seq}


def error(status: int, *, field: str | None = None, retry: bool = False) -> Answer:
    body = ErrorBody("code", "went wrong", "mend it", retry, field)
    return status, {}, encode(ErrorReply(body))


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


def fill(spool: Spool, count: int) -> None:
    spool.add_many(
        SpoolRecord(kind="dns", tags={"line": "l"}, ts_ms=n, values={"duration_s": 0.1})
        for n in range(count)
    )


async def settle(pusher: Pusher, most: int = 100) -> list[Outcome]:
    """Push until the spool is empty or the pusher wants to wait."""
    outcomes = []
    while len(outcomes) < most:
        outcomes.append((await pusher.push_once()).outcome)
        if outcomes[-1] in (Outcome.EMPTY, Outcome.LATER, Outcome.REFUSED):
            return outcomes
    return outcomes


async def test_records_travel_and_leave_the_spool(spool, gateway, make_pusher):
    fill(spool, 3)
    pusher = make_pusher(agent="netmon/1")
    result = await pusher.push_once()
    assert (result.outcome, result.accepted) == (Outcome.SENT, 3)
    assert gateway.seqs() == [1, 2, 3]
    assert (spool.stats().sent, spool.stats().length) == (3, 0)
    headers, batch = gateway.requests[0]
    assert headers["path"] == MEASUREMENTS_PATH
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Encoding"] == "gzip"
    assert (batch.source, batch.agent) == ("probe-1", "netmon/1")
    assert batch.sent_ms == int(START.timestamp() * 1000)
    assert pusher.status.last_success == START


async def test_receipt_tells_how_far_the_clock_is_off(spool, gateway, make_pusher):
    fill(spool, 1)
    pusher = make_pusher()
    assert pusher.status.clock is None
    ahead_ms = int(START.timestamp() * 1000) - 2_500
    gateway.answer = lambda batch: (200, {}, encode(Receipt(1, 0, (), ahead_ms)))
    await pusher.push_once()
    assert pusher.status.clock == ClockOffset(2.5, 0.001)


@pytest.mark.parametrize(
    "answer",
    [(200, {}, encode(Receipt(1, 0))), (200, {}, b"<html>"), error(503)],
    ids=["older gateway", "portal", "error"],
)
async def test_an_answer_without_time_says_nothing_of_the_clock(
    spool, gateway, make_pusher, answer
):
    fill(spool, 1)
    pusher = make_pusher()
    gateway.answer = lambda batch: answer
    await pusher.push_once()
    assert pusher.status.clock is None


async def test_oldest_first_in_batches(spool, gateway, make_pusher):
    fill(spool, 5)
    outcomes = await settle(make_pusher(batch_limit=2))
    assert outcomes == [Outcome.SENT] * 3 + [Outcome.EMPTY]
    assert gateway.seqs() == [1, 2, 3, 4, 5]


async def test_empty_spool_asks_nobody(gateway, make_pusher):
    assert (await make_pusher().push_once()).outcome is Outcome.EMPTY
    assert gateway.requests == []


async def test_lost_answer_means_sending_again_and_nothing_twice(
    spool, gateway, make_pusher
):
    fill(spool, 3)
    gateway.lose_answers = 1
    pusher = make_pusher()
    assert (await pusher.push_once()).outcome is Outcome.LATER
    assert spool.stats().length == 3
    result = await pusher.push_once()
    assert (result.outcome, result.accepted, result.duplicates) == (Outcome.SENT, 0, 3)
    assert gateway.seqs() == [1, 2, 3]
    assert spool.stats().length == 0
    assert pusher.status.duplicates == 3


async def test_quarantined_records_are_done_and_counted(
    spool, gateway, make_pusher, caplog
):
    fill(spool, 3)
    gateway.answer = lambda batch: gateway.take(batch, bad=frozenset({2}))
    pusher = make_pusher()
    result = await pusher.push_once()
    assert (result.accepted, result.quarantined) == (2, 1)
    assert spool.stats().length == 0
    assert pusher.status.quarantined == 1
    assert "record 2 into quarantine: out of range" in caplog.text


@pytest.mark.parametrize("status", [413, 422])
async def test_one_bad_record_is_found_and_set_aside(
    spool, gateway, make_pusher, status
):
    fill(spool, 20)
    gateway.answer = lambda batch: error(status) if 13 in seqs_of(batch) else None
    outcomes = await settle(make_pusher())
    assert outcomes[-1] is Outcome.EMPTY
    assert outcomes.count(Outcome.REJECTED) == 1
    assert sorted(gateway.seqs()) == [n for n in range(1, 21) if n != 13]
    (rejected,) = spool.rejected()
    assert rejected.seq == 13
    assert "went wrong -> mend it" in rejected.reason
    assert spool.stats().sent == 19


async def test_too_large_a_batch_gets_through_in_parts_and_grows_again(
    spool, gateway, make_pusher
):
    fill(spool, 200)
    gateway.answer = lambda batch: error(413) if len(seqs_of(batch)) > 30 else None
    outcomes = await settle(make_pusher(batch_limit=100))
    assert outcomes[-1] is Outcome.EMPTY
    assert Outcome.REJECTED not in outcomes
    assert sorted(gateway.seqs()) == list(range(1, 201))
    sizes = [len(seqs_of(batch)) for _, batch in gateway.requests]
    assert sizes[:4] == [100, 50, 25, 50]


@pytest.mark.parametrize("field", ["v", "source", "spool", "body"])
async def test_refusal_of_the_sender_throws_nothing_away(
    spool, gateway, make_pusher, field
):
    fill(spool, 4)
    gateway.answer = lambda batch: error(422, field=field)
    assert await settle(make_pusher()) == [Outcome.REFUSED]
    assert spool.stats().length == 4


async def test_gateway_that_refuses_everything_does_not_empty_the_spool(
    spool, gateway, make_pusher
):
    fill(spool, 100)
    gateway.answer = lambda batch: error(422)
    pusher = make_pusher()
    assert (await settle(pusher))[-1] is Outcome.REFUSED
    assert spool.stats().rejected == MAX_REJECTS_IN_ROW
    # From now on one record for each long wait, so that nothing is stuck for ever.
    assert await settle(pusher) == [Outcome.REJECTED, Outcome.REFUSED]
    gateway.answer = lambda batch: None
    assert (await settle(pusher))[-1] is Outcome.EMPTY
    assert len(gateway.seqs()) == 100 - MAX_REJECTS_IN_ROW - 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 301])
async def test_refused_sender_keeps_all_and_logs_once(
    spool, gateway, make_pusher, caplog, status
):
    fill(spool, 2)
    gateway.answer = lambda batch: error(status)
    pusher = make_pusher()
    for _ in range(3):
        result = await pusher.push_once()
        assert result.outcome is Outcome.REFUSED
    assert spool.stats().length == 2
    assert caplog.text.count("mend it") == 1
    assert pusher.status.last_error == (
        f"gateway answered {status}: went wrong -> mend it"
    )
    assert pusher.status.failures_in_row == 3
    assert pusher.status.last_success is None


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_busy_gateway_is_tried_later(spool, gateway, make_pusher, status):
    fill(spool, 2)
    gateway.answer = lambda batch: (status, {"Retry-After": "7"}, b"<html>busy")
    result = await make_pusher().push_once()
    assert (result.outcome, result.retry_after_s) == (Outcome.LATER, 7.0)
    assert spool.stats().length == 2


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Please log in to the school's guest network</html>",
        b"",
        b'{"accepted":2,"duplicates":0,"quarantined":[{"seq":1,"reason":"\xe4"}]}',
        encode(Receipt(accepted=1, duplicates=0)),
        encode(Receipt(accepted=3, duplicates=0)),
    ],
)
async def test_answer_that_is_no_receipt_for_this_batch_acknowledges_nothing(
    spool, gateway, make_pusher, body
):
    fill(spool, 2)
    gateway.answer = lambda batch: (200, {}, body)
    result = await make_pusher().push_once()
    assert result.outcome is Outcome.LATER
    assert spool.stats().length == 2


@pytest.mark.parametrize("status", [401, 422, 503])
async def test_error_page_in_another_encoding_stops_nothing(
    spool, gateway, make_pusher, status
):
    fill(spool, 2)
    body = b'{"error":{"code":"x","message":"\xe4","fix":"y"}}'
    gateway.answer = lambda batch: (status, {}, body)
    assert (await make_pusher().push_once()).outcome is not Outcome.SENT
    assert spool.stats().length == 2


async def test_nobody_listens_is_tried_later(spool, make_pusher):
    fill(spool, 1)
    pusher = make_pusher("http://127.0.0.1:1")
    result = await pusher.push_once()
    assert result.outcome is Outcome.LATER
    assert "not reached" in (result.error or "")
    assert spool.stats().length == 1


async def test_success_after_failure_clears_the_row(spool, gateway, make_pusher):
    fill(spool, 1)
    gateway.answer = lambda batch: error(503)
    pusher = make_pusher()
    await pusher.push_once()
    gateway.answer = lambda batch: None
    await pusher.push_once()
    assert pusher.status.failures_in_row == 0
    assert pusher.status.last_error_at == START


async def test_token_is_nowhere_to_be_read(spool, gateway, make_pusher, caplog):
    caplog.set_level(logging.DEBUG)
    fill(spool, 1)
    gateway.answer = lambda batch: error(401)
    pusher = make_pusher()
    result = await pusher.push_once()
    assert gateway.requests[0][0]["Authorization"].endswith(TOKEN)
    seen = caplog.text + repr(result) + repr(pusher.status) + repr(vars(pusher))
    assert TOKEN not in seen


@pytest.mark.parametrize("token", ["with\nnewline", "with\ttab", "schlüssel"])
def test_token_no_header_may_carry_is_refused_without_showing_it(spool, token):
    client = httpx.AsyncClient()
    with pytest.raises(ConfigError) as caught:
        Pusher(spool, "http://x", Secret(token), "p", client, ManualClock(START))
    assert token not in str(caught.value)


async def test_loop_sends_what_is_added_and_stops(spool, gateway, make_pusher):
    stop, wake = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(make_pusher().run(stop, wake))
    for round_ in range(3):
        gateway.took.clear()
        fill(spool, 2)
        wake.set()
        assert await asyncio.to_thread(gateway.took.wait, 10)
        assert len(gateway.stored) == 2 * (round_ + 1)
    stop.set()
    await asyncio.wait_for(running, 2)


async def test_loop_survives_outages_and_delivers_each_record_once(
    spool, gateway, make_pusher
):
    fill(spool, 40)
    dice = random.Random(7)  # the same story each time

    def moody(batch: Batch) -> Answer | None:
        mood = dice.random()
        if mood < 0.3:
            gateway.lose_answers = 1
        elif mood < 0.6:
            return error(503)
        return None

    gateway.answer = moody
    stop, wake = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(make_pusher(batch_limit=5).run(stop, wake))
    async with asyncio.timeout(30):
        while spool.stats().length:  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.005)
    stop.set()
    await asyncio.wait_for(running, 2)
    assert sorted(gateway.seqs()) == list(range(1, 41))


async def test_loop_waits_long_after_a_refusal_and_stops_at_once(
    spool, gateway, make_pusher
):
    fill(spool, 1)
    gateway.answer = lambda batch: (gateway.took.set(), error(401))[1]
    stop, wake = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(make_pusher().run(stop, wake))
    assert await asyncio.to_thread(gateway.took.wait, 10)
    wake.set()
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 2)
    assert len(gateway.requests) == 1


async def test_loop_may_be_cancelled_while_it_waits(make_pusher):
    running = asyncio.create_task(make_pusher().run(asyncio.Event(), asyncio.Event()))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 2)


async def test_loop_survives_a_spool_that_fails_for_a_while(
    spool, gateway, make_pusher, monkeypatch
):
    fill(spool, 1)
    monkeypatch.setattr(push, "_SPOOL_RETRY_S", 0.01)
    whole, broken = spool.batch, [StorageError("disk I/O error")]

    def batch(limit: int) -> object:
        if broken:
            raise broken.pop()
        return whole(limit)

    monkeypatch.setattr(spool, "batch", batch)
    stop = asyncio.Event()
    pusher = make_pusher()
    running = asyncio.create_task(pusher.run(stop, asyncio.Event()))
    assert await asyncio.to_thread(gateway.took.wait, 10)
    stop.set()
    await asyncio.wait_for(running, 2)
    assert gateway.seqs() == [1]
    assert pusher.status.last_error == "disk I/O error"


def test_backoff_doubles_to_its_cap():
    assert [backoff_s(n, 1.0) for n in range(4)] == [1.0, 2.0, 4.0, 8.0]
    assert backoff_s(5000, 1.0) == BACKOFF_CAP_S


def test_backoff_waits_at_least_what_was_asked_for():
    assert backoff_s(3, 0.0, retry_after_s=30) == 30
    assert backoff_s(3, 0.5, retry_after_s=30) == 34
    assert backoff_s(0, 0.0, retry_after_s=10**9) == 3600


@given(attempt=st.integers(0, 10**6), share=st.floats(0, 1))
def test_backoff_is_never_negative_nor_beyond_its_cap(attempt, share):
    assert 0 <= backoff_s(attempt, share) <= BACKOFF_CAP_S


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("Fri, 20 Nov 2026 07:13:00 GMT", 60.0),
        ("Fri, 20 Nov 2026 07:13:00 -0000", 60.0),
        ("Fri, 20 Nov 2020 07:13:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_header(header, seconds):
    assert parse_retry_after_s(header, START) == seconds
