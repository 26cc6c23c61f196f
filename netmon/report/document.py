"""The report as a document of blocks: for Word the tables, as PDF all of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from netmon.clock import BERLIN
from netmon.documents.blocks import Block, Column, Document, Heading, Paragraph, Table
from netmon.report import tables as printed
from netmon.report.bandwidth import AT_LEAST, BOUND_SUFFIX
from netmon.report.figures import Cell, CellUnit, FigureTable
from netmon.report.rooms_export import RoomsPart, rooms_text
from netmon.report.screen import cell_text, origin_lines, row_texts
from netmon.report.tables import AnnualReport
from netmon.texts import Texts
from netmon.units import to_mbits

# Widths of columns in characters.
_NARROWEST, _WIDEST, _HEAD_WORD = 11, 32, 12
# Of the printed tables: the first column is as wide as two of the others.
_LABEL_WEIGHT = 2.0


def tables_document(report: AnnualReport, texts: Texts) -> Document:
    """Return the two printed tables with captions and notes, ready to be pasted."""
    return _document(report, texts, tuple(_printed(report, texts)))


def report_document(report: AnnualReport, texts: Texts) -> Document:
    """Return the whole report, the fixed copy: tables, figures, rules, seal."""
    return _document(
        report,
        texts,
        (
            Heading(texts("report.section.printed")),
            *_printed(report, texts),
            Heading(texts("report.section.further")),
            *_further(report, texts),
            Heading(texts("report.section.basis")),
            *(Paragraph(line, "small") for line in origin_lines(report, texts)),
        ),
    )


def _document(
    report: AnnualReport, texts: Texts, blocks: tuple[Block, ...]
) -> Document:
    title = texts("report.title", year=report.year)
    # The year's own last day, so that equal reports are equal files.
    day = datetime(report.year, 12, 31, 12, tzinfo=BERLIN)
    seal = report.basis.sha256
    foot = title if seal is None else texts("report.basis.foot", seal=seal[:16])
    return Document(
        title=title,
        subtitle=report.basis.about or texts("report.basis.caption"),
        author="netmon",
        language=texts.language,
        created=day,
        head=title,
        foot=foot,
        page=texts("report.basis.page"),
        blocks=blocks,
    )


def _printed(report: AnnualReport, texts: Texts) -> Iterator[Block]:
    for table in report.tables:
        yield _printed_table(table, texts)
        for note in table.notes:
            yield Paragraph(note, "small")


def _printed_table(table: printed.Table, texts: Texts) -> Table:
    return Table(
        table.caption,
        (
            Column(table.corner, _LABEL_WEIGHT),
            *(Column(name, align="right") for name in table.columns),
        ),
        tuple(tuple(row_texts(row, texts)) for row in table.rows),
        strong=tuple(n for n, row in enumerate(table.rows) if row.kind == "sum"),
    )


def _further(report: AnnualReport, texts: Texts) -> Iterator[Block]:
    yield from _rooms(report.rooms, texts)
    if report.figures_note:
        yield Paragraph(report.figures_note, "small")
    for table in report.figures:
        if table.detail:
            note = texts("report.section.detail", caption=table.caption)
            yield Paragraph(note, "small")
            continue
        yield _figure(table, texts)
        for note in (*table.notes, *table.rules):
            yield Paragraph(note, "small")


def _figure(table: FigureTable, texts: Texts) -> Table:
    # Whether a rate is exact stands in a column of its own for machines; on paper it
    # stands before the number.
    bounds = [column.key.endswith(BOUND_SUFFIX) for column in table.columns]
    head = [
        f"{column.label} (Mbit/s)" if column.unit is CellUnit.RATE else column.label
        for column, is_bound in zip(table.columns, bounds, strict=True)
        if not is_bound
    ]
    rows = []
    for row in table.rows:
        told: list[str] = []
        for cell, column, is_bound in zip(
            row.cells, table.columns, bounds, strict=True
        ):
            if is_bound:
                told[-1] = f"≥ {told[-1]}" if cell == AT_LEAST else told[-1]
            else:
                told.append(_cell(cell, column.unit, texts))
        rows.append([row.label, *told])
    strong = [n for n, row in enumerate(table.rows) if row.kind == "sum"]
    lefts = {
        n
        for n, column in enumerate(
            (
                c
                for c, is_bound in zip(table.columns, bounds, strict=True)
                if not is_bound
            ),
            start=1,
        )
        if column.unit is CellUnit.TEXT
    }
    return _laid_out(table.caption, (table.corner, *head), rows, strong, lefts)


def _cell(cell: Cell, unit: CellUnit, texts: Texts) -> str:
    if unit is CellUnit.RATE and isinstance(cell, int | float):
        mbits = to_mbits(cell)
        return texts.number(mbits, 0 if mbits >= 99.95 else 1)
    return cell_text(cell, unit, texts)


def _rooms(part: RoomsPart, texts: Texts) -> Iterator[Block]:
    caption = texts("report.rooms.caption")
    if part.counted is None:
        yield Paragraph(f"{caption}: {part.notes[0]}", "small")
        return
    head, rows = rooms_text(part, texts)
    yield _laid_out(caption, head, rows, strong=[len(rows) - 1])
    for note in part.notes:
        yield Paragraph(note, "small")


def _laid_out(
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    strong: Sequence[int] = (),
    lefts: Collection[int] = (),
) -> Table:
    """Return a table whose columns are as wide as what stands in them.

    The first column and ``lefts`` are texts, the others numbers.
    """
    columns = []
    for index, name in enumerate(head):
        cells = max((len(row[index]) for row in rows), default=0)
        # Words of the head may be broken, what is below them should not.
        word = min(_HEAD_WORD, max(len(part) for part in name.split()))
        weight = min(_WIDEST, max(_NARROWEST, cells, word))
        left = index == 0 or index in lefts
        columns.append(Column(name, float(weight), "left" if left else "right"))
    return Table(caption, tuple(columns), tuple(map(tuple, rows)), tuple(strong))
