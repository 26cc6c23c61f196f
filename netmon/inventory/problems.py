"""Collecting problems: code and values in, texts of the reader's language out."""

from __future__ import annotations

from netmon.errors import Problem
from netmon.texts import Texts


class Problems:
    """All problems found so far, in order of finding."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._found: list[Problem] = []

    def add(
        self,
        source: str,
        line: int | None,
        field: str | None,
        code: str,
        /,
        **values: object,
    ) -> None:
        """Add the problem ``inventory.problem.<code>`` with its text and fix."""
        key = f"inventory.problem.{code}"
        self._found.append(
            Problem(
                source,
                line,
                field,
                self._texts(f"{key}.text", **values),
                self._texts(f"{key}.fix", **values),
            )
        )

    def sorted(self) -> list[Problem]:
        """Return the problems by file and line, in order of finding within."""
        return sorted(self._found, key=lambda p: (p.source, p.line or 0))
