"""The way's segments over loopback, and the judgement of what routers said."""

from __future__ import annotations

import asyncio
import socket

import pytest

from netmon.model import FailureReason
from netmon.path import Fault, Segment, Verdict, guilty
from probes.base import ProbeResult
from probes.hops import Answer, Told, ask_hop
from probes.link import Frames, LinkSettings, damaged_ratio, read_frames
from probes.path import PathProbe, PathSettings, judge_hop, judge_port, reading_of

QUICK = {"count": 3, "spacing_s": 0.005, "wait_s": 0.3}


def by_segment(result: ProbeResult) -> dict[str, ProbeResult]:
    return {each.tags["segment"]: each for each in result.all}


@pytest.fixture
def anchor_port():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def root(tmp_path):
    """A recorded port with a default route."""
    (tmp_path / "proc/net").mkdir(parents=True)
    route = "eth0\t00000000\t0101A8C0\t0003\t0\t0\t1\t00000000\t0\t0\t0\n"
    (tmp_path / "proc/net/route").write_text("Iface\n" + route)
    counters = tmp_path / "sys/class/net/eth0/statistics"
    counters.mkdir(parents=True)
    (tmp_path / "sys/class/net/eth0/carrier").write_text("1\n")
    (tmp_path / "sys/class/net/eth0/operstate").write_text("up\n")
    count(counters, 1000, 0)
    return tmp_path


def count(folder, packets, errors):
    for name, number in (("packets", packets), ("errors", errors)):
        (folder / f"rx_{name}").write_text(f"{number}\n")
        (folder / f"tx_{name}").write_text("0\n")


async def test_echo_and_anchor_answer_and_each_segment_has_its_record(
    measure_server, make_context, anchor_port, root
):
    settings = PathSettings(anchors=(f"127.0.0.1:{anchor_port}",), **QUICK)
    result = await PathProbe(settings, root=root).run(make_context(measure_server.port))
    found = by_segment(result)
    assert set(found) == set(Segment)
    assert result.tags == {"segment": "data_centre"}
    for segment in ("data_centre", "internet"):
        values = found[segment].values
        assert 0 < values["rtt_min_s"] <= values["rtt_s"] < 0.3
        assert values["loss_ratio"] == 0
    assert found["port"].values == {"loss_ratio": 0.0}
    # Over loopback there are no routers: the server itself answers.
    for segment in ("gateway", "provider"):
        assert found[segment].failure is FailureReason.UNSUPPORTED
    readings = [reading_of(Segment(name), each) for name, each in found.items()]
    assert guilty(readings, {}) is None


async def test_one_dead_anchor_of_two_is_not_the_internet(
    measure_server, make_context, anchor_port, closed_port, root
):
    anchors = (f"127.0.0.1:{closed_port}", f"127.0.0.1:{anchor_port}")
    probe = PathProbe(PathSettings(anchors=anchors, **QUICK), root=root)
    found = by_segment(await probe.run(make_context(measure_server.port)))
    assert found["internet"].failure is None


async def test_a_dead_server_and_a_dead_anchor_are_told_with_their_reasons(
    make_context, closed_port, root
):
    anchors = ("no-such-host.invalid:443", f"127.0.0.1:{closed_port}")
    probe = PathProbe(PathSettings(anchors=anchors[1:], **QUICK), root=root)
    found = by_segment(await probe.run(make_context(closed_port)))
    assert found["data_centre"].failure is FailureReason.REFUSED
    assert found["internet"].failure is FailureReason.REFUSED
    readings = [reading_of(Segment(name), each) for name, each in found.items()]
    assert guilty(readings, {}) == Verdict(
        Segment.DATA_CENTRE, Fault.SILENT, Segment.PORT
    )
    probe = PathProbe(PathSettings(anchors=anchors[:1], **QUICK), root=root)
    found = by_segment(await probe.run(make_context(closed_port)))
    assert found["internet"].failure is FailureReason.DNS


async def test_without_anchors_there_is_no_such_segment(
    measure_server, make_context, root
):
    probe = PathProbe(PathSettings(anchors=(), **QUICK), root=root)
    found = by_segment(await probe.run(make_context(measure_server.port)))
    assert "internet" not in found


async def test_damaged_frames_are_counted_from_run_to_run(
    measure_server, make_context, root
):
    probe = PathProbe(PathSettings(anchors=(), **QUICK), root=root)
    context = make_context(measure_server.port)
    first = by_segment(await probe.run(context))["port"]
    count(root / "sys/class/net/eth0/statistics", 1090, 10)
    second = by_segment(await probe.run(context))["port"]
    assert first.values == {"loss_ratio": 0.0}
    assert second.values == {"loss_ratio": pytest.approx(0.1)}


