"""InfluxDB line protocol of measurements: pure, and fast enough to be no limit.

One record becomes one line: the kind is the measurement, the numbers are its
fields, always written as floats (a field that is once an integer and once a
float is refused by InfluxDB 2). A record that failed has no number; it becomes
``<kind>,...,reason=<reason> failures=1``, so that failures can be counted but
never be mistaken for a measured 0.

Columns are encoded as a whole by msgspec and put into a template of the whole
series; only records with gaps or failures are put together one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain

import msgspec

from netmon.metrics import FAILURES
from netmon.model import FailureReason

SOURCE_TAG = "source"
GENERATED_TAG = "generated"
REASON_TAG = "reason"

_encode = msgspec.json.Encoder().encode
# JSON knows neither None nor infinity, so msgspec writes null for all that is no
# finite number: exactly what must not become a field.
_NO_NUMBER = b"null"
# A line break would end the line, other control characters have no meaning in a name.
_CONTROL = dict.fromkeys((*range(0x20), 0x7F), " ")
_ESCAPES = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\\": "\\\\"})


def escape(text: str) -> str:
    """Return a tag key, tag value or measurement as it may stand in a line."""
    return text.translate(_CONTROL).translate(_ESCAPES)


def series_prefix(
    kind: str, tags: Mapping[str, str], source: str, *, generated: bool
) -> bytes:
    """Return what every line of a series begins with: measurement and tags.

    Tags are in order of their keys, empty ones are left out (the protocol has
    none). ``generated=1`` marks made-up data; measured data lacks the tag.
    """
    everything = {**tags, SOURCE_TAG: source}
    if generated:
        everything[GENERATED_TAG] = "1"
    pairs = "".join(
        f",{escape(key)}={escape(value)}"
        for key, value in sorted(everything.items())
        if value
    )
    return f"{escape(kind)}{pairs}".encode()


def render(
    prefix: bytes,
    ts_ms: Sequence[int],
    values: Mapping[str, Sequence[float | None]],
    failure: Sequence[FailureReason | None] | None,
) -> bytes:
    """Return the lines of a series' records, each ended by a line break.

    The arrays are parallel. ``failure`` None means that no record failed. A
    value that is None or not finite is left out; a record with neither number
    nor failure gives no line, so the result may be empty.
    """
    if not ts_ms:
        return b""
    if values and (failure is None or failure.count(None) == len(failure)):
        rows = zip(*values.values(), ts_ms, strict=True)
        numbers = _encode(list(chain.from_iterable(rows)))
        if _NO_NUMBER not in numbers:
            template = prefix.replace(b"%", b"%%") + _fields_template(tuple(values))
            return (template * len(ts_ms)) % tuple(numbers[1:-1].split(b","))
    return b"".join(_one_by_one(prefix, ts_ms, values, failure))


@cache
def _field_name(name: str) -> bytes:
    return escape(name).encode()


@cache
def _fields_template(names: tuple[str, ...]) -> bytes:
    fields = b",".join(_field_name(name) + b"=%b" for name in names)
    return b" %b %%b000000\n" % fields


def _one_by_one(
    prefix: bytes,
    ts_ms: Sequence[int],
    values: Mapping[str, Sequence[float | None]],
    failure: Sequence[FailureReason | None] | None,
) -> Iterator[bytes]:
    columns = [
        (_field_name(name), _encode(column)[1:-1].split(b","))
        for name, column in values.items()
    ]
    for index, moment in enumerate(ts_ms):
        reason = None if failure is None else failure[index]
        if reason is not None:
            tag = f"{REASON_TAG}={escape(reason)}".encode()
            yield b"%b,%b %b=1 %d000000\n" % (prefix, tag, FAILURES.encode(), moment)
            continue
        fields = b",".join(
            b"%b=%b" % (name, column[index])
            for name, column in columns
            if column[index] != _NO_NUMBER
        )
        if fields:
            yield b"%b %b %d000000\n" % (prefix, fields, moment)
