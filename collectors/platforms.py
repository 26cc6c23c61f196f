"""Platform files: what to ask a family of devices, and what the answers mean.

A platform is data, one YAML file in ``collectors/platforms``; this is the only
reader. A file says which devices it fits (``match``), which single objects are
worth knowing (``facts``) and which tables to walk. A column names the field it
fills; where several columns name the same field, the first that has a value
for a row counts, and later ones are asked only if rows are left without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
import yaml
from msgspec import Struct

from collectors.base import oid_key
from collectors.results import RESULT_FIELDS, RESULT_PARTS, ResultKind
from netmon.errors import ConfigError, Problem

FALLBACK = "if_mib"
MAX_ROWS = 20_000
# What SFF-8472 can count at least is 0.1 uW, -40 dBm: nothing shows as that.
DARK_DBM = -40.0

FACT_NAMES = {"name", "model", "serial", "firmware", "descr"}


class Match(Struct, frozen=True, forbid_unknown_fields=True):
    """Which devices a platform fits; what is given must all fit.

    ``sys_object_id`` are prefixes, of which one must fit; ``sys_descr`` is a
    regular expression searched in the description.
    """

    sys_object_id: tuple[str, ...] = ()
    sys_descr: str = ""


class Fact(Struct, frozen=True, forbid_unknown_fields=True):
    """One word about the device; ``pattern`` cuts it out by its one group."""

    name: str
    oid: str
    pattern: str = ""


class IndexPart(Struct, frozen=True, forbid_unknown_fields=True):
    """``length`` sub-identifiers of a row's index, in their order.

    A length of 0 takes what the other parts leave. ``text`` shows the part as
    the characters it stands for. A part with a ``value`` is always that, and
    takes nothing unless a length is given: a device has no index for what it
    has only one of.
    """

    part: str
    length: int = 0
    text: bool = False
    value: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it takes whatever is left."""
        return not self.length and not self.value


class Column(Struct, frozen=True, forbid_unknown_fields=True):
    """One column of a table.

    ``scale`` turns what the device says into the field's unit, ``unit`` tells a
    reader what that was. ``enumeration`` maps codes to numbers, null to "not
    known"; a code that is not in it is not known either. ``missing`` are values
    that mean "no value", as is what lies outside ``low`` to ``high`` before it is
    scaled. ``offset`` is added to it before. ``pattern`` cuts text or a number
    out of text; ``words`` says which numbers words stand for (small letters),
    ``becomes`` what any number within the limits does. ``bits`` makes 1 of a BITS
    value that has one of them and none of ``without_bits``, else 0; ``octets``
    shows a hardware address in pairs. A row
    must have its ``required`` columns, else the table was not read whole.

    Where a column's index is longer than the row's, ``suffix`` names the end it
    must have (one sub-identifier for each direction, say), or ``fold`` makes one
    value of all whose index begins with the row's: their ``sum``, the ``least``
    of them, ``any``, or the ``single`` one (a link with two ends has none). ``at`` is one
    index whose value holds for every row.
    ``signed`` undoes an agent that sends negative numbers as unsigned ones.
    ``milliwatt`` says that the scaled value is a power in mW and the field is
    in dBm; no power at all is `DARK_DBM`.
    """

    field: str
    oid: str
    unit: str = ""
    scale: float = 1.0
    enumeration: dict[int, int | None] = {}
    missing: tuple[int, ...] = ()
    low: float | None = None
    high: float | None = None
    pattern: str = ""
    required: bool = False
    words: dict[str, float] = {}
    offset: float = 0.0
    becomes: float | None = None
    bits: tuple[int, ...] = ()
    without_bits: tuple[int, ...] = ()
    octets: bool = False
    suffix: tuple[int, ...] = ()
    fold: Literal["", "single", "any", "least", "sum"] = ""
    at: tuple[int, ...] = ()
    signed: bool = False
    milliwatt: bool = False


class Keep(Struct, frozen=True, forbid_unknown_fields=True):
    """Keep only the rows whose field has one of these values."""

    field: str
    values: tuple[int, ...]


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of one kind of result.

    ``never_empty`` marks tables that a sound device cannot have empty, so that
    no rows mean no answer. Required columns of different fields must have the
    same rows; with ``rows: any`` each of them may add rows of its own (where
    several MIBs tell of the same thing). ``only_with`` names a table before it
    without whose rows this one is not asked, ``unless_line`` spares devices that
    carry a line (a radio link is no access point).
    """

    name: str
    result: ResultKind
    index: tuple[IndexPart, ...]
    columns: tuple[Column, ...]
    never_empty: bool = False
    max_repetitions: int = 20
    max_rows: int = MAX_ROWS
    keep: Keep | None = None
    rows: Literal["same", "any"] = "same"
    only_with: str = ""
    unless_line: bool = False

    @property
    def index_length(self) -> int:
        """Number of sub-identifiers in a row's index."""
        return sum(part.length for part in self.index)


