"""One direction of a played line as a fluid: rate, others' share, queue, counter; pure.

A test's bytes enter the queue when they are granted and are counted when they leave
it. So the counter runs as smoothly as a real port's however lumpy the grants are, and
a line that always has something in its queue counts exactly its rate.
"""

from __future__ import annotations

import math

from netmon.demo.line_traffic import SLOT_S, Others

# What flows beside lessons get at least, however much those want.
OWN_SHARE = 0.25
# A grant is so much of what is ours; more would make our own samples lumpy.
GRANT_S = 0.002
MIN_GRANT_BYTES = 1_448
# Others alone leave a queue that breathes.
OTHERS_QUEUE_SHARE = 0.8
# Octets at L2 without FCS of a byte of TCP payload in full frames.
_FRAMING = 1514 / 1448
_CUT_WAIT_S = 0.1
# Shorter waits are lost in the rounding of a clock.
_LEAST_WAIT_S = 1e-4
# No counter of a router that runs for weeks stands at 0.
_BEGIN_OCTETS = 7 * 10**11


class Way:
    """A direction. Rates are bit/s of TCP payload, times any monotonic seconds.

    ``healthy_bps`` is what others' shares are of; ``rate_bps`` what it can do now.
    ``refresh_s`` is how old the shown counter may grow; 0: it is always fresh.
    """

    def __init__(
        self,
        healthy_bps: float,
        others: Others,
        *,
        queue_s: float,
        now_s: float,
        refresh_s: float = 0.0,
    ) -> None:
        self._healthy = healthy_bps / 8
        self._rate = healthy_bps / 8
        self._others = others
        self._queue_s = queue_s
        self._refresh_s = refresh_s
        self._began_s = self._at_s = now_s
        self._slot, self._share = 0, others.share(0)
        self._queued = 0.0
        self._passed = 0.0
        self._marks, self._shown = 0, 0.0

    @property
    def rate_bps(self) -> float:
        """What passes at most now, everybody's together."""
        return 8 * self._rate

    def set_rate(self, rate_bps: float, now_s: float) -> None:
        """Change the rate from now on; 0 lets nothing pass."""
        self.advance(now_s)
        self._rate = rate_bps / 8

    def set_others(self, others: Others, now_s: float) -> None:
        """Change the other traffic from now on."""
        self.advance(now_s)
        self._others, self._slot = others, -1
        self._enter(self._slot_at(now_s))

    def take(self, now_s: float, want: int) -> tuple[int, float]:
        """Return bytes that may enter the queue and, where none, the seconds to wait."""
        self.advance(now_s)
        own = self._own()
        if own <= 0:
            return 0, _CUT_WAIT_S
        chunk = min(want, max(MIN_GRANT_BYTES, int(own * GRANT_S)))
        room = own * self._queue_s - self._queued
        # A queue shorter than a grant takes one when it is empty.
        if room < chunk and self._queued > 0:
            return 0, max(_LEAST_WAIT_S, min(chunk - room, self._queued) / own)
        self._queued += chunk
        return chunk, 0.0

    def give_back(self, size: int) -> None:
        """Take bytes out of the queue again; what has left it stays counted."""
        self._queued = max(0.0, self._queued - size)

    def wait_s(self, now_s: float) -> float:
        """Return how long a packet that comes now waits; 0 unless it is full."""
        self.advance(now_s)
        if self._queued > 0:
            own = self._own()
            return min(self._queue_s, self._queued / own) if own else self._queue_s
        if self._demand() >= self._rate:
            return OTHERS_QUEUE_SHARE * self._queue_s
        return 0.0

    def octets(self, now_s: float) -> int:
        """Return the port's counter: L2 octets without FCS, everybody's."""
        self.advance(now_s)
        return _BEGIN_OCTETS + int(self._passed * _FRAMING)

    def shown_octets(self, now_s: float) -> int:
        """Return the counter as its router shows it, as old as the refresh makes it."""
        self.advance(now_s)
        shown = self._shown if self._refresh_s > 0 else self._passed
        return _BEGIN_OCTETS + int(shown * _FRAMING)

    def advance(self, now_s: float) -> None:
        """Let the time pass; an earlier moment than the last changes nothing."""
        while self._at_s < now_s:
            slot = self._slot_at(self._at_s)
            if slot != self._slot:
                self._enter(slot)
            mark_s = self._next_mark_s()
            until_s = min(now_s, mark_s, self._began_s + (self._slot + 1) * SLOT_S)
            self._flow(max(0.0, until_s - self._at_s))
            # A slot's end that rounding puts at its beginning must not stop the clock.
            self._at_s = max(until_s, math.nextafter(self._at_s, math.inf))
            if self._at_s >= mark_s:
                self._marks += 1
                self._shown = self._passed

    def _flow(self, span_s: float) -> None:
        """Let a stretch pass in which nothing changes but the queue."""
        if self._queued > 0:
            own = self._own()
            busy_s = min(span_s, self._queued / own) if own > 0 else span_s
            self._passed += self._rate * busy_s
            self._queued -= own * busy_s
            if busy_s < span_s:
                self._queued = 0.0
            span_s -= busy_s
        self._passed += min(self._rate, self._demand()) * span_s

    def _demand(self) -> float:
        return self._share * self._healthy

    def _own(self) -> float:
        """Return our bytes per second while we have something in the queue."""
        return self._rate - min(self._demand(), (1 - OWN_SHARE) * self._rate)

    def _slot_at(self, at_s: float) -> int:
        return max(self._slot, int((at_s - self._began_s) / SLOT_S))

    def _enter(self, slot: int) -> None:
        self._slot, self._share = slot, self._others.share(slot)

    def _next_mark_s(self) -> float:
        if self._refresh_s <= 0:
            return math.inf
        return self._began_s + (self._marks + 1) * self._refresh_s
