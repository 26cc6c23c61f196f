"""The port to the state store: what use cases may ask of it.

One store, in rooms by concern. SQLite implements it; the contract suite in
``tests/contracts`` is what another database has to pass. Every method that
writes is one transaction and returns after its commit.

All methods raise `StorageBusyError` (trying again helps) when another process
holds the write lock too long, and `StorageError` for anything else.
"""

from netmon.storage.ports.accounts import AccountStore
from netmon.storage.ports.actions import ActionStore
from netmon.storage.ports.alarms import AlarmStore
from netmon.storage.ports.campaigns import CampaignStore
from netmon.storage.ports.keeping import (
    CursorStore,
    HeartbeatStore,
    InventoryStore,
    SnapshotStore,
    SourceStore,
)
from netmon.storage.ports.leases import LeaseStore
from netmon.storage.ports.measurements import MeasurementStore, Resolution
from netmon.storage.ports.store import Store
from netmon.storage.ports.telling import DeliveryStore, OutboxStore, ThreadStore

__all__ = [
    "AccountStore",
    "ActionStore",
    "AlarmStore",
    "CampaignStore",
    "CursorStore",
    "DeliveryStore",
    "HeartbeatStore",
    "InventoryStore",
    "LeaseStore",
    "MeasurementStore",
    "OutboxStore",
    "Resolution",
    "SnapshotStore",
    "SourceStore",
    "Store",
    "ThreadStore",
]
