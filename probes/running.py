"""A running capacity test: moves data, feeds its course, tells what happens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from msgspec.structs import replace

from netmon.model import FailureReason
from probes.base import Emit, MeasureAddress
from probes.counters import CounterPoller, Refresh, trouble
from probes.course import Course, Step, Why
from probes.estimate import LIMIT_S, Sample, rate_ip_bps, rate_payload_bps
from probes.failures import ProbeFailedError
from probes.limits import retransmitted_ratio
from probes.load import TICK_S, Control, Streams, pump
from probes.machine import Watch
from probes.measure_protocol import Congestion, Direction, Request
from probes.outcome import CapacityResult, Seen, counted, judged
from probes.pinger import EchoTime, Pinger
from probes.spans import BusySpans, least_wait_s
from probes.wirelevel import OwnOctets

SAMPLE_S = 0.020
STAT_S = 0.100
# After this and three round trips data must have moved counters that are live.
BEGUN_S = 0.100
# What a test takes of a line that others fill.
POLITE_SHARE = 0.10
_LEAST_PACING_BPS = 500_000.0
# A tick comes, and a stream ends, a little before what is waited for.
_NEARLY = 0.95

Decide = Callable[[Course, float, list[Sample], float | None], Step]


@dataclass(frozen=True, slots=True)
class CapacityOptions:
    """How a test loads the line.

    ``streams`` is the most it may grow to; it begins with one. ``congestion``: BBR
    fills a line soonest; CUBIC with one stream is the polite choice beside lessons.
    ``pacing_bps`` bounds the test, which then keeps to one stream (0: no bound).
    ``base_rtt_s`` is the line's known empty round trip: when lessons fill the line
    already, the echoes just before the test can't show it. ``varying``: the line's
    rate itself varies (radio), so the result is a range and takes three seconds.
    """

    streams: int = 4
    congestion: Congestion = "bbr"
    limit_s: float = LIMIT_S
    max_bytes: int = 600_000_000
    pacing_bps: float = 0.0
    base_rtt_s: float | None = None
    varying: bool = False
    tick_s: float = TICK_S


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run is given: where to, how, and what came before it."""

    server: MeasureAddress
    method: str
    direction: Direction
    request: Request
    options: CapacityOptions
    limit_s: float
    refresh: Refresh | None
    idle: list[EchoTime]
    decide: Decide
    emit: Emit