async def test_no_link_is_a_failure_and_the_port_is_to_blame(
    make_context, closed_port, root
):
    (root / "sys/class/net/eth0/carrier").write_text("0\n")
    probe = PathProbe(PathSettings(anchors=(), **QUICK), root=root)
    found = by_segment(await probe.run(make_context(closed_port)))
    assert found["port"].failure is FailureReason.UNREACHABLE
    readings = [reading_of(Segment(name), each) for name, each in found.items()]
    assert guilty(readings, {}) == Verdict(Segment.PORT, Fault.SILENT)


@pytest.mark.parametrize(
    ("before", "after", "ratio"),
    [
        (Frames(100, 0), Frames(200, 0), 0.0),
        (Frames(100, 0), Frames(200, 5), 0.05),
        (Frames(100, 2), Frames(100, 2), 0.0),
        # The driver was loaded anew in between.
        (Frames(9000, 40), Frames(50, 1), 0.0),
        (Frames(9000, 40), Frames(9100, 1), 0.0),
    ],
)
def test_share_of_damaged_frames(before, after, ratio):
    assert damaged_ratio(before, after) == pytest.approx(ratio)
    assert judge_port(before, after).values == {"loss_ratio": pytest.approx(ratio)}


def test_a_port_without_counters_or_route_says_so(root, tmp_path):
    (root / "sys/class/net/eth0/statistics/rx_errors").unlink()
    assert read_frames(LinkSettings(), root).failure is FailureReason.UNSUPPORTED
    empty = read_frames(LinkSettings(), tmp_path / "nothing")
    assert empty.failure is FailureReason.UNREACHABLE


NOTHING = Answer(Told.NOTHING)
REACHED = Answer(Told.REACHED, 0.001)
NO_ROUTE = OSError(101, "x")


def exceeded(rtt_s: float) -> Answer:
    return Answer(Told.EXCEEDED, rtt_s, router="192.0.2.1")


def test_a_router_that_answers_has_numbers():
    result = judge_hop([exceeded(0.002), NOTHING, exceeded(0.004), exceeded(0.003)])
    assert result.values == {
        "rtt_s": pytest.approx(0.003),
        "rtt_min_s": 0.002,
        "jitter_s": pytest.approx(0.001),
        "loss_ratio": 0.25,
    }


@pytest.mark.parametrize(
    ("answers", "failure"),
    [
        ([NOTHING, NOTHING], FailureReason.NO_REPLY),
        ([NOTHING, REACHED], FailureReason.UNSUPPORTED),
        # Said by the own kernel: nothing left this machine.
        ([Answer(Told.ERROR, None, NO_ROUTE), NOTHING], FailureReason.UNREACHABLE),
        ([Answer(Told.ERROR, None, OSError(1, "x"))], FailureReason.DENIED),
        # Said by the router before this one.
        (
            [Answer(Told.ERROR, 0.001, NO_ROUTE, "192.0.2.1")],
            FailureReason.UNREACHABLE,
        ),
    ],
)
def test_a_router_without_an_answer_is_a_failure(answers, failure):
    result = judge_hop(answers, frozenset({"192.0.2.1"}))
    assert result.failure is failure
    assert result.values == {}


def test_a_router_that_says_it_has_no_route_has_answered():
    answer = Answer(Told.ERROR, 0.004, NO_ROUTE, "192.0.2.9")
    assert judge_hop([answer], frozenset({"192.0.2.1"})).values["rtt_s"] == 0.004


async def test_port_unreachable_is_the_target_itself(closed_port):
    answer = await ask_hop(socket.AF_INET, ("127.0.0.1", closed_port), 1, 1.0)
    assert answer.told is Told.REACHED
    assert 0 < answer.rtt_s < 1.0


async def test_ipv6_answers_the_same_way():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
            free = sock.getsockname()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    answer = await ask_hop(socket.AF_INET6, free, 1, 1.0)
    assert answer.told is Told.REACHED
    assert answer.router == "::1"


async def test_silence_ends_after_the_time_given():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        async with asyncio.timeout(30):
            answer = await ask_hop(socket.AF_INET, mute.getsockname(), 1, 0.02)
    assert answer == Answer(Told.NOTHING)


async def test_what_cannot_be_sent_is_an_answer_too():
    # The kernel lets nobody broadcast who did not ask for it.
    answer = await ask_hop(socket.AF_INET, ("255.255.255.255", 9), 1, 0.5)
    assert answer.told is Told.ERROR
    assert isinstance(answer.error, PermissionError)
