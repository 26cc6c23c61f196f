"""Beside the requests: results of running campaigns become links of their chains."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

import msgspec

from dashboards.context import Site
from netmon.errors import NetmonError
from netmon.evidence.campaign import record_new

RECORD_EVERY_S = 5.0

_log = logging.getLogger(__name__)


@asynccontextmanager
async def recording(site: Site, every_s: float = RECORD_EVERY_S) -> AsyncIterator[None]:
    """Record for as long as the block runs, on a thread of its own.

    What waits for the store's write lock there keeps no request waiting.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="evidence") as thread:
        task = asyncio.create_task(_keep_recording(site, thread, every_s))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _keep_recording(
    site: Site, thread: ThreadPoolExecutor, every_s: float
) -> None:
    loop = asyncio.get_running_loop()
    while True:
        now_ms = site.moment().now_ms
        try:
            await loop.run_in_executor(thread, record_new, site.store, now_ms)
        except (NetmonError, msgspec.MsgspecError, ValueError) as error:
            # The cursor stands where it stood: the next round takes them.
            _log.warning("results of campaigns not recorded this time: %s", error)
        await asyncio.sleep(every_s)
