"""The probe's side of the slots: ask, wait as told, measure, give back.

While the gateway says "not yet" the place in its queue is kept by coming when told.
A gateway that gives out no slots leaves the probe to its own measurement server and
token, as before there were leases.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import httpx
import msgspec
from msgspec.structs import replace

from netmon.config import Secret
from netmon.lease_wire import (
    LEASES_PATH,
    LeaseAsk,
    LeaseGranted,
    LeaseWait,
    WaitReason,
    decode_lease_reply,
    encode_lease_message,
)
from netmon.model import FailureReason
from probes.base import Emit, say_nothing
from probes.failures import ProbeFailedError, classify

# Each answer tells when to come again; a lost one is asked again so soon.
_LOST_WAIT_S = 2.0
_REFUSALS: dict[int, FailureReason] = {
    HTTPStatus.UNAUTHORIZED: FailureReason.DENIED,
    HTTPStatus.FORBIDDEN: FailureReason.DENIED,
    HTTPStatus.CONFLICT: FailureReason.UNSUPPORTED,
}
# A gateway that is just being restarted answers again soon.
_PASSING = (
    FailureReason.BUSY,
    FailureReason.REFUSED,
    FailureReason.UNREACHABLE,
    FailureReason.BROKEN_OFF,
    FailureReason.TIMEOUT,
    FailureReason.DNS,
)


class LeaseClient:
    """Asks one gateway for slots; for one asker at a time."""

    def __init__(self, client: httpx.AsyncClient, url: str, token: Secret) -> None:
        self._client = client
        self._url = url.rstrip("/") + LEASES_PATH
        self._headers = {
            "Authorization": f"Bearer {token.reveal()}",
            "Content-Type": "application/json",
        }

    @asynccontextmanager
    async def slot(
        self, ask: LeaseAsk, patience_s: float, emit: Emit = say_nothing
    ) -> AsyncIterator[LeaseGranted | None]:
        """Wait for a slot and give it back at the end, whatever came of it.

        Yields None where the gateway gives out no slots.

        Raises:
            ProbeFailedError: no slot within ``patience_s`` (busy), the gateway was
                not reached in that time, or it will never grant this.
        """
        granted = await self._acquire(ask, patience_s, emit)
        try:
            yield granted
        finally:
            if granted is not None:
                await self._release(granted.id)

    async def _acquire(
        self, ask: LeaseAsk, patience_s: float, emit: Emit
    ) -> LeaseGranted | None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + patience_s
        while True:
            try:
                answer = await self._ask(ask)
            except ProbeFailedError as error:
                if error.reason not in _PASSING:
                    raise
                trouble, wait_s = error, _LOST_WAIT_S
            else:
                if not isinstance(answer, LeaseWait):
                    return answer
                trouble, wait_s = _held(answer), answer.retry_after_s
                emit(
                    "lease_wait",
                    {"seconds": math.ceil(wait_s), "message": answer.message},
                )
            if loop.time() + wait_s > deadline_s:
                raise trouble
            await asyncio.sleep(wait_s)

    async def _ask(self, ask: LeaseAsk) -> LeaseGranted | LeaseWait | None:
        """Ask once."""
        try:
            answer = await self._client.post(
                self._url, content=encode_lease_message(ask), headers=self._headers
            )
        except httpx.HTTPError as error:
            raise _unreached(error) from error
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if answer.status_code in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
            try:
                return decode_lease_reply(answer.content)
            except msgspec.DecodeError as error:
                text = "the gateway's answer could not be read"
                raise ProbeFailedError(FailureReason.PROTOCOL, text) from error
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            text = f"the gateway answered {answer.status_code}"
            raise ProbeFailedError(FailureReason.BUSY, text)
        reason = _REFUSALS.get(answer.status_code, FailureReason.PROTOCOL)
        raise ProbeFailedError(reason, _words(answer))

    async def _release(self, lease_id: str) -> None:
        # A lease that is not given back ends by itself some seconds later.
        with suppress(httpx.HTTPError):
            await self._client.delete(f"{self._url}/{lease_id}", headers=self._headers)


def without(ask: LeaseAsk, server_id: str) -> LeaseAsk:
    """Return the wish for any other server than one that could not be reached."""
    return replace(ask, avoid=(*ask.avoid, server_id))


def _held(answer: LeaseWait) -> ProbeFailedError:
    """Return what it comes to if there is no slot until the patience ends."""
    if answer.why is WaitReason.NO_SERVER:
        text = "no measurement server is there"
        return ProbeFailedError(FailureReason.UNREACHABLE, text)
    return ProbeFailedError(FailureReason.BUSY, f"no slot in time: {answer.why}")


def _unreached(error: httpx.HTTPError) -> ProbeFailedError:
    """Return the failure of a question that did not come through."""
    if isinstance(error, httpx.TimeoutException):
        return ProbeFailedError(FailureReason.TIMEOUT, "the gateway did not answer")
    if isinstance(error, httpx.DecodingError):
        text = "the gateway's answer could not be read"
        return ProbeFailedError(FailureReason.PROTOCOL, text)
    cause = error.__cause__ or error.__context__
    while cause is not None:
        reason, text = classify(cause) if isinstance(cause, Exception) else ("", "")
        if isinstance(reason, FailureReason) and reason is not FailureReason.INTERNAL:
            return ProbeFailedError(reason, f"the gateway: {text}")
        cause = cause.__cause__ or cause.__context__
    return ProbeFailedError(FailureReason.UNREACHABLE, "the gateway was not reached")


def _words(answer: httpx.Response) -> str:
    """Return what the gateway said, without its markup."""
    try:
        message = msgspec.json.decode(answer.content)["error"]["message"]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return f"the gateway answered {answer.status_code}"
    return f"the gateway said: {message}"[:200]
