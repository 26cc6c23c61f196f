"""The first buildings: too few for shares, and netmon must know itself all the same."""

from __future__ import annotations

import pytest
from msgspec import structs


@pytest.mark.parametrize("polled", [True, False])
def test_a_gateway_that_hears_nobody_is_blind_with_three_buildings_too(found, polled):
    town = found(3, points=2)
    if not polled:
        town.plan(structs.replace(town.inventory, devices=(), access_points=()))
        town.minutes(5)
    start = "07:15" if polled else "07:20"
    town.broken = {"gateway"}
    town.minutes(300)
    # One probe did not survive it.
    town.broken = {"probe gs-01"}
    town.minutes(15)
    (told,) = town.told()
    assert told.startswith(f"{start}-1")
    assert told.endswith("monitor netmon:self")
    town.minutes(200)
    assert [told.partition(" ")[2] for told in town.told()] == [
        "monitor netmon:self",
        "no_data line:gs-01-main",
    ]


def test_two_buildings_without_line_are_no_blindness(found):
    """The collector is heard, so the gateway hears."""
    town = found(2, points=2)
    town.broken = {"line gs-00", "line gs-01"}
    town.minutes(40)
    assert town.told() == [f"07:20- line_down line:gs-0{n}-main" for n in (0, 1)]
