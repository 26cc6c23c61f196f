"""The annual report on the site: which years there are, a preview, and the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dashboards.context import Site
from netmon.errors import InputError
from netmon.report import (
    AnnualReport,
    FrozenYear,
    Reader,
    SnapshotError,
    annual_report,
    count,
)
from netmon.report.excel_csv import printed_table
from netmon.report.export import DOCUMENTS, annual_zip
from netmon.report.figures import FigureRow
from netmon.report.reading import frozen_report
from netmon.report.screen import change_text
from netmon.texts import Texts


@dataclass(frozen=True, slots=True)
class Format:
    """A file of a report: how its name ends, what it is, and who makes it."""

    ending: str
    media_type: str
    make: Callable[[AnnualReport, Texts], bytes]


_OFFICE = "application/vnd.openxmlformats-officedocument"
_MEDIA_TYPES = {
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "pdf": "application/pdf",
    "json": "application/json",
}
_CSV = "text/csv; charset=utf-8"
# Every file that can be downloaded: one line each; `reports.format.<name>` names it.
FORMATS: Mapping[str, Format] = {
    **{
        name: Format(name, _MEDIA_TYPES[name], make) for name, make in DOCUMENTS.items()
    },
    "connection": Format(
        "internetanschluss.csv", _CSV, lambda report, _: printed_table(report.tables[0])
    ),
    "coverage": Format(
        "lan-wlan.csv", _CSV, lambda report, _: printed_table(report.tables[1])
    ),
    "zip": Format("zip", "application/zip", annual_zip),
}


@dataclass(frozen=True, slots=True)
class YearRow:
    """A year of the list; ``frozen`` is None for one that can still change.

    ``damaged`` says in words that a frozen year is not what was frozen.
    """

    year: int
    frozen: FrozenYear | None
    damaged: str = ""

    @property
    def is_imported(self) -> bool:
        """Whether it is of a report before netmon."""
        return self.frozen is not None and self.frozen.is_printed


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table of the report in words, for a page; a row is its kind, label and cells."""

    name: str
    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[str, ...]], ...]
    notes: tuple[str, ...]


def reader_of(site: Site) -> Reader:
    """Return the use cases of the report on the site's store."""
    return Reader(site.store, site.calendars.of, site.texts)


def years(reader: Reader, this_year: int) -> list[YearRow]:
    """Return the years that are frozen, this one and the last, newest first."""
    known = set(reader.store.snapshots.years())
    wanted = known | {this_year}
    if this_year not in known:
        # In January the year that is over is frozen.
        wanted.add(this_year - 1)
    return [_row(reader, year) for year in sorted(wanted, reverse=True)]


def _row(reader: Reader, year: int) -> YearRow:
    try:
        return YearRow(year, reader.frozen(year))
    except SnapshotError as error:
        return YearRow(year, None, damaged=str(error))


def preview(site: Site, reader: Reader, year: int) -> tuple[ShownTable, ...] | None:
    """Return the two printed tables; None where there is nothing to count.

    What was measured over the year is left out: counting it takes long.

    Raises:
        SnapshotError: the year, or the one before, was changed after freezing.
        CountingError: a total does not match the number of buildings.
    """
    previous, frozen = reader.frozen(year - 1), reader.frozen(year)
    if frozen is not None:
        return _shown(frozen_report(frozen, previous, site.texts), site.texts)
    if not site.inventory().buildings:
        return None
    counts = count(site.inventory())
    return _shown(annual_report(counts, year, previous, site.texts), site.texts)


def _shown(report: AnnualReport, texts: Texts) -> tuple[ShownTable, ...]:
    return tuple(
        ShownTable(
            table.name,
            table.caption,
            table.corner,
            table.columns,
            tuple(
                (
                    row.kind,
                    row.label,
                    tuple(
                        change_text(cell, texts)
                        if row.kind == "change"
                        else texts.number(cell)
                        for cell in row.cells
                    ),
                )
                for row in table.rows
            ),
            table.notes,
        )
        for table in report.tables
    )


class PoorDataError(InputError):
    """Too much is missing to freeze a year without saying so; ``rows`` say what."""

    def __init__(self, rows: Iterable[str]) -> None:
        super().__init__([])
        self.rows = tuple(rows)


def refuse_poor(rows: Iterable[FigureRow], texts: Texts) -> None:
    """Refuse to freeze where the data are too poor.

    Raises:
        PoorDataError: always, with a sentence for each row.
    """
    raise PoorDataError(_poor_line(row, texts) for row in rows)


def _poor_line(row: FigureRow, texts: Texts) -> str:
    known, total, share, needed, *_ = (
        cell if isinstance(cell, int | float) else None for cell in row.cells
    )
    return texts(
        "report.cli.poor_row",
        what=row.label,
        known=texts.number(known),
        total=texts.number(total),
        share=texts.percent(share, 0),
        needed=texts.percent(needed, 0),
    )
