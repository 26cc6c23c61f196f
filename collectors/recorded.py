"""A device on paper: reads a ``.snmprec`` recording instead of a socket.

One object a line, ``OID|TAG|VALUE``, as snmpsim and LibreNMS write it. Tags are
the ASN.1 numbers; an ``x`` behind one says that the value is hexadecimal.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from collectors.base import Value, oid_key
from netmon.errors import InputError, Problem
from netmon.refused import refused

_NUMBERS = {"2", "65", "66", "67", "70"}
_OCTETS = {"4", "64", "68"}
_OBJECT_ID = "6"
_NULL = "5"
_HEX = re.compile("[0-9A-Fa-f]+")

RawRow = tuple[tuple[int, ...], str, bytes]


def parse_recording(lines: Iterable[str], source: str) -> list[RawRow]:
    """Return (object id, tag number, bytes of the value) in order of object id.

    Numbers and object ids keep their text. Of an object that stands twice the
    last line counts, as snmpsim has it. Hexadecimal digits alone on a line go on
    with the value before them.

    Raises:
        InputError: with one problem for each line that is no such row.
    """
    rows: dict[tuple[int, ...], RawRow] = {}
    problems: list[Problem] = []
    for number, line in _joined(lines):
        try:
            row = _parse_line(line)
        except ValueError as error:
            problems.append(
                refused(source, None, "recording_line", number, why=str(error))
            )
        else:
            rows[row[0]] = row
    if problems:
        raise InputError(problems)
    return [rows[key] for key in sorted(rows)]


def _joined(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield what stands between line breaks, with its line number."""
    last: tuple[int, str] | None = None
    for number, line in enumerate(lines, start=1):
        stripped = line.rstrip("\r\n")
        if not stripped or stripped.startswith("#"):
            continue
        if last is not None and "x|" in last[1] and _HEX.fullmatch(stripped):
            last = (last[0], last[1] + stripped)
            continue
        if last is not None:
            yield last
        last = (number, stripped)
    if last is not None:
        yield last


def _parse_line(line: str) -> RawRow:
    oid, _, rest = line.partition("|")
    tag, bar, text = rest.partition("|")
    if not bar:
        raise ValueError("two bars are missing")
    key = oid_key(oid)
    plain = tag.removesuffix("x")
    if plain in _NUMBERS:
        return key, plain, str(int(text)).encode()
    if plain == _OBJECT_ID:
        oid_key(text.lstrip("."))
        return key, plain, text.lstrip(".").encode()
    if plain in _OCTETS:
        value = bytes.fromhex(text) if tag.endswith("x") else text.encode()
        return key, plain, value
    if plain == _NULL:
        return key, plain, b""
    raise ValueError(f"tag {tag!r} is unknown")


def read_recording(path: Path) -> list[RawRow]:
    """Return the rows of a file; undecodable bytes count as latin-1.

    Raises:
        InputError: the file cannot be read or a line is wrong.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        wrong = refused(str(path), None, "recording_unreadable", why=error)
        raise InputError([wrong]) from error
    try:
        content = raw.decode()
    except UnicodeDecodeError:
        content = raw.decode("latin-1")
    # Not splitlines: values may hold a form feed or a Unicode line separator.
    return parse_recording(content.split("\n"), path.name)


class RecordedLink:
    """A driver on rows in memory; it has no time-outs and no bad days."""

    def __init__(self, rows: Sequence[RawRow]) -> None:
        named = [row for row in rows if row[1] != _NULL]
        self._keys = [key for key, _, _ in named]
        self._oids = [".".join(map(str, key)) for key in self._keys]
        self._values = [_value(tag, data) for _, tag, data in named]
        self._by_oid = dict(zip(self._oids, self._values, strict=True))

    @classmethod
    def open(cls, path: Path) -> RecordedLink:
        """Return a link to a file; raises as `read_recording`."""
        return cls(read_recording(path))

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """Return what the recording holds."""
        return {oid: self._by_oid[oid] for oid in oids if oid in self._by_oid}

    def rows(self, root: str, max_repetitions: int) -> RecordedRows:
        """Return a walk below ``root``."""
        return RecordedRows(self, oid_key(root), max_repetitions)

    async def refresh(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""

    def page(
        self, root: tuple[int, ...], after: tuple[int, ...], limit: int
    ) -> list[tuple[str, Value]]:
        """Return up to ``limit`` rows below ``root`` that come after a key."""
        start = bisect_right(self._keys, after)
        found = []
        for index in range(start, min(start + limit, len(self._keys))):
            if self._keys[index][: len(root)] != root:
                break
            found.append((self._oids[index], self._values[index]))
        return found


class RecordedRows:
    """A walk through a recording."""

    def __init__(
        self, link: RecordedLink, root: tuple[int, ...], max_repetitions: int
    ) -> None:
        self._link = link
        self._root = root
        self._after = root
        self._limit = max_repetitions

    async def next_page(self) -> list[tuple[str, Value]]:
        """Return the next rows."""
        page = self._link.page(self._root, self._after, self._limit)
        if page:
            self._after = oid_key(page[-1][0])
        return page


def _value(tag: str, data: bytes) -> Value:
    return int(data) if tag in _NUMBERS else data
