"""A site is built for a test and removed after it."""

from __future__ import annotations

import pytest

from tests.lab.onsite.site import Site, need


@pytest.fixture
def site():
    need("ip")
    built = Site()
    try:
        built.build()
        yield built
    finally:
        built.remove()
