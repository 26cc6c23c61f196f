"""A frozen year: the counts of a year as they were, sealed by a hash.

The change to the year before is only worth something if the year before cannot
change afterwards: each file carries the SHA-256 of its content and is refused
if a byte differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from netmon.clock import from_ms, to_ms
from netmon.errors import NetmonError
from netmon.model import Inventory, SchoolType
from netmon.report.counting import (
    GROUPS,
    PRINTED_COLUMNS,
    PRINTED_RULES,
    RULES_VERSION,
    SUM,
    Cells,
    Counts,
    TableName,
    count,
)
from netmon.report.figures import FigureTable
from netmon.report.rooms import CoveredRooms
from netmon.texts import Texts

FORMAT = 1


class SnapshotError(NetmonError):
    """A frozen year is damaged, changed, or cannot be used for what was asked."""

    def __init__(self, code: str, texts: Texts | None = None, **values: object) -> None:
        super().__init__((texts or Texts())(f"report.snapshot.{code}", **values))
        self.code = code


class FrozenYear(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The counts of one year.

    ``frozen_ms`` is when (milliseconds since 1970), ``rules_version`` how it
    was counted. Years before netmon have only the row of sums, as printed, and
    then only the columns that were printed. ``inventory_sha256`` is None there.
    ``origin`` says in words where the numbers are from. ``rooms`` are the covered
    rooms as measured at that moment, ``figures`` the further tables with their counting
    rules, ``rules`` the rules of the printed tables in words; years frozen before these
    were kept lack them, and their bytes and seals stay what they were.

    ``warnings`` say, by table, where a source that was imported is blank or does not add
    up; only imported years have them, maybe none. Such a year stays as it was printed.
    """

    format: int = FORMAT
    year: int
    frozen_ms: int
    rules_version: str
    origin: str
    inventory_sha256: str | None
    buildings: int
    connection: Cells
    coverage: Cells
    sha256: str = ""
    rooms: CoveredRooms | UnsetType = UNSET
    figures: tuple[FigureTable, ...] | UnsetType = UNSET
    rules: tuple[str, ...] | UnsetType = UNSET
    warnings: Mapping[TableName, tuple[str, ...]] | UnsetType = UNSET

    @property
    def frozen_at(self) -> datetime:
        """When the year was frozen, aware UTC."""
        return from_ms(self.frozen_ms)

    @property
    def is_printed(self) -> bool:
        """Whether the numbers are those of a printed report, not counted by netmon."""
        return self.rules_version == PRINTED_RULES

    def table(self, name: TableName) -> Cells:
        """Return one table's cells."""
        return self.connection if name == "connection" else self.coverage

    def total(self, name: TableName, column: str) -> int | None:
        """Return the sum of a column; None where that year did not state it."""
        return self.table(name)[SUM].get(column)

    def base(self, name: TableName, group: tuple[str, ...]) -> int:
        """Return how many buildings a group of columns speaks of in that year."""
        return sum(self.total(name, column) or 0 for column in group)

    def counts(self) -> Counts:
        """Return the counts; of a printed year maybe only sums, and with gaps."""
        return Counts(
            buildings=self.buildings, connection=self.connection, coverage=self.coverage
        )


def _canonical(frozen: FrozenYear) -> bytes:
    """Return the bytes that are hashed: all but the hash, keys sorted."""
    unsealed = msgspec.structs.replace(frozen, sha256="")
    return msgspec.json.encode(unsealed, order="sorted")


def _seal(frozen: FrozenYear) -> FrozenYear:
    digest = hashlib.sha256(_canonical(frozen)).hexdigest()
    return msgspec.structs.replace(frozen, sha256=digest)


def freeze(
    inventory: Inventory,
    year: int,
    now: datetime,
    *,
    inventory_sha256: str,
    rooms: CoveredRooms | None = None,
    figures: tuple[FigureTable, ...] | None = None,
    rules: tuple[str, ...] | None = None,
) -> FrozenYear:
    """Return the counts of the inventory, sealed as those of a year.

    ``rooms`` are the covered rooms as measured ``now``, ``figures`` the further tables,
    ``rules`` the counting rules of the printed ones in words; None leaves them out.

    Raises:
        CountingError: a total differs from the number of buildings.
    """
    counts = count(inventory)
    return _seal(
        FrozenYear(
            year=year,
            frozen_ms=to_ms(now),
            rules_version=RULES_VERSION,
            origin="inventory",
            inventory_sha256=inventory_sha256,
            buildings=counts.buildings,
            connection=counts.connection,
            coverage=counts.coverage,
            rooms=UNSET if rooms is None else rooms,
            figures=UNSET if figures is None else figures,
            rules=UNSET if rules is None else rules,
        )
    )


