"""The nearest measurement server, by real echoes."""

from __future__ import annotations

import asyncio

from netmon.config import Secret
from netmon.lease_wire import ServerAddress
from probes.measure_server import MeasureServer
from probes.nearest import AGE_S, Nearest, by_round_trip
from probes.paced_line import PlainLine


class Far(PlainLine):
    """A line on which every packet takes its time."""

    def echo_wait_s(self, direction):
        return 0.05


def test_who_did_not_answer_is_not_named():
    assert by_round_trip({"m1": 0.02, "m2": None, "m3": 0.005}) == ("m3", "m1")


async def test_the_nearer_of_two_comes_first_and_is_asked_once_an_hour(closed_port):
    far_line = Far(1e9, 1e9)
    far = MeasureServer(Secret("t"), echo_line=lambda *_: far_line)
    near = MeasureServer(Secret("t"))
    await far.start("127.0.0.1", 0)
    await near.start("127.0.0.1", 0)

    def address(name, port):
        return ServerAddress(id=name, address=f"127.0.0.1:{port}", healthy=True)

    async with far, near:
        servers = [
            address("far", far.port),
            address("gone", closed_port),
            address("near", near.port),
        ]
        nearest = Nearest()
        await asyncio.to_thread(nearest.update, servers, 1000.0)
        assert nearest.order == ("near", "far")
        await asyncio.to_thread(nearest.update, servers[:2], 1000.0 + AGE_S - 1)
        assert nearest.order == ("near", "far")
        await asyncio.to_thread(nearest.update, servers[:2], 1000.0 + AGE_S + 1)
        assert nearest.order == ("far",)


def test_one_server_is_no_choice():
    nearest = Nearest()
    nearest.update([ServerAddress(id="m1", address="nonsense", healthy=True)], 5.0)
    assert nearest.order == ()
