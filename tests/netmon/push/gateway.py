"""A gateway that stores what it is sent, and what a test asks of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from netmon.push import Outcome, Pusher
from netmon.spool import Spool
from netmon.spool_record import SpoolRecord
from netmon.wire import Batch, ErrorBody, ErrorReply, Receipt, Rejected, encode

START = datetime(2026, 11, 20, 7, 12, tzinfo=UTC)
TOKEN = "a-very-secret-token"
Answer = tuple[int, dict[str, str], bytes]


class Gateway:
    """Stores records by identity; ``answer`` decides otherwise for a batch."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, str, int]] = []
        self.requests: list[tuple[dict[str, str], Batch]] = []
        self.answer: Callable[[Batch], Answer | None] = lambda batch: None
        self.lose_answers = 0
        self.took = threading.Event()

    def take(self, batch: Batch, bad: frozenset[int] = frozenset()) -> Answer:
        seqs = [seq for series in batch.series for seq in series.seq]
        ids = [(batch.source, batch.spool, seq) for seq in seqs if seq not in bad]
        new = [each for each in ids if each not in self.stored]
        self.stored += new
        self.took.set()
        refused = tuple(Rejected(seq, "out of range") for seq in seqs if seq in bad)
        receipt = Receipt(len(new), len(ids) - len(new), refused, 1)
        return 200, {}, encode(receipt)

    def seqs(self) -> list[int]:
        return [seq for _, _, seq in self.stored]


def seqs_of(batch: Batch) -> set[int]:
    return {seq for series in batch.series for seq in series.seq}


def error(status: int, *, field: str | None = None, retry: bool = False) -> Answer:
    body = ErrorBody("code", "went wrong", "mend it", retry, field)
    return status, {}, encode(ErrorReply(body))


def fill(spool: Spool, count: int) -> None:
    spool.add_many(
        SpoolRecord(kind="dns", tags={"line": "l"}, ts_ms=n, values={"duration_s": 0.1})
        for n in range(count)
    )


async def settle(pusher: Pusher, most: int = 100) -> list[Outcome]:
    """Push until the spool is empty or the pusher wants to wait."""
    outcomes = []
    while len(outcomes) < most:
        outcomes.append((await pusher.push_once()).outcome)
        if outcomes[-1] in (Outcome.EMPTY, Outcome.LATER, Outcome.REFUSED):
            return outcomes
    return outcomes
