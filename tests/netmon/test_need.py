"""What a building needs: 30 Mbit/s for each class and for the office."""

from __future__ import annotations

import pytest

from netmon.need import needed_down_bps
from tests.city import a_building


@pytest.mark.parametrize(
    ("classes", "needed"), [(None, None), (0, 30e6), (1, 60e6), (12, 390e6)]
)
def test_each_class_and_the_office(classes, needed):
    assert needed_down_bps(a_building("b1", classes=classes)) == needed
