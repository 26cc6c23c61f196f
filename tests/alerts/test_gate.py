"""The gate: what a parent's state means to a child that is bad since 1000."""

from __future__ import annotations

import pytest

from alerts.gate import Gate, Parent, Passage, passage
from netmon.storage.records import AlarmState as S

KEY = ("device_down", "device:sw-07")
OTHER = ("line_down", "line:gs-07-main")
WELL = Parent(OTHER, S.OK, good_ms=2000)


@pytest.mark.parametrize(
    ("parent", "gate"),
    [
        (Parent(KEY, S.OK, good_ms=1000), Gate.OPEN),
        (Parent(KEY, S.OK, good_ms=1500), Gate.OPEN),
        (Parent(KEY, S.OK, good_ms=999), Gate.HOLD),
        (Parent(KEY, S.OK), Gate.HOLD),
        (Parent(KEY, S.SUSPECT, good_ms=1500), Gate.HOLD),
        (Parent(KEY, S.BAD, incident_open=True, good_ms=1500), Gate.CLOSED),
        (Parent(KEY, S.STALE, incident_open=True), Gate.CLOSED),
        # Nothing is known of it, so it explains nothing.
        (Parent(KEY, S.STALE, good_ms=900), Gate.OPEN),
        (Parent(KEY, S.UNKNOWN), Gate.OPEN),
    ],
)
@pytest.mark.parametrize("beside", [[], [WELL]])
def test_one_parent(parent, gate, beside):
    for parents in ([parent, *beside], [*beside, parent]):
        found = passage(parents, 1000)
        assert found.gate is gate
        assert found.by == (None if gate is Gate.OPEN else KEY)


def test_without_parents_everything_passes():
    assert passage([], 1000).gate is Gate.OPEN


def test_a_parent_that_is_down_outweighs_one_to_wait_for():
    waits = Parent(KEY, S.OK, good_ms=900)
    down = Parent(OTHER, S.BAD, incident_open=True)
    assert passage([waits, down], 1000) == Passage(Gate.CLOSED, OTHER)


def test_how_long_to_wait_is_told():
    parent = Parent(KEY, S.OK, good_ms=900, until_ms=5000)
    assert passage([parent], 1000) == Passage(Gate.HOLD, KEY, 5000)
