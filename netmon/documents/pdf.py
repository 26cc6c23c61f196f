"""A report as PDF: tagged (PDF/UA-1), the same bytes for the same document.

The template gets the content as JSON, so no text of ours can be read as markup. Only
the fonts that come with the compiler are used: the machine's own ones differ.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files

import typst

from netmon.documents.blocks import Block, Document

_TEMPLATE = "report.typ"


def _plain(block: Block) -> dict[str, object]:
    return {"kind": type(block).__name__.lower(), **asdict(block)}


def pdf_bytes(document: Document) -> bytes:
    """Return the document as PDF."""
    content = {
        "title": document.title,
        "subtitle": document.subtitle,
        "author": document.author,
        "language": document.language,
        "head": document.head,
        "foot": document.foot,
        "page": document.page,
        "date": [document.created.year, document.created.month, document.created.day],
        "blocks": [_plain(block) for block in document.blocks],
    }
    template = files("netmon.documents").joinpath(_TEMPLATE).read_bytes()
    return typst.compile(
        template,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps(content, ensure_ascii=False)},
        pdf_standards="ua-1",
        timestamp=int(document.created.timestamp()),
    )
