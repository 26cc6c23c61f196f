"""The tables of a report: pure, from an evaluation."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from netmon.clock import BERLIN, from_ms
from netmon.documents.blocks import Column, Table
from netmon.evidence.criteria import Finding, Verdict
from netmon.evidence.plan import AFTER_PAUSE
from netmon.evidence.readings import Evaluation, Gap, Measurement, Reading
from netmon.lease_wire import Direction
from netmon.texts import NO_VALUE, Texts
from netmon.units import to_mbits


def mbits(rate_bps: float | None, texts: Texts, decimals: int = 1) -> str:
    """Return a rate in Mbit/s without its unit, which stands in the table's head."""
    return texts.number(None if rate_bps is None else to_mbits(rate_bps), decimals)


def clock_text(at_ms: int) -> str:
    """Return the time of day in Dortmund with seconds."""
    return f"{_local(at_ms):%H:%M:%S}"


def _local(at_ms: int) -> datetime:
    return from_ms(at_ms).astimezone(BERLIN)


def _column(
    texts: Texts, key: str, weight: float = 1.0, *, right: bool = True
) -> Column:
    head = texts(f"evidence.column.{key}")
    return Column(head, weight, "right" if right else "left")


def _when(one: Measurement, texts: Texts, at_ms: int) -> tuple[str, str, str]:
    return str(one.number), texts.date(from_ms(at_ms)), clock_text(at_ms)


def _when_columns(texts: Texts) -> tuple[Column, Column, Column]:
    return (
        _column(texts, "number", 0.5),
        _column(texts, "day", 1.25, right=False),
        _column(texts, "time", 1.05, right=False),
    )


def criteria_table(evaluation: Evaluation, texts: Texts) -> Table:
    """Return all criteria with agreed rate, what was found, and the verdict."""
    return Table(
        caption=texts("evidence.table.criteria"),
        columns=(
            _column(texts, "direction", 0.9, right=False),
            _column(texts, "criterion", 2.1, right=False),
            _column(texts, "agreed", 1.0),
            _column(texts, "threshold", 1.0),
            _column(texts, "found", 2.6, right=False),
            _column(texts, "verdict", 1.4, right=False),
        ),
        rows=tuple(
            (
                texts(f"evidence.direction.{one.direction}"),
                texts(f"evidence.criterion.{one.criterion}"),
                mbits(one.agreed_bps, texts),
                mbits(one.threshold_bps, texts),
                finding_text(one, texts),
                texts(f"evidence.verdict.{one.verdict}"),
            )
            for one in evaluation.findings
        ),
    )


def finding_text(finding: Finding, texts: Texts) -> str:
    """Return the numbers a criterion rests on, in words; ``–`` if nothing is agreed."""
    if finding.agreed_bps is None:
        return NO_VALUE
    return texts(
        f"evidence.found.{finding.criterion}",
        hits=finding.hits,
        total=finding.total,
        limit=finding.limit,
    )


def days_table(evaluation: Evaluation, texts: Texts) -> Table:
    """Return the measuring days: how many, how far apart, the best of each."""
    rows = []
    for day, measurements in evaluation.days.items():
        valid = [one for one in measurements if one.valid]
        times = sorted(one.at_ms for one in valid)
        gaps = [(b - a) / 1000 for a, b in pairwise(times)]
        pause = gaps[AFTER_PAUSE - 1] if len(times) == len(measurements) else None
        down = [one.down.compared_bps for one in valid if one.down is not None]
        up = [one.up.compared_bps for one in valid if one.up is not None]
        rows.append(
            (
                texts.date(day),
                f"{len(valid)} / {len(measurements)}",
                clock_text(times[0]) if times else NO_VALUE,
                clock_text(times[-1]) if times else NO_VALUE,
                texts.duration(min(gaps) if gaps else None),
                texts.duration(pause),
                mbits(max(down, default=None), texts),
                mbits(max(up, default=None), texts),
            )
        )
    return Table(
        caption=texts("evidence.table.days"),
        columns=(
            _column(texts, "day", 1.2, right=False),
            _column(texts, "valid", 0.8),
            _column(texts, "first", 1.0),
            _column(texts, "last", 1.0),
            _column(texts, "least_gap", 1.1),
            _column(texts, "pause", 1.3),
            _column(texts, "best_down", 1.1),
            _column(texts, "best_up", 1.1),
        ),
        rows=tuple(rows),
    )


def rates_table(evaluation: Evaluation, direction: Direction, texts: Texts) -> Table:
    """Return every measurement of a direction, layer by layer."""
    rows = []
    for one in evaluation.happened:
        reading = one.down if direction is Direction.DOWN else one.up
        if reading is None or reading.why is not None:
            gap = texts("evidence.gap_cell")
            rows.append((*_when(one, texts, one.planned_ms), gap, *[NO_VALUE] * 5))
            continue
        rows.append(
            (
                *_when(one, texts, reading.result.at_ms),
                _rate_text(reading, texts),
                _interval_text(reading, texts),
                mbits(reading.compared_bps, texts),
                mbits(reading.value("capacity_D_bps"), texts),
                texts.percent(reading.foreign_share),
                _basis_text(reading, texts),
            )
        )
    way = texts(f"evidence.direction.{direction}")
    return Table(
        caption=texts("evidence.table.rates", direction=way),
        columns=(
            *_when_columns(texts),
            _column(texts, "rate", 1.15),
            _column(texts, "interval", 1.55),
            _column(texts, "compared", 1.1),
            _column(texts, "ip", 1.0),
            _column(texts, "foreign", 0.95),
            _column(texts, "basis", 1.0, right=False),
        ),
        rows=tuple(rows),
    )