def totals_only(
    year: int,
    now: datetime,
    *,
    buildings: int,
    totals: Mapping[TableName, Mapping[str, int]],
    origin: str,
    texts: Texts | None = None,
) -> FrozenYear:
    """Return a year before netmon, of which only the sums are known.

    Raises:
        SnapshotError: the connection classes do not add up to ``buildings``,
            a group exceeds them, or a column is unknown or, though printed, missing.
    """
    frozen = FrozenYear(
        year=year,
        frozen_ms=to_ms(now),
        rules_version=PRINTED_RULES,
        origin=origin,
        inventory_sha256=None,
        buildings=buildings,
        connection={SUM: dict(totals["connection"])},
        coverage={SUM: dict(totals["coverage"])},
    )
    _check_sums(frozen, texts)
    return _seal(frozen)


def as_printed(
    year: int,
    now: datetime,
    *,
    buildings: int,
    tables: Mapping[TableName, Cells],
    origin: str,
    warnings: Mapping[TableName, tuple[str, ...]],
) -> FrozenYear:
    """Return a year before netmon as it was printed, gaps and slips included."""
    return _seal(
        FrozenYear(
            year=year,
            frozen_ms=to_ms(now),
            rules_version=PRINTED_RULES,
            origin=origin,
            inventory_sha256=None,
            buildings=buildings,
            connection=tables["connection"],
            coverage=tables["coverage"],
            warnings=warnings,
        )
    )


def _check_sums(frozen: FrozenYear, texts: Texts | None) -> None:
    if frozen.rooms is not UNSET and set(frozen.rooms.rows) != {*SchoolType, SUM}:
        raise SnapshotError("unknown_cells", texts, year=frozen.year, table="rooms")
    names: tuple[TableName, ...] = ("connection", "coverage")
    for name in names:
        cells = frozen.table(name)
        known = {column for group in GROUPS[name] for column in group}
        if frozen.warnings is not UNSET:
            # The sums of rows are printed, too, and need not be what they add up to.
            known.add(SUM)
        if SUM not in cells or any(set(row) - known for row in cells.values()):
            raise SnapshotError("unknown_cells", texts, year=frozen.year, table=name)
        if frozen.warnings is not UNSET:
            # As printed: what is missing or does not add up was said at the import.
            continue
        for column in PRINTED_COLUMNS[name]:
            if frozen.total(name, column) is None:
                raise SnapshotError(
                    "missing_cell", texts, year=frozen.year, table=name, column=column
                )
        for group in GROUPS[name]:
            base = frozen.base(name, group)
            if base > frozen.buildings or (
                name == "connection" and base != frozen.buildings
            ):
                raise SnapshotError(
                    "sums",
                    texts,
                    year=frozen.year,
                    first=group[0],
                    last=group[-1],
                    found=base,
                    buildings=frozen.buildings,
                )


def encode_year(frozen: FrozenYear) -> bytes:
    """Return a frozen year as JSON, hash included, one cell row a line."""
    body = msgspec.json.encode(frozen, order="deterministic")
    return msgspec.json.format(body, indent=2) + b"\n"


def decode_year(body: bytes, texts: Texts | None = None) -> FrozenYear:
    """Return a frozen year and verify its seal.

    Raises:
        SnapshotError: it is no frozen year, of an unknown format, its numbers
            do not add up, or its content is not what was sealed.
    """
    try:
        frozen = msgspec.json.decode(body, type=FrozenYear)
    except msgspec.DecodeError as error:
        raise SnapshotError("no_year", texts, reason=error) from error
    if frozen.format != FORMAT:
        raise SnapshotError("format", texts, found=frozen.format, known=FORMAT)
    if encode_year(_seal(frozen)) != body:
        raise SnapshotError("changed", texts, year=frozen.year)
    _check_sums(frozen, texts)
    return frozen
