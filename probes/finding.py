"""One line of an answer to somebody on site: from the doctor and the on-site tools.

A finding is a key of the catalogue and its numbers, never a sentence: the same
answer is text for the installer and JSON for a machine.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Grade(StrEnum):
    """How bad a finding is. Only an error makes a command say no."""

    OK = "ok"
    HINT = "hint"
    ERROR = "error"


class Finding(Struct, frozen=True):
    """One line of the answer.

    ``says`` is the key in the catalogue's group of its check or tool; what is not OK
    has its remedy under the same key with ``_fix``. The names of ``fields`` end in
    their unit.
    """

    grade: Grade
    says: str
    fields: dict[str, float | str] = {}


def ok(says: str, **fields: float | str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Grade.OK, says, fields)


def hint(says: str, **fields: float | str) -> Finding:
    """Return something to know or to mend at leisure."""
    return Finding(Grade.HINT, says, fields)


def error(says: str, **fields: float | str) -> Finding:
    """Return what keeps somebody from their work."""
    return Finding(Grade.ERROR, says, fields)
