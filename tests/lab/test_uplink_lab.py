"""The uplink method over a real shaped line, in network namespaces."""

from __future__ import annotations

import os
import shutil

import pytest

from netmon.demo.lab.scene import Cross, scene
from netmon.demo.lab.topology import LineShape, why_not

pytestmark = [pytest.mark.lab, pytest.mark.slow]

RATE = 100e6


@pytest.fixture(autouse=True, scope="module")
def _lab_is_possible():
    reason = why_not()
    for program in ("ethtool", "iperf3"):
        if reason is None and shutil.which(program) is None:
            reason = f"the program {program} is missing (apt-get install {program})"
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing in CI: {reason}")
    pytest.skip(reason)


def capacities(place, tries=4, **job):
    """Healthy results of both directions; a busy machine's are asked again."""
    found = {}
    for _ in range(tries):
        missing = [d for d in ("down", "up") if d not in found]
        if not missing:
            break
        for line in place.measure(directions=missing, **job):
            result = line["capacity"]
            if result["total"]["kind"] != "invalid":
                found[result["direction"]] = result
    assert set(found) == {"down", "up"}, "the machine was too busy for any test"
    return found


def floor(place, threshold_bps, direction):
    for _ in range(4):
        (line,) = place.measure(threshold_bps=threshold_bps, directions=[direction])
        if line["floor"]["verdict"] != "invalid":
            return line["floor"]
    pytest.fail("the machine was too busy for any test")


def test_a_quiet_line_is_read_within_two_percent_in_a_few_megabytes():
    with scene(LineShape(RATE, RATE / 2)) as place:
        found = capacities(place)
        answer = floor(place, 80e6, "down")
        below = floor(place, 60e6, "up")
    for direction, truth_bps in (("down", RATE), ("up", RATE / 2)):
        total = found[direction]["total"]
        assert total["kind"] == "capacity"
        assert total["rate_bps"] == pytest.approx(truth_bps, rel=0.02)
        assert found[direction]["basis"] == "router"
        assert found[direction]["wire_bytes"] < 60e6
    assert answer["verdict"] == "pass"
    assert answer["run"]["wire_bytes"] < 30e6
    assert below["verdict"] == "miss"


def test_other_traffic_is_counted_by_the_router_and_not_held_against_the_line():
    with scene(LineShape(RATE, RATE), cross=Cross("udp", 0.3)) as place:
        found = capacities(place)
        without = capacities(place, counters=False)
    for direction in ("down", "up"):
        result = found[direction]
        assert result["total"]["rate_bps"] == pytest.approx(RATE, rel=0.02)
        assert result["cross_bps"] > 0.1 * RATE
        assert result["goodput_bps"] < 0.9 * RATE
        # Without counters nobody knows what others moved: never called capacity.
        assert without[direction]["total"]["kind"] in {"at_least", "no_verdict"}


def test_counters_refreshed_every_second_are_read_on_their_edges():
    shape = LineShape(RATE, RATE)
    with scene(shape, refresh_s=1.0, cross=Cross("udp", 0.3)) as place:
        found = capacities(place)
    for result in found.values():
        assert result["basis"] == "router"
        assert result["total"]["rate_bps"] == pytest.approx(RATE, rel=0.03)
