"""A line to judge."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from netmon.model import Line
from tests.city import a_line


@pytest.fixture
def make_line() -> Callable[..., Line]:
    def make(down_mbits: int = 100, up_mbits: int = 40) -> Line:
        return a_line("b1", down_mbits, up_mbits, id="l1")

    return make
