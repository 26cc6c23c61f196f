"""What people have decided about alarms, as the planner asks for it."""

from __future__ import annotations

from typing import Protocol

from alerts.classes import Severity
from netmon.actions import read_standing
from netmon.model import Inventory
from netmon.storage.ports import Store
from netmon.storage.records import Incident


class Decisions(Protocol):
    """What counts at one moment."""

    def muted_until_ms(self, incident: Incident, severity: Severity) -> int | None:
        """Return until when an incident waits; None where it does not."""

    def acknowledged(self, incident_id: int) -> bool:
        """Say whether somebody has acknowledged an incident."""


class Stored:
    """Maintenance, silences and acknowledgements out of the store."""

    def __init__(self, store: Store, now_ms: int, inventory: Inventory) -> None:
        """Read what counts at that moment.

        Raises:
            StorageError: the store refused.
        """
        self._standing = read_standing(store, now_ms)
        self._inventory = inventory

    def muted_until_ms(self, incident: Incident, severity: Severity) -> int | None:
        """Return until when an incident waits; None where it does not."""
        muted = self._standing.muting.of(incident, self._inventory, severity)
        return None if muted is None else muted.until_ms

    def acknowledged(self, incident_id: int) -> bool:
        """Say whether somebody has acknowledged an open incident."""
        return incident_id in self._standing.acknowledged
