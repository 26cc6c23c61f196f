"""Records of many devices in few commits, and nobody told too soon."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from collectors.stock import MAX_RECORDS, Stock
from netmon.errors import StorageError
from netmon.spool import Spool
from netmon.spool_record import SpoolRecord


class Slow(Spool):
    """A spool that counts its commits, waits for a word, and may be full."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.commits: list[int] = []
        self.full = False

    def add_many(self, records: Iterable[SpoolRecord]) -> list[int]:
        records = list(records)
        self.commits.append(len(records))
        if self.full:
            raise StorageError("disk full")
        return super().add_many(records)


@pytest.fixture
def spool(tmp_path: Path):
    with Slow(tmp_path / "s.sqlite3") as opened:
        yield opened


def records(count: int, device: str = "d") -> list[SpoolRecord]:
    tags = {"building": "b", "device": device}
    one = SpoolRecord(kind="device", tags=tags, ts_ms=1, values={"up": 1.0})
    return [one] * count


async def test_what_waits_is_committed_together(spool: Slow) -> None:
    stock = Stock(spool)
    await asyncio.gather(*(stock.add(records(3)) for _ in range(100)))
    assert sum(spool.commits) == spool.stats().length == 300
    assert len(spool.commits) < 5


async def test_records_are_on_disk_when_add_returns(spool: Slow) -> None:
    stock = Stock(spool)
    for count in (1, 2, 3):
        before = spool.stats().length
        await stock.add(records(count))
        assert spool.stats().length == before + count
    await stock.add([])
    assert spool.commits == [1, 2, 3]


async def test_a_commit_stays_small(spool: Slow) -> None:
    stock = Stock(spool)
    await asyncio.gather(*(stock.add(records(MAX_RECORDS // 2)) for _ in range(5)))
    assert max(spool.commits) <= MAX_RECORDS
    assert spool.stats().length == MAX_RECORDS // 2 * 5


async def test_everybody_hears_of_a_full_disk_and_it_goes_on_later(
    spool: Slow,
) -> None:
    stock = Stock(spool)
    spool.full = True
    answers = await asyncio.gather(
        *(stock.add(records(1)) for _ in range(3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StorageError] * 3
    spool.full = False
    await stock.add(records(1))
    assert spool.stats().length == 1


async def test_a_poller_that_is_stopped_takes_nobody_along(spool: Slow) -> None:
    stock = Stock(spool)
    stopped = asyncio.create_task(stock.add(records(1)))
    other = asyncio.create_task(stock.add(records(2)))
    await asyncio.sleep(0)
    stopped.cancel()
    await other
    await stock.aclose()
    assert spool.stats().length == 3
    assert stopped.cancelled()