class Running:
    """One run of a test, from its first stream to its result."""

    def __init__(
        self,
        setup: Setup,
        pinger: Pinger,
        poller: CounterPoller | None,
        own: OwnOctets,
        control: Control | None,
    ) -> None:
        self._setup = setup
        self._options = setup.options
        self._emit = setup.emit
        self._direction = setup.direction
        self._pinger = pinger
        self._poller = poller
        self._own = own
        self._control = control
        self._idle_rtts_s = [echo.rtt_s for echo in setup.idle]
        pacing_bps = self._pacing_bps(setup.request.pacing_bps)
        self._request = replace(setup.request, pacing_bps=pacing_bps)
        self._streams = Streams(setup.server, self._request)
        self._samples: list[Sample] = []
        self._echoes: list[EchoTime] = []
        self._first_octets = 0.0
        self._sampled_s = self._asked_s = 0.0
        self._said: set[str] = set()

    def run(self, watch: Watch) -> CapacityResult:
        """Load the line and judge; raises as `CapacityTest.run`."""
        streams, control, request = self._streams, self._control, self._request
        try:
            # Several would be held to the bound one by one, not together.
            streams.open(1 if request.pacing_bps else self._options.streams)
            self._pinger.receive()  # what lay unread has a wrong time
            started_s = time.monotonic()
            self._course = course = self._new_course(started_s, streams.held)
            self._first_octets = self._own.read(self._direction, streams.sockets)
            streams.release()
            self._say("stream_first", {"congestion": request.congestion or "cubic"})
            late_s = pump(
                streams,
                self._pinger,
                self._on_echo,
                self._on_tick,
                tick_s=self._options.tick_s,
                control=control,
            )
            load_s = time.monotonic() - started_s
            side = streams.side()
            count, moved = len(streams), streams.moved_bytes
            if streams.broken and moved < _NEARLY * request.bytes:
                raise ProbeFailedError(FailureReason.BROKEN_OFF, "a stream broke off")
        finally:
            streams.close()
        stat = None if control is None else control.last()
        for echo in self._pinger.collect(self._pinger.sent, self._unseen_s()):
            self._on_echo(echo)
        health = watch.health(late_s)
        seen = Seen(
            direction=self._direction,
            method=self._setup.method,
            congestion=request.congestion,
            course=course,
            own=self._samples,
            own_basis=self._own.basis,
            readings=self._poller.readings() if self._poller else None,
            refresh=self._setup.refresh,
            idle_rtts_s=self._idle_rtts_s,
            echoes=self._echoes,
            side=side if self._direction == "up" else stat.down if stat else None,
            stat=stat,
            health=health,
            streams=count,
            load_s=load_s,
        )
        result = judged(seen)
        self._explain(result)
        return result

    def _new_course(self, started_s: float, most_streams: int) -> Course:
        rtts, base_s = self._idle_rtts_s, self._options.base_rtt_s
        refresh = self._setup.refresh
        return Course(
            started_s,
            min(rtts) if base_s is None else min(*rtts, base_s),
            limit_s=self._setup.limit_s,
            most_streams=most_streams,
            is_varying=self._options.varying,
            by_edges=self._poller is not None
            and refresh is not None
            and not refresh.is_live,
            spans=BusySpans(least_wait_s(rtts)),
            own=self._samples,
        )

    def _unseen_s(self) -> float:
        """Return how long an echo of the end may still be on its way."""
        waits = [echo.rtt_s for echo in self._echoes[-5:]]
        return min(0.5, 1.5 * max(waits, default=0.1))

    def _on_echo(self, echo: EchoTime) -> None:
        self._echoes.append(echo)
        # The queue of the loaded direction only: lessons may fill the other.
        queued = echo.queued(self._direction, self._options.base_rtt_s)
        self._course.spans.add(*queued)

    def _on_tick(self, now_s: float) -> bool:
        streams, course = self._streams, self._course
        if now_s - self._asked_s >= STAT_S and self._control is not None:
            self._control.ask()
            self._asked_s = now_s
        if streams.broken or streams.moved_bytes >= self._options.max_bytes:
            course.why = Why.BYTES
            return False
        if now_s - self._sampled_s < SAMPLE_S * _NEARLY:
            return True
        self._sampled_s = now_s
        octets = self._own.read(self._direction, streams.sockets)
        self._samples.append(Sample(now_s, octets - self._first_octets))
        step = self._setup.decide(course, now_s, self._counted(), self._lost_ratio())
        self._explain_course(now_s)
        if step is Step.GROW:
            released = streams.release(max(1, len(streams) // 2))
            course.most_streams = len(streams) + streams.held
            course.grew(now_s, len(streams))
            if released:
                self._emit("stream_more", {"count": float(len(streams))})
        return step is not Step.STOP

    def _counted(self) -> list[Sample]:
        """Return all octets on the line since the start, or else our own."""
        poller = self._poller
        if poller is None:
            return self._samples
        readings = poller.readings()
        course = self._course
        since_s = (
            None
            if course.by_edges
            else course.started_s + BEGUN_S + 3 * course.idle_rtt_s
        )
        why = trouble(readings, self._direction, poller.polls, live_from_s=since_s)
        if why:
            # Nothing counted so far is worth anything: go on with our own octets.
            self._emit(f"counters_{why}", {})
            self._poller = None
            self._course.by_edges = False
            return self._samples
        return counted(readings, self._direction, self._course)

    def _lost_ratio(self) -> float | None:
        if self._direction == "up":
            return retransmitted_ratio(self._streams.side())
        stats = self._control.stats if self._control is not None else []
        return retransmitted_ratio(stats[-1].down) if stats else None

    def _pacing_bps(self, wanted_bps: float) -> float:
        """Return the bound of a stream: little on a line that others fill already.

        Then the counters read the capacity anyway; ours only has to be there.
        """
        base_s = self._options.base_rtt_s
        readings = [] if self._poller is None else self._poller.readings()
        if base_s is None or len(readings) < 2:
            return wanted_bps
        waits = [
            end - begin
            for begin, end in (
                e.queued(self._direction, base_s) for e in self._setup.idle
            )
        ]
        if median(waits) <= least_wait_s([]):
            return wanted_bps
        first, last = readings[0], readings[-1]
        octets = last.octets(self._direction) - first.octets(self._direction)
        filled_bps = 8 * octets / (last.at_s - first.at_s)
        return max(POLITE_SHARE * filled_bps, _LEAST_PACING_BPS)

    def _say(self, event: str, fields: dict[str, float | str]) -> None:
        """Tell an event once."""
        if event not in self._said:
            self._said.add(event)
            self._emit(event, fields)

    def _explain_course(self, now_s: float) -> None:
        after_s = now_s - self._course.started_s
        if self._course.ramp_over_s is not None:
            self._say("ramp_over", {"after_s": after_s})
        if self._course.full_s is not None:
            self._say("line_full", {"after_s": after_s})

    def _explain(self, result: CapacityResult) -> None:
        total = result.total
        self._emit(f"stopped_{result.why}", {"load_s": result.load_s})
        if result.cross_bps is not None:
            self._emit("cross", {"cross_bps": rate_ip_bps(result.cross_bps)})
        if result.weakness:
            self._emit(
                f"weak_{result.limited_by}",
                {
                    "late_s": result.late_s,
                    "busy_ratio": result.cpu_busy_ratio,
                    "steal_ratio": result.cpu_steal_ratio,
                },
            )
        elif result.limited_by:
            self._emit(f"limited_{result.limited_by}", {})
        # What records and pages name is payload too.
        rates = {"rate_bps": total.rate_bps, "low_bps": total.low_bps}
        if math.isfinite(total.high_bps):
            rates["high_bps"] = total.high_bps
        payload = {name: rate_payload_bps(rate) for name, rate in rates.items()}
        self._emit(f"found_{total.kind}", payload)
