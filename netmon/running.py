"""How what runs on and on is kept going, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from netmon.errors import NetmonError

_log = logging.getLogger(__name__)


def told_to_stop() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; to be called in the running loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def until_one_ends(*jobs: Coroutine[object, object, object]) -> None:
    """Run jobs until the first ends, and cancel the others.

    What the first to end raises is raised here: a job that failed is not hidden.
    """
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


@contextmanager
def again_and_again(
    work: Callable[[], object], every_s: float, *, name: str, failed: str
) -> Iterator[None]:
    """Do something at once and every so many seconds, for as long as the block runs.

    On a thread of its own, so that it keeps nobody waiting; ``name`` is the thread's.
    A `NetmonError` is logged as ``failed`` with its text, and the next turn comes.
    """
    stop = Event()

    def go_on() -> None:
        while True:
            try:
                work()
            except NetmonError as error:
                _log.warning("%s this time: %s", failed, error)
            if stop.wait(every_s):
                return

    thread = Thread(target=go_on, name=name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
