"""A report as DOCX, to be completed and signed; same document, same bytes."""

from __future__ import annotations

import io
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph as WordParagraph

from netmon.archives import with_fixed_times
from netmon.documents.blocks import (
    Align,
    Block,
    Document,
    Facts,
    Heading,
    Paragraph,
    Table,
)

_FONT, _MONO = "Calibri", "Courier New"
_QUIET = RGBColor(0x57, 0x60, 0x6A)
_INK = RGBColor(0x1B, 0x1F, 0x24)
_STYLES = {
    "Normal": (10.5, False, _INK),
    "Title": (20.0, True, _INK),
    "Subtitle": (12.0, False, _QUIET),
    "Heading 1": (13.5, True, _INK),
    "Heading 2": (11.0, True, _INK),
    "Caption": (9.5, False, _QUIET),
}
_SHADES = {"notice": "FFF8E6", "verdict": "F1F4F7"}
_WIDTH_MM = 168.0
_LANGUAGES = {"de": "de-DE", "en": "en-GB"}
_ALIGN: dict[Align, WD_ALIGN_PARAGRAPH] = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
}


def docx_bytes(document: Document) -> bytes:
    """Return the document as DOCX."""
    word = docx.Document()
    _set_up(word, document)
    title = word.add_paragraph(document.title, style="Title")
    title.paragraph_format.space_after = Pt(2)
    word.add_paragraph(document.subtitle, style="Subtitle")
    for block in document.blocks:
        _add(word, block)
    out = io.BytesIO()
    word.save(out)
    # The library's template says which program made it.
    return with_fixed_times(
        out.getvalue(),
        lambda name, body: (
            body.replace(b"Microsoft Macintosh Word", b"netmon")
            if name == "docProps/app.xml"
            else body
        ),
    )


def _set_up(word: WordDocument, document: Document) -> None:
    properties = word.core_properties
    # Word stores UTC without saying so.
    moment = document.created.replace(tzinfo=None, microsecond=0)
    properties.title, properties.subject = document.title, document.subtitle
    properties.author = properties.last_modified_by = document.author
    properties.created = properties.modified = moment
    properties.language = _LANGUAGES.get(document.language, document.language)
    properties.comments, properties.revision = "", 1
    section = word.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(22), Mm(20)
    section.top_margin, section.bottom_margin = Mm(25), Mm(24)
    for name, (size, bold, color) in _STYLES.items():
        font = word.styles[name].font
        font.name, font.size, font.italic, font.bold = _FONT, Pt(size), False, bold
        font.color.rgb = color
        _set_font(word.styles[name].element.get_or_add_rPr())
    _set_language(word, properties.language)
    word.styles["Normal"].paragraph_format.space_after = Pt(6)
    _without(word.styles["Title"].element, "w:pBdr")
    _without(word.styles["Subtitle"].element, "w:spacing")
    header = section.header.paragraphs[0]
    _run(header, document.head, size=8.5, quiet=True)
    footer = section.footer.paragraphs[0]
    _run(footer, f"{document.foot}\t\t", size=8.5, quiet=True)
    before, _, rest = document.page.partition("{n}")
    between, _, after = rest.partition("{total}")
    for text, field in ((before, "PAGE"), (between, "NUMPAGES"), (after, "")):
        if text:
            _run(footer, text, size=8.5, quiet=True)
        if field:
            _field(footer, field)


def _element(name: str, **attributes: str) -> Any:
    element = OxmlElement(name)
    for key, value in attributes.items():
        element.set(qn(f"w:{key}"), value)
    return element


def _set_font(properties: Any) -> None:
    """Name the font for every script: themes would win over the name alone."""
    fonts = properties.find(qn("w:rFonts"))
    for key in list(fonts.attrib):
        del fonts.attrib[key]
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), _FONT)


def _set_language(word: WordDocument, language: str) -> None:
    for lang in word.styles.element.iter(qn("w:lang")):
        lang.set(qn("w:val"), language)


def _without(style: Any, *names: str) -> None:
    """Take decorations of the library's template out of a style."""
    for name in names:
        for found in list(style.iter(qn(name))):
            found.getparent().remove(found)


def _run(
    paragraph: WordParagraph,
    text: str,
    *,
    size: float | None = None,
    quiet: bool = False,
    bold: bool = False,
    mono: bool = False,
) -> None:
    run = paragraph.add_run(text)
    run.bold = bold or None
    if size is not None:
        run.font.size = Pt(size)
    if quiet:
        run.font.color.rgb = _QUIET
    if mono:
        run.font.name = _MONO


