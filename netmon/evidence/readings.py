"""From the records of a chain to measurements, gaps and criteria; pure.

A measurement is a planned moment with both directions. A result counts when it has a
rate with its interval (the line was full, every octet counted) or, of a line that
varies, the interval alone. A lower bound counts only where it reaches every rate that
is agreed: then it is certain that the line did what was asked. Below that it cannot
tell a good line from a bad one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from netmon.clock import berlin_day
from netmon.evidence.criteria import Finding, findings, highest_threshold_bps
from netmon.evidence.plan import MOMENTS, spacing_faults
from netmon.evidence.records import End, Order, Record, Result
from netmon.lease_wire import Direction
from netmon.model import FailureReason
from netmon.storage.campaign_records import CampaignState


class Gap(StrEnum):
    """Why a result that did not fail still does not count; failures have their own."""

    NOTHING = "nothing"
    LOWER_BOUND = "lower_bound"
    NO_RATE = "no_rate"
    OTHER_LINE = "other_line"


@dataclass(frozen=True, slots=True)
class Reading:
    """One direction of a measurement.

    ``why`` is None where it counts, else a `Gap` or a `FailureReason`.
    """

    direction: Direction
    result: Result
    why: Gap | FailureReason | None

    def value(self, name: str) -> float | None:
        """Return a number of the result; ``D`` in the name is the direction."""
        return self.result.values.get(name.replace("D", self.direction.value))

    @property
    def rate_bps(self) -> float | None:
        """Capacity in TCP payload; None where only a range or nothing is known."""
        return self.value("rate_D_bps")

    @property
    def compared_bps(self) -> float:
        """What criteria use: the upper end of the interval, else rate or bound."""
        names = ("rate_D_high_bps", "rate_D_bps", "at_least_D_bps")
        known = [value for value in map(self.value, names) if value is not None]
        return known[0] if known else 0.0

    @property
    def foreign_share(self) -> float | None:
        """Share of others' traffic in what the line carried (IP layer), 0 to 1."""
        cross, capacity = self.value("cross_D_bps"), self.value("capacity_D_bps")
        if cross is None or not capacity:
            return None
        return min(1.0, cross / capacity)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A planned moment and what came of it; ``number`` counts from 1."""

    number: int
    planned_ms: int
    down: Reading | None
    up: Reading | None
    tries: int

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The directions that have a result."""
        return tuple(one for one in (self.down, self.up) if one is not None)

    @property
    def valid(self) -> bool:
        """Whether both directions count."""
        return len(self.readings) == 2 and all(r.why is None for r in self.readings)

    @property
    def at_ms(self) -> int:
        """When it began; the planned moment where there is no result."""
        return min((r.result.at_ms for r in self.readings), default=self.planned_ms)

    @property
    def day(self) -> date:
        """The measuring day in Dortmund."""
        return berlin_day(self.planned_ms)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that a chain says.

    ``complete`` is True with 30 valid measurements that keep the rule's distances;
    only then have the findings verdicts. ``faults`` are the distances not kept, of
    a full set. ``outside`` are results that belong to no planned moment. ``as_of_ms``
    is when the newest record came to the gateway.
    """

    order: Order
    state: CampaignState
    ended_ms: int | None
    as_of_ms: int
    measurements: tuple[Measurement, ...]
    findings: tuple[Finding, ...]
    complete: bool
    faults: tuple[str, ...]
    outside: int
    results: int

    @property
    def valid(self) -> tuple[Measurement, ...]:
        """The measurements that count."""
        return tuple(one for one in self.measurements if one.valid)

    @property
    def happened(self) -> tuple[Measurement, ...]:
        """The measurements that are over: all, once the campaign has ended."""
        if self.state is not CampaignState.RUNNING:
            return self.measurements
        return tuple(
            one
            for one in self.measurements
            if one.valid or one.planned_ms + self.order.window_ms <= self.as_of_ms
        )

    @property
    def days(self) -> Mapping[date, tuple[Measurement, ...]]:
        """All measurements by measuring day."""
        found: dict[date, list[Measurement]] = {}
        for one in self.measurements:
            found.setdefault(one.day, []).append(one)
        return {day: tuple(of_day) for day, of_day in found.items()}

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Every direction of a measurement that has a result."""
        return tuple(r for one in self.measurements for r in one.readings)

    @property
    def generated(self) -> bool:
        """Whether a result is made-up data of the demo."""
        return any(r.result.generated for r in self.readings)


