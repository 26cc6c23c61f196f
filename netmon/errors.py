"""Every error netmon raises on purpose; each says whether trying again helps.

Kept apart from the modules that raise them so that no layer imports another
one only to catch its errors.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE: Final = MappingProxyType[str, object]({})


class NetmonError(Exception):
    """Base of all errors raised on purpose. ``retry`` says if waiting helps.

    The text is for logs, in English. ``code`` names the message ``failed.<code>`` for
    people, with ``values`` in it; empty where the text is in the reader's language.
    """

    retry = False
    code: str = ""
    values: Mapping[str, object] = _NONE


class WrongValueError(ValueError):
    """A value that makes no sense; ``code`` names the message ``refused.<code>``."""

    def __init__(self, code: str, /, **values: object) -> None:
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        super().__init__(f"{code}: {told}" if told else code)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input, told so that a person can mend it.

    ``line`` is 1-based and counts the header; None where there are no lines.
    ``field`` is None where the whole row or file is meant. ``text`` and ``fix`` are
    English or in the reader's language; with a ``code`` they are English, and
    `netmon.refused.in_words` says them in any other.
    """

    source: str
    line: int | None
    field: str | None
    text: str
    fix: str
    code: str = ""
    values: Mapping[str, object] = dataclasses.field(
        default_factory=dict, compare=False
    )

    def __str__(self) -> str:
        where = self.source
        if self.line is not None:
            where += f":{self.line}"
        if self.field is not None:
            where += f" [{self.field}]"
        return f"{where}: {self.text} -> {self.fix}"


class InputError(NetmonError):
    """Input was refused as a whole; ``problems`` names every reason found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


class ConfigError(InputError):
    """A configuration file or environment variable was refused."""


class StorageError(NetmonError):
    """The state store could not do what was asked."""


class StorageBusyError(StorageError):
    """Another process holds the store's write lock for too long."""

    retry = True


class StorageFullError(StorageError):
    """The disk of the store has no room; nothing was written."""

    retry = True


class SendError(NetmonError):
    """A peer did not take what was sent.

    ``permanent`` is True where the same bytes would be refused again.
    """

    def __init__(self, text: str, *, permanent: bool) -> None:
        super().__init__(text)
        self.permanent = permanent
        self.retry = not permanent
