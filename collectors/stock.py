"""Records of many devices, made durable together.

A commit of the spool costs one wait for the disk whatever its size; a thousand devices
a minute would wait a thousand times. What arrives while one commit runs goes into the
next, and nobody is told before its own records are on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from netmon.errors import StorageError
from netmon.spool import Spool
from netmon.spool_record import SpoolRecord

_Item = tuple[Sequence[SpoolRecord], "asyncio.Future[StorageError | None]"]

# Bounds how long one commit holds the spool, which the sender needs too.
MAX_RECORDS = 5_000


class Stock:
    """The way of polled records into a spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._waiting: list[_Item] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, records: Sequence[SpoolRecord]) -> None:
        """Return when the records are on disk.

        Raises:
            StorageError: they are not, and are lost.
        """
        if not records:
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[StorageError | None] = loop.create_future()
        self._waiting.append((records, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        # A poller that is stopped meanwhile must not take the others' commit along.
        error = await asyncio.shield(done)
        if error is not None:
            raise error

    async def aclose(self) -> None:
        """Wait until all that was added is on disk."""
        if self._writer is not None:
            await asyncio.shield(self._writer)

    async def _write(self) -> None:
        while self._waiting:
            group = self._waiting[:1]
            size = len(group[0][0])
            for item in self._waiting[1:]:
                size += len(item[0])
                if size > MAX_RECORDS:
                    break
                group.append(item)
            del self._waiting[: len(group)]
            records = [record for part, _ in group for record in part]
            failed: StorageError | None = None
            try:
                # Waiting for the disk must not hold up the devices.
                await asyncio.to_thread(self._spool.add_many, records)
            except StorageError as error:
                failed = error
            except BaseException:
                for _, done in group:
                    done.cancel()
                raise
            for _, done in group:
                done.set_result(failed)
