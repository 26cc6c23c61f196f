"""What the links of a campaign's chain say: the order, each result, the end.

Every figure of a report is computed from these records alone, so that a file can be
checked without the store it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from netmon.evidence.plan import EARLY_MS, WINDOW_MS
from netmon.storage.campaign_records import (
    AgreedRates,
    Campaign,
    CampaignEnd,
    CampaignState,
    ChainEntry,
    Subject,
)
from netmon.storage.records import Chunk

FORMAT = "netmon-evidence/1"


class Order(
    Struct,
    frozen=True,
    kw_only=True,
    tag="campaign",
    tag_field="type",
    rename={"layout": "format"},
):
    """The first record: what is to be measured, when, against which contract.

    A result belongs to a moment from ``early_ms`` before until ``window_ms`` after.
    Times are UTC milliseconds, rates bit/s.
    """

    id: str
    line_id: str
    building_id: str
    started_ms: int
    author: str
    note: str
    moments_ms: tuple[int, ...]
    deadline_ms: int
    early_ms: int
    window_ms: int
    down: AgreedRates
    up: AgreedRates
    subject: Subject
    layout: str = FORMAT


class Result(Struct, frozen=True, kw_only=True, tag="result", tag_field="type"):
    """One result as a probe sent it, one direction of one test.

    ``at_ms`` is the probe's clock, ``received_ms`` the gateway's. ``values`` holds
    the numbers it has; a failed one has none, but the reason in ``failure``.
    ``generated`` marks made-up data of the demo.
    """

    at_ms: int
    received_ms: int
    source: str
    seq: int
    generated: bool
    tags: dict[str, str]
    values: dict[str, float]
    failure: str | None = None


class End(Struct, frozen=True, kw_only=True, tag="end", tag_field="type"):
    """The last record: nothing is added after it."""

    at_ms: int
    state: CampaignState


Record = Order | Result | End
_decode: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def builtins(record: Record) -> dict[str, Any]:
    """Return a record as plain objects, ready for `netmon.evidence.chain`."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain


def read_record(text: str) -> Record:
    """Return the record of a link's text.

    Raises:
        msgspec.DecodeError: no record of this format.
    """
    return _decode.decode(text)


def read_records(entries: Sequence[ChainEntry]) -> list[Record]:
    """Return the records of a chain in order; raises as `read_record`."""
    return [read_record(entry.record) for entry in entries]


def order_of(campaign: Campaign) -> Order:
    """Return the first record of a campaign."""
    return Order(
        id=campaign.id,
        line_id=campaign.line_id,
        building_id=campaign.building_id,
        started_ms=campaign.started_ms,
        author=campaign.author,
        note=campaign.note,
        moments_ms=campaign.moments_ms,
        deadline_ms=campaign.deadline_ms,
        early_ms=EARLY_MS,
        window_ms=WINDOW_MS,
        down=campaign.down,
        up=campaign.up,
        subject=campaign.subject,
    )


def end_of(end: CampaignEnd) -> End:
    """Return the last record of a campaign."""
    return End(at_ms=end.ended_ms, state=end.state)


def results_of(chunk: Chunk) -> list[Result]:
    """Return the results of a chunk, in its order."""
    points = chunk.points
    found = []
    for i, (seq, at_ms) in enumerate(zip(points.seq, points.ts, strict=True)):
        numbers = {name: column[i] for name, column in points.values.items()}
        failure = None if points.failure is None else points.failure[i]
        found.append(
            Result(
                at_ms=at_ms,
                received_ms=chunk.received_ms,
                source=chunk.series.source,
                seq=seq,
                generated=chunk.series.generated,
                tags=dict(chunk.series.tags),
                # One way to write a number, however the sender wrote it.
                values={k: float(v) for k, v in numbers.items() if v is not None},
                failure=None if failure is None else failure.value,
            )
        )
    return found
