"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repo_dir() -> Path:
    return REPO


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder with recordings and the report's tables (not in this repository)."""
    folder = Path(os.environ.get("NETMON_SHARED", REPO.parent / "shared"))
    if not folder.is_dir():
        reason = f"no folder {folder.name} beside the repository: set NETMON_SHARED"
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing in CI: {reason}")
        pytest.skip(reason)
    return folder
