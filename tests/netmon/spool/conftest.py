"""A spool, and where its file is."""

from __future__ import annotations

from pathlib import Path

import pytest

from netmon.spool import Spool


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite3"


@pytest.fixture
def spool(path):
    with Spool(path) as opened:
        yield opened
