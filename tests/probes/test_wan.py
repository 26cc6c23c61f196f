"""Which of two lines carried a test, by the router's counters."""

from __future__ import annotations

import pytest

from probes.counters import Reading
from probes.wan import WanPorts, carried_by


def reading(octets: int) -> Reading:
    return Reading(0.0, 0.0, octets, 10 * octets)


BEFORE = {"main": reading(1000), "backup": reading(500)}


@pytest.mark.parametrize(
    ("main", "backup", "own", "line"),
    [
        (7_001_000, 900, 7e6, "main"),
        (1400, 7_100_500, 7e6, "backup"),
        # Lessons moved as much on the other one: nobody knows.
        (7_001_000, 9_000_500, 7e6, None),
        (1000, 500, 7e6, None),
        # More than half of ours is enough: counters may be late with the rest.
        (4_001_000, 500, 7e6, "main"),
        (7_001_000, 500, 0.0, None),
    ],
)
def test_the_counter_that_moved_by_our_octets_names_the_line(main, backup, own, line):
    after = {"main": reading(main), "backup": reading(backup)}
    assert carried_by(BEFORE, after, "down", own) == line


def test_a_port_that_stopped_answering_is_not_guessed():
    assert carried_by(BEFORE, {"main": reading(1000)}, "down", 7e6) is None
    assert carried_by({}, {"main": reading(9_000_000)}, "down", 7e6) is None


class _Late:
    """A router that shows what passed only at the third question."""

    def __init__(self, octets: int) -> None:
        self.asked = 0
        self._octets = octets

    def read(self) -> Reading:
        self.asked += 1
        return reading(self._octets if self.asked > 3 else 0)


def test_a_rare_refresh_is_waited_for():
    main, backup = _Late(8_000_000), _Late(0)
    ports = WanPorts({"main": main, "backup": backup})
    assert ports.lines == ("main", "backup")
    before = ports.read()
    assert ports.carrier(before, "down", 7e6, wait_s=30.0) == "main"
    assert main.asked == 4


def test_with_one_port_there_is_no_choice():
    ports = WanPorts({"main": _Late(0)})
    assert ports.carrier(ports.read(), "down", 7e6, wait_s=30.0) is None
    assert ports.source("backup") is None
