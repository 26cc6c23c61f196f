"""What each file of an inventory folder holds: one line a kind.

Columns are the fields of the model's structs, so a new field of a struct is a
new column. Only rates are named and written differently: with their unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import NoneType
from typing import Any, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo

from netmon.inventory import fields
from netmon.inventory.fields import Cell
from netmon.model import (
    AccessPoint,
    Building,
    Device,
    Line,
    ProbeUnit,
    Room,
    School,
    Segment,
    Socket,
)

# Names of columns that differ from the field's, because the unit is in the cell.
_COLUMN_NAMES = {
    "contracted_down_bps": "contracted_down",
    "contracted_up_bps": "contracted_up",
    "normal_down_bps": "normal_down",
    "normal_up_bps": "normal_up",
    "minimum_down_bps": "minimum_down",
    "minimum_up_bps": "minimum_up",
    "capacity_bps": "capacity",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``default`` counts for an empty cell that is not required."""

    name: str
    field: str
    cell: Cell
    required: bool
    default: object


def _column(info: FieldInfo) -> Column:
    kinds = get_args(info.type) if NoneType in get_args(info.type) else (info.type,)
    may_be_none = NoneType in kinds
    kind: Any = next(one for one in kinds if one is not NoneType)
    has_default = info.default is not msgspec.NODEFAULT
    if info.name == "id" or info.name.endswith("_id"):
        cell = fields.ID
    elif info.name in fields.BY_NAME:
        cell = fields.BY_NAME[info.name]
    elif isinstance(kind, type) and issubclass(kind, StrEnum):
        cell = fields.choice(kind)
    else:
        cell = fields.BY_TYPE[kind]
    return Column(
        name=_COLUMN_NAMES.get(info.name, info.name),
        field=info.name,
        cell=cell,
        required=not has_default and not may_be_none,
        default=info.default if has_default else None,
    )


@dataclass(frozen=True)
class Kind:
    """One file: ``name`` is its stem and the field of `Inventory` it fills."""

    name: str
    record: type[Struct]
    required: bool = False

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns in the order they are written."""
        return tuple(_column(info) for info in msgspec.structs.fields(self.record))

    @cached_property
    def column_by_name(self) -> dict[str, Column]:
        """Columns by the name in the header."""
        return {column.name: column for column in self.columns}


KINDS = (
    Kind("buildings", Building, required=True),
    Kind("schools", School),
    Kind("lines", Line, required=True),
    Kind("devices", Device),
    Kind("rooms", Room),
    Kind("access_points", AccessPoint),
    Kind("probes", ProbeUnit),
    Kind("segments", Segment),
    Kind("sockets", Socket),
)
KIND_BY_NAME = {kind.name: kind for kind in KINDS}

# (kind, field, kind it points at); an empty cell points nowhere.
REFERENCES = (
    ("schools", "building_ids", "buildings"),
    ("lines", "building_id", "buildings"),
    ("lines", "segments", "segments"),
    ("devices", "building_id", "buildings"),
    ("devices", "line_id", "lines"),
    ("rooms", "building_id", "buildings"),
    ("access_points", "building_id", "buildings"),
    ("access_points", "controller_id", "devices"),
    ("access_points", "room_id", "rooms"),
    ("access_points", "switch_id", "devices"),
    ("sockets", "room_id", "rooms"),
    ("sockets", "switch_id", "devices"),
    ("probes", "building_id", "buildings"),
    ("probes", "line_id", "lines"),
)
