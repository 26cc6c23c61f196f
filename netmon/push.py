"""Sending what the spool holds to the gateway; shared by probes and collectors.

A record leaves the spool only by the gateway's receipt. A lost answer means
sending again, which the record's identity makes harmless. What the gateway
refuses for the sender (token, address) is kept; what it refuses for one
record's content is found by halving and moved aside, so nothing waits behind it.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx
import msgspec
from msgspec import Struct

from netmon import wire
from netmon.clock import Clock, ClockOffset, clock_offset, to_ms
from netmon.config import Secret
from netmon.errors import ConfigError, StorageError
from netmon.refused import refused
from netmon.spool import Spool
from netmon.spool_record import Spooled, to_batch

log = logging.getLogger(__name__)

BACKOFF_BASE_S = 1.0
BACKOFF_CAP_S = 300.0
# A wrong token is mended by a person: asking every few seconds helps nobody.
REFUSED_WAIT_S = 300.0
RETRY_AFTER_CAP_S = 3600.0
REQUEST_TIMEOUT_S = 60.0
# Another process may add records without waking this one.
IDLE_WAIT_S = 30.0
# So many single records refused in a row are rather a gateway that does not
# understand this sender: from then on one is set aside per long wait, which
# leaves a person days to look before the spool's rejected ones overflow.
MAX_REJECTS_IN_ROW = 20
# A 422 about one of these is about the sender, whatever the records are.
_ENVELOPE_FIELDS = ("v", "source", "spool", "body")
_SPOOL_RETRY_S = 5.0


class Outcome(StrEnum):
    """What one attempt came to."""

    EMPTY = "empty"
    SENT = "sent"
    HALVED = "halved"
    REJECTED = "rejected"
    REFUSED = "refused"
    LATER = "later"


class PushResult(Struct, frozen=True, kw_only=True):
    """One attempt. Counts are records; ``error`` is None where all went well.

    ``retry_after_s`` is what the gateway asked for, None where it did not.
    """

    outcome: Outcome
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    rejected: int = 0
    error: str | None = None
    retry_after_s: float | None = None


class PushStatus(Struct, kw_only=True):
    """How sending goes, for the health page. Times are None before the first.

    ``clock`` is this machine's clock against the gateway's, by the last receipt.
    """

    last_success: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    failures_in_row: int = 0
    quarantined: int = 0
    duplicates: int = 0
    clock: ClockOffset | None = None


def backoff_s(
    attempt: int, share: float, *, retry_after_s: float | None = None
) -> float:
    """Return seconds to wait before the next try: exponential, full jitter.

    ``attempt`` counts failures in a row from 0, ``share`` is random in 0..1.
    What the gateway asks for is waited in full (one hour at most), and the jitter
    comes on top, so that a city of probes does not return in the same second.
    """
    # 2**30 s is beyond any cap; a larger power would overflow a float in time.
    spread_s = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2.0 ** min(attempt, 30)) * share
    return spread_s + min(retry_after_s or 0.0, RETRY_AFTER_CAP_S)


def parse_retry_after_s(text: str | None, now: datetime) -> float | None:
    """Return the seconds of a ``Retry-After`` header (seconds or date), or None.

    None also where the header makes no sense.
    """
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


class Pusher:
    """Sends the oldest records of a spool to one gateway.

    ``url`` is the gateway's base address. The client's connection settings
    (certificates, proxy) are the caller's; it stays open.

    Raises:
        ConfigError: the token has characters that no header may carry.
    """

    def __init__(  # noqa: PLR0913 - each is a different peer or limit
        self,
        spool: Spool,
        url: str,
        token: Secret,
        source: str,
        client: httpx.AsyncClient,
        clock: Clock,
        *,
        batch_limit: int = 500,
        agent: str = "",
        share: Callable[[], float] = random.random,
    ) -> None:
        # A library would put the whole header into its error text.
        if not token.reveal().isascii() or not token.reveal().isprintable():
            raise ConfigError([refused("token", None, "token_not_ascii")])
        self.status = PushStatus()
        self._spool = spool
        self._url = url.rstrip("/") + wire.MEASUREMENTS_PATH
        self._token = token
        self._source = source
        self._client = client
        self._clock = clock
        self._batch_limit = batch_limit
        self._agent = agent
        self._share = share
        self._limit = batch_limit
        self._rejects_in_row = 0
        self._logged: str | None = None

    async def push_once(self) -> PushResult:
        """Send one batch and settle it in the spool by the gateway's answer.

        Raises:
            StorageError: the spool cannot be read or written.
        """
        # The disk of a probe may take long to sync; measuring must not wait for it.
        records = await asyncio.to_thread(self._spool.batch, self._limit)
        if not records:
            return PushResult(outcome=Outcome.EMPTY)
        asked_ms = to_ms(self._clock.now())
        try:
            answer = await self._post(records)
        except (httpx.HTTPError, TimeoutError) as error:
            text = f"gateway not reached: {type(error).__name__}: {error}"
            result = PushResult(outcome=Outcome.LATER, error=text)
        else:
            # The answer's own time, before the disk is asked to settle it.
            self._compare_clocks(asked_ms, answer)
            result = await self._settle(records, answer)
        self._note(result)
        return result

    async def run(self, stop: asyncio.Event, wake: asyncio.Event) -> None:
        """Send until ``stop`` is set; ``wake`` says that records were added."""
        while not stop.is_set():
            wake.clear()
            try:
                result = await self.push_once()
            except StorageError as error:
                log.exception("the spool failed; trying again in %s s", _SPOOL_RETRY_S)
                self._fail(str(error))
                await _wait(_SPOOL_RETRY_S, stop)
                continue
            match result.outcome:
                case Outcome.SENT | Outcome.HALVED | Outcome.REJECTED:
                    continue
                case Outcome.EMPTY:
                    await _wait(IDLE_WAIT_S, stop, wake)
                case Outcome.REFUSED:
                    await _wait(REFUSED_WAIT_S * (0.5 + self._share()), stop)
                case Outcome.LATER:
                    attempt = self.status.failures_in_row - 1
                    wait_s = backoff_s(
                        attempt, self._share(), retry_after_s=result.retry_after_s
                    )
                    await _wait(wait_s, stop)

    async def _post(self, records: list[Spooled]) -> httpx.Response:
        sent_ms = to_ms(self._clock.now())
        batch = to_batch(self._source, records, sent_ms=sent_ms, agent=self._agent)
        body = gzip.compress(wire.encode(batch), compresslevel=6)
        # The client's own limits are per read; an answer that drips has this one.
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            return await self._client.post(
                self._url,
                content=body,
                headers={
                    "Authorization": f"Bearer {self._token.reveal()}",
                    "Content-Type": "application/json",
                    "Content-Encoding": "gzip",
                },
            )

    def _compare_clocks(self, asked_ms: int, answer: httpx.Response) -> None:
        """Note the clocks' offset; a receipt of an older gateway has no time."""
        answered_ms = to_ms(self._clock.now())
        if not answer.is_success:
            return
        try:
            received_ms = wire.decode_receipt(answer.content).received_ms
        except msgspec.DecodeError:
            return
        if received_ms:
            self.status.clock = clock_offset(asked_ms, answered_ms, received_ms)

    async def _settle(
        self, records: list[Spooled], answer: httpx.Response
    ) -> PushResult:
        if answer.is_success:
            return await self._accept(records, answer)
        error = wire.decode_error(answer.content)
        said = f"{error.message} -> {error.fix}" if error else answer.reason_phrase
        text = f"gateway answered {answer.status_code}: {said}"
        retry_after_s = parse_retry_after_s(
            answer.headers.get("Retry-After"), self._clock.now()
        )
        if answer.status_code == 429 or answer.is_server_error:
            return PushResult(
                outcome=Outcome.LATER, error=text, retry_after_s=retry_after_s
            )
        if answer.status_code in (413, 422) and not _blames_sender(error):
            return await self._narrow(records, text)
        return PushResult(outcome=Outcome.REFUSED, error=text)

    async def _accept(
        self, records: list[Spooled], answer: httpx.Response
    ) -> PushResult:
        receipt = _receipt_for(records, answer)
        if receipt is None:
            text = (
                f"answer {answer.status_code} is no receipt for what was sent;"
                " does a portal or proxy answer in the gateway's place?"
            )
            return PushResult(outcome=Outcome.LATER, error=text)
        seqs = [item.seq for item in records]
        await asyncio.to_thread(self._spool.ack, seqs, spool=records[0].spool)
        for kept in receipt.quarantined:
            log.warning(
                "the gateway put record %d into quarantine: %s",
                kept.seq,
                kept.reason,
            )
        self._rejects_in_row = 0
        self._limit = min(self._batch_limit, self._limit * 2)
        return PushResult(
            outcome=Outcome.SENT,
            accepted=receipt.accepted,
            duplicates=receipt.duplicates,
            quarantined=len(receipt.quarantined),
        )

    async def _narrow(self, records: list[Spooled], text: str) -> PushResult:
        """Halve the next batch; where one record is left, move it aside."""
        if len(records) > 1:
            self._limit = len(records) // 2
            return PushResult(outcome=Outcome.HALVED, error=text)
        if self._rejects_in_row >= MAX_REJECTS_IN_ROW:
            self._rejects_in_row -= 1
            return PushResult(outcome=Outcome.REFUSED, error=text)
        (bad,) = records
        await asyncio.to_thread(self._spool.reject, {bad.seq: text}, spool=bad.spool)
        log.error("record %d can never be sent and was set aside: %s", bad.seq, text)
        self._rejects_in_row += 1
        return PushResult(outcome=Outcome.REJECTED, rejected=1, error=text)

    def _note(self, result: PushResult) -> None:
        match result.outcome:
            case Outcome.SENT:
                self.status.last_success = self._clock.now()
                self.status.quarantined += result.quarantined
                self.status.duplicates += result.duplicates
                if self._logged is not None:
                    log.info("the gateway takes measurements again")
                self.status.failures_in_row = 0
                self._logged = None
            case Outcome.REFUSED | Outcome.LATER:
                self._fail(result.error or "")
            case Outcome.EMPTY | Outcome.HALVED | Outcome.REJECTED:
                pass

    def _fail(self, text: str) -> None:
        self.status.last_error = text
        self.status.last_error_at = self._clock.now()
        self.status.failures_in_row += 1
        if text != self._logged:
            log.error("measurements stay in the spool: %s", text)
            self._logged = text


def _blames_sender(error: wire.ErrorBody | None) -> bool:
    return error is not None and (error.retry or error.field in _ENVELOPE_FIELDS)


def _receipt_for(records: list[Spooled], answer: httpx.Response) -> wire.Receipt | None:
    try:
        receipt = wire.decode_receipt(answer.content)
    except msgspec.DecodeError:
        return None
    taken = receipt.accepted + receipt.duplicates + len(receipt.quarantined)
    return receipt if taken == len(records) else None


async def _wait(limit_s: float, *events: asyncio.Event) -> None:
    """Return when one of the events is set, or after ``limit_s``."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(
            waiting, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        for task in waiting:
            task.cancel()
