"""Batches that wait together are written together, and refused one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from dashboards.group_commit import GroupCommit
from netmon.errors import StorageError
from netmon.storage.records import CheckedBatch, Source, SourceKind, Written


def a_batch(sent_ms: int) -> CheckedBatch:
    return CheckedBatch(
        source=Source(
            id=1,
            name="p1",
            kind=SourceKind.PROBE,
            building_id="gs-07",
            generated=False,
        ),
        spool="0" * 32,
        received_ms=1,
        sent_ms=sent_ms,
        agent="",
        series=[],
        quarantined=[],
    )


@pytest.mark.parametrize("error", [OverflowError("too large"), StorageError("no")])
async def test_one_batch_costs_no_other(error, caplog):
    """Found by a number too large for SQLite: 63 others went down with it."""
    groups: list[int] = []

    def write(batches: Sequence[CheckedBatch]) -> list[Written]:
        groups.append(len(batches))
        if any(batch.sent_ms == 2 for batch in batches):
            raise error
        return [Written(accepted=batch.sent_ms, duplicates=0) for batch in batches]

    commits = GroupCommit(write)
    waiting = [asyncio.create_task(commits.submit(a_batch(n))) for n in (1, 2, 3)]
    await asyncio.sleep(0)  # all three are in the queue before the thread looks
    commits.start()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    commits.stop()
    assert groups == [3, 1, 1, 1]
    assert found == [Written(1, 0), error, Written(3, 0)]
