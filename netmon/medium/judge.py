"""Is it the line itself? A pure judgement of DSL, light and radio.

Values are those of the kinds in `netmon.metrics.MEDIUM_KINDS`. A finding is a
code with its numbers; `netmon.medium.words` says it. What nothing can be
compared with is not judged: no finding without a threshold of
`netmon.medium.limits`, and no "in order" without a check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from netmon.medium.limits import THRESHOLDS
from netmon.model import Line, expected_down_bps

# Metric by name; None where the device does not say it.
Values = Mapping[str, float | None]


class MediumState(StrEnum):
    """How the medium is; nothing was comparable for UNKNOWN."""

    OK = "ok"
    WARN = "warn"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


_RANK = (
    MediumState.CRITICAL,
    MediumState.WARN,
    MediumState.OK,
    MediumState.UNKNOWN,
)


class Finding(Struct, frozen=True, omit_defaults=True):
    """One thing noticed. ``numbers`` end in their unit; ``where`` is a port or radio."""

    code: str
    state: MediumState
    numbers: dict[str, float] = {}
    where: str = ""


class MediumHealth(Struct, frozen=True, omit_defaults=True):
    """The judgement: its worst finding decides; findings come worst first."""

    state: MediumState
    findings: tuple[Finding, ...] = ()


class Baseline(Struct, frozen=True):
    """What is usual for this line.

    ``typical`` is what rates and modulation reach and around what levels lie;
    ``at_midnight`` are the counters at the day's begin. What is not known yet
    is missing.
    """

    typical: Mapping[str, float] = {}
    at_midnight: Mapping[str, float] = {}


class _Book:
    """Collects what the checks of one judgement find."""

    def __init__(self, values: Values, baseline: Baseline | None) -> None:
        self.values = values
        self.baseline = baseline or Baseline()
        self.findings: list[Finding] = []
        self.checked = False

    def value(self, name: str) -> float | None:
        return self.values.get(name)

    def note(self, code: str, state: MediumState, **numbers: float) -> None:
        self.findings.append(Finding(code, state, numbers))

    def health(self) -> MediumHealth:
        return combine([_health(self.findings, self.checked)])


def _health(findings: Sequence[Finding], checked: bool) -> MediumHealth:
    if not findings:
        return MediumHealth(MediumState.OK if checked else MediumState.UNKNOWN)
    worst = min((f.state for f in findings), key=_RANK.index)
    return MediumHealth(worst, tuple(findings))


def combine(healths: Iterable[MediumHealth]) -> MediumHealth:
    """Return several judgements as one; UNKNOWN counts only if all are."""
    healths = list(healths)
    if not healths:
        return MediumHealth(MediumState.UNKNOWN)
    worst = min((health.state for health in healths), key=_RANK.index)
    findings = [finding for health in healths for finding in health.findings]
    ordered = sorted(findings, key=lambda finding: _RANK.index(finding.state))
    return MediumHealth(worst, tuple(ordered))


def judge_dsl(current: Values, baseline: Baseline | None, line: Line) -> MediumHealth:
    """Judge a DSL; ``current`` are metrics of ``line_dsl``."""
    book = _Book(current, baseline)
    if book.value("up") == 0:
        book.note("dsl_down", MediumState.CRITICAL)
        return book.health()
    _dsl_rates(book, line)
    for way in ("down", "up"):
        _dsl_margin(book, way)
    rate, attainable = book.value("rate_down_bps"), book.value("attainable_down_bps")
    if rate and attainable and attainable / rate < _warn("dsl_no_reserve"):
        book.checked = True
        book.note(
            "dsl_no_reserve",
            MediumState.WARN,
            rate_bps=rate,
            attainable_bps=attainable,
        )
    _dsl_errors(book)
    return book.health()


def _warn(code: str) -> float:
    warn = THRESHOLDS[code].warn
    if warn is None:
        raise ValueError(f"{code} has no warning grade")
    return warn


def _grades(code: str) -> list[tuple[MediumState, float]]:
    """Return the grades of a threshold, the worse one first."""
    limit = THRESHOLDS[code]
    grades = (
        (MediumState.CRITICAL, limit.critical),
        (MediumState.WARN, limit.warn),
    )
    return [(state, at) for state, at in grades if at is not None]


def _state(way: str, rate_bps: float, line: Line) -> MediumState:
    """Too slow for what the line must reach is a fault, less is a remark."""
    too_slow = way == "down" and rate_bps < expected_down_bps(line)
    return MediumState.CRITICAL if too_slow else MediumState.WARN


def _dsl_rates(book: _Book, line: Line) -> None:
    for way, contracted in (
        ("down", line.contracted_down_bps),
        ("up", line.contracted_up_bps),
    ):
        rate = book.value(f"rate_{way}_bps")
        if rate is None:
            continue
        book.checked = True
        state = _state(way, rate, line)
        suffix = "" if way == "down" else "_up"
        typical = book.baseline.typical.get(f"rate_{way}_bps")
        if typical and rate / typical < _warn("dsl_rate_fell"):
            book.note(
                f"dsl_rate{suffix}_fell", state, rate_bps=rate, typical_bps=typical
            )
        elif rate / contracted < _warn("dsl_rate_low"):
            book.note(
                f"dsl_rate{suffix}_low", state, rate_bps=rate, contracted_bps=contracted
            )


def _dsl_margin(book: _Book, way: str) -> None:
    name = f"snr_margin_{way}_db"
    margin = book.value(name)
    if margin is None:
        return
    book.checked = True
    for state, limit in _grades("dsl_margin_low"):
        if margin < limit:
            code = f"dsl_margin_{way}_low"
            book.note(code, state, margin_db=margin, limit_db=limit)
            return
    typical = book.baseline.typical.get(name)
    if typical is not None and typical - margin >= _warn("dsl_margin_fell"):
        book.note(
            f"dsl_margin_{way}_fell",
            MediumState.WARN,
            margin_db=margin,
            typical_db=typical,
        )


def _dsl_errors(book: _Book) -> None:
    errored = book.value("errored_seconds_15min_count")
    if errored is not None and errored > _warn("dsl_errors"):
        book.note("dsl_errors", MediumState.WARN, seconds_count=errored)
    severe = book.value("severely_errored_seconds_15min_count")
    if severe is not None and severe > _warn("dsl_severe_errors"):
        book.note("dsl_severe_errors", MediumState.WARN, seconds_count=severe)
    resyncs = resyncs_today(book.values, book.baseline)
    for state, limit in _grades("dsl_resyncs"):
        if resyncs is not None and resyncs >= limit:
            book.note("dsl_resyncs", state, resyncs_count=resyncs)
            return


def resyncs_today(values: Values, baseline: Baseline) -> float | None:
    """Return how often a DSL began anew today; None where nothing tells it.

    A counter below its value of midnight began anew with the device.
    """
    told = values.get("resyncs_day_count")
    if told is not None:
        return told
    now, then = values.get("resyncs_total"), baseline.at_midnight.get("resyncs_total")
    if now is None or then is None:
        return None
    return now - then if now >= then else now


def judge_optics(
    current: Values, baseline: Baseline | None, line: Line
) -> MediumHealth:
    """Judge the light at a module; ``current`` are metrics of ``line_optics``.

    Light says nothing about rates: the contract of ``line`` plays no part.
    """
    del line
    book = _Book(current, baseline)
    found = [_optics_limits(book, way) for way in ("rx", "tx")]
    received, alarm = book.value("rx_dbm"), book.value("rx_low_alarm_dbm")
    dark = THRESHOLDS["optics_dark"].critical
    if received is None:
        return book.health()
    if dark is not None and received <= dark and not found[0]:
        book.note("optics_dark", MediumState.CRITICAL, power_dbm=received)
        return book.health()
    if not found[0] and alarm is not None:
        above = received - alarm
        if above < _warn("optics_margin"):
            book.note(
                "optics_margin", MediumState.WARN, power_dbm=received, above_db=above
            )
    _fell(book, "rx_dbm", "optics_rx_fell", "optics_rx_fell")
    return book.health()


def _optics_limits(book: _Book, way: str) -> bool:
    """Note power outside the module's own limits; say whether it is."""
    power = book.value(f"{way}_dbm")
    if power is None:
        return False
    for grade, state in (
        ("alarm", MediumState.CRITICAL),
        ("warn", MediumState.WARN),
    ):
        for side in ("low", "high"):
            limit = book.value(f"{way}_{side}_{grade}_dbm")
            if limit is None:
                continue
            book.checked = True
            if power < limit if side == "low" else power > limit:
                book.note(
                    f"optics_{way}_{side}", state, power_dbm=power, limit_dbm=limit
                )
                return True
    return False


