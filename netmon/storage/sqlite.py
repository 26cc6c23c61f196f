"""The state store on SQLite: all rooms over one file."""

from __future__ import annotations

from pathlib import Path

from netmon.storage.accounts import SqliteAccounts
from netmon.storage.actions import SqliteActions
from netmon.storage.alarms import SqliteAlarms
from netmon.storage.campaigns import SqliteCampaigns
from netmon.storage.database import Database
from netmon.storage.deliveries import SqliteDeliveries
from netmon.storage.keeping import (
    SqliteCursors,
    SqliteHeartbeats,
    SqliteInventories,
    SqliteSnapshots,
    SqliteSources,
)
from netmon.storage.leases import SqliteLeases
from netmon.storage.measurements import SqliteMeasurements
from netmon.storage.outbox import SqliteOutbox
from netmon.storage.records import StoreRoom
from netmon.storage.threads import SqliteThreads


class SqliteStore:
    """`netmon.storage.ports.Store`: usable from any thread and many processes."""

    def __init__(self, path: Path) -> None:
        """Open the file, making or migrating it first.

        Raises:
            StorageError: not a database of ours, or one of a newer version.
        """
        self._database = Database(path)
        self.sources = SqliteSources(self._database)
        self.measurements = SqliteMeasurements(self._database)
        self.cursors = SqliteCursors(self._database)
        self.alarms = SqliteAlarms(self._database)
        self.deliveries = SqliteDeliveries(self._database)
        self.accounts = SqliteAccounts(self._database)
        self.threads = SqliteThreads(self._database)
        self.outbox = SqliteOutbox(self._database)
        self.inventories = SqliteInventories(self._database)
        self.snapshots = SqliteSnapshots(self._database)
        self.heartbeats = SqliteHeartbeats(self._database)
        self.leases = SqliteLeases(self._database)
        self.campaigns = SqliteCampaigns(self._database)
        self.actions = SqliteActions(self._database)

    def room(self) -> StoreRoom:
        """Return how large the store is; see the port."""
        return self._database.room()

    def disk_free_bytes(self) -> int:
        """Return how much the store's disk has left; see the port."""
        return self._database.disk_free_bytes()

    def close(self) -> None:
        """Close all connections."""
        self._database.close()
