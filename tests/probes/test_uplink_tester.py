"""A test that cannot begin leaves a result that still says what it was for."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from netmon.assignment_wire import LineAssignment
from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.lease_wire import Purpose
from netmon.model import FailureReason, LineRole, Technology
from probes import line_use as line_use_module
from probes import uplink_tester
from probes.base import MeasureAddress, say_nothing
from probes.lease_client import LeaseClient
from probes.uplink_run import Bench, Job
from probes.wan import WanPorts

LINE = LineAssignment(
    id="l1",
    role=LineRole.MAIN,
    technology=Technology.VDSL,
    contracted_down_bps=100_000_000,
    contracted_up_bps=40_000_000,
    threshold_down_bps=90e6,
    clear_down_bps=95e6,
    threshold_up_bps=36e6,
)


@pytest.fixture
def nobody() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("campaign", ["", "ev-1"])
async def test_without_a_slot_the_record_keeps_its_tags(nobody, campaign):
    async with httpx.AsyncClient() as client:
        leases = LeaseClient(client, f"http://127.0.0.1:{nobody}", Secret("t"))
        tester = uplink_tester.Tester(
            Bench(interface="lo", wan=WanPorts({})),
            MeasureAddress("127.0.0.1", nobody, Secret("t")),
            leases,
            asyncio.Lock(),
            SystemClock(),
        )
        job = Job(
            kind="full",
            direction="down",
            purpose=Purpose.CAMPAIGN,
            line=LINE,
            in_lessons=False,
            campaign=campaign,
        )
        found = await tester.measure(job, 0.0, say_nothing)
    assert isinstance(found.failure, FailureReason)
    expected = {"direction": "down", "purpose": "campaign", "method": job.method}
    assert found.tags == expected | ({"campaign": campaign} if campaign else {})


def make_tester(url, client, lock=None, server=None):
    return uplink_tester.Tester(
        Bench(interface="lo", wan=WanPorts({})),
        server or MeasureAddress("127.0.0.1", 9, Secret("t")),
        LeaseClient(client, url, Secret("t")) if url else None,
        lock or asyncio.Lock(),
        SystemClock(),
    )


FLOOR = Job(
    kind="floor", direction="down", purpose=Purpose.FLOOR, line=LINE, in_lessons=False
)


async def test_a_gateway_away_for_all_the_patience_is_named_as_such(nobody):
    async with httpx.AsyncClient() as client:
        tester = make_tester(f"http://127.0.0.1:{nobody}", client)
        found = await tester.measure(FLOOR, 0.0, say_nothing)
    assert found is not None
    assert found.failure is FailureReason.REFUSED


async def test_what_must_not_be_loaded_any_more_is_not_measured(nobody):
    tester = make_tester("", None)
    found = await tester.measure(FLOOR, 0.0, say_nothing, lambda: None)
    assert found is None
    # With leave it is tried, and the server is not there.
    found = await tester.measure(FLOOR, 0.0, say_nothing, lambda: FLOOR)
    assert found is not None
    assert found.failure is FailureReason.REFUSED
    assert found.at_ms is not None


class _Silent:
    """A router that does not answer."""

    def read(self):
        return None


async def test_a_server_whose_name_is_unknown_is_a_result_not_a_crash(monkeypatch):
    # Learning the counters sends some packets to the server first.
    monkeypatch.setattr(line_use_module, "LEARN_S", 0.1)
    server = MeasureAddress("no-such-host.invalid", 5201, Secret("t"))
    tester = uplink_tester.Tester(
        Bench(interface="lo", wan=WanPorts({"l1": _Silent()})),
        server,
        None,
        asyncio.Lock(),
        SystemClock(),
    )
    found = await tester.measure(FLOOR, 0.0, say_nothing)
    assert found is not None
    assert found.failure is FailureReason.DNS