def _fell(book: _Book, name: str, threshold: str, code: str) -> None:
    """Note a level in dBm that lies well below what is usual."""
    level, typical = book.value(name), book.baseline.typical.get(name)
    if level is None or typical is None:
        return
    book.checked = True
    drop = typical - level
    for state, limit in _grades(threshold):
        if drop >= limit:
            book.note(code, state, power_dbm=level, drop_db=drop)
            return


def judge_radio(current: Values, baseline: Baseline | None, line: Line) -> MediumHealth:
    """Judge a point-to-point radio; ``current`` are metrics of ``line_radio``.

    Without a ``baseline`` nothing is compared with what is usual.
    """
    book = _Book(current, baseline)
    if book.value("up") == 0:
        book.note("radio_down", MediumState.CRITICAL)
        return book.health()
    capacity = book.value("capacity_down_bps")
    slow = capacity is not None and capacity < expected_down_bps(line)
    # What the air does comes first: it is why the link carries less.
    for name, code in (
        ("modulation_qam", "radio_modulation_low"),
        ("modulation_far_qam", "radio_modulation_far_low"),
    ):
        modulation = book.value(name)
        typical = book.baseline.typical.get(name)
        if modulation is None or typical is None:
            continue
        book.checked = True
        if modulation / typical < _warn("radio_modulation_low"):
            book.note(
                code,
                MediumState.CRITICAL if slow else MediumState.WARN,
                modulation_qam=modulation,
                typical_qam=typical,
            )
    _radio_capacity(book, line)
    _fell(book, "rx_level_dbm", "radio_level_fell", "radio_level_fell")
    _fell(book, "rx_level_far_dbm", "radio_level_fell", "radio_level_far_fell")
    return book.health()


