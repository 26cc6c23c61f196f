"""Files that people write, read strictly: a refusal names file, field and fix."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from netmon.errors import ConfigError, Problem

_Kind = TypeVar("_Kind")


def read_toml(path: Path, *, setting: str | None = None) -> dict[str, Any]:
    """Return what a TOML file says; ``setting`` is where its name is written.

    Raises:
        ConfigError: the file cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        text = error.strerror or "cannot be read"
        wrong = Problem(str(path), None, setting, text, "name a readable file")
        raise ConfigError([wrong]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        wrong = Problem(str(path), None, None, f"no TOML: {error}", "mend the syntax")
        raise ConfigError([wrong]) from error


def as_struct(raw: object, kind: type[_Kind], *, source: str, fix: str) -> _Kind:
    """Return what a file says as the type it is to be; ``fix`` says where to look.

    Raises:
        ConfigError: a key is unknown or missing, or a value is of the wrong kind.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        field, text = field_and_text(error)
        raise ConfigError([Problem(source, None, field, text, fix)]) from error


def field_and_text(error: msgspec.ValidationError) -> tuple[str | None, str]:
    """Return the field a value was refused for, as ``a.b[0]``, and why.

    The field is None where the whole is meant. The text may quote the value.
    """
    text, _, where = str(error).partition(" - at `")
    return where.rstrip("`").removeprefix("$").removeprefix(".") or None, text
