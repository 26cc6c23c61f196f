"""What is wrong with an input, by the code of a message instead of in words.

Who finds it does not know who will read it: the log is English, the command line
speaks the reader's language. Each code is ``refused.<code>.text`` and ``.fix``.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping
from typing import TypeVar

from netmon.errors import NetmonError, Problem, WrongValueError
from netmon.texts import Texts

_Failure = TypeVar("_Failure", bound=NetmonError)


def refused(
    source: str,
    field: str | None,
    code: str,
    line: int | None = None,
    /,
    **values: object,
) -> Problem:
    """Return a problem that can be told in any language.

    A value may be an `OSError` (its reason is told) or a `WrongValueError` (its text).
    """
    text, fix = _said(code, values, _english())
    return Problem(source, line, field, text, fix, code, values)


def in_words(problem: Problem, texts: Texts) -> Problem:
    """Return the problem in a language; as it is where it has no code."""
    if not problem.code:
        return problem
    text, fix = _said(problem.code, problem.values, texts)
    return Problem(problem.source, problem.line, problem.field, text, fix)


def failed(kind: Callable[[str], _Failure], code: str, /, **values: object) -> _Failure:
    """Return an error with the English text of ``failed.<code>``, for any language."""
    error = kind(_english()(f"failed.{code}", **_told(values, _english())))
    error.code, error.values = code, values
    return error


def failure_in_words(error: NetmonError, texts: Texts) -> str:
    """Return the text of an error in a language; as it is where it has no code."""
    if not error.code:
        return str(error)
    return texts(f"failed.{error.code}", **_told(error.values, texts))


def os_reason(error: OSError, texts: Texts) -> str:
    """Return why the system refused something; its own words where we have none."""
    if isinstance(error, socket.gaierror):
        return texts("os.no_name")
    # An ssl.SSLError counts its reasons itself.
    number = None if hasattr(error, "library") else error.errno
    key = f"os.{errno.errorcode.get(number or 0, '')}"
    if texts.has(key):
        return texts(key)
    return error.strerror or type(error).__name__


def system_words(text: str, texts: Texts) -> str:
    """Return in a language what the system said in English; as it is if unknown."""
    for code in errno.errorcode.values():
        key = f"os.{code}"
        if texts.has(key) and _english()(key) == text:
            return texts(key)
    return text


def _english() -> Texts:
    return Texts("en")


def _said(code: str, values: Mapping[str, object], texts: Texts) -> tuple[str, str]:
    told = _told(values, texts)
    return texts(f"refused.{code}.text", **told), texts(f"refused.{code}.fix", **told)


def _told(values: Mapping[str, object], texts: Texts) -> dict[str, object]:
    return {name: _word(value, texts) for name, value in values.items()}


def _word(value: object, texts: Texts) -> object:
    match value:
        case OSError():
            return os_reason(value, texts)
        case WrongValueError():
            return texts(f"refused.{value.code}.text", **_told(value.values, texts))
        case float():
            return f"{value:g}"
        case _:
            return value
