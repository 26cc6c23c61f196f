"""What somebody may decide who sees one Campusbezirk only."""

from __future__ import annotations

import pytest

from netmon.actions.checks import parse_matcher
from netmon.actions.limits import (
    silence_concerns,
    silence_is_within,
    window_concerns,
    window_is_within,
)
from netmon.model import Inventory
from netmon.storage.action_records import MaintenanceScope
from tests.city import a_building, a_line

OWN = Inventory(
    buildings=(a_building("own", campus_district="Nord"),),
    lines=(a_line("own", 100, provider="DOKOM21"),),
)


@pytest.mark.parametrize(
    ("scope", "value", "within", "concerns"),
    [
        ("building", "own", True, True),
        ("building", "other", False, False),
        ("campus_district", "Nord", True, True),
        ("campus_district", "Süd", False, False),
        # Everybody's, so it counts here too, but is not theirs.
        ("provider", "DOKOM21", False, True),
        ("provider", "Anderer", False, False),
    ],
)
def test_windows(scope: str, value: str, within: bool, concerns: bool) -> None:
    place = MaintenanceScope(scope), value
    assert window_is_within(*place, OWN) is within
    assert window_concerns(*place, OWN) is concerns


@pytest.mark.parametrize(
    ("texts", "within", "concerns"),
    [
        (["building=own"], True, True),
        (["campus_district=Nord", "rule=ap_down"], True, True),
        (["building=other"], False, False),
        (["building!=other"], False, True),
        (["building!=own"], False, True),
        (["rule=ap_down"], False, True),
        (["target=line:own-main"], False, True),
        # Both have to hold, and no incident is in both places.
        (["building=own", "campus_district=Süd"], True, False),
    ],
)
def test_silences(texts: list[str], within: bool, concerns: bool) -> None:
    matchers = [parse_matcher(text) for text in texts]
    assert silence_is_within(matchers, OWN) is within
    assert silence_concerns(matchers, OWN) is concerns
