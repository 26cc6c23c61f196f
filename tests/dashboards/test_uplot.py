"""uPlot as npm gives it, with its licence; and where its version is named."""

from __future__ import annotations

import hashlib

import pytest

FOLDER = "dashboards/static/vendor/uplot-1.6.32"


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        (
            "uPlot.iife.min.js",
            "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
        ),
        (
            "uPlot.min.css",
            "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
        ),
        ("LICENSE", "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd"),
    ],
)
def test_vendored_files_are_those_of_the_pinned_version(repo_dir, name, sha256):
    body = (repo_dir / FOLDER / name).read_bytes()
    assert hashlib.sha256(body).hexdigest() == sha256


def test_its_version_is_named_where_it_is_used(repo_dir):
    page = (repo_dir / "dashboards/templates/building.html").read_text("utf-8")
    decided = (repo_dir / "docs/decisions/004-dependencies.md").read_text("utf-8")
    assert "vendor/uplot-1.6.32/uPlot.iife.min.js" in page
    assert "uPlot 1.6.32" in decided
