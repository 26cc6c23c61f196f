"""Many requests, one transaction: batches that arrive together are committed together.

A commit costs one wait for the disk whatever its size, so the writer thread takes
all that is waiting (up to MAX_GROUP batches) into one transaction. A batch is
answered only after the commit it was part of.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from netmon.errors import StorageError
from netmon.storage.records import CheckedBatch, Written

MAX_GROUP = 64
MAX_WAITING = 512
_log = logging.getLogger(__name__)

Write = Callable[[Sequence[CheckedBatch]], list[Written]]


class FullError(Exception):
    """More batches wait than the disk takes; the sender shall come again later."""


@dataclass(slots=True)
class _Job:
    batch: CheckedBatch
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Written]


class GroupCommit:
    """A writer thread in front of the store; start and stop belong together."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._jobs: queue.Queue[_Job | None] = queue.Queue(MAX_WAITING)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the writer thread."""
        self._thread = threading.Thread(target=self._run, name="group-commit")
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end the thread."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def waiting(self) -> int:
        """Return how many batches wait for their commit."""
        return self._jobs.qsize()

    async def submit(self, batch: CheckedBatch) -> Written:
        """Return what was written, after its commit.

        Raises:
            FullError: the queue is full; nothing was taken.
            StorageError: the store refused; nothing of this batch is stored.
        """
        loop = asyncio.get_running_loop()
        job = _Job(batch, loop, loop.create_future())
        try:
            self._jobs.put_nowait(job)
        except queue.Full as error:
            raise FullError from error
        return await job.answer

    def _run(self) -> None:
        running = True
        while running:
            group: list[_Job] = []
            job = self._jobs.get()
            while True:
                if job is None:
                    running = False
                    break
                group.append(job)
                if len(group) >= MAX_GROUP:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            if group:
                self._commit(group)

    def _commit(self, group: list[_Job]) -> None:
        try:
            written = self._write([job.batch for job in group])
        except StorageError as error:
            if error.retry:
                _answer(group, [error] * len(group))
            else:
                self._refuse(group, error)
        except Exception as error:  # noqa: BLE001 - the thread must outlive any bug
            _log.exception("writing a group of %d batches failed", len(group))
            self._refuse(group, error)
        else:
            _answer(group, written)

    def _refuse(self, group: list[_Job], error: Exception) -> None:
        """Answer with an error; one batch nobody can take must not cost the others."""
        if len(group) == 1:
            _answer(group, [error])
            return
        _log.warning("a group of %d batches was refused: %s", len(group), error)
        for job in group:
            self._commit([job])


def _answer(jobs: list[_Job], results: Sequence[Written | Exception]) -> None:
    def deliver() -> None:
        for job, result in zip(jobs, results, strict=True):
            if job.answer.done():
                continue  # the client went away; it will send again
            if isinstance(result, Exception):
                job.answer.set_exception(result)
            else:
                job.answer.set_result(result)

    jobs[0].loop.call_soon_threadsafe(deliver)
