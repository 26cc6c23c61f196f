"""One set of rules around every driver, because no SNMP library keeps them all.

Measured on odd agents: libraries loop for ever where object ids do not
increase, give an empty answer for an error status, or fail on a foreign
datagram. What a `Session` promises is held here, whoever drives the socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from collectors.base import (
    SYS_UPTIME,
    DeadlineError,
    DeniedError,
    ErrorStatusError,
    GarbledError,
    Link,
    NoReplyError,
    ProtocolError,
    SessionError,
    Timing,
    TooManyRowsError,
    Value,
    index_key,
    oid_key,
)
from collectors.tally import Tally
from netmon.clock import Clock

# Objects with names of usual length that fit into 1,472 bytes of payload.
MAX_GET_OIDS = 50
# A device that could not answer so many objects once may have been busy.
TRY_LARGER_AFTER_S = 3600.0
# An SNMPv3 agent forgets our time after 150 s; renewing costs one round trip.
REFRESH_AFTER_S = 120.0

_Answer = TypeVar("_Answer")
Sleep = Callable[[float], Awaitable[None]]


class GuardedSession:
    """A `Session` made of a driver's `Link`.

    ``always_up`` is False for a link that has no error status to disguise (a
    recording), which then may lack sysUpTime.
    """

    def __init__(
        self,
        link: Link,
        *,
        clock: Clock,
        timing: Timing,
        sleep: Sleep = asyncio.sleep,
        always_up: bool = True,
        tally: Tally | None = None,
    ) -> None:
        self.tally = tally or Tally()
        # What this device was seen to take, and since when: less than it was asked.
        self._most_oids = MAX_GET_OIDS
        self._smaller_since_s = 0.0
        self._repetitions: dict[str, int] = {}
        self._always_up = always_up
        self._link = link
        self._clock = clock
        self._timing = timing
        self._sleep = sleep
        self._last_contact_s: float | None = None

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """Return the values of objects; what the device lacks is missing.

        Every request also asks for sysUpTime.0: an answer without it is an
        error status in disguise. Where the device cannot answer a request of
        several objects it is asked for the halves, from then on at once.
        """
        self._try_larger()
        found: dict[str, Value] = {}
        done = 0
        while done < len(oids):
            part = oids[done : done + self._most_oids]
            found.update(await self._get_part(part))
            done += len(part)
        return found

    async def walk(
        self, root: str, *, max_repetitions: int, max_rows: int, deadline_s: float
    ) -> list[tuple[str, Value]]:
        """Return everything below ``root``; see `collectors.base.Session`.

        A reply that cannot be read may be too long for the driver: the walk is
        begun again with half the rows a datagram, from then on at once for this
        column. A device that fails on one
        object fails on every datagram with that object in it, also if it lies
        behind the table: then it is asked row by row.
        """
        stop_s = self._clock.monotonic_s() + deadline_s
        self._try_larger()
        max_repetitions = min(
            max_repetitions, self._repetitions.get(root, max_repetitions)
        )
        while True:
            try:
                rows = await self._walk_once(root, max_repetitions, max_rows, stop_s)
            except GarbledError:
                if max_repetitions == 1:
                    raise
                max_repetitions //= 2
                self._repetitions[root] = max_repetitions
                self._smaller_since_s = self._clock.monotonic_s()
            except ErrorStatusError:
                if max_repetitions == 1:
                    raise
                max_repetitions = 1
            else:
                self.tally.walked(len(rows))
                return rows

    async def aclose(self) -> None:
        """Give back the socket."""
        await self._link.aclose()

    def _try_larger(self) -> None:
        if self._clock.monotonic_s() - self._smaller_since_s > TRY_LARGER_AFTER_S:
            self._most_oids = MAX_GET_OIDS
            self._repetitions.clear()

    async def _get_part(self, oids: Sequence[str]) -> dict[str, Value]:
        asked = list(dict.fromkeys([SYS_UPTIME, *oids]))
        problem: ProtocolError = ErrorStatusError(
            "the device answered with an error status"
        )
        try:
            answer = await self._tried(lambda: self._link.get(asked))
        except ProtocolError as error:
            problem, answer = error, {}
        if SYS_UPTIME in answer or not self._always_up:
            wanted = set(oids)
            if wanted.issuperset(answer):
                return answer
            return {oid: value for oid, value in answer.items() if oid in wanted}
        if len(oids) < 2:
            raise problem
        self.tally.splits += 1
        middle = (len(oids) + 1) // 2
        found = await self._get_part(oids[:middle])
        found |= await self._get_part(oids[middle:])
        # Both halves came: it was the size. One bad object would have raised above.
        self._most_oids = min(self._most_oids, middle)
        self._smaller_since_s = self._clock.monotonic_s()
        return found

    async def _walk_once(
        self, root: str, max_repetitions: int, max_rows: int, stop_s: float
    ) -> list[tuple[str, Value]]:
        rows = self._link.rows(root, max_repetitions)
        top, below, cut = oid_key(root), f"{root}.", len(root) + 1
        last: tuple[int, ...] = ()
        found: list[tuple[str, Value]] = []
        while page := await self._tried(rows.next_page, stop_s):
            for oid, value in page:
                if not oid.startswith(below):
                    if oid_key(oid) <= top:
                        raise ProtocolError(f"object ids go back below {root}")
                    return found
                key = index_key(oid[cut:])
                if key <= last:
                    raise ProtocolError(f"object ids do not increase below {root}")
                if len(found) == max_rows:
                    raise TooManyRowsError(f"more than {max_rows} rows below {root}")
                last = key
                found.append((oid, value))
            if self._clock.monotonic_s() > stop_s:
                raise DeadlineError(f"not read to the end in time: {root}")
        return found

    async def _tried(
        self,
        ask: Callable[[], Awaitable[_Answer]],
        stop_s: float | None = None,
    ) -> _Answer:
        """Ask, and ask again while the error says it may help.

        Silence is answered by a pause, a datagram that cannot be read and a
        refused SNMPv3 request (the device may have restarted, so that its time
        began anew) by one more try at once.
        """
        pauses_s = list(self._timing.backoff_s)
        at_once = {GarbledError, DeniedError}
        while True:
            self.tally.requests += 1
            try:
                await self._renew_if_idle()
                answer = await ask()
            except SessionError as error:
                self._count(error)
                if type(error) in at_once:
                    at_once.remove(type(error))
                    if isinstance(error, DeniedError):
                        await self._link.refresh()
                elif isinstance(error, GarbledError) or not (error.retry and pauses_s):
                    raise
                else:
                    await self._pause(pauses_s.pop(0), stop_s, error)
                self.tally.retries += 1
            else:
                self._last_contact_s = self._clock.monotonic_s()
                return answer

    def _count(self, error: SessionError) -> None:
        if isinstance(error, NoReplyError):
            self.tally.timeouts += 1
        elif isinstance(error, GarbledError):
            self.tally.unreadable += 1
        elif isinstance(error, DeniedError):
            self.tally.refused += 1

    async def _pause(
        self, pause_s: float, stop_s: float | None, error: SessionError
    ) -> None:
        if stop_s is not None and self._clock.monotonic_s() + pause_s > stop_s:
            raise DeadlineError("no time left to ask again") from error
        await self._sleep(pause_s)

    async def _renew_if_idle(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._last_contact_s is None or now_s - self._last_contact_s < (
            REFRESH_AFTER_S
        ):
            return
        # Once is enough for this call; a failure of it must not repeat it.
        self._last_contact_s = now_s
        await self._link.refresh()
