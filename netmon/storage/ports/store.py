"""The state store and its rooms."""

from __future__ import annotations

from typing import Protocol

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
from netmon.storage.ports.measurements import MeasurementStore
from netmon.storage.ports.telling import DeliveryStore, OutboxStore, ThreadStore
from netmon.storage.records import StoreRoom


class Store(Protocol):
    """The state store: its rooms, and closing it."""

    @property
    def sources(self) -> SourceStore:
        """Senders."""

    @property
    def measurements(self) -> MeasurementStore:
        """Measurements, latest values, rollups."""

    @property
    def cursors(self) -> CursorStore:
        """Readers' positions."""

    @property
    def alarms(self) -> AlarmStore:
        """States, incidents."""

    @property
    def outbox(self) -> OutboxStore:
        """Mails on their way."""

    @property
    def deliveries(self) -> DeliveryStore:
        """What sinks are told."""

    @property
    def accounts(self) -> AccountStore:
        """People who may log in."""

    @property
    def threads(self) -> ThreadStore:
        """Threads of mails."""

    @property
    def inventories(self) -> InventoryStore:
        """Inventory versions."""

    @property
    def snapshots(self) -> SnapshotStore:
        """Frozen years."""

    @property
    def heartbeats(self) -> HeartbeatStore:
        """Own processes."""

    @property
    def leases(self) -> LeaseStore:
        """Slots of the measurement servers."""

    @property
    def campaigns(self) -> CampaignStore:
        """Evidence campaigns."""

    @property
    def actions(self) -> ActionStore:
        """What people decide about alarms."""

    def room(self) -> StoreRoom:
        """Return how large the store is and how much its disk has left."""

    def disk_free_bytes(self) -> int:
        """Return how much the store's disk has left; cheap, for every request."""

    def close(self) -> None:
        """Close all connections; the store is not usable afterwards."""
