"""Main lines whose contract promises less than the target: known, no fault."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from alerts.derived.base import Finding, View
from alerts.rules import Scope
from alerts.watched import Seen
from netmon.model import LineRole, below_by_contract


def results(view: View, _: Collection[str] | None) -> Iterator[Finding]:
    """Yield what the inventory says of each main line."""
    for line in view.inventory.lines:
        if line.role is LineRole.MAIN:
            value = 0.0 if below_by_contract(line) else 1.0
            seen = Seen(view.now_ms, view.now_ms, value)
            yield Finding(f"{Scope.LINE}:{line.id}", line.building_id, seen)
