"""The adaptive capacity test: load the line only until the number is certain.

One direction at a time. Idle echoes first, then TCP streams; the ramp is thrown
away, then batches of 60 ms are counted where the line's octets are: in the router's
WAN counters if they can be read (so other traffic counts too), else on the probe's
own wire. It stops when the batches agree and the line was full, at the latest after
four seconds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from probes.base import MeasureAddress
from probes.counters import (
    EDGE_POLL_S,
    LIVE_POLL_S,
    CounterPoller,
    CounterSource,
    Refresh,
    edges,
    live,
)
from probes.estimate import (
    LIMIT_S,
    UNSATURATED_S,
    Estimate,
    Progress,
    ResultKind,
    Sample,
    batch_rates,
    clock_error_bps,
    converged,
    estimate,
    is_saturated,
    queueing_from_s,
)
from probes.load import TICK_S, EchoTime, Pinger, Streams, pump
from probes.measure_protocol import Congestion, Operation
from probes.wirelevel import PortCounter

METHOD = "tcp-adaptive/1"
IDLE_PINGS = 15
# What a test takes of a line that others fill.
FULL_SHARE = 0.10
_LEAST_PACING_BPS = 500_000.0
# A tick this late means that the probe, not the line, was busy.
MAX_LATE_S = 0.025
# The ramp has to be over when the refresh comes.
EDGE_LEAD_S = 0.65

Basis = Literal["router", "wire"]


@dataclass(frozen=True, slots=True)
class CapacityOptions:
    """How a test loads the line.

    ``congestion``: BBR fills a line soonest; CUBIC with one stream is the polite
    choice beside lessons. ``pacing_bps`` bounds each stream (0: not at all).
    ``base_rtt_s`` is the line's known empty round trip: when lessons fill the line
    already, the echoes just before the test can't show it.
    """

    streams: int = 3
    congestion: Congestion = "bbr"
    limit_s: float = LIMIT_S
    max_bytes: int = 600_000_000
    pacing_bps: float = 0.0
    base_rtt_s: float | None = None
    tick_s: float = TICK_S


@dataclass(frozen=True, slots=True)
class CapacityResult:
    """What a direction showed. All rates are bit/s at L2 without FCS.

    ``goodput_bps`` is our own share on the wire, ``cross_bps`` that of others (None
    without counters), ``basis`` where the octets were counted.
    """

    direction: Operation
    basis: Basis
    total: Estimate
    goodput_bps: float
    cross_bps: float | None
    rtt_idle_s: float | None
    rtt_loaded_s: float | None
    saturated: bool
    streams: int
    load_s: float
    wire_bytes: float
    late_s: float
    limited_by: str = ""


@dataclass
class _Run:
    """The state of one running test."""

    progress: Progress
    own: list[Sample] = field(default_factory=list)
    started_octets: float = 0.0


class CapacityTest:
    """Measures one direction once; blocking, for a thread of its own."""

    def __init__(
        self,
        server: MeasureAddress,
        *,
        line: str,
        interface: str,
        counters: CounterSource | None = None,
        refresh: Refresh | None = None,
        options: CapacityOptions | None = None,
    ) -> None:
        self._server = server
        self._line = line
        self._interface = interface
        self._counters = counters if refresh is not None and refresh.is_usable else None
        self._refresh = refresh
        self._options = options or CapacityOptions()

    def run(self, direction: Operation) -> CapacityResult:
        """Measure a direction.

        Raises:
            OSError, EOFError, ProbeFailedError: see `probes.failures.classify`.
        """
        pinger = Pinger(self._server)
        poller = None
        if self._counters is not None:
            is_live = self._refresh is not None and self._refresh.is_live
            poller = CounterPoller(
                self._counters, LIVE_POLL_S if is_live else EDGE_POLL_S
            )
            poller.start()
        try:
            idle = _idle_rtts(pinger)
            self._wait_for_edge()
            return self._load(direction, pinger, poller, idle)
        finally:
            if poller is not None:
                poller.stop()
            pinger.close()

    def _wait_for_edge(self) -> None:
        """Start shortly before a refresh: the ramp is over when the edge comes."""
        refresh = self._refresh
        if self._counters is None or refresh is None or refresh.is_live:
            return
        edge_s = refresh.next_edge_s(time.monotonic() + EDGE_LEAD_S)
        time.sleep(max(0.0, edge_s - EDGE_LEAD_S - time.monotonic()))

    def _load(
        self,
        direction: Operation,
        pinger: Pinger,
        poller: CounterPoller | None,
        idle: list[float],
    ) -> CapacityResult:
        options = self._options
        idle_s = min([*idle, options.base_rtt_s or 1.0], default=0.02)
        streams = Streams(
            self._server,
            direction,
            line=self._line,
            max_s=self._limit_s() + 1,
            max_bytes=options.max_bytes,
            congestion=options.congestion,
            pacing_bps=self._pacing_bps(poller, idle, direction),
        )
        port = PortCounter(self._interface)
        try:
            streams.open(options.streams)
            started_s = time.monotonic()
            run = _Run(Progress(started_s, idle_s, limit_s=self._limit_s()))
            run.started_octets = self._own(direction, streams, port)

            def on_tick(now_s: float) -> bool:
                own = self._own(direction, streams, port) - run.started_octets
                run.progress.add(Sample(now_s, own))
                return not self._done(run, now_s, direction, streams, poller)

            def on_echo(echo: EchoTime) -> None:
                # The queue of the loaded direction only: lessons may fill the other.
                run.progress.add_rtt(idle_s + echo.wait_s(direction))

            late_s = pump(streams, pinger, on_echo, on_tick, options.tick_s)
            load_s = time.monotonic() - started_s
            share = streams.retransmitted_share()
            count, broken = len(streams), streams.broken
        finally:
            streams.close()
            port.close()
        return self._result(
            run, direction, poller, idle, share, load_s, late_s, count, broken
        )

    def _pacing_bps(
        self, poller: CounterPoller | None, idle: list[float], direction: Operation
    ) -> float:
        """Return the bound of a stream: little on a line that others fill already.

        Then the counters read the capacity anyway; ours only has to be there.
        """
        options = self._options
        readings = [] if poller is None else poller.readings()
        if options.base_rtt_s is None or not idle or len(readings) < 2:
            return options.pacing_bps
        if median(idle) <= queueing_from_s(options.base_rtt_s):
            return options.pacing_bps
        first, last = readings[0], readings[-1]
        octets = last.octets(direction) - first.octets(direction)
        filled_bps = 8 * octets / (last.at_s - first.at_s)
        return max(FULL_SHARE * filled_bps / options.streams, _LEAST_PACING_BPS)

    def _limit_s(self) -> float:
        refresh = self._refresh
        if self._counters is None or refresh is None or refresh.is_live:
            return self._options.limit_s
        return max(self._options.limit_s, refresh.period_s + 1.5)

    @staticmethod
    def _own(direction: Operation, streams: Streams, port: PortCounter) -> float:
        return float(port.read()) if direction == "down" else streams.sent_octets()

    def _done(
        self,
        run: _Run,
        now_s: float,
        direction: Operation,
        streams: Streams,
        poller: CounterPoller | None,
    ) -> bool:
        progress = run.progress
        if streams.broken or now_s - progress.started_s >= progress.limit_s:
            return True
        if progress.window_from is None:
            return False
        full = is_saturated(
            progress.loaded_rtt_s,
            progress.idle_rtt_s,
            streams.retransmitted_share(),
        )
        samples = (
            progress.window()
            if poller is None
            else self._counted(run, direction, poller)
        )
        return self._enough(samples, progress, saturated=full)

    def _enough(
        self, samples: list[Sample], progress: Progress, *, saturated: bool
    ) -> bool:
        """Say whether more of the line's time would buy nothing."""
        refresh = self._refresh
        if self._counters is not None and refresh is not None and not refresh.is_live:
            return saturated and len(samples) >= 2
        if not converged(batch_rates(samples)):
            return False
        return saturated or samples[-1].at_s - samples[0].at_s >= UNSATURATED_S

    def _counted(
        self, run: _Run, direction: Operation, poller: CounterPoller
    ) -> list[Sample]:
        """Return the router's samples of the window after the ramp."""
        window = run.progress.window()
        if not window:
            return []
        first_s = window[0].at_s
        readings = [r for r in poller.readings() if r.at_s >= first_s - 0.1]
        refresh = self._refresh
        is_live = refresh is not None and refresh.is_live
        samples = (live if is_live else edges)(readings, direction)
        return [sample for sample in samples if sample.at_s >= first_s]

    def _result(  # noqa: PLR0913, PLR0917 - the parts of one result
        self,
        run: _Run,
        direction: Operation,
        poller: CounterPoller | None,
        idle: list[float],
        retrans_share: float,
        load_s: float,
        late_s: float,
        streams: int,
        broken: bool,
    ) -> CapacityResult:
        progress = run.progress
        saturated = is_saturated(
            progress.loaded_rtt_s, progress.idle_rtt_s, retrans_share
        )
        own = estimate(progress.window(), saturated=saturated)
        total, basis = own, "wire"
        if poller is not None:
            counted = self._counted(run, direction, poller)
            refresh = self._refresh
            if len(counted) >= 2:
                basis = "router"
                total = estimate(counted, saturated=saturated)
                if refresh is not None and not refresh.is_live:
                    total = _between_edges(counted, own, saturated)
        if basis == "wire" and total.kind is ResultKind.CAPACITY:
            # Whether others used the line as well is not known: a lower bound.
            total = _as(total, ResultKind.AT_LEAST)
        if late_s > MAX_LATE_S or broken:
            total = _as(total, ResultKind.INVALID)
        cross = total.rate_bps - own.rate_bps if basis == "router" else None
        loaded = progress.loaded_rtt_s
        return CapacityResult(
            direction=direction,
            basis="router" if basis == "router" else "wire",
            total=total,
            goodput_bps=own.rate_bps,
            cross_bps=None if cross is None else max(0.0, cross),
            rtt_idle_s=median(idle) if idle else None,
            rtt_loaded_s=median(loaded) if loaded else None,
            saturated=saturated,
            streams=streams,
            load_s=load_s,
            wire_bytes=progress.samples[-1].octets if progress.samples else 0.0,
            late_s=late_s,
            limited_by="probe" if late_s > MAX_LATE_S else "",
        )


