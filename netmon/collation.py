"""How German text is sorted: by DIN 5007-1, numbers by their value; pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_DIGITS = re.compile(r"(\d+)")


def fold(text: str) -> str:
    """Return the text as DIN 5007-1 compares it: ä as a, ß as ss, case ignored."""
    split = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ẞ", "ss"))
    return "".join(c for c in split if not unicodedata.combining(c)).casefold()


@lru_cache(maxsize=4096)
def collation_key(text: str) -> tuple[object, ...]:
    """Return a key that sorts German text by DIN 5007-1, numbers by their value."""
    parts = _DIGITS.split(fold(text))
    numbered = tuple(
        (1, int(part), "") if index % 2 else (0, 0, part)
        for index, part in enumerate(parts)
    )
    return (*numbered, (0, 0, text))
