"""Files that people write, read strictly: a refusal names file, field and fix."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from netmon.errors import ConfigError, Problem, WrongValueError
from netmon.refused import refused

_Kind = TypeVar("_Kind")
_QUOTED = re.compile(r"`([^`]+)`")
# What msgspec calls a kind of value, and the message that tells how it is written.
_WRITTEN = {
    "int": "whole_number",
    "float": "number",
    "str": "text",
    "bool": "yes_no",
    "array": "list",
    "object": "table",
    "time": "clock_time",
    "date": "day",
}


def read_toml(path: Path, *, setting: str | None = None) -> dict[str, Any]:
    """Return what a TOML file says; ``setting`` is where its name is written.

    Raises:
        ConfigError: the file cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        wrong = refused(str(path), setting, "unreadable", why=error)
        raise ConfigError([wrong]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_no_toml(path, error)]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([refused(str(path), None, "no_utf8")]) from error


def _no_toml(path: Path, error: tomllib.TOMLDecodeError) -> Problem:
    """Return the problem with its line, which the parser's text ends with."""
    why, _, where = str(error).rpartition(" (at ")
    line = re.match(r"line (\d+), column (\d+)", where)
    if line is None:  # at the end of the document
        return refused(str(path), None, "no_toml", why=str(error))
    number, column = (int(one) for one in line.groups())
    told = {"why": why, "column": column}
    return refused(str(path), None, "no_toml_at", number, **told)


def as_struct(
    raw: object, kind: type[_Kind], *, source: str, see: str, within: str = ""
) -> _Kind:
    """Return what a file says as the type it is to be; ``see`` says where to look.

    ``within`` is where in the file it stands, for the field's name.

    Raises:
        ConfigError: a key is unknown or missing, or a value is of the wrong kind.
            No problem quotes a value.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        wrong = _wrong(error, kind, source, see, within)
        raise ConfigError([wrong]) from error


def _wrong(
    error: msgspec.ValidationError, kind: type, source: str, see: str, within: str
) -> Problem:
    text, _, where = str(error).partition(" - at `")
    path = where.rstrip("`").removeprefix("$").removeprefix(".")
    cause = error.__cause__
    if isinstance(cause, WrongValueError):
        # The whole is refused: which of its fields is meant, the value says.
        field = _joined(within, path, str(cause.values.get("name", "")))
        return refused(source, field, cause.code, **cause.values)
    named = _QUOTED.findall(text) or [""]
    told: dict[str, object] = {"see": see}
    match text.split(" ", 2):
        case ["Object", "contains", _]:
            known = _fields_at(kind, path)
            code, path = "unknown_key", _joined(path, named[0]) or ""
            near = get_close_matches(named[0], known, n=1)
            if near:
                code, told["near"] = "unknown_key_near", near[0]
        case ["Object", "missing", _]:
            code, path = "missing_key", _joined(path, named[0]) or ""
        case ["Invalid", "enum", _]:
            code, told["allowed"] = "not_a_choice", ", ".join(_choices_at(kind, path))
        case ["Invalid", "RFC3339", rest]:
            code = f"wrong_kind_{'clock_time' if rest.endswith('time') else 'day'}"
        case ["Expected", *_] if one := _written(named[0]):
            code = f"wrong_kind_{one}"
        case _:
            code, told["why"] = "wrong_value", text
    # A key that people chose is not told: "[...]" stands for it.
    return refused(source, _joined(within, path.removesuffix("[...]")), code, **told)


def _joined(*parts: str) -> str | None:
    """Return a field's name from the parts of its path; None for the whole."""
    return ".".join(part for part in parts if part) or None


def _written(kinds: str) -> str | None:
    """Return how the first of the kinds is written that a file can hold."""
    return next((_WRITTEN[one] for one in kinds.split(" | ") if one in _WRITTEN), None)


def _types_at(kind: type, path: str) -> Iterator[inspect.Type]:
    """Yield the types that a value at a path may have, as ``a.b[0].c``."""
    found = [inspect.type_info(kind)]
    for step in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        found = [deeper for one in found for deeper in _step(one, step)]
    yield from found


def _step(kind: inspect.Type, step: str) -> Iterator[inspect.Type]:
    match kind:
        case inspect.UnionType():
            for one in kind.types:
                yield from _step(one, step)
        case inspect.StructType():
            for field in kind.fields:
                if field.encode_name == step:
                    yield field.type
        case inspect.DictType():
            yield kind.value_type
        case inspect.VarTupleType() | inspect.ListType():
            yield kind.item_type
        case _:
            pass


def _fields_at(kind: type, path: str) -> list[str]:
    return [
        field.encode_name
        for one in _types_at(kind, path)
        if isinstance(one, inspect.StructType)
        for field in one.fields
    ]


def _choices_at(kind: type, path: str) -> list[str]:
    """Return the words of a closed list; nested unions are looked into."""
    todo, words = list(_types_at(kind, path)), list[str]()
    while todo:
        match todo.pop(0):
            case inspect.UnionType(types=types):
                todo += types
            case inspect.LiteralType(values=values):
                words += map(str, values)
            case inspect.EnumType(cls=cls):
                words += [str(member.value) for member in cls]
            case _:
                pass
    return words
