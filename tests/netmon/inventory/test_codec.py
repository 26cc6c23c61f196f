"""The inventory as bytes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from netmon.errors import InputError
from netmon.inventory import content_hash, decode, encode, load_folder


def test_bytes_read_back_equal(folder: Path) -> None:
    inventory = load_folder(folder)
    assert decode(encode(inventory)) == inventory


def test_equal_inventories_have_equal_bytes_and_hash(folder: Path) -> None:
    first, second = load_folder(folder), load_folder(folder)
    assert first.building_by_id  # a cached map must not get into the bytes
    assert encode(first) == encode(second)
    assert content_hash(first) == content_hash(second)


def test_any_change_changes_the_hash(folder: Path) -> None:
    inventory = load_folder(folder)
    building = msgspec.structs.replace(inventory.buildings[0], pupils=201)
    changed = msgspec.structs.replace(
        inventory, buildings=(building, *inventory.buildings[1:])
    )
    assert content_hash(changed) != content_hash(inventory)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"buildings":[{"id":1}]}'])
def test_other_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        decode(body)
