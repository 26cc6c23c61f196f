"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Let workers begin with what takes long, so that none ends long after the rest.

    Among the slow and among the quick the order stays as shuffled.
    """
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


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
