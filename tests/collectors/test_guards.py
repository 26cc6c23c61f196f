"""The rules around every driver, with a driver that fails on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from collectors.base import (
    SYS_UPTIME,
    DeadlineError,
    DeniedError,
    ErrorStatusError,
    GarbledError,
    NoReplyError,
    ProtocolError,
    SessionError,
    Timing,
    Value,
    split_address,
    timing_for,
)
from collectors.guards import REFRESH_AFTER_S, TRY_LARGER_AFTER_S, GuardedSession
from netmon.clock import ManualClock

ROOT = "1.3.6.1.9"


class Script:
    """A link that plays a list: an error is raised, anything else is the answer."""

    def __init__(self, *steps: object) -> None:
        self.steps = list(steps)
        self.asked: list[str] = []
        self.repetitions: list[int] = []

    def _next(self, what: str) -> object:
        self.asked.append(what)
        step = self.steps.pop(0)
        if isinstance(step, SessionError):
            raise step
        return step

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        step = self._next("get")
        assert isinstance(step, dict)
        return step

    def rows(self, root: str, max_repetitions: int) -> Script:
        assert root == ROOT
        self.repetitions.append(max_repetitions)
        return self

    async def next_page(self) -> list[tuple[str, Value]]:
        step = self._next("page")
        assert isinstance(step, list)
        return step

    async def refresh(self) -> None:
        self.asked.append("refresh")

    async def aclose(self) -> None:
        self.asked.append("close")


class Bench:
    def __init__(self, *steps: object, timing: Timing | None = None) -> None:
        self.clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
        self.link = Script(*steps)
        self.pauses_s: list[float] = []
        self.session = GuardedSession(
            self.link, clock=self.clock, timing=timing or Timing(), sleep=self._sleep
        )

    async def _sleep(self, pause_s: float) -> None:
        self.pauses_s.append(pause_s)
        self.clock.advance(pause_s)

    async def get(self) -> dict[str, Value]:
        return await self.session.get([ROOT])

    async def walk(self, **limits: float) -> list[tuple[str, Value]]:
        return await self.session.walk(
            ROOT,
            max_repetitions=int(limits.get("max_repetitions", 20)),
            max_rows=100,
            deadline_s=limits.get("deadline_s", 60.0),
        )


ALIVE: dict[str, Value] = {SYS_UPTIME: 1, ROOT: 7}


async def test_silence_is_asked_again_after_one_and_two_seconds() -> None:
    bench = Bench(NoReplyError(), NoReplyError(), ALIVE)
    assert await bench.get() == {ROOT: 7}
    assert bench.pauses_s == [1.0, 2.0]


async def test_two_retries_are_all() -> None:
    bench = Bench(*[NoReplyError()] * 3)
    with pytest.raises(NoReplyError):
        await bench.get()
    assert len(bench.link.asked) == 3


async def test_a_refused_v3_request_is_renewed_once_at_once() -> None:
    bench = Bench(DeniedError(), ALIVE)
    assert await bench.get() == {ROOT: 7}
    assert bench.link.asked == ["get", "refresh", "get"]
    assert bench.pauses_s == []
    bench = Bench(DeniedError(), DeniedError())
    with pytest.raises(DeniedError):
        await bench.get()
    assert bench.link.asked == ["get", "refresh", "get"]


async def test_after_two_idle_minutes_the_time_is_renewed_first() -> None:
    bench = Bench(ALIVE, ALIVE, ALIVE, ALIVE)
    await bench.get()
    bench.clock.advance(REFRESH_AFTER_S - 1)
    await bench.get()
    assert bench.link.asked == ["get", "get"]
    bench.clock.advance(REFRESH_AFTER_S)
    await bench.get()
    assert bench.link.asked == ["get", "get", "refresh", "get"]
    await bench.get()
    assert bench.link.asked[4:] == ["get"]


async def test_an_unreadable_datagram_is_asked_for_once_more_at_once() -> None:
    bench = Bench(GarbledError(), ALIVE)
    assert await bench.get() == {ROOT: 7}
    assert bench.pauses_s == []


async def test_an_unreadable_walk_begins_anew_with_half_the_rows() -> None:
    garbled = [GarbledError(), GarbledError()]
    page = [(f"{ROOT}.1", 1)]
    bench = Bench(*garbled, *garbled, page, [])
    assert await bench.walk(max_repetitions=20) == page
    assert bench.link.repetitions == [20, 10, 5]


async def test_a_walk_unreadable_to_the_last_row_is_an_error() -> None:
    bench = Bench(*[GarbledError()] * 20)
    with pytest.raises(GarbledError):
        await bench.walk(max_repetitions=4)
    assert bench.link.repetitions == [4, 2, 1]


async def test_a_walk_with_an_error_status_is_asked_for_row_by_row() -> None:
    page = [(f"{ROOT}.1", 1)]
    bench = Bench(page, ErrorStatusError(), page, [])
    assert await bench.walk() == page
    assert bench.link.repetitions == [20, 1]
    with pytest.raises(ErrorStatusError):
        await Bench(ErrorStatusError(), ErrorStatusError()).walk()


async def test_fewer_rows_are_remembered_for_the_column() -> None:
    page = [(f"{ROOT}.1", 1)]
    bench = Bench(GarbledError(), GarbledError(), page, [], page, [])
    assert await bench.walk(max_repetitions=20) == await bench.walk(max_repetitions=20)
    assert bench.link.repetitions == [20, 10, 10]


class Small:
    """A device that answers so many objects at most, and says nothing else."""

    def __init__(self, most: int, bad: str = "") -> None:
        self.most = most
        self.bad = bad
        self.sizes: list[int] = []

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        self.sizes.append(len(oids))
        if len(oids) > self.most or self.bad in oids:
            return {}
        return dict.fromkeys(oids, 1)

    async def refresh(self) -> None:
        pass


def small(device: Small) -> tuple[GuardedSession, ManualClock]:
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    session = GuardedSession(device, clock=clock, timing=Timing())  # type: ignore[arg-type]
    return session, clock


async def test_what_a_device_takes_at_once_is_remembered() -> None:
    """tooBig comes as an empty answer; one object more is sysUpTime."""
    device = Small(20)
    session, clock = small(device)
    oids = [f"{ROOT}.{n}" for n in range(100)]
    assert len(await session.get(oids)) == 100
    assert session.tally.splits > 0
    device.sizes.clear()
    splits = session.tally.splits
    assert len(await session.get(oids)) == 100
    assert max(device.sizes) <= 20
    assert session.tally.splits == splits
    # It may only have been busy: after an hour the usual size is tried again.
    device.most = 1000
    clock.advance(TRY_LARGER_AFTER_S + 1)
    device.sizes.clear()
    await session.get(oids)
    assert device.sizes == [51, 51]


async def test_one_bad_object_does_not_shrink_all_requests() -> None:
    device = Small(1000, bad=f"{ROOT}.7")
    session, _ = small(device)
    oids = [f"{ROOT}.{n}" for n in range(50)]
    with pytest.raises(ErrorStatusError):
        await session.get(oids)
    # Halves until the one is found, and not every object alone.
    assert len(device.sizes) < 14
    device.bad = ""
    device.sizes.clear()
    await session.get(oids)
    assert device.sizes[0] >= 5


async def test_what_was_asked_is_counted() -> None:
    bench = Bench(NoReplyError(), GarbledError(), DeniedError(), ALIVE)
    await bench.get()
    tally = bench.session.tally
    assert (tally.requests, tally.retries) == (4, 3)
    assert (tally.timeouts, tally.unreadable, tally.refused) == (1, 1, 1)
    bench = Bench([(f"{ROOT}.1", 1), (f"{ROOT}.2", 2)], [])
    await bench.walk()
    tally = bench.session.tally
    assert (tally.walks, tally.walk_rows, tally.longest_walk_rows) == (1, 2, 2)


async def test_a_walk_that_leads_back_is_no_empty_table() -> None:
    for oid in (ROOT, "1.3.6.1.8.1"):
        with pytest.raises(ProtocolError, match="go back"):
            await Bench([(oid, 1)]).walk()


async def test_a_pause_that_ends_after_the_deadline_is_not_begun() -> None:
    bench = Bench([(f"{ROOT}.1", 1)], NoReplyError())
    with pytest.raises(DeadlineError):
        await bench.walk(deadline_s=0.5)
    assert bench.pauses_s == []


async def test_rows_of_the_next_table_end_the_walk() -> None:
    bench = Bench([(f"{ROOT}.1", 1), (f"{ROOT}9.1", 2), (f"{ROOT}.2", 3)])
    assert await bench.walk() == [(f"{ROOT}.1", 1)]


async def test_order_is_by_number_and_not_by_text() -> None:
    page = [(f"{ROOT}.9", 1), (f"{ROOT}.10", 2)]
    assert await Bench(page, []).walk() == page


async def test_closing_reaches_the_driver() -> None:
    bench = Bench()
    await bench.session.aclose()
    assert bench.link.asked == ["close"]


@pytest.mark.parametrize("interval_s", [1.0, 5.0, 30.0, 60.0, 300.0, 3600.0])
def test_a_dead_device_costs_less_than_its_interval(interval_s: float) -> None:
    timing = timing_for(interval_s)
    tries = len(timing.backoff_s) + 1
    assert tries == 3
    assert tries * timing.timeout_s + sum(timing.backoff_s) <= interval_s
    assert timing.timeout_s >= 0.3


def test_from_ninety_seconds_on_patience_is_full() -> None:
    assert timing_for(90.0) == timing_for(300.0) == Timing()


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("10.0.0.1", ("10.0.0.1", 161)),
        ("10.0.0.1:1161", ("10.0.0.1", 1161)),
        ("vc.example", ("vc.example", 161)),
        ("[2001:db8::1]:162", ("2001:db8::1", 162)),
        ("[2001:db8::1]", ("2001:db8::1", 161)),
        ("2001:db8::1", ("2001:db8::1", 161)),
    ],
)
def test_addresses(address: str, wanted: tuple[str, int]) -> None:
    assert split_address(address) == wanted


@pytest.mark.parametrize("address", ["", ":161", "host:0", "host:65536", "host:snmp"])
def test_wrong_addresses(address: str) -> None:
    with pytest.raises(ValueError, match=r"no_host|no_port"):
        split_address(address)
