"""Senders, inventories, frozen years and signs of life in every state store."""

from __future__ import annotations

import pytest

from netmon.errors import StorageError
from netmon.storage.action_records import Actor, AuditAction, Via
from netmon.storage.ports import Store
from netmon.storage.records import (
    Snapshot,
    SourceKind,
)

from .conftest import NOON_MS, a_batch, a_series, a_source

# --- senders -----------------------------------------------------------------


def test_a_sender_is_found_by_its_token_until_it_is_revoked(store: Store) -> None:
    made = store.sources.create(
        "p", SourceKind.PROBE, "gs-07", "1" * 64, generated=True
    )
    assert store.sources.by_token("1" * 64) == made
    assert (made.building_id, made.generated, made.last_seen_ms) == (
        "gs-07",
        True,
        None,
    )
    assert store.sources.by_token("2" * 64) is None
    assert store.sources.all() == [made]
    assert store.sources.revoke("p")
    assert not store.sources.revoke("p")
    assert not store.sources.revoke("nobody")
    assert store.sources.by_token("1" * 64) is None
    assert store.sources.all() == []


def test_a_new_token_replaces_the_old_one_and_keeps_the_sender(store: Store) -> None:
    made = store.sources.create("p", SourceKind.PROBE, "gs-07", "1" * 64)
    again = store.sources.create("p", SourceKind.COLLECTOR, None, "2" * 64)
    assert again.id == made.id
    assert store.sources.by_token("1" * 64) is None
    assert store.sources.by_token("2" * 64) == again


def test_a_token_belongs_to_one_sender_only(store: Store) -> None:
    store.sources.create("p", SourceKind.PROBE, None, "1" * 64)
    with pytest.raises(StorageError):
        store.sources.create("q", SourceKind.PROBE, None, "1" * 64)
    assert [source.name for source in store.sources.all()] == ["p"]


def test_senders_are_listed_by_name_with_their_last_contact(store: Store) -> None:
    for name in ("b", "a"):
        a_source(store, name)
    first, second = store.sources.all()
    assert (first.name, second.name) == ("a", "b")
    store.measurements.write([a_batch(first, a_series([1]))])
    seen = store.sources.all()[0]
    assert (seen.last_seen_ms, seen.clock_offset_ms) == (NOON_MS, 250)
    assert seen.agent == "netmon/0.1"


# --- inventories, frozen years, signs of life --------------------------------


def test_an_inventory_becomes_a_version_only_when_it_changed(store: Store) -> None:
    assert store.inventories.current() is None
    first = store.inventories.save("1", b"one", NOON_MS)
    assert store.inventories.save("1", b"one", NOON_MS + 1) == first
    second = store.inventories.save("2", b"two", NOON_MS + 2)
    assert second.id > first.id
    assert store.inventories.current() == second
    back = store.inventories.save("1", b"one", NOON_MS + 3)
    assert back.id > second.id
    assert store.inventories.current() == back


def test_a_frozen_year_stays_as_it_was(store: Store) -> None:
    assert store.snapshots.load(2025) is None
    year = Snapshot(year=2025, frozen_ms=NOON_MS, sha256="1", body=b"{}")
    who = Actor("ada", Via.SHELL)
    store.snapshots.save(year, who, AuditAction.YEAR_FROZEN)
    earlier = Snapshot(year=2024, frozen_ms=1, sha256="2", body=b"[]")
    store.snapshots.save(earlier, who, AuditAction.YEAR_IMPORTED)
    again = Snapshot(year=2025, frozen_ms=9, sha256="9", body=b"9")
    with pytest.raises(StorageError, match="2025"):
        store.snapshots.save(again, who, AuditAction.YEAR_FROZEN)
    trail = [(x.action, x.subject, x.author) for x in store.actions.audit()]
    assert trail == [
        (AuditAction.YEAR_IMPORTED, "year:2024", "ada"),
        (AuditAction.YEAR_FROZEN, "year:2025", "ada"),
    ]
    assert store.snapshots.load(2025) == year
    assert store.snapshots.years() == [2024, 2025]


def test_a_sign_of_life_replaces_the_last_one(store: Store) -> None:
    store.heartbeats.beat("relay", NOON_MS, {"x": 1.0})
    store.heartbeats.beat("alerts", NOON_MS, {})
    store.heartbeats.beat("relay", NOON_MS + 1, {"y": 2.5}, "note")
    alerts, relay = store.heartbeats.all()
    assert (alerts.process, alerts.figures, alerts.note) == ("alerts", {}, "")
    assert (relay.at_ms, relay.figures, relay.note) == (NOON_MS + 1, {"y": 2.5}, "note")
