"""The adaptive capacity test: load the line only until the number is certain.

One direction at a time. Idle echoes first, then one TCP stream, and more of them only
where one does not fill the line. Octets are counted where the line's are: in the
router's WAN counters if they can be read (so other traffic counts too), else on the
probe's own wire; and only while echoes prove that the line had no pause. It stops when
the batches agree, at the latest after four seconds.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from statistics import median

from msgspec.structs import replace

from netmon.model import FailureReason
from probes.base import Emit, MeasureAddress, say_nothing
from probes.counters import (
    EDGE_POLL_S,
    LIVE_POLL_S,
    CounterPoller,
    CounterSource,
    Refresh,
)
from probes.course import Course, Step
from probes.estimate import VARYING_S, Sample
from probes.failures import ProbeFailedError
from probes.load import Control, pump
from probes.machine import Watch
from probes.measure_protocol import Direction, Request
from probes.outcome import Basis, CapacityResult
from probes.pinger import EchoTime, Pinger
from probes.running import CapacityOptions, Running, Setup
from probes.wirelevel import OwnSource, PortOctets

METHOD = "tcp-adaptive/2"
IDLE_PINGS = 15
IDLE_TICK_S = 0.020
# The ramp has to be over when the refresh comes.
EDGE_LEAD_S = 0.65

__all__ = ["METHOD", "Basis", "CapacityOptions", "CapacityResult", "CapacityTest"]


class CapacityTest:
    """Measures one direction once; blocking, for a thread of its own.

    ``own`` counts the test's octets where ``interface`` is shared with others
    (loopback in a demo); the default is the interface's own counter.
    """

    method = METHOD

    def __init__(  # noqa: PLR0913 - where, by what, and how
        self,
        server: MeasureAddress,
        *,
        line: str,
        interface: str,
        counters: CounterSource | None = None,
        refresh: Refresh | None = None,
        options: CapacityOptions | None = None,
        own: OwnSource | None = None,
        emit: Emit = say_nothing,
    ) -> None:
        self._server = server
        self._line = line
        self._interface = interface
        self._is_counted = counters is not None
        self._counters = counters if refresh is not None and refresh.is_usable else None
        self._refresh = refresh
        self._options = options or CapacityOptions()
        self._own = own or (lambda: PortOctets(interface))
        self._emit = emit
        self._is_live = refresh is not None and refresh.is_live

    def run(self, direction: Direction) -> CapacityResult:
        """Measure a direction.

        Raises:
            OSError, EOFError, ProbeFailedError: see `probes.failures.classify`.
        """
        with ExitStack() as stack:
            watch = Watch(self._interface)
            pinger = Pinger(self._server)
            stack.callback(pinger.close)
            request = self._request(direction, pinger)
            control = self._control(request)
            if control is not None:
                stack.callback(control.close)
            poller = self._poller(direction)
            if poller is not None:
                stack.callback(poller.stop)
            idle = self._idle(pinger)
            self._wait_for_edge()
            own = self._own()
            stack.callback(own.close)
            setup = Setup(
                server=self._server,
                method=self.method,
                direction=direction,
                request=request,
                options=self._options,
                limit_s=self._limit_s(),
                refresh=self._refresh,
                idle=idle,
                decide=self._decide,
                emit=self._emit,
            )
            return Running(setup, pinger, poller, own, control).run(watch)

    def _request(self, direction: Direction, pinger: Pinger) -> Request:
        options = self._options
        return Request(
            op=direction,
            token=self._server.token.reveal(),
            test=os.urandom(12).hex(),
            echo=pinger.session,
            line=self._line,
            seconds=self._limit_s() + 1,
            bytes=options.max_bytes,
            congestion=options.congestion,
            pacing_bps=options.pacing_bps,
            silent=True,
            held=direction == "down",
        )

    def _control(self, request: Request) -> Control | None:
        """Open the control connection; None where an older server knows of none."""
        try:
            return Control(self._server, replace(request, op="control", held=False))
        except ProbeFailedError as error:
            if error.reason is FailureReason.PROTOCOL:
                return None
            raise

    def _poller(self, direction: Direction) -> CounterPoller | None:
        refresh = self._refresh
        if self._counters is None:
            if not self._is_counted:
                self._emit("counters_none", {})
            elif refresh is not None:
                self._emit("counters_rare", {"period_s": refresh.period_s})
            return None
        if self._is_live or refresh is None:
            self._emit("counters_live", {})
        else:
            self._emit("counters_every", {"period_s": refresh.period_s})
        poller = CounterPoller(
            self._counters, LIVE_POLL_S if self._is_live else EDGE_POLL_S
        )
        poller.start()
        return poller

    def _idle(self, pinger: Pinger) -> list[EchoTime]:
        """Return the echoes of the line before the test.

        Raises:
            ProbeFailedError: not one came back.
        """
        echoes: list[EchoTime] = []
        pump(
            None,
            pinger,
            echoes.append,
            lambda _: pinger.sent <= IDLE_PINGS,
            tick_s=IDLE_TICK_S,
        )
        echoes += pinger.collect(IDLE_PINGS, 0.3)
        if not echoes:
            echoes += pinger.collect(1, 1.0)
        if not echoes:
            raise ProbeFailedError(FailureReason.NO_REPLY, "no echo came back")
        rtt_s = median(echo.rtt_s for echo in echoes)
        self._emit("idle", {"rtt_s": rtt_s, "count": float(len(echoes))})
        return echoes

    def _wait_for_edge(self) -> None:
        """Start shortly before a refresh: the ramp is over when the edge comes."""
        refresh = self._refresh
        if self._counters is None or refresh is None or refresh.is_live:
            return
        edge_s = refresh.next_edge_s(time.monotonic() + EDGE_LEAD_S)
        time.sleep(max(0.0, edge_s - EDGE_LEAD_S - time.monotonic()))

    def _limit_s(self) -> float:
        options, refresh = self._options, self._refresh
        limit_s = options.limit_s
        if options.varying:
            limit_s = max(limit_s, VARYING_S + 1)
        if self._counters is None or refresh is None or refresh.is_live:
            return limit_s
        return max(limit_s, refresh.period_s + 1.5)

    def _decide(
        self, course: Course, now_s: float, samples: list[Sample], lost: float | None
    ) -> Step:
        """Say what is next; the floor test asks something else."""
        return course.decide(now_s, samples, lost)
