"""The three breach criteria of Vfg. 99/2021, counted for one direction; pure.

A deviation exists if

- *maximum*: not on at least two of three measuring days at least once 90 % of the
  agreed maximum is reached, or
- *normal*: the normally available rate is not reached in 90 % of the measurements, or
- *minimum*: on at least two of three measuring days the agreed minimum is undercut at
  least once.

Reached means at least as much, undercut means less. A rate given to these rules should
be the upper end of what was measured: then a breach holds against every doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from netmon.lease_wire import Direction
from netmon.storage.campaign_records import AgreedRates

# 90 % as whole numbers: no rounding decides a case on the edge.
_NUMERATOR, _DENOMINATOR = 9, 10
DAYS_NEEDED = 2


class Criterion(StrEnum):
    """The criteria, in the order of the rule."""

    MAXIMUM = "maximum"
    NORMAL = "normal"
    MINIMUM = "minimum"


class Verdict(StrEnum):
    """What became of a criterion."""

    HOLDS = "holds"
    BREACHED = "breached"
    NOT_AGREED = "not_agreed"
    NOT_ENOUGH = "not_enough"


@dataclass(frozen=True, slots=True)
class Finding:
    """A criterion with the numbers it rests on.

    ``agreed_bps`` is the contract's rate, ``threshold_bps`` what a measurement is
    held against (90 % of a maximum); both None where nothing is agreed. ``hits`` of
    ``total`` are days that reached the maximum's share, measurements that reached
    the normal rate, or days that undercut the minimum. ``limit`` is how many hits the
    rule asks for: fewer breach the first two, as many or more breach the third.
    """

    criterion: Criterion
    direction: Direction
    verdict: Verdict
    agreed_bps: int | None
    threshold_bps: float | None
    hits: int
    total: int
    limit: int


def highest_threshold_bps(agreed: AgreedRates) -> float:
    """Return the highest rate that a criterion asks for, in bit/s."""
    return max(
        agreed.maximum_bps * _NUMERATOR / _DENOMINATOR,
        agreed.normal_bps or 0,
        agreed.minimum_bps or 0,
    )


def maximum(
    direction: Direction,
    rates: Mapping[date, Sequence[float]],
    agreed_bps: int,
    *,
    complete: bool,
) -> Finding:
    """Return the first criterion; ``rates`` in bit/s by measuring day."""
    hits = sum(
        any(rate * _DENOMINATOR >= agreed_bps * _NUMERATOR for rate in of_day)
        for of_day in rates.values()
    )
    return Finding(
        criterion=Criterion.MAXIMUM,
        direction=direction,
        verdict=_verdict(breached=hits < DAYS_NEEDED, complete=complete),
        agreed_bps=agreed_bps,
        threshold_bps=agreed_bps * _NUMERATOR / _DENOMINATOR,
        hits=hits,
        total=len(rates),
        limit=DAYS_NEEDED,
    )


def normal(
    direction: Direction,
    rates: Mapping[date, Sequence[float]],
    agreed_bps: int | None,
    *,
    complete: bool,
) -> Finding:
    """Return the second criterion; ``rates`` in bit/s by measuring day."""
    every = [rate for of_day in rates.values() for rate in of_day]
    hits = 0 if agreed_bps is None else sum(rate >= agreed_bps for rate in every)
    verdict = _verdict(
        breached=hits * _DENOMINATOR < len(every) * _NUMERATOR, complete=complete
    )
    return Finding(
        criterion=Criterion.NORMAL,
        direction=direction,
        verdict=Verdict.NOT_AGREED if agreed_bps is None else verdict,
        agreed_bps=agreed_bps,
        threshold_bps=None if agreed_bps is None else float(agreed_bps),
        hits=hits,
        total=len(every),
        limit=-(-len(every) * _NUMERATOR // _DENOMINATOR),
    )


def minimum(
    direction: Direction,
    rates: Mapping[date, Sequence[float]],
    agreed_bps: int | None,
    *,
    complete: bool,
) -> Finding:
    """Return the third criterion; ``rates`` in bit/s by measuring day."""
    hits = 0
    if agreed_bps is not None:
        hits = sum(any(rate < agreed_bps for rate in day) for day in rates.values())
    verdict = _verdict(breached=hits >= DAYS_NEEDED, complete=complete)
    return Finding(
        criterion=Criterion.MINIMUM,
        direction=direction,
        verdict=Verdict.NOT_AGREED if agreed_bps is None else verdict,
        agreed_bps=agreed_bps,
        threshold_bps=None if agreed_bps is None else float(agreed_bps),
        hits=hits,
        total=len(rates),
        limit=DAYS_NEEDED,
    )


def findings(
    direction: Direction,
    rates: Mapping[date, Sequence[float]],
    agreed: AgreedRates,
    *,
    complete: bool,
) -> tuple[Finding, Finding, Finding]:
    """Return all three criteria of a direction.

    ``complete`` is False where measurements are missing: then no criterion has a
    verdict, only its count so far.
    """
    return (
        maximum(direction, rates, agreed.maximum_bps, complete=complete),
        normal(direction, rates, agreed.normal_bps, complete=complete),
        minimum(direction, rates, agreed.minimum_bps, complete=complete),
    )


def _verdict(*, breached: bool, complete: bool) -> Verdict:
    if not complete:
        return Verdict.NOT_ENOUGH
    return Verdict.BREACHED if breached else Verdict.HOLDS
