"""Flapping: Icinga's weights and thresholds."""

from __future__ import annotations

import pytest

from alerts import flap


def shaken(pattern: str) -> int:
    """Push results, oldest first: x changed the state, . did not."""
    changes = 0
    for letter in pattern:
        changes = flap.push(changes, changed=letter == "x")
    return changes


@pytest.mark.parametrize(
    ("pattern", "share"),
    [
        ("", 0.0),
        ("x", 1.18 / 20),
        ("x" + "." * 19, 0.8 / 20),
        ("x" + "." * 20, 0.0),
        ("x" * 20, sum(0.8 + 0.02 * i for i in range(20)) / 20),
        ("x" * 40, 0.99),
    ],
)
def test_the_newest_change_weighs_most(pattern, share):
    assert flap.share(shaken(pattern)) == pytest.approx(share)


@pytest.mark.parametrize(
    ("pattern", "from_calm", "from_flapping"),
    [
        ("", False, False),
        ("xxxx", False, False),
        # Between the two thresholds it stays what it was.
        ("xxxxx", False, True),
        ("xxxxxx", True, True),
        ("xxxxxx" + "." * 14, False, True),
        ("xxxxx" + "." * 15, False, False),
    ],
)
def test_it_begins_at_30_percent_and_is_over_below_25(
    pattern, from_calm, from_flapping
):
    changes = shaken(pattern)
    assert flap.is_flapping(changes, before=False) is from_calm
    assert flap.is_flapping(changes, before=True) is from_flapping