def _rate_text(reading: Reading, texts: Texts) -> str:
    if reading.rate_bps is not None:
        return mbits(reading.rate_bps, texts)
    bound = reading.value("at_least_D_bps")
    return NO_VALUE if bound is None else f"≥ {mbits(bound, texts)}"


def _interval_text(reading: Reading, texts: Texts) -> str:
    low, high = reading.value("rate_D_low_bps"), reading.value("rate_D_high_bps")
    if low is None or high is None:
        return NO_VALUE
    return f"{mbits(low, texts)} – {mbits(high, texts)}"


def _basis_text(reading: Reading, texts: Texts) -> str:
    basis = reading.result.tags.get("basis", "")
    key = f"evidence.basis.{basis}"
    return texts(key) if texts.has(key) else basis or NO_VALUE


def delays_table(evaluation: Evaluation, texts: Texts) -> Table:
    """Return round trips and resent segments, both directions beside each other."""
    rows = []
    for one in evaluation.valid:
        cells = list(_when(one, texts, one.at_ms))
        for reading in one.readings:
            cells += [
                _milliseconds(reading.value("rtt_idle_s"), texts),
                _milliseconds(reading.value("rtt_loaded_s"), texts),
                texts.percent(reading.value("retransmitted_ratio"), 2),
            ]
        rows.append(tuple(cells))
    return Table(
        caption=texts("evidence.table.delays"),
        columns=(
            *_when_columns(texts),
            *(
                Column(texts(f"evidence.column.{key}", way=way), 1.0, "right")
                for way in ("D", "U")
                for key in ("rtt_idle", "rtt_loaded", "resent")
            ),
        ),
        rows=tuple(rows),
    )


def _milliseconds(duration_s: float | None, texts: Texts) -> str:
    return texts.number(None if duration_s is None else duration_s * 1000, 1)


def probe_table(evaluation: Evaluation, texts: Texts) -> Table:
    """Return the probe's certificate of each measurement, the worse direction's."""
    rows = []
    for one in evaluation.valid:

        def worst(
            name: str, readings: tuple[Reading, ...] = one.readings
        ) -> float | None:
            known = [v for r in readings if (v := r.value(name)) is not None]
            return max(known, key=abs, default=None)

        def least(
            name: str, readings: tuple[Reading, ...] = one.readings
        ) -> float | None:
            known = [v for r in readings if (v := r.value(name)) is not None]
            return min(known, default=None)

        rows.append(
            (
                *_when(one, texts, one.at_ms),
                mbits(least("port_speed_bps"), texts, 0),
                mbits(least("loopback_ceiling_bps"), texts, 0),
                texts.percent(worst("cpu_busy_ratio"), 0),
                texts.percent(worst("cpu_steal_ratio"), 1),
                _milliseconds(worst("probe_late_s"), texts),
                texts.number(worst("clock_offset_s"), 2),
            )
        )
    return Table(
        caption=texts("evidence.table.probe"),
        columns=(
            *_when_columns(texts),
            _column(texts, "port", 1.25),
            _column(texts, "ceiling", 1.1),
            _column(texts, "cpu"),
            _column(texts, "steal"),
            _column(texts, "late"),
            _column(texts, "clock"),
        ),
        rows=tuple(rows),
    )


def gaps_table(evaluation: Evaluation, texts: Texts) -> Table | None:
    """Return the planned measurements without a valid one; None without gaps."""
    rows = tuple(
        (
            *_when(one, texts, one.planned_ms),
            str(one.tries),
            gap_text(one.down, texts),
            gap_text(one.up, texts),
        )
        for one in evaluation.happened
        if not one.valid
    )
    if not rows:
        return None
    return Table(
        caption=texts("evidence.table.gaps"),
        columns=(
            *_when_columns(texts),
            _column(texts, "tries", 0.8),
            _column(texts, "why_down", 2.4, right=False),
            _column(texts, "why_up", 2.4, right=False),
        ),
        rows=rows,
    )


def gap_text(reading: Reading | None, texts: Texts) -> str:
    """Return why a direction does not count; ``–`` where it does."""
    if reading is None:
        return texts(f"evidence.gap.{Gap.NOTHING}")
    if reading.why is None:
        return NO_VALUE
    if isinstance(reading.why, Gap):
        return texts(f"evidence.gap.{reading.why}")
    return texts(f"failure.{reading.why}")


def breached(evaluation: Evaluation) -> tuple[Finding, ...]:
    """Return the findings that are breaches, in order of rule and direction."""
    return tuple(one for one in evaluation.findings if one.verdict is Verdict.BREACHED)
