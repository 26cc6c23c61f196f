"""What is wrong with platform files beyond their types: every problem in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from collectors.base import oid_key
from collectors.platform_model import Column, Platform, Table
from collectors.results import RESULT_FIELDS, RESULT_PARTS, ResultKind
from netmon.errors import Problem

FACT_NAMES = {"name", "model", "serial", "firmware", "descr"}


def problem(source: str, field: str | None, text: str, fix: str) -> Problem:
    """Return a problem of a file that has no line."""
    return Problem(source, None, field, text, fix)


def check(source: str, platform: Platform) -> Iterator[Problem]:
    """Yield what the types cannot tell."""
    for position, prefix in enumerate(platform.match.sys_object_id):
        yield from _check_oid(source, f"match.sys_object_id[{position}]", prefix)
    yield from _check_pattern(source, "match.sys_descr", platform.match.sys_descr, 0)
    for position, fact in enumerate(platform.facts):
        where = f"facts[{position}]"
        if fact.name not in FACT_NAMES:
            known = ", ".join(sorted(FACT_NAMES))
            yield problem(source, f"{where}.name", "is unknown", f"use {known}")
        yield from _check_oid(source, f"{where}.oid", fact.oid)
        yield from _check_pattern(source, f"{where}.pattern", fact.pattern, 1)
        if fact.when_oid:
            yield from _check_oid(source, f"{where}.when_oid", fact.when_oid)
        if bool(fact.when_oid) != bool(fact.when):
            text = "needs both when_oid and when"
            yield problem(source, where, text, "give both or none")
    for position, trap in enumerate(platform.traps):
        yield from _check_oid(source, f"traps[{position}].oid", trap.oid)
    earlier: set[str] = set()
    for position, table in enumerate(platform.tables):
        where = f"tables[{position}]"
        yield from _check_table(source, where, table)
        for field in ("only_with", "rows_of"):
            name = getattr(table, field)
            if name and name not in earlier:
                text = f"{name!r} is no table before this one"
                yield problem(source, f"{where}.{field}", text, "name one")
        earlier.add(table.name)


def _check_table(source: str, where: str, table: Table) -> Iterator[Problem]:
    wanted = RESULT_PARTS[table.result]
    if tuple(part.part for part in table.index) != wanted:
        text = f"does not have the parts of {table.result}"
        yield problem(source, f"{where}.index", text, f"give {', '.join(wanted)}")
    if any(part.length < 0 for part in table.index):
        yield problem(source, f"{where}.index", "has a wrong length", "count anew")
    open_count = sum(part.is_open for part in table.index)
    if open_count > 1 or (open_count and any(each.fold for each in table.columns)):
        text = "leaves open where a part ends"
        yield problem(source, f"{where}.index", text, "give lengths")
    for name in ("max_repetitions", "max_rows"):
        if getattr(table, name) < 1:
            yield problem(source, f"{where}.{name}", "is under 1", "use 1 or more")
    if bool(table.rows_of) != bool(table.ends):
        text = "needs ends, and ends need it"
        yield problem(source, f"{where}.rows_of", text, "give both")
    filled = {column.field for column in table.columns}
    if not any(column.required for column in table.columns):
        text = "has no required column, so nobody can tell whether it was read whole"
        yield problem(source, f"{where}.columns", text, "mark one as required")
    if table.keep is not None and table.keep.field not in filled:
        yield problem(source, f"{where}.keep.field", "has no column", "add the column")
    yield from _check_columns(source, where, table)


def _check_columns(source: str, where: str, table: Table) -> Iterator[Problem]:
    told: set[str] = set()
    for position, column in enumerate(table.columns):
        at = f"{where}.columns[{position}]"
        yield from _check_column(source, at, column, table.result)
        if column.by and column.by not in told:
            text = f"{column.by!r} is no field of a column before this one"
            yield problem(source, f"{at}.by", text, "name one")
        told.add(column.field)


def _check_column(
    source: str, at: str, column: Column, result: ResultKind
) -> Iterator[Problem]:
    fields = RESULT_FIELDS[result]
    if column.field not in fields:
        text = f"{column.field!r} is no field of {result}"
        yield problem(source, f"{at}.field", text, f"use {', '.join(fields)}")
    yield from _check_oid(source, f"{at}.oid", column.oid)
    yield from _check_pattern(source, f"{at}.pattern", column.pattern, 1)
    if column.scale == 0:
        yield problem(source, f"{at}.scale", "is 0", "give a factor")
    is_text = fields.get(column.field) == "text"
    if is_text and (
        column.enumeration
        or column.words
        or column.bits
        or column.offset
        or column.becomes is not None
        or column.fold in {"least", "sum"}
        or column.missing
        or column.scale != 1
        or column.signed
        or column.milliwatt
        or column.dark
    ):
        text = "is text and takes no scale, enumeration or missing"
        yield problem(source, at, text, "remove them")
    for name in ("milliwatt", "dark"):
        if getattr(column, name) and not column.field.endswith(("_dbm", "value")):
            yield problem(source, f"{at}.{name}", "makes dBm", "use a field in dBm")
    ways = (column.fold, column.suffix, column.at, column.sole, column.by)
    if sum(map(bool, ways)) > 1:
        text = "is told twice how to find its row"
        yield problem(source, at, text, "give one of suffix, fold, at, sole and by")
    if (column.at or column.sole or column.by) and column.required:
        text = "has no rows of its own to require"
        yield problem(source, at, text, "require another column")


def check_together(platforms: Mapping[str, Platform]) -> Iterator[Problem]:
    """Yield what only shows between files, and within what they extend."""
    by_name = {platform.name: platform for platform in platforms.values()}
    fallbacks = [source for source, item in platforms.items() if item.fallback]
    if platforms and len(fallbacks) != 1:
        text = f"{len(fallbacks)} platforms are the fallback"
        yield problem(", ".join(sorted(platforms)), "fallback", text, "mark one")
    line_fallbacks = [s for s, item in platforms.items() if item.line_fallback]
    if len(line_fallbacks) > 1:
        text = f"{len(line_fallbacks)} platforms are the line_fallback"
        where = ", ".join(sorted(line_fallbacks))
        yield problem(where, "line_fallback", text, "mark one")
    for source, platform in platforms.items():
        for position, base in enumerate(platform.extends):
            where = f"extends[{position}]"
            if base not in by_name:
                yield problem(source, where, f"{base!r} is no platform", "name one")
            elif by_name[base].extends:
                yield problem(source, where, f"{base!r} extends too", "one step only")
        bases = [by_name[base] for base in platform.extends if base in by_name]
        names = [table.name for item in (platform, *bases) for table in item.tables]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield problem(source, "tables", f"{name!r} stands twice", "rename one")


def _check_oid(source: str, where: str, oid: str) -> Iterator[Problem]:
    try:
        sound = len(oid_key(oid)) > 2
    except ValueError:
        sound = False
    if not sound:
        yield problem(source, where, f"{oid!r} is no object id", "write 1.3.6.1...")


def _check_pattern(
    source: str, where: str, pattern: str, groups: int
) -> Iterator[Problem]:
    if not pattern:
        return
    try:
        found = re.compile(pattern).groups
    except re.error as error:
        yield problem(source, where, f"is no pattern: {error}", "mend it")
        return
    if found != groups:
        yield problem(source, where, f"has {found} groups", f"use {groups}")
