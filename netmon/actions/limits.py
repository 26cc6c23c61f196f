"""What somebody may decide who sees one Campusbezirk only; pure.

``inventory`` is what that person sees (`dashboards.limited`): the buildings of the
Campusbezirk, with their lines.
"""

from __future__ import annotations

from collections.abc import Iterable

from netmon.model import Inventory
from netmon.storage.action_records import (
    MaintenanceScope,
    Matcher,
    MatchField,
)


def _districts(inventory: Inventory) -> set[str]:
    return {building.campus_district for building in inventory.buildings}


def window_is_within(scope: MaintenanceScope, value: str, inventory: Inventory) -> bool:
    """Say whether a window mutes only buildings that are in the inventory."""
    match scope:
        case MaintenanceScope.BUILDING:
            return value in inventory.building_by_id
        case MaintenanceScope.CAMPUS_DISTRICT:
            return value in _districts(inventory)
        case MaintenanceScope.PROVIDER:
            return False


def silence_is_within(matchers: Iterable[Matcher], inventory: Inventory) -> bool:
    """Say whether a silence can fit only incidents of buildings in the inventory."""
    return any(_names_place(one, inventory) for one in matchers if not one.negated)


def window_concerns(scope: MaintenanceScope, value: str, inventory: Inventory) -> bool:
    """Say whether a window mutes any building that is in the inventory."""
    if scope is MaintenanceScope.PROVIDER:
        return any(line.provider == value for line in inventory.lines)
    return window_is_within(scope, value, inventory)


def silence_concerns(matchers: Iterable[Matcher], inventory: Inventory) -> bool:
    """Say whether a silence may fit an incident of a building in the inventory."""
    places = {MatchField.BUILDING, MatchField.CAMPUS_DISTRICT}
    return all(
        one.negated or one.field not in places or _names_place(one, inventory)
        for one in matchers
    )


def _names_place(matcher: Matcher, inventory: Inventory) -> bool:
    if matcher.field is MatchField.BUILDING:
        return matcher.value in inventory.building_by_id
    if matcher.field is MatchField.CAMPUS_DISTRICT:
        return matcher.value in _districts(inventory)
    return False
