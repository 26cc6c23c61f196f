"""One push to a real HTTP server that takes, refuses, loses and misbehaves."""

from __future__ import annotations

import logging

import httpx
import pytest

from netmon.clock import ClockOffset, ManualClock
from netmon.config import Secret
from netmon.errors import ConfigError
from netmon.push import MAX_REJECTS_IN_ROW, Outcome, Pusher
from netmon.wire import MEASUREMENTS_PATH, Receipt, encode
from tests.netmon.push.gateway import START, TOKEN, error, fill, seqs_of, settle


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
