"""What a quantity is: kinds of measurement, their numbers, units and ranges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from netmon.units import HOUR_S, MAX_RATE_BPS

MAX_COUNT = 1e6
MAX_COUNTER = 2.0**64


class Unit(StrEnum):
    """Units as they end the metric's name; ``COUNT`` and ``NONE`` are bare."""

    BITS_PER_SECOND = "bps"
    ROUNDS_PER_MINUTE = "rpm"
    BYTES = "bytes"
    SECONDS = "s"
    RATIO = "ratio"
    DBM = "dbm"
    DB = "db"
    QAM = "qam"
    HERTZ = "hz"
    WATT = "w"
    COUNT = "count"
    TOTAL = "total"
    NONE = ""


class Layer(StrEnum):
    """Which bytes a rate counts: a line of 100 Mbit/s carries 95 of TCP payload."""

    NONE = ""
    IP = "ip"
    TCP_PAYLOAD = "tcp_payload"


@dataclass(frozen=True, slots=True)
class Metric:
    """One number: its name with unit, and the range outside which it is refused."""

    name: str
    unit: Unit
    low: float
    high: float
    layer: Layer = Layer.NONE


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of measurement.

    ``tags`` are required, ``optional_tags`` allowed. A value older than
    ``stale_after_s`` says nothing about now. ``keep_rollups`` is False for what
    nobody will ask for in a year (and there is a lot of it).
    """

    name: str
    tags: tuple[str, ...]
    metrics: tuple[Metric, ...]
    stale_after_s: float
    optional_tags: tuple[str, ...] = ()
    keep_rollups: bool = True


def bps(name: str, layer: Layer = Layer.NONE) -> Metric:
    """Return a rate in bit/s, up to more than any school line can be."""
    return Metric(name, Unit.BITS_PER_SECOND, 0.0, float(MAX_RATE_BPS), layer)


def seconds(name: str, high: float = HOUR_S, *, low: float = 0.0) -> Metric:
    """Return a duration in seconds; a negative ``low`` makes it a difference."""
    return Metric(name, Unit.SECONDS, low, high)


def ratio(name: str) -> Metric:
    """Return a share, 0 to 1."""
    return Metric(name, Unit.RATIO, 0.0, 1.0)


def count(name: str, high: float = MAX_COUNT) -> Metric:
    """Return how many there are now."""
    return Metric(name, Unit.COUNT, 0.0, high)


def total(name: str) -> Metric:
    """Return a counter that only grows, and starts anew with its process or device."""
    return Metric(name, Unit.TOTAL, 0.0, MAX_COUNTER)


def flag(name: str) -> Metric:
    """Return a yes or no, as 1 or 0."""
    return Metric(name, Unit.NONE, 0.0, 1.0)


def decibel(name: str, low: float, high: float) -> Metric:
    """Return a ratio of powers in dB."""
    return Metric(name, Unit.DB, low, high)


def dbm(name: str, low: float, high: float) -> Metric:
    """Return a power in dBm."""
    return Metric(name, Unit.DBM, low, high)


def hertz(name: str, low: float, high: float) -> Metric:
    """Return a frequency or width in Hz."""
    return Metric(name, Unit.HERTZ, low, high)


def qam(name: str) -> Metric:
    """Return the number of points of a modulation: 2 is BPSK, 4 is QPSK."""
    # What has no phase at all is no radio link.
    return Metric(name, Unit.QAM, 2.0, 65_536.0)


def optical(name: str) -> Metric:
    """Return an optical power in dBm."""
    # SFF-8472 counts 0.1 uW up to 6.6 mW (-40 to 8.2 dBm); amplifiers send more.
    return Metric(name, Unit.DBM, -60.0, 30.0)


def metrics_by_name(kinds: Iterable[Kind]) -> Mapping[str, Metric]:
    """Return every metric as the time-series database names it: kind, underscore, metric."""
    return {
        f"{kind.name}_{metric.name}": metric
        for kind in kinds
        for metric in kind.metrics
    }