class Platform(Struct, frozen=True, forbid_unknown_fields=True):
    """A family of devices. ``extends`` names platforms whose parts are added.

    What fits no platform gets the ``fallback``, and if it carries a line the
    ``line_fallback``, which asks the standard MIBs about the medium as well.
    """

    name: str
    tables: tuple[Table, ...] = ()
    facts: tuple[Fact, ...] = ()
    match: Match = Match()
    extends: tuple[str, ...] = ()
    fallback: bool = False
    line_fallback: bool = False


class Platforms:
    """All platform files, checked; ``extends`` is already followed."""

    def __init__(self, platforms: Sequence[Platform]) -> None:
        by_name = {platform.name: platform for platform in platforms}
        self._whole = {name: _extended(name, by_name) for name in by_name}
        self._fallback = next(
            (item.name for item in platforms if item.fallback), FALLBACK
        )
        self._line_fallback = next(
            (item.name for item in platforms if item.line_fallback), self._fallback
        )

    @property
    def names(self) -> list[str]:
        """The names of all platforms."""
        return sorted(self._whole)

    def get(self, name: str) -> Platform:
        """Return a platform by name; KeyError where there is none."""
        return self._whole[name]

    def choose(
        self, sys_object_id: str, sys_descr: str, *, line: bool = False
    ) -> Platform:
        """Return the platform that fits a device best: the longest prefix wins.

        A device that fits nothing gets the fallback; ``line`` says that it
        carries a line.
        """
        fallback = self._line_fallback if line else self._fallback
        best, length = self._whole[fallback], (-1, False)
        for platform in self._whole.values():
            fits = _fit(platform.match, sys_object_id, sys_descr)
            if fits is not None and fits > length:
                best, length = platform, fits
        return best


def _fit(match: Match, sys_object_id: str, sys_descr: str) -> tuple[int, bool] | None:
    """Return the length of the prefix that fits, None where it does not.

    Of equal prefixes the one that is sure of the description as well wins.
    """
    if not match.sys_object_id and not match.sys_descr:
        return None
    if match.sys_descr and not re.search(match.sys_descr, sys_descr):
        return None
    if not match.sys_object_id:
        return 0, True
    wanted = f"{sys_object_id}."
    fitting = [p for p in match.sys_object_id if wanted.startswith(f"{p}.")]
    if not fitting:
        return None
    return max(map(len, fitting)), bool(match.sys_descr)


def _extended(name: str, by_name: Mapping[str, Platform]) -> Platform:
    own = by_name[name]
    bases = [_extended(base, by_name) for base in own.extends]
    said = {fact.name for fact in own.facts}
    return msgspec.structs.replace(
        own,
        tables=own.tables + tuple(table for base in bases for table in base.tables),
        facts=own.facts
        + tuple(f for base in bases for f in base.facts if f.name not in said),
    )


@cache
def load_platforms() -> Platforms:
    """Return the platforms that come with netmon.

    Raises:
        ConfigError: a file is wrong; each problem names file and field.
    """
    folder = files("collectors").joinpath("platforms")
    found = {
        item.name: item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(".yaml")
    }
    return parse_platforms(found)


def parse_platforms(texts: Mapping[str, str]) -> Platforms:
    """Return the platforms in YAML texts, keyed by file name.

    Raises:
        ConfigError: with every problem of every file.
    """
    problems: list[Problem] = []
    platforms: dict[str, Platform] = {}
    for source, text in sorted(texts.items()):
        try:
            platform = _convert(source, text)
        except ConfigError as error:
            problems.extend(error.problems)
            continue
        problems.extend(_check(source, platform))
        if source != f"{platform.name}.yaml":
            problems.append(
                _problem(source, "name", "differs from the file's name", "rename one")
            )
        platforms[source] = platform
    problems.extend(_check_together(platforms))
    if problems:
        raise ConfigError(problems)
    return Platforms(list(platforms.values()))


