"""What a report is made of, whatever it is written as: headings, texts, tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Align = Literal["left", "right", "center"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is a section."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; a ``notice`` stands in a box, a ``verdict`` is set off."""

    text: str
    look: Literal["body", "notice", "verdict", "small", "code"] = "body"


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of a label and its value."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; ``weight`` is its share of the width."""

    head: str
    weight: float = 1.0
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption and a head that is repeated on each page.

    ``strong`` are the numbers of the rows that are set off, such as a sum.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: tuple[int, ...] = ()


Block = Heading | Paragraph | Facts | Table


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. ``created`` dates it: the same content has the same date.

    ``head`` and ``foot`` stand on every page, ``page`` is how pages are counted,
    with ``{n}`` and ``{total}``.
    """

    title: str
    subtitle: str
    author: str
    language: str
    created: datetime
    head: str
    foot: str
    page: str
    blocks: tuple[Block, ...]
