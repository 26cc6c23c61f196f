"""One device polled, by real agents: silence, partial answers, what is asked anew."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec
import pytest

from collectors.credentials import Credential, Credentials
from collectors.poll import Poller
from netmon.config import Secret
from netmon.demo.agent_data import Row
from netmon.demo.agents import (
    AgentFleet,
    AgentSpec,
    RecordedModel,
    SnmpAgent,
    SwitchModel,
)
from netmon.model import FailureReason, Inventory
from tests.collectors.polling import FAST, MakePoller, Sessions, poll, ups

AP_TABLE = "1.3.6.1.4.1.14823.2.3.3.1.2.1.1"
RADIO_NOISE = "1.3.6.1.4.1.14823.2.3.3.1.2.2.1.6"


async def test_a_controller_gives_points_radios_and_ports(
    poller: Poller, city: Inventory
) -> None:
    records = await poll(poller, city, "vc1")
    kinds = [record.kind for record in records]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "device": 1,
        "wlan_ap": 4,
        "wlan_radio": 8,
        "lan_port": 1,
    }
    assert ups(records) == {f"b1-ap{n}": 1.0 for n in range(1, 5)}


async def test_a_broken_and_a_vanished_point_are_down(
    poller: Poller, city: Inventory, fleet: AgentFleet
) -> None:
    fleet.set_ap("b1", "GS07-R1", up=False)
    fleet.set_ap("b1", "GS07-R2", present=False)
    assert ups(await poll(poller, city, "vc1")) == {
        "b1-ap1": 0.0,
        "b1-ap2": 0.0,
        "b1-ap3": 1.0,
        "b1-ap4": 1.0,
    }


async def test_a_silent_controller_says_nothing_about_its_points(
    poller: Poller, city: Inventory, fleet: AgentFleet, sessions: Sessions
) -> None:
    sessions.timing = FAST
    assert len(await poll(poller, city, "vc1")) > 1
    fleet.set_device("vc1", answers=False)
    for _ in range(2):
        (record,) = await poll(poller, city, "vc1")
        assert (record.kind, record.failure) == ("device", FailureReason.NO_REPLY)
        assert record.values == {}
    fleet.set_device("vc1", answers=True)
    assert len(await poll(poller, city, "vc1")) == 14
    # After two failed polls the session was made anew.
    assert sessions.opened == ["vc1", "vc1"]


@pytest.mark.parametrize("broken", [AP_TABLE, "1.3.6.1.4.1"])
async def test_a_table_that_does_not_answer_makes_nobody_down(
    poller: Poller,
    city: Inventory,
    fleet: AgentFleet,
    broken: str,
) -> None:
    await poll(poller, city, "vc1")
    fleet.agent("vc1").break_below(broken)
    records = await poll(poller, city, "vc1")
    assert records[0].values["up"] == 1.0
    points = [record for record in records if record.kind == "wlan_ap"]
    assert [point.failure for point in points] == [FailureReason.PARTIAL] * 4
    assert all(point.values == {} for point in points)
    radios = [record for record in records if record.kind == "wlan_radio"]
    assert [radio.values for radio in radios] == [{}] * 8
    assert {radio.failure for radio in radios} == {FailureReason.PARTIAL}


async def test_one_column_that_does_not_answer_costs_only_itself(
    poller: Poller, city: Inventory, fleet: AgentFleet
) -> None:
    fleet.agent("vc1").break_below(RADIO_NOISE)
    records = await poll(poller, city, "vc1")
    radios = [record for record in records if record.kind == "wlan_radio"]
    assert len(radios) == 8
    assert {radio.values["noise_dbm"] for radio in radios} == {None}
    assert all(radio.values["channel"] for radio in radios)


async def test_a_fault_of_our_own_is_a_record_too(
    poller: Poller,
    city: Inventory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def slip(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("collectors.meaning.decode_table", slip)
    (record,) = await poll(poller, city, "vc1")
    assert (record.kind, record.failure) == ("device", FailureReason.INTERNAL)
    assert "failed inside netmon" in caplog.text


async def test_a_moved_device_is_asked_at_its_new_address(
    poller: Poller, city: Inventory, sessions: Sessions
) -> None:
    switch, controller = city.device_by_id["sw1"], city.device_by_id["vc1"]
    first = await poller.poll(switch, [])
    moved = msgspec.structs.replace(switch, address=controller.address)
    second = await poller.poll(moved, [])
    assert (first[0].info["name"], second[0].info["name"]) == ("GS07-SW1", "GS07-VC")
    assert sessions.opened == ["sw1", "sw1"]


async def test_a_replaced_v3_device_is_found_again(
    make_poller: MakePoller, sessions: Sessions, city: Inventory
) -> None:
    """It comes with another engine id, to which the old keys do not belong."""
    sessions.timing = FAST
    secret = Credential(
        name="v3",
        version="v3",
        user="netmon",
        auth_secret=Secret("auth-secret-1"),
        priv_secret=Secret("priv-secret-1"),
    )
    poller = make_poller(
        0.2, concurrency=1, credentials=Credentials("test", {"v3": secret})
    )
    model = SwitchModel("first", 2, "first")
    agent = SnmpAgent(model, secret)
    address = await agent.start()
    device = msgspec.structs.replace(
        city.device_by_id["sw1"], address=address, credential="v3"
    )
    assert (await poller.poll(device, []))[0].info["name"] == "first"
    await agent.stop()
    agent = SnmpAgent(
        SwitchModel("second", 2, "second"), secret, engine_id=b"\x80\x00\x7e\xd9\x05new"
    )
    await agent.start(int(address.rpartition(":")[2]))
    polls = [(await poller.poll(device, []))[0] for _ in range(3)]
    assert polls[-1].info.get("name") == "second"
    await agent.stop()


async def test_the_second_poll_asks_for_values_only(
    poller: Poller, city: Inventory, fleet: AgentFleet
) -> None:
    first = await poll(poller, city, "sw1")
    full = poller.tally.structures
    fleet.set_port("sw1", "Gi1/0/1", admin_up=False, oper_up=False)
    second = await poll(poller, city, "sw1")
    assert poller.tally.structures == full == 1
    assert [r.tags for r in second] == [r.tags for r in first]
    assert [r.info for r in second] == [r.info for r in first]
    port = next(r for r in second if r.tags.get("port") == "Gi1/0/1")
    assert (port.values["oper_up"], port.values["admin_up"]) == (0.0, 0.0)


async def test_a_new_access_point_is_named_in_the_poll_that_sees_it(
    poller: Poller, city: Inventory, fleet: AgentFleet
) -> None:
    fleet.set_ap("b1", "GS07-R2", present=False)
    before = ups(await poll(poller, city, "vc1"))
    assert before["b1-ap2"] == 0.0
    fleet.set_ap("b1", "GS07-R2", present=True)
    records = await poll(poller, city, "vc1")
    assert ups(records)["b1-ap2"] == 1.0
    assert poller.tally.structures == 2
    fleet.set_ap("b1", "GS07-R2", present=False)
    assert ups(await poll(poller, city, "vc1"))["b1-ap2"] == 0.0
    fleet.set_ap("b1", "GS07-R2", present=True)
    # It came back under the name it had: nothing has to be asked anew.
    assert ups(await poll(poller, city, "vc1"))["b1-ap2"] == 1.0
    assert poller.tally.structures == 2


async def test_a_mark_that_never_rests_is_left_alone_for_a_while(
    poller: Poller, city: Inventory
) -> None:
    """Some devices count ifTableLastChange like a clock."""
    rows = [
        ((1, 3, 6, 1, 2, 1, 1, 2, 0), "6", b"1.3.6.1.4.1.4711"),
        ((1, 3, 6, 1, 2, 1, 1, 3, 0), "67", b"100"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 3, 1), "2", b"117"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 1), "2", b"1"),
    ]
    mark, ticks = (1, 3, 6, 1, 2, 1, 31, 1, 5, 0), itertools.count()

    class Restless(RecordedModel):
        def rows(self) -> Sequence[Row]:
            return [*super().rows(), (mark, "ticks", lambda _: next(ticks))]

    agent = SnmpAgent(Restless(rows))
    address = await agent.start()
    device = msgspec.structs.replace(city.device_by_id["sw1"], id="x", address=address)
    structures = []
    try:
        for _ in range(7):
            assert (await poller.poll(device, []))[0].values["up"] == 1.0
            structures.append(poller.tally.structures)
    finally:
        await agent.stop()
    assert structures == [1, 2, 3, 4, 4, 4, 4]


async def test_ports_tell_their_rates_from_the_second_poll_on(
    poller: Poller, city: Inventory
) -> None:
    rates = []
    for _ in range(2):
        records = await poll(poller, city, "sw1")
        ports = [r for r in records if r.kind == "lan_port"]
        rates.append({r.values["in_rate_bps"] for r in ports})
    assert rates[0] == {None}
    assert any(rate for rate in rates[1] if rate is not None)


async def test_a_stranger_gives_its_ports(poller: Poller, city: Inventory) -> None:
    """A device no platform knows still speaks IF-MIB."""
    rows = [
        ((1, 3, 6, 1, 2, 1, 1, 2, 0), "6", b"1.3.6.1.4.1.4711"),
        ((1, 3, 6, 1, 2, 1, 1, 3, 0), "67", b"100"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 2, 1), "4", b"lan\x001"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 3, 1), "2", b"117"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 5, 1), "66", b"100000000"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 1), "2", b"1"),
        ((1, 3, 6, 1, 2, 1, 2, 2, 1, 10, 1), "65", b"4294967295"),
    ]
    agent = SnmpAgent(RecordedModel(rows))
    address = await agent.start()
    device = msgspec.structs.replace(city.device_by_id["sw1"], id="x", address=address)
    try:
        records = await poller.poll(device, [])
    finally:
        await agent.stop()
    (port,) = [record for record in records if record.kind == "lan_port"]
    assert port.tags == {"building": "b1", "device": "x", "port": "lan1"}
    assert port.values["speed_bps"] == 1e8
    assert port.values["in_octets_total"] == 2**32 - 1
    assert port.values["out_octets_total"] is None
    assert port.values["admin_up"] is None


async def test_a_device_without_uptime_breaks_the_protocol(
    poller: Poller, city: Inventory, fleet: AgentFleet
) -> None:
    spec = AgentSpec("again", RecordedModel([]))
    addresses = await fleet.start([spec])
    device = msgspec.structs.replace(
        city.device_by_id["sw1"], id="again", address=addresses["again"]
    )
    (record,) = await poller.poll(device, [])
    # An agent that has not even an uptime does not speak SNMP as we need it.
    assert record.failure is FailureReason.PROTOCOL