class NoOrderError(ValueError):
    """A chain does not begin with the campaign itself."""


def evaluate(records: Sequence[Record]) -> Evaluation:
    """Return what the records of a chain say.

    Raises:
        NoOrderError: the first record is no campaign.
    """
    if not records or not isinstance(records[0], Order):
        raise NoOrderError("the chain does not begin with a campaign")
    order = records[0]
    results = [one for one in records if isinstance(one, Result)]
    end = next((one for one in records if isinstance(one, End)), None)
    by_moment: list[list[Result]] = [[] for _ in order.moments_ms]
    outside = 0
    for result in results:
        index = _moment_of(order, result.at_ms)
        if index is None:
            outside += 1
        else:
            by_moment[index].append(result)
    measurements = tuple(
        _measurement(order, index, found) for index, found in enumerate(by_moment)
    )
    valid = [one for one in measurements if one.valid]
    full = len(valid) >= MOMENTS
    faults = tuple(spacing_faults([one.at_ms for one in valid])) if full else ()
    complete = full and not faults
    return Evaluation(
        order=order,
        state=CampaignState.RUNNING if end is None else end.state,
        ended_ms=None if end is None else end.at_ms,
        as_of_ms=max([order.started_ms, *(one.received_ms for one in results)]),
        measurements=measurements,
        findings=(
            *findings(
                Direction.DOWN, _rates(valid, "down"), order.down, complete=complete
            ),
            *findings(Direction.UP, _rates(valid, "up"), order.up, complete=complete),
        ),
        complete=complete,
        faults=faults,
        outside=outside,
        results=len(results),
    )


def _moment_of(order: Order, at_ms: int) -> int | None:
    for index, moment in enumerate(order.moments_ms):
        if moment - order.early_ms <= at_ms < moment + order.window_ms:
            return index
    return None


def _measurement(order: Order, index: int, found: Sequence[Result]) -> Measurement:
    down = [r for r in found if _direction(r) is Direction.DOWN]
    up = [r for r in found if _direction(r) is Direction.UP]
    return Measurement(
        number=index + 1,
        planned_ms=order.moments_ms[index],
        down=_choose(order, Direction.DOWN, down),
        up=_choose(order, Direction.UP, up),
        tries=max(len(down), len(up)),
    )


def _direction(result: Result) -> Direction | None:
    try:
        return Direction(result.tags.get("direction", ""))
    except ValueError:
        return None


def _choose(
    order: Order, direction: Direction, found: Iterable[Result]
) -> Reading | None:
    """Return the first result that counts, else the last one; None without any."""
    in_order = sorted(found, key=lambda r: (r.at_ms, r.source, r.seq))
    readings = [
        Reading(direction, result, _why_not(order, direction, result))
        for result in in_order
    ]
    counting = next((one for one in readings if one.why is None), None)
    return counting or (readings[-1] if readings else None)


def _why_not(
    order: Order, direction: Direction, result: Result
) -> Gap | FailureReason | None:
    if result.failure is not None:
        try:
            return FailureReason(result.failure)
        except ValueError:
            # A newer netmon may know more reasons; the record keeps the word.
            return FailureReason.INTERNAL
    if result.tags.get("line") != order.line_id:
        return Gap.OTHER_LINE
    way = direction.value
    has_range = {f"rate_{way}_low_bps", f"rate_{way}_high_bps"} <= result.values.keys()
    if f"rate_{way}_bps" in result.values or has_range:
        return None
    bound_bps = result.values.get(f"at_least_{way}_bps")
    if bound_bps is None:
        return Gap.NO_RATE
    agreed = order.down if direction is Direction.DOWN else order.up
    enough = bound_bps >= highest_threshold_bps(agreed)
    return None if enough else Gap.LOWER_BOUND


def _rates(valid: Iterable[Measurement], way: str) -> dict[date, list[float]]:
    rates: dict[date, list[float]] = {}
    for one in valid:
        reading = one.down if way == "down" else one.up
        if reading is not None:
            rates.setdefault(one.day, []).append(reading.compared_bps)
    return rates
