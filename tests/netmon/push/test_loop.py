"""Pushing on and on: outages, refusals, a spool that fails, and the end."""

from __future__ import annotations

import asyncio
import random

import pytest

from netmon import push
from netmon.errors import StorageError
from netmon.wire import Batch
from tests.netmon.push.gateway import Answer, error, fill


async def test_loop_sends_what_is_added_and_stops(spool, gateway, make_pusher):
    stop, wake = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(make_pusher().run(stop, wake))
    for round_ in range(3):
        gateway.took.clear()
        fill(spool, 2)
        wake.set()
        assert await asyncio.to_thread(gateway.took.wait, 60)
        assert len(gateway.stored) == 2 * (round_ + 1)
    stop.set()
    await asyncio.wait_for(running, 20)


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
    await asyncio.wait_for(running, 20)
    assert sorted(gateway.seqs()) == list(range(1, 41))


async def test_loop_waits_long_after_a_refusal_and_stops_at_once(
    spool, gateway, make_pusher
):
    fill(spool, 1)
    gateway.answer = lambda batch: (gateway.took.set(), error(401))[1]
    stop, wake = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(make_pusher().run(stop, wake))
    assert await asyncio.to_thread(gateway.took.wait, 60)
    wake.set()
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 20)
    assert len(gateway.requests) == 1


async def test_loop_may_be_cancelled_while_it_waits(make_pusher):
    running = asyncio.create_task(make_pusher().run(asyncio.Event(), asyncio.Event()))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 20)


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
    assert await asyncio.to_thread(gateway.took.wait, 60)
    stop.set()
    await asyncio.wait_for(running, 20)
    assert gateway.seqs() == [1]
    assert pusher.status.last_error == "disk I/O error"
