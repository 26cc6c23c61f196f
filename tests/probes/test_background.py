"""Work beside the loop: its result, its error, and that an end needs no waiting."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from probes.background import in_thread


async def test_result_and_error_come_back():
    assert await in_thread(pow, 2, 10) == 1024
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 1, 0)


async def test_cancelling_does_not_wait_for_the_work():
    started, release = threading.Event(), threading.Event()

    def work():
        started.set()
        release.wait(30)

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(started.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()


def test_the_process_ends_though_work_is_running():
    code = (
        "import asyncio, threading\n"
        "from probes.background import in_thread\n"
        "async def main():\n"
        "    begun = threading.Event()\n"
        "    def work():\n"
        "        begun.set()\n"
        "        threading.Event().wait()\n"
        "    task = asyncio.create_task(in_thread(work))\n"
        "    await asyncio.to_thread(begun.wait)\n"
        "    task.cancel()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], timeout=30, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
