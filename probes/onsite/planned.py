"""Lists of what is planned: a file with one name and address a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from probes.onsite.wire import NotUsableError

Address = TypeVar("Address")


def read_list(file: Path, parse: Callable[[str], Address]) -> dict[Address, str]:
    """Return names by address; ``#`` begins a comment, a name may be left out.

    A line is ``NAME ADDRESS`` or ``ADDRESS``; comma and semicolon part them, too.

    Raises:
        NotUsableError: the file cannot be read, or a line has no such address.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NotUsableError("no_list", file=str(file)) from error
    found: dict[Address, str] = {}
    for number, line in enumerate(lines, start=1):
        said = line.partition("#")[0].replace(",", " ").replace(";", " ").split()
        if not said:
            continue
        try:
            address = parse(said[-1])
        except ValueError as error:
            raise NotUsableError(
                "no_address", file=str(file), line_count=number, text=said[-1]
            ) from error
        found[address] = " ".join(said[:-1]) or said[-1]
    return found
