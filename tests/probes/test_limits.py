"""Which end was the limit: by table, from what the sender's kernel says."""

from __future__ import annotations

import pytest

from probes.limits import holding_end, retransmitted_ratio, since, spoilt_by
from probes.machine import Health
from probes.measure_protocol import Side, Stat


def side(**more: float) -> Side:
    return Side(streams=1, stream_s=1.0, **{"busy_s": 1.0, **more})


@pytest.mark.parametrize(
    ("seen", "down", "up"),
    [
        (side(), "", ""),
        (side(rwnd_limited_s=0.5), "probe", "server"),
        (side(rwnd_limited_s=0.2), "", ""),
        (side(sndbuf_limited_s=0.4), "server", "probe"),
        (side(busy_s=0.5), "server", "probe"),
        (side(busy_s=0.8, sndbuf_limited_s=0.2), "server", "probe"),
        (Side(), "", ""),
    ],
    ids=[
        "the path",
        "the receiver's window",
        "a little of it",
        "the sender's buffer",
        "nothing to send",
        "both a little",
        "no stream at all",
    ],
)
def test_the_end_that_held_it_back(seen, down, up):
    assert holding_end(seen, "down") == down
    assert holding_end(seen, "up") == up


def test_two_answers_can_be_subtracted():
    before = side(delivered=100, retransmitted=1)
    after = Side(streams=2, delivered=300, retransmitted=11, stream_s=3.0, busy_s=2.5)
    between = since(after, before)
    assert (between.delivered, between.stream_s, between.streams) == (200, 2.0, 2)
    assert retransmitted_ratio(between) == pytest.approx(0.05)
    assert retransmitted_ratio(Side()) is None


@pytest.mark.parametrize(
    ("health", "stat", "found"),
    [
        (Health(), None, ("", "")),
        (Health(), Stat(), ("", "")),
        (Health(late_s=0.1), Stat(late_s=0.1), ("probe", "late")),
        (Health(), Stat(late_s=0.1), ("server", "late")),
        (Health(), Stat(cpu_busy_ratio=0.95), ("server", "busy")),
        (Health(), Stat(cpu_steal_ratio=0.2), ("server", "steal")),
        (Health(), Stat(port_use_ratio=0.95), ("server", "port")),
        (Health(), Stat(port_use_ratio=0.5), ("", "")),
    ],
)
def test_a_weak_machine_spoils_a_test(health, stat, found):
    assert spoilt_by(health, stat) == found
