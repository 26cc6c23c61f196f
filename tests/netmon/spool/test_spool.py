"""The spool keeps what it acknowledged, in order, bounded, and says what it lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netmon import spool as spool_module
from netmon.errors import StorageBusyError, StorageError
from netmon.model import FailureReason
from netmon.spool import Spool
from tests.netmon.spool.records import bad, good, timestamps


def test_records_come_back_oldest_first_and_stay(spool):
    numbers = [spool.add(good(ts_ms)) for ts_ms in (30, 10, 20)]
    assert numbers == [1, 2, 3]
    assert timestamps(spool) == [30, 10, 20]
    assert [item.seq for item in spool.batch(2)] == [1, 2]
    assert spool.batch(1)[0].record == good(30)


def test_empty_spool_gives_nothing(spool):
    assert spool.batch(5) == []
    assert spool.add_many([]) == []
    assert spool.stats().oldest_ts_ms is None


def test_add_many_numbers_in_order(spool):
    spool.add(good())
    assert spool.add_many(good(n) for n in range(3)) == [2, 3, 4]


def test_failure_keeps_its_reason_and_has_no_values(spool):
    spool.add(bad())
    record = spool.batch(1)[0].record
    assert record.failure is FailureReason.TIMEOUT
    assert record.values == {}


def test_acknowledged_records_are_gone_and_numbers_never_return(path):
    with Spool(path) as spool:
        spool.add_many([good(1), good(2)])
        assert spool.ack([1, 2]) == 2
        assert spool.batch(5) == []
    with Spool(path) as spool:
        assert spool.add(good(3)) == 3


def test_acknowledging_twice_counts_once(spool):
    spool.add(good())
    assert spool.ack([1]) == 1
    assert spool.ack([1, 99]) == 0
    assert spool.stats().sent == 1


def test_name_is_random_and_lasts(path, tmp_path):
    with Spool(path) as first, Spool(tmp_path / "other.sqlite3") as other:
        name = first.spool_name
        assert len(name) == 32
        assert set(name) <= set("0123456789abcdef")
        assert other.spool_name != name
    with Spool(path) as again:
        assert again.spool_name == name


def test_receipt_of_another_file_changes_nothing(spool):
    spool.add(good())
    assert spool.ack([1], spool="0" * 32) == 0
    assert spool.reject({1: "no"}, spool="0" * 32) == 0
    assert spool.stats().length == 1


def test_rejected_records_block_nobody_and_keep_their_reason(spool):
    spool.add_many([good(1), good(2)])
    assert spool.reject({1: "kind is unknown"}) == 1
    assert timestamps(spool) == [2]
    (rejected,) = spool.rejected()
    assert (rejected.seq, rejected.reason) == (1, "kind is unknown")
    assert '"ts_ms":1' in rejected.body
    assert spool.stats().rejected == 1


def test_rejected_records_are_bounded(spool, monkeypatch):
    monkeypatch.setattr(spool_module, "MAX_REJECTED", 3)
    numbers = spool.add_many(good(n) for n in range(5))
    for number in numbers:
        spool.reject({number: "no"})
    assert [each.seq for each in spool.rejected()] == [3, 4, 5]
    assert spool.stats().rejected == 5


def test_full_spool_drops_the_oldest_measurements(path):
    with Spool(path, max_records=3) as spool:
        spool.add_many(good(n) for n in range(5))
        assert timestamps(spool) == [2, 3, 4]
        assert spool.stats().dropped == 2


def test_full_spool_drops_measurements_before_older_failures(path):
    with Spool(path, max_records=3) as spool:
        spool.add_many([bad(1), good(2), bad(3), good(4)])
        assert timestamps(spool) == [1, 3, 4]
        spool.add(bad(5))
        assert timestamps(spool) == [1, 3, 5]


def test_only_failures_left_lose_their_oldest(path):
    with Spool(path, max_records=2) as spool:
        spool.add_many([bad(1), bad(2), bad(3)])
        assert timestamps(spool) == [2, 3]
        assert spool.stats().dropped == 1


def test_counters_survive_a_restart(path):
    with Spool(path, max_records=4) as spool:
        spool.add_many(good(n) for n in range(6))
        spool.ack([3])
        spool.reject({4: "no"})
        before = spool.stats()
    with Spool(path, max_records=4) as spool:
        assert spool.stats() == before
    assert (before.added, before.sent, before.dropped) == (6, 1, 2)
    assert (before.rejected, before.length, before.oldest_ts_ms) == (1, 2, 4)
    assert before.bytes > 0


def test_bytes_return_to_nothing(spool):
    spool.add_many([good(1), bad(2)])
    spool.ack([1])
    spool.reject({2: "no"})
    assert spool.stats().bytes == 0


def test_a_spool_of_no_size_is_refused(path):
    with pytest.raises(ValueError, match="at least one"):
        Spool(path, max_records=0)


_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.booleans(), max_size=4)),
        st.tuples(st.just("ack"), st.integers(0, 4)),
        st.tuples(st.just("reject"), st.integers(0, 2)),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=30,
)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(actions=_ACTIONS)
def test_every_record_is_accounted_for(tmp_path_factory, actions):
    """Against a plain list: added = sent + dropped + rejected + still there."""
    path = tmp_path_factory.mktemp("spool") / "s.sqlite3"
    spool = Spool(path, max_records=5)
    model: list[tuple[int, bool]] = []
    added = sent = dropped = rejected = 0
    for action, argument in actions:
        if action == "add":
            numbers = spool.add_many(bad() if f else good() for f in argument)
            model.extend(zip(numbers, argument, strict=True))
            added += len(argument)
            while len(model) > 5:
                gone = next((m for m in model if not m[1]), model[0])
                model.remove(gone)
                dropped += 1
        elif action == "ack":
            sent += spool.ack([item.seq for item in spool.batch(argument)])
            model = model[argument:]
        elif action == "reject":
            chosen = {item.seq: "no" for item in spool.batch(argument)}
            rejected += spool.reject(chosen)
            model = model[argument:]
        else:
            spool.close()
            spool = Spool(path, max_records=5)
        assert [item.seq for item in spool.batch(100)] == [m[0] for m in model]
    stats = spool.stats()
    spool.close()
    assert (stats.added, stats.sent) == (added, sent)
    assert (stats.dropped, stats.rejected) == (dropped, rejected)
    assert stats.length == len(model) == added - sent - dropped - rejected


def test_not_a_number_becomes_none(spool):
    spool.add(good(values={"rtt_s": float("nan")}))
    assert spool.batch(1)[0].record.values == {"rtt_s": None}


def test_second_process_waits_for_the_first(path):
    script = (
        "import sys; from pathlib import Path\n"
        "from netmon.spool import Spool\n"
        "from netmon.spool_record import SpoolRecord\n"
        "with Spool(Path(sys.argv[1])) as spool:\n"
        "    for n in range(200):\n"
        "        spool.add(SpoolRecord(kind='dns', tags={}, ts_ms=n))\n"
    )
    with Spool(path) as spool:
        other = subprocess.Popen([sys.executable, "-c", script, str(path)])
        for n in range(200):
            spool.add(good(n))
        assert other.wait(timeout=60) == 0
        assert spool.stats().added == 400
        assert sorted(item.seq for item in spool.batch(1000)) == list(range(1, 401))


def test_threads_may_write_and_read_at_once(path):
    with Spool(path) as spool:

        def write() -> None:
            for n in range(100):
                spool.add(good(n))

        def send() -> None:
            while spool.stats().sent < 300:
                spool.ack([item.seq for item in spool.batch(50)])

        threads = [threading.Thread(target=write) for _ in range(3)]
        threads.append(threading.Thread(target=send))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert (spool.stats().sent, spool.stats().length) == (300, 0)


def test_lock_held_too_long_is_an_error_worth_retrying(path, monkeypatch):
    monkeypatch.setattr("netmon.spool_file.BUSY_TIMEOUT_S", 0.05)
    with Spool(path) as spool:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageBusyError) as caught:
            spool.add(good())
        assert caught.value.retry
        holder.execute("ROLLBACK")
        holder.close()
        assert spool.add(good()) == 1


def test_full_disk_is_told_and_harms_nothing(path):
    with Spool(path) as spool:
        spool.add(good(1))
        (pages,) = spool._db.execute("PRAGMA page_count").fetchone()
        spool._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StorageError, match="full"):
            spool.add_many(good(n) for n in range(5000))
        assert timestamps(spool) == [1]
        spool._db.execute("PRAGMA max_page_count = 1000000")
        assert spool.add(good(2)) == 2


def test_folder_in_the_way_is_an_error(tmp_path):
    (tmp_path / "spool.sqlite3").mkdir()
    with pytest.raises(StorageError):
        Spool(tmp_path / "spool.sqlite3")


@pytest.mark.parametrize("records_before_kill", [1, 40, 400])
def test_kill_9_loses_nothing_that_was_reported(path, records_before_kill):
    script = (
        "import sys; from pathlib import Path\n"
        "from netmon.spool import Spool\n"
        "from netmon.spool_record import SpoolRecord\n"
        "spool = Spool(Path(sys.argv[1]))\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    record = SpoolRecord(kind='dns', tags={'line': 'l'}, ts_ms=n)\n"
        "    print(spool.add(record), flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    reported = [int(process.stdout.readline()) for _ in range(records_before_kill)]
    os.kill(process.pid, signal.SIGKILL)
    # Without an end of line the number was never wholly reported.
    rest = process.stdout.read().decode().splitlines(keepends=True)
    reported += [int(line) for line in rest if line.endswith("\n")]
    process.stdout.close()
    process.wait()
    with Spool(path) as spool:
        kept = {item.seq: item.record.ts_ms for item in spool.batch(10**6)}
        assert all(kept[seq] == seq for seq in reported)
        # One more may be stored whose number could not be told any more.
        assert len(kept) - len(reported) in (0, 1)
        assert spool.stats().length == len(kept) == spool.stats().added
        assert spool.stats().damaged == 0
