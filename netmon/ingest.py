"""The one door: what a batch must be before any of it is stored.

Pure checks on whole columns; a record that can never be taken is set aside with
its reason and blocks nobody, everything else goes on. Range, clock and target
checks exist only here, for probes and collectors alike. Duplicates are found
while writing, inside the transaction.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from itertools import compress

import msgspec

from netmon.errors import NetmonError
from netmon.metrics import KINDS
from netmon.model import FailureReason
from netmon.quantities import Kind, Metric
from netmon.storage.records import CheckedBatch, CheckedSeries, Quarantined, Source
from netmon.units import HOUR_S
from netmon.wire import (
    MAX_BATCH_RECORDS,
    TAG_VALUE,
    WIRE_VERSION,
    Batch,
    Receipt,
    Rejected,
    Series,
)

# A sender's clock may be ahead a little; more is a broken clock, not a measurement.
MAX_AHEAD_MS = 10 * 60 * 1000
# Longer than any spool keeps; older timestamps come from a clock that was reset.
MAX_AGE_MS = int(400 * 24 * HOUR_S * 1000)
MAX_SEQ = 2**62
# Any clock may be wrong, but not further than the store can count.
MAX_SENT_MS = 2**53
_SPOOL_CHARS = frozenset("0123456789abcdef")
_encode = msgspec.json.Encoder().encode
_METRICS = {
    kind.name: {metric.name: metric for metric in kind.metrics}
    for kind in KINDS.values()
}


class MalformedBatchError(NetmonError):
    """The batch as a whole cannot be read: the sender's fault, never retried."""

    def __init__(self, field: str, text: str, fix: str) -> None:
        super().__init__(f"{field}: {text}")
        self.field = field
        self.text = text
        self.fix = fix


class ForbiddenTargetError(NetmonError):
    """The sender speaks for a building that is not its own."""


