"""The runner spools one record for each run, whatever the run does."""

from __future__ import annotations

import asyncio

import pytest

from netmon.errors import StorageError
from netmon.model import FailureReason
from netmon.spool import Spool
from probes.base import ProbeResult, failed, measured
from probes.runner import Planned, Runner


class _Scripted:
    """A probe that does what its script says, one entry a run."""

    kind = "dns"
    limit_s = 5.0

    def __init__(self, *script, name: str = "scripted") -> None:
        self.name = name
        self.runs = 0
        self._script = list(script)

    def tags(self, context):
        return {"building": context.building, "line": context.line}

    async def run(self, context) -> ProbeResult:
        self.runs += 1
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, Exception):
            raise step
        if callable(step):
            return await step()
        return step


GOOD = measured({"duration_s": 0.1}, {"server": "a"})


@pytest.fixture
def spool(tmp_path):
    with Spool(tmp_path / "spool.sqlite3") as opened:
        yield opened


@pytest.fixture
def make_runner(spool, make_context):
    def make(*plan: Planned, health_interval_s: float = 0.0, wake=None) -> Runner:
        return Runner(
            plan,
            make_context(1),
            spool,
            wake or asyncio.Event(),
            health_interval_s=health_interval_s,
        )

    return make


async def run_until(runner: Runner, condition, until) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(runner.run(stop))
    await until(condition)
    stop.set()
    await asyncio.wait_for(running, 30)


async def test_measurement_becomes_a_record(make_runner):
    (record,) = await make_runner().measure(_Scripted(GOOD))
    assert record.kind == "dns"
    assert record.tags == {"building": "building-1", "line": "line-1"}
    assert record.values == {"duration_s": 0.1}
    assert record.failure is None
    assert record.info == {"server": "a"}


async def test_failure_becomes_a_record_with_its_reason_and_words(make_runner):
    probe = _Scripted(failed(FailureReason.DNS, "x" * 500))
    (record,) = await make_runner().measure(probe)
    assert record.failure is FailureReason.DNS
    assert record.values == {}
    assert record.info == {"last_failure": "x" * 200}


async def test_mistake_in_a_probe_is_internal_and_in_the_log(make_runner, caplog):
    (record,) = await make_runner().measure(_Scripted(ZeroDivisionError("oops")))
    assert record.failure is FailureReason.INTERNAL
    assert record.values == {}
    assert "Traceback" in caplog.text
    assert "ZeroDivisionError: oops" in caplog.text


async def test_run_without_end_is_a_timeout(make_runner):
    probe = _Scripted(asyncio.Event().wait)
    probe.limit_s = 0.02
    (record,) = await make_runner().measure(probe)
    assert record.failure is FailureReason.TIMEOUT


async def test_due_probes_run_again_and_again_and_wake_the_pusher(
    make_runner, spool, until
):
    wake = asyncio.Event()
    probe = _Scripted(ZeroDivisionError(), GOOD)
    runner = make_runner(Planned(probe, 0.02), wake=wake)
    await run_until(runner, lambda: spool.stats().length >= 3, until)
    records = [item.record for item in spool.batch(3)]
    assert [r.failure for r in records] == [FailureReason.INTERNAL, None, None]
    assert wake.is_set()


async def test_probes_never_run_at_the_same_time(make_runner, spool, until):
    running, most = 0, 0

    async def busy() -> ProbeResult:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1
        return GOOD

    probes = [_Scripted(busy, name=f"p{n}") for n in range(3)]
    runner = make_runner(*(Planned(probe, 0.02) for probe in probes))
    await run_until(runner, lambda: all(p.runs >= 2 for p in probes), until)
    assert most == 1


async def test_interval_of_zero_turns_a_probe_off(make_runner, spool, until):
    off, on = _Scripted(GOOD, name="off"), _Scripted(GOOD, name="on")
    runner = make_runner(Planned(off, 0), Planned(on, 0.02))
    await run_until(runner, lambda: on.runs >= 3, until)
    assert off.runs == 0


async def test_everything_off_waits_for_the_end(make_runner):
    stop = asyncio.Event()
    running = asyncio.create_task(make_runner().run(stop))
    stop.set()
    await asyncio.wait_for(running, 30)


async def test_health_tells_the_spools_counters(make_runner, spool, until):
    runner = make_runner(health_interval_s=0.02)
    await run_until(runner, lambda: spool.stats().length >= 2, until)
    second = spool.batch(2)[1].record
    assert second.kind == "probe_health"
    assert second.tags == {"building": "building-1", "probe": "probe-1"}
    assert second.values["spool_added_total"] == 1.0
    assert second.values["spool_records_count"] == 1.0
    assert second.info == {"spool_files_damaged": "0"}


async def test_records_wait_in_memory_while_the_disk_takes_nothing(
    make_runner, spool, until, monkeypatch
):
    whole, refusals = spool.add_many, [StorageError("disk full")] * 3

    def add_many(records):
        if refusals:
            raise refusals.pop()
        return whole(records)

    monkeypatch.setattr(spool, "add_many", add_many)
    probe = _Scripted(GOOD)
    runner = make_runner(Planned(probe, 0.01))
    await run_until(runner, lambda: spool.stats().length > 0, until)
    assert spool.stats().length == probe.runs >= 4


async def test_cancelling_drops_only_the_running_measurement(make_runner, spool, until):
    probe = _Scripted(GOOD, asyncio.Event().wait)
    running = asyncio.create_task(
        make_runner(Planned(probe, 0.01)).run(asyncio.Event())
    )
    await until(lambda: probe.runs == 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert spool.stats().length == 1