def _radio_capacity(book: _Book, line: Line) -> None:
    """Note a radio that cannot carry the contract."""
    for way, contracted in (
        ("down", line.contracted_down_bps),
        ("up", line.contracted_up_bps),
    ):
        capacity = book.value(f"capacity_{way}_bps")
        if capacity is None:
            continue
        book.checked = True
        if capacity / contracted < _warn("radio_capacity_low"):
            book.note(
                "radio_capacity_low" if way == "down" else "radio_capacity_up_low",
                _state(way, capacity, line),
                capacity_bps=capacity,
                contracted_bps=contracted,
            )


Judge = Callable[[Values, Baseline | None, Line], MediumHealth]

JUDGES: Mapping[str, Judge] = {
    "line_dsl": judge_dsl,
    "line_optics": judge_optics,
    "line_radio": judge_radio,
}


def merge(readings: Sequence[Values]) -> Values:
    """Return the pairs or carriers of one line as one: together they carry it.

    Rates add up (None if one of them is not known), counters too; of levels and
    margins the worst counts, and one that is up keeps the line up.
    """
    names = list(dict.fromkeys(name for reading in readings for name in reading))
    merged: dict[str, float | None] = {}
    for name in names:
        values = [reading.get(name) for reading in readings]
        known = [value for value in values if value is not None]
        if not known:
            merged[name] = None
        elif name.endswith("_bps"):
            merged[name] = sum(known) if len(known) == len(values) else None
        elif name.endswith(("_count", "_total")):
            merged[name] = sum(known)
        else:
            worst_is_high = name.startswith(("attenuation", "mse", "airtime", "noise"))
            merged[name] = max(known) if name == "up" or worst_is_high else min(known)
    return merged


def at_place(health: MediumHealth, where: str) -> MediumHealth:
    """Return the judgement with the port or radio that it is about."""
    return MediumHealth(
        health.state,
        tuple(replace(finding, where=where) for finding in health.findings),
    )