def new_token() -> str:
    """Return a fresh bearer token with 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what the store keeps of a token.

    One round of SHA-256 is enough: the token is random, not chosen by people.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def check_batch(
    batch: Batch,
    source: Source,
    received_ms: int,
    known_building: Callable[[str], bool],
) -> CheckedBatch:
    """Sort a batch into what can be stored and what is quarantined; pure.

    Raises:
        MalformedBatchError: version, sizes or parallel arrays do not fit.
        ForbiddenTargetError: a probe sent for another building than its own.
    """
    _check_envelope(batch, source)
    series: list[CheckedSeries] = []
    quarantined: list[Quarantined] = []
    for index, each in enumerate(batch.series):
        _check_shape(each, f"series[{index}]")
        building = each.tags.get("building", "")
        if source.building_id is not None and building != source.building_id:
            raise ForbiddenTargetError(
                f"{source.name} may send for building {source.building_id} only"
            )
        checked = _check_series(each, received_ms, known_building, quarantined)
        if checked is not None:
            series.append(checked)
    return CheckedBatch(
        source=source,
        spool=batch.spool,
        received_ms=received_ms,
        sent_ms=batch.sent_ms,
        agent=batch.agent[:64],
        series=series,
        quarantined=quarantined,
    )


def receipt(checked: CheckedBatch, accepted: int, duplicates: int) -> Receipt:
    """Return the receipt of a batch that was committed."""
    return Receipt(
        accepted=accepted,
        duplicates=duplicates,
        quarantined=tuple(Rejected(q.seq, q.reason) for q in checked.quarantined),
        received_ms=checked.received_ms,
    )


def _check_envelope(batch: Batch, source: Source) -> None:
    if batch.v != WIRE_VERSION:
        raise MalformedBatchError(
            "v", f"version {batch.v} is not spoken here", f"send v={WIRE_VERSION}"
        )
    if batch.source != source.name:
        raise MalformedBatchError(
            "source",
            "is not the sender this token was made for",
            "send its own name: collector.source, or probe in the probe's settings",
        )
    if len(batch.spool) != 32 or not _SPOOL_CHARS.issuperset(batch.spool):
        raise MalformedBatchError(
            "spool", "is no spool name", "send the 32 hex digits made with the spool"
        )
    if not 0 <= batch.sent_ms <= MAX_SENT_MS:
        raise MalformedBatchError(
            "sent_ms", "is no time", "send milliseconds since 1970, UTC"
        )
    if sum(len(s.seq) for s in batch.series) > MAX_BATCH_RECORDS:
        raise MalformedBatchError(
            "series", "too many records at once", f"send at most {MAX_BATCH_RECORDS}"
        )


def _check_shape(series: Series, where: str) -> None:
    n = len(series.seq)
    if n == 0:
        raise MalformedBatchError(f"{where}.seq", "is empty", "leave the series out")
    if len(series.ts) != n:
        raise MalformedBatchError(f"{where}.ts", f"needs {n} entries", "align arrays")
    if series.failure is not None and len(series.failure) != n:
        raise MalformedBatchError(
            f"{where}.failure", f"needs {n} entries", "align arrays or send null"
        )
    for name, column in series.values.items():
        if len(column) != n:
            raise MalformedBatchError(
                f"{where}.values.{name}", f"needs {n} entries", "align arrays"
            )
    if min(series.seq) < 1 or max(series.seq) > MAX_SEQ:
        raise MalformedBatchError(
            f"{where}.seq", "is out of range", f"number records from 1 to {MAX_SEQ}"
        )


def _check_series(
    series: Series,
    received_ms: int,
    known_building: Callable[[str], bool],
    quarantined: list[Quarantined],
) -> CheckedSeries | None:
    kind = KINDS.get(series.kind)
    reason = (
        f"kind {series.kind[:64]!r} is unknown"
        if kind is None
        else _series_fault(series, kind, known_building)
    )
    if kind is None or reason is not None:
        everything = range(len(series.seq))
        quarantined += [_set_aside(series, i, reason or "") for i in everything]
        return None
    bad = _record_faults(series, kind, received_ms)
    if bad:
        quarantined += [_set_aside(series, i, why) for i, why in sorted(bad.items())]
        if len(bad) == len(series.seq):
            return None
        series = _without(series, bad)
    return CheckedSeries(
        kind=kind.name,
        building_id=series.tags.get("building", ""),
        tags=series.tags,
        seq=series.seq,
        ts=series.ts,
        values=series.values,
        failure=series.failure,
        info=series.info,
        keep_rollups=kind.keep_rollups,
    )


def _series_fault(
    series: Series, kind: Kind, known_building: Callable[[str], bool]
) -> str | None:
    fault = _tags_fault(series.tags, kind)
    if fault is not None:
        return fault
    building = series.tags.get("building")
    if building is not None and not known_building(building):
        return f"building {building!r} is not in the inventory"
    unknown = series.values.keys() - _METRICS[kind.name].keys()
    if unknown:
        return f"metric {min(unknown)[:64]!r} is not known for {kind.name}"
    if any(len(word) > 256 for word in (*series.info, *series.info.values())):
        return "an info text is longer than 256 characters"
    return None


def _tags_fault(tags: dict[str, str], kind: Kind) -> str | None:
    for name in kind.tags:
        if name not in tags:
            return f"tag {name!r} is missing"
    for name, value in tags.items():
        if name not in kind.tags and name not in kind.optional_tags:
            return f"tag {name[:64]!r} is not known for {kind.name}"
        if TAG_VALUE.match(value) is None:
            return f"tag {name!r} is empty, too long or holds control characters"
    return None


def _record_faults(series: Series, kind: Kind, received_ms: int) -> dict[int, str]:
    """Return what is wrong with single records, by index; empty in the usual case."""
    bad: dict[int, str] = {}
    earliest, latest = received_ms - MAX_AGE_MS, received_ms + MAX_AHEAD_MS
    if min(series.ts) < earliest or max(series.ts) > latest:
        for i, moment in enumerate(series.ts):
            if moment > latest:
                bad[i] = "measured more than 10 minutes in the future: check the clock"
            elif moment < earliest:
                bad[i] = "measured more than 400 days ago: check the clock"
    metrics = _METRICS[kind.name]
    complete = False
    for name, column in series.values.items():
        metric = metrics[name]
        if None in column:
            numbers: Collection[float] = [x for x in column if x is not None]
        else:
            numbers, complete = column, True  # type: ignore[assignment]
        if numbers and not (metric.low <= min(numbers) and max(numbers) <= metric.high):
            _name_outliers(bad, column, metric)
    if series.failure is not None or not complete:
        _check_failures(bad, series)
    return bad


def _name_outliers(
    bad: dict[int, str], column: list[float | None], metric: Metric
) -> None:
    for i, value in enumerate(column):
        if value is not None and not metric.low <= value <= metric.high:
            bad[i] = f"{metric.name} is outside {metric.low:g} to {metric.high:g}"


def _check_failures(bad: dict[int, str], series: Series) -> None:
    """A record has numbers or a reason, never both and never neither."""
    columns = list(series.values.values())
    failure: list[FailureReason | None] = series.failure or [None] * len(series.seq)
    for i, reason in enumerate(failure):
        has_number = any(column[i] is not None for column in columns)
        if reason is not None and has_number:
            bad[i] = "a failed measurement carries no number"
        elif reason is None and not has_number:
            bad[i] = "neither a number nor a reason why there is none"


def _set_aside(series: Series, i: int, reason: str) -> Quarantined:
    record = {
        "kind": series.kind,
        "tags": series.tags,
        "ts": series.ts[i],
        "values": {name: column[i] for name, column in series.values.items()},
        "failure": None if series.failure is None else series.failure[i],
        "info": series.info,
    }
    return Quarantined(seq=series.seq[i], reason=reason, record=_encode(record))


def _without(series: Series, bad: Collection[int]) -> Series:
    keep = [i not in bad for i in range(len(series.seq))]
    failure = series.failure
    return Series(
        kind=series.kind,
        tags=series.tags,
        seq=list(compress(series.seq, keep)),
        ts=list(compress(series.ts, keep)),
        values={k: list(compress(c, keep)) for k, c in series.values.items()},
        failure=None if failure is None else list(compress(failure, keep)),
        info=series.info,
    )
