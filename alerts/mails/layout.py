"""How a mail is put on paper: sections as plain text and as HTML; pure."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from netmon.texts import Texts

_WIDTH = 76
# A line must not end between a number and its unit.
_NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=Mbit/s|Uhr|%|Std\.|Min\.)")


@dataclass(frozen=True, slots=True)
class Content:
    """A rendered mail."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with a heading a column; the first cell of a row names it."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it.

    Of a ``table`` the plain text shows ``items``, a sentence a row.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    ordered: bool = False
    table: Table | None = None
    link: str = ""
    link_text: str = ""


def fill(subject: str, sections: tuple[Section, ...], texts: Texts) -> Content:
    """Return subject and sections as plain text and as HTML."""
    values = {
        "title": subject,
        "sections": sections,
        "footer": texts("mail.more.automatic"),
        "language": texts.language,
    }
    templates = _templates()
    return Content(
        # A line break in a name must not end the header.
        subject=" ".join(subject.split()),
        text=templates.get_template("mail.txt.j2").render(values),
        html=templates.get_template("mail.html.j2").render(values),
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("alerts"),
        autoescape=select_autoescape(("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["kept"] = _kept
    environment.filters["wrapped"] = _wrapped
    return environment


def _kept(text: str) -> str:
    return _NUMBER_AND_UNIT.sub("\u00a0", text)


def _wrapped(text: str, lead: str = "") -> str:
    wrapped = textwrap.fill(
        _kept(text),
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapped.replace("\u00a0", " ")
