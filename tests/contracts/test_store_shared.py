"""Every state store survives its process and is shared by many."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from netmon.storage.ports import Store
from netmon.storage.records import (
    Source,
    Written,
)

from .conftest import NOON_MS, OPEN, a_batch, a_series, a_source


def test_everything_is_there_after_opening_again(
    open_store: Callable[[], Store],
) -> None:
    first = open_store()
    batch = a_batch(a_source(first), a_series([1, 2]))
    first.measurements.write([batch])
    first.cursors.log_delivery("relay", 1, NOON_MS)
    first.close()
    second = open_store()
    assert second.measurements.write([batch]) == [Written(0, 2)]
    assert second.measurements.count() == 2
    assert second.cursors.get("relay").position == 1
    second.close()


def test_many_threads_may_use_one_store(store: Store) -> None:
    sources = [a_source(store, f"p{n}") for n in range(4)]
    errors: list[BaseException] = []

    def work(source: Source) -> None:
        try:
            for n in range(25):
                # Each batch overlaps the one before, as after a lost answer.
                store.measurements.write([a_batch(source, a_series([n + 1, n + 2]))])
                store.measurements.chunks_after(0, 10)
                store.measurements.latest()
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.measurements.count() == 4 * 26
    assert len(set(store.measurements.ids())) == 4 * 26


def _work_in_a_process(kind: str, folder: str, name: str) -> None:
    store = OPEN[kind](Path(folder))
    source = a_source(store, name)
    shared = a_source(store, "shared")
    for n in range(25):
        store.measurements.write([a_batch(source, a_series([n + 1, n + 2]))])
        store.measurements.write([a_batch(shared, a_series([n + 1, n + 2]))])
        store.cursors.log_delivery(
            name, store.measurements.last_position(), NOON_MS + n
        )
    store.close()


@pytest.mark.parametrize("kind", list(OPEN))
def test_several_processes_may_make_and_use_the_same_store(
    kind: str, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_work_in_a_process, args=(kind, str(tmp_path), f"p{n}"))
        for n in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    store = OPEN[kind](tmp_path)
    ids = store.measurements.ids()
    assert len(ids) == len(set(ids)) == store.measurements.count() == 4 * 26
    chunks = store.measurements.chunks_after(0, 10**6)
    assert sum(len(chunk.points.seq) for chunk in chunks) == 4 * 26
    store.close()