def _field(paragraph: WordParagraph, code: str) -> None:
    """Add a field that Word fills in when it lays the page out."""
    for kind in ("begin", "", "separate", "text", "end"):
        run = paragraph.add_run("1" if kind == "text" else "")
        run.font.size, run.font.color.rgb = Pt(8.5), _QUIET
        if kind == "":
            instruction = _element("w:instrText")
            instruction.text = code
            run._r.append(instruction)  # noqa: SLF001 - python-docx knows no fields
        elif kind != "text":
            run._r.append(_element("w:fldChar", fldCharType=kind))  # noqa: SLF001


def _add(word: WordDocument, block: Block) -> None:
    match block:
        case Heading():
            word.add_heading(block.text, level=block.level)
        case Paragraph():
            _add_paragraph(word, block)
        case Facts():
            _add_facts(word, block)
        case Table():
            _add_table(word, block)


def _add_paragraph(word: WordDocument, block: Paragraph) -> None:
    paragraph = word.add_paragraph()
    if block.look == "code":
        _run(paragraph, block.text, size=8, mono=True)
    elif block.look == "small":
        _run(paragraph, block.text, size=9, quiet=True)
    else:
        _run(paragraph, block.text, bold=block.look == "verdict")
    shade = _SHADES.get(block.look)
    if shade is not None:
        properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001 - no shading in its API
        properties.append(_element("w:shd", val="clear", color="auto", fill=shade))


def _add_facts(word: WordDocument, block: Facts) -> None:
    table = word.add_table(rows=0, cols=2)
    _lay_out(table, (44.0, _WIDTH_MM - 44.0))
    for label, value in block.rows:
        cells = table.add_row().cells
        _fill(cells[0].paragraphs[0], label, quiet=True)
        _fill(cells[1].paragraphs[0], value)
    _widths(table, (44.0, _WIDTH_MM - 44.0))
    word.add_paragraph().paragraph_format.space_after = Pt(0)


def _fill(
    paragraph: WordParagraph,
    text: str,
    *,
    size: float | None = None,
    quiet: bool = False,
    bold: bool = False,
    align: Align = "left",
) -> None:
    paragraph.paragraph_format.space_after = Pt(1)
    paragraph.alignment = _ALIGN[align]
    _run(paragraph, text, size=size, quiet=quiet, bold=bold)


def _add_table(word: WordDocument, block: Table) -> None:
    caption = word.add_paragraph(block.caption, style="Caption")
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_before = Pt(8)
    caption.paragraph_format.space_after = Pt(3)
    total = sum(column.weight for column in block.columns)
    widths = tuple(_WIDTH_MM * column.weight / total for column in block.columns)
    table = word.add_table(rows=1, cols=len(block.columns))
    _lay_out(table, widths)
    for cell, column in zip(table.rows[0].cells, block.columns, strict=True):
        _fill(cell.paragraphs[0], column.head, size=8, bold=True, align=column.align)
    for number, row in enumerate(block.rows):
        cells = table.add_row().cells
        bold = number in block.strong
        for cell, column, text in zip(cells, block.columns, row, strict=True):
            _fill(cell.paragraphs[0], text, size=8, bold=bold, align=column.align)
    _keep_rows_whole(table)
    _widths(table, widths)
    _rules(table)
    # Said by screen readers; last in the schema's order.
    table._tbl.tblPr.append(_element("w:tblCaption", val=block.caption))  # noqa: SLF001
    word.add_paragraph().paragraph_format.space_after = Pt(0)


def _keep_rows_whole(table: WordTable) -> None:
    """Break no row across pages, and repeat the first on each."""
    for number, row in enumerate(table.rows):
        properties = row._tr.get_or_add_trPr()  # noqa: SLF001 - not in its API
        properties.append(_element("w:cantSplit"))
        if number == 0:
            properties.append(_element("w:tblHeader"))


def _lay_out(table: WordTable, widths: tuple[float, ...]) -> None:
    table.alignment = WD_TABLE_ALIGNMENT.LEFT
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)


def _widths(table: WordTable, widths: tuple[float, ...]) -> None:
    """Give each cell its width, too: not every program reads the columns'."""
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width)


def _rules(table: WordTable) -> None:
    """Draw lines between rows and none between columns."""
    borders = _element("w:tblBorders")
    for side, size in (("top", "8"), ("bottom", "8"), ("insideH", "4")):
        color = "B8C0C8" if side == "insideH" else "1B1F24"
        line = _element(f"w:{side}", val="single", sz=size, space="0", color=color)
        borders.append(line)
    # The schema has an order, and Word minds it.
    after = ("w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook")
    properties = table._tbl.tblPr  # noqa: SLF001 - no borders in its API
    properties.insert_element_before(borders, *after)
