"""Jinja: the templates of one app, in one language, and what they may call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from dashboards.bits import Bits
from dashboards.city_rows import CityRows
from dashboards.formats import Formats
from dashboards.statements import parameters, statement_row
from dashboards.static_files import static_version
from dashboards.table_markup import Rows
from netmon.line_verdict import ended, method_text
from netmon.model import Technology
from netmon.texts import Texts, catalogue

_COLUMNS = "site.col."


def link(path: str, query: Mapping[str, str], **changes: str) -> str:
    """Return an address with its query; an empty change removes a parameter."""
    merged = {k: v for k, v in {**query, **changes}.items() if v}
    return f"{path}?{urlencode(merged)}" if merged else path


def _columns(language: str) -> Mapping[str, str]:
    """Return the column headings by name: they stand in every cell of a table."""
    return {
        key.removeprefix(_COLUMNS): text
        for key, text in catalogue(language).items()
        if key.startswith(_COLUMNS)
    }


def make_environment(texts: Texts) -> Environment:
    """Return the templates of one app, in one language."""
    environment = Environment(
        loader=PackageLoader("dashboards"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    formats = Formats(texts)
    columns, bits = _columns(texts.language), Bits(texts, formats)
    rows = CityRows(texts, formats, bits, columns)
    environment.globals.update(
        bits.functions(),
        **Rows(texts, formats, bits).functions(),
        line_rows=rows.line_rows,
        wlan_rows=rows.wlan_rows,
        method=lambda statement: method_text(statement.method, texts),
        statement=partial(statement_row, texts=texts),
        parameters=partial(parameters, texts=texts),
        t=texts,
        f=formats,
        col=columns,
        link=link,
        technologies={x: texts(f"technology.{x}") for x in Technology},
        lang=texts.language,
        static_version=static_version(),
    )
    environment.filters.update(number=texts.number, percent=texts.percent, ended=ended)
    return environment
