"""Beside the requests: single measurements that are kept no longer are removed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Event, Thread

from dashboards.context import Site
from netmon.errors import NetmonError
from netmon.retention import Retention

PROCESS = "retention"
SWEEP_EVERY_S = 60.0
BEAT_EVERY_S = 30.0
# After a step so many times its duration belongs to those who accept and read.
REST = 9.0
SHORTEST_REST_S = 0.02

_log = logging.getLogger(__name__)


def sweep(
    retention: Retention,
    site: Site,
    wait: Callable[[float], bool],
) -> None:
    """Take steps until nothing old is left, or ``wait`` says that it is time to end.

    Raises:
        StorageError: the store refused.
    """
    beat_s = 0.0
    while True:
        began_s = time.monotonic()
        now_ms = site.moment().now_ms
        more = retention.step(now_ms)
        took_s = time.monotonic() - began_s
        if not more or time.monotonic() >= beat_s:
            figures = retention.figures(now_ms)
            site.store.heartbeats.beat(PROCESS, now_ms, figures)
            beat_s = time.monotonic() + BEAT_EVERY_S
        if not more or wait(max(SHORTEST_REST_S, REST * took_s)):
            return


@asynccontextmanager
async def keeping(site: Site, every_s: float = SWEEP_EVERY_S) -> AsyncIterator[None]:
    """Sweep for as long as the block runs, on a thread of its own."""
    stop = Event()
    retention = Retention(site.store, site.settings)

    def go_on() -> None:
        while True:
            try:
                sweep(retention, site, stop.wait)
            except NetmonError as error:
                _log.warning("old measurements not removed this time: %s", error)
            except Exception:  # noqa: BLE001 - without the thread the disk fills unseen
                _log.exception("old measurements not removed this time")
            if stop.wait(every_s):
                return

    thread = Thread(target=go_on, name="retention")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        await asyncio.to_thread(thread.join)
