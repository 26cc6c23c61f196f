"""A line to judge."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from netmon.model import Line, LineRole, Technology
from netmon.units import MBIT


@pytest.fixture
def make_line() -> Callable[..., Line]:
    def make(down_mbits: int = 100, up_mbits: int = 40) -> Line:
        return Line(
            id="l1",
            building_id="b1",
            role=LineRole.MAIN,
            technology=Technology.VDSL,
            contracted_down_bps=down_mbits * MBIT,
            contracted_up_bps=up_mbits * MBIT,
            provider="DOKOM21",
        )

    return make
