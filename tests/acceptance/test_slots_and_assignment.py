"""The probe's clients against a real gateway: slots, and what it is told to do."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import httpx
import pytest
from msgspec.structs import replace

from netmon.config import Secret
from netmon.inventory import encode
from netmon.lease_wire import Direction, LeaseAsk, Purpose
from netmon.model import FailureReason
from netmon.storage.records import AlarmState, StateRow
from probes.assignment import AssignmentDesk
from probes.failures import ProbeFailedError
from probes.lease_client import LeaseClient, without
from tests.acceptance.conftest import BUILDING, LINE, PROBE, inventory

ASK = LeaseAsk(
    line=LINE,
    purpose=Purpose.FLOOR,
    directions=(Direction.DOWN,),
    length_s=2.0,
    expected_s=0.5,
)


@pytest.fixture
def listener():
    """Somebody who accepts connections: all that a server's health asks for."""
    with closing(socket.create_server(("127.0.0.1", 0))) as sock:
        yield f"127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
def nobody():
    """The address of a gateway that is not there."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


async def refusal(leases, ask=ASK, patience_s=0.0):
    with pytest.raises(ProbeFailedError) as caught:
        async with leases.slot(ask, patience_s):
            pass
    return caught.value


async def test_a_slot_is_granted_and_given_back(start_centre, listener):
    async with start_centre(("m1", listener, 1)) as centre, centre.client() as client:
        leases = LeaseClient(client, centre.url, centre.token)
        for _ in range(3):
            async with leases.slot(ASK, 0.0) as granted:
                assert granted is not None
                assert granted.servers[0].address == listener
                assert granted.line == LINE
        # Given back also when the test ended in an error.
        with pytest.raises(RuntimeError):
            async with leases.slot(ASK, 0.0):
                raise RuntimeError
        async with leases.slot(ASK, 0.0) as granted:
            assert granted is not None


async def test_who_comes_second_waits_is_told_why_and_gets_the_slot(
    start_centre, listener
):
    async with start_centre(("m1", listener, 1)) as centre, centre.client() as client:
        first = LeaseClient(client, centre.url, centre.token)
        told: list[str] = []
        waits = asyncio.Event()

        def emit(event, fields):
            told.append(f"{event}: {fields['message']}")
            waits.set()

        async def second():
            leases = LeaseClient(client, centre.url, centre.new_probe("gs-07-p2"))
            async with leases.slot(ASK, 20.0, emit) as granted:
                return granted

        async with first.slot(ASK, 0.0):
            task = asyncio.create_task(second())
            await asyncio.wait_for(waits.wait(), 10)
        granted = await asyncio.wait_for(task, 20)
        assert granted is not None
        assert "Messung" in told[0]


async def test_no_slot_in_time_is_busy(start_centre, listener):
    async with start_centre(("m1", listener, 1)) as centre, centre.client() as client:
        leases = LeaseClient(client, centre.url, centre.token)
        other = LeaseClient(client, centre.url, centre.new_probe("gs-07-p2"))
        async with leases.slot(ASK, 0.0):
            error = await refusal(other)
        assert error.reason is FailureReason.BUSY


async def test_refusals_have_their_reason(start_centre, listener, nobody):
    async with start_centre(("m1", listener, 1)) as centre, centre.client() as client:
        unknown = LeaseClient(client, centre.url, Secret("wrong"))
        assert (await refusal(unknown)).reason is FailureReason.DENIED
        leases = LeaseClient(client, centre.url, centre.token)
        never = replace(ASK, least_bps=10**10, rate_cap_bps=10**10)
        error = await refusal(leases, never)
        assert error.reason is FailureReason.UNSUPPORTED
        assert "Mbit/s" in error.detail
        error = await refusal(leases, replace(ASK, line="gs-08-l1"))
        assert error.reason is FailureReason.PROTOCOL
        away = LeaseClient(client, nobody, centre.token)
        error = await refusal(away)
        assert error.reason is FailureReason.REFUSED
        assert "127.0.0.1" not in error.detail


async def test_a_gateway_without_servers_leaves_the_probe_to_itself(start_centre):
    async with start_centre() as centre, centre.client() as client:
        leases = LeaseClient(client, centre.url, centre.token)
        async with leases.slot(ASK, 0.0) as granted:
            assert granted is None


async def test_another_server_is_had_on_request(start_centre, listener):
    servers = (("m1", listener, 1), ("m2", listener, 1))
    async with start_centre(*servers) as centre, centre.client() as client:
        leases = LeaseClient(client, centre.url, centre.token)
        async with leases.slot(ASK, 0.0) as granted:
            assert granted is not None
            assert granted.servers[0].id == "m1"
        async with leases.slot(without(ASK, "m1"), 0.0) as granted:
            assert granted is not None
            assert granted.servers[0].id == "m2"


def suspect(store, state):
    row = StateRow(
        rule="line_below_target",
        target=f"line:{LINE}",
        building_id=BUILDING,
        state=state,
        since_ms=1,
        updated_ms=1,
        incident_id=None,
        memory=b"{}",
    )
    store.alarms.commit([row], [], reader="alerts", position=0, now_ms=1)


async def test_the_assignment_is_fetched_kept_and_followed(start_centre, tmp_path):
    path = tmp_path / "assignment.json"
    async with start_centre() as centre, centre.client() as client:
        desk = AssignmentDesk(client, centre.url, centre.token, path)
        desk.load()
        assert desk.current is None
        assert await desk.refresh()
        told = desk.current
        assert told is not None
        assert (told.probe, told.line, told.confirm) == (PROBE, LINE, False)
        assert told.lines[0].threshold_down_bps == 100e6
        assert await desk.refresh()
        assert desk.current is told  # nothing new: 304
        suspect(centre.store, AlarmState.SUSPECT)
        assert await desk.refresh()
        assert desk.current is not None
        assert desk.current.confirm
        smaller = inventory(down_mbits=50)
        centre.store.inventories.save("other", encode(smaller), 2)
        assert await desk.refresh()
        assert desk.current.lines[0].contracted_down_bps == 50e6
        again = AssignmentDesk(client, centre.url, centre.token, path)
        again.load()
        assert again.current == replace(desk.current, confirm=False)


async def test_without_the_gateway_the_last_word_holds_but_no_confirmation(
    start_centre, tmp_path, nobody
):
    path = tmp_path / "assignment.json"
    async with start_centre() as centre, centre.client() as client:
        suspect(centre.store, AlarmState.SUSPECT)
        desk = AssignmentDesk(client, centre.url, centre.token, path)
        await desk.refresh()
        assert desk.current is not None
        assert desk.current.confirm
    async with httpx.AsyncClient() as client:
        away = AssignmentDesk(client, nobody, centre.token, path)
        away.load()
        assert not await away.refresh()
        assert away.current == replace(desk.current, confirm=False)
        wrong = AssignmentDesk(client, centre.url, centre.token, path)
        wrong.current = desk.current
        assert not await wrong.refresh()
        assert wrong.current is not None
        assert not wrong.current.confirm


@pytest.mark.parametrize("body", [b"{", b'{"probe":1}', b"\xff"])
async def test_what_was_kept_and_is_damaged_is_as_nothing(tmp_path, nobody, body):
    path = tmp_path / "assignment.json"
    path.write_bytes(body)
    async with httpx.AsyncClient() as client:
        desk = AssignmentDesk(client, nobody, Secret("t"), path)
        desk.load()
        assert desk.current is None