def _as(found: Estimate, kind: ResultKind) -> Estimate:
    return Estimate(
        kind,
        found.rate_bps,
        found.low_bps,
        found.high_bps,
        found.window_s,
        found.batches,
    )


def _between_edges(counted: list[Sample], own: Estimate, saturated: bool) -> Estimate:
    """Return an estimate over two refreshes; its scatter is judged on our own wire."""
    total = estimate(counted, saturated=saturated)
    share = (own.high_bps - own.rate_bps) / own.rate_bps if own.rate_bps else 1.0
    half_bps = clock_error_bps(counted) + share * total.rate_bps
    kind = ResultKind.CAPACITY if saturated else ResultKind.AT_LEAST
    return Estimate(
        kind,
        total.rate_bps,
        max(0.0, total.rate_bps - half_bps),
        total.rate_bps + half_bps,
        total.window_s,
        total.batches,
    )


def _idle_rtts(pinger: Pinger) -> list[float]:
    rtts: list[float] = []

    def on_echo(echo: EchoTime) -> None:
        rtts.append(echo.rtt_s)

    def on_tick(_: float) -> bool:
        return pinger.sent <= IDLE_PINGS

    pump(None, pinger, on_echo, on_tick)
    deadline_s = time.monotonic() + 0.3
    while pinger.answered < IDLE_PINGS and time.monotonic() < deadline_s:
        rtts += [echo.rtt_s for echo in pinger.receive()]
        time.sleep(TICK_S / 10)
    return rtts