class _StrictLoader(yaml.SafeLoader):
    """YAML takes the last of two equal keys in silence; this one does not."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Any, Any]:
        """Refuse a key that stands twice."""
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                mark = key_node.start_mark
                raise yaml.MarkedYAMLError(problem=f"{key} twice", problem_mark=mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _convert(source: str, text: str) -> Platform:
    try:
        raw = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
        return msgspec.convert(raw, Platform)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem = Problem(source, line, None, str(error.problem), "mend the YAML")
        raise ConfigError([problem]) from error
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        field = where.rstrip("`").removeprefix("$").removeprefix(".") or None
        raise ConfigError([_problem(source, field, what, _SEE)]) from error


_SEE = "see collectors/platforms.py for keys and types"


def _problem(source: str, field: str | None, text: str, fix: str) -> Problem:
    return Problem(source, None, field, text, fix)


def _check(source: str, platform: Platform) -> Iterator[Problem]:
    """Yield what the types cannot tell."""
    for position, prefix in enumerate(platform.match.sys_object_id):
        yield from _check_oid(source, f"match.sys_object_id[{position}]", prefix)
    yield from _check_pattern(source, "match.sys_descr", platform.match.sys_descr, 0)
    for position, fact in enumerate(platform.facts):
        where = f"facts[{position}]"
        if fact.name not in FACT_NAMES:
            known = ", ".join(sorted(FACT_NAMES))
            yield _problem(source, f"{where}.name", "is unknown", f"use {known}")
        yield from _check_oid(source, f"{where}.oid", fact.oid)
        yield from _check_pattern(source, f"{where}.pattern", fact.pattern, 1)
    earlier: set[str] = set()
    for position, table in enumerate(platform.tables):
        where = f"tables[{position}]"
        yield from _check_table(source, where, table)
        if table.only_with and table.only_with not in earlier:
            text = f"{table.only_with!r} is no table before this one"
            yield _problem(source, f"{where}.only_with", text, "name one")
        earlier.add(table.name)


def _check_table(source: str, where: str, table: Table) -> Iterator[Problem]:
    wanted = RESULT_PARTS[table.result]
    if tuple(part.part for part in table.index) != wanted:
        text = f"does not have the parts of {table.result}"
        yield _problem(source, f"{where}.index", text, f"give {', '.join(wanted)}")
    if any(part.length < 0 for part in table.index):
        yield _problem(source, f"{where}.index", "has a wrong length", "count anew")
    open_count = sum(part.is_open for part in table.index)
    if open_count > 1 or (open_count and any(each.fold for each in table.columns)):
        text = "leaves open where a part ends"
        yield _problem(source, f"{where}.index", text, "give lengths")
    for name in ("max_repetitions", "max_rows"):
        if getattr(table, name) < 1:
            yield _problem(source, f"{where}.{name}", "is under 1", "use 1 or more")
    filled = {column.field for column in table.columns}
    if not any(column.required for column in table.columns):
        text = "has no required column, so nobody can tell whether it was read whole"
        yield _problem(source, f"{where}.columns", text, "mark one as required")
    if table.keep is not None and table.keep.field not in filled:
        yield _problem(source, f"{where}.keep.field", "has no column", "add the column")
    for position, column in enumerate(table.columns):
        yield from _check_column(
            source, f"{where}.columns[{position}]", column, table.result
        )


def _check_column(
    source: str, at: str, column: Column, result: ResultKind
) -> Iterator[Problem]:
    fields = RESULT_FIELDS[result]
    if column.field not in fields:
        text = f"{column.field!r} is no field of {result}"
        yield _problem(source, f"{at}.field", text, f"use {', '.join(fields)}")
    yield from _check_oid(source, f"{at}.oid", column.oid)
    yield from _check_pattern(source, f"{at}.pattern", column.pattern, 1)
    if column.scale == 0:
        yield _problem(source, f"{at}.scale", "is 0", "give a factor")
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
    ):
        text = "is text and takes no scale, enumeration or missing"
        yield _problem(source, at, text, "remove them")
    if column.milliwatt and not column.field.endswith(("_dbm", "value")):
        yield _problem(source, f"{at}.milliwatt", "makes dBm", "use a field in dBm")
    if sum(map(bool, (column.fold, column.suffix, column.at))) > 1:
        text = "is told twice how to find its row"
        yield _problem(source, at, text, "give one of suffix, fold and at")
    if column.at and column.required:
        text = "has no rows of its own to require"
        yield _problem(source, at, text, "require another column")


def _check_together(platforms: Mapping[str, Platform]) -> Iterator[Problem]:
    """Yield what only shows between files, and within what they extend."""
    by_name = {platform.name: platform for platform in platforms.values()}
    fallbacks = [source for source, item in platforms.items() if item.fallback]
    if platforms and len(fallbacks) != 1:
        text = f"{len(fallbacks)} platforms are the fallback"
        yield _problem(", ".join(sorted(platforms)), "fallback", text, "mark one")
    line_fallbacks = [s for s, item in platforms.items() if item.line_fallback]
    if len(line_fallbacks) > 1:
        text = f"{len(line_fallbacks)} platforms are the line_fallback"
        where = ", ".join(sorted(line_fallbacks))
        yield _problem(where, "line_fallback", text, "mark one")
    for source, platform in platforms.items():
        for position, base in enumerate(platform.extends):
            where = f"extends[{position}]"
            if base not in by_name:
                yield _problem(source, where, f"{base!r} is no platform", "name one")
            elif by_name[base].extends:
                yield _problem(source, where, f"{base!r} extends too", "one step only")
        bases = [by_name[base] for base in platform.extends if base in by_name]
        names = [table.name for item in (platform, *bases) for table in item.tables]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield _problem(source, "tables", f"{name!r} stands twice", "rename one")


def _check_oid(source: str, where: str, oid: str) -> Iterator[Problem]:
    try:
        sound = len(oid_key(oid)) > 2
    except ValueError:
        sound = False
    if not sound:
        yield _problem(source, where, f"{oid!r} is no object id", "write 1.3.6.1...")


def _check_pattern(
    source: str, where: str, pattern: str, groups: int
) -> Iterator[Problem]:
    if not pattern:
        return
    try:
        found = re.compile(pattern).groups
    except re.error as error:
        yield _problem(source, where, f"is no pattern: {error}", "mend it")
        return
    if found != groups:
        yield _problem(source, where, f"has {found} groups", f"use {groups}")
