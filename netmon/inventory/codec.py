"""The inventory as bytes: what the state store keeps of each version."""

from __future__ import annotations

import hashlib

import msgspec

from netmon.errors import InputError
from netmon.model import Inventory
from netmon.refused import refused

# Field order is the structs' order, so equal inventories give equal bytes.
_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(Inventory)


def encode(inventory: Inventory) -> bytes:
    """Return the inventory as JSON; the same inventory gives the same bytes."""
    return _ENCODER.encode(inventory)


def decode(body: bytes) -> Inventory:
    """Return the inventory of `encode`'s bytes.

    Raises:
        InputError: the bytes are no inventory, e.g. of a newer version.
    """
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise InputError(
            [refused("netmon inventory", None, "inventory_stored", why=str(error))]
        ) from error


def content_hash(inventory: Inventory) -> str:
    """Return the SHA-256 of the encoded inventory, in hex."""
    return hashlib.sha256(encode(inventory)).hexdigest()
