"""The inventory in force, decoded once per imported version."""

from __future__ import annotations

import threading
from collections.abc import Callable

from netmon.inventory import decode
from netmon.model import Inventory
from netmon.storage.ports import InventoryStore

EMPTY = Inventory(buildings=())


class CurrentInventory:
    """Call it for the newest inventory; an import is seen at the next call."""

    def __init__(
        self,
        inventories: InventoryStore,
        adjust: Callable[[Inventory], Inventory] = lambda inventory: inventory,
    ) -> None:
        """``adjust`` changes each new version as the settings want it."""
        self._adjust = adjust
        self._inventories = inventories
        self._lock = threading.Lock()
        self._version: int | None = None
        self._inventory = EMPTY

    def __call__(self) -> Inventory:
        """Return the newest inventory; one without buildings before any import."""
        with self._lock:
            newest = self._inventories.current_id()
            if newest is not None and newest != self._version:
                version = self._inventories.current()
                if version is not None:
                    self._inventory = self._adjust(decode(version.body))
                    self._version = version.id
            return self._inventory
