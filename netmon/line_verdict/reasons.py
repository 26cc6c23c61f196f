"""Why a line has its verdict: a closed list of codes, each with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from netmon.line_verdict.facts import PASSIVE, LineFacts, Statement, Worth, telling
from netmon.medium import Finding, MediumHealth, MediumState
from netmon.model import (
    TARGET_DOWN_BPS,
    FailureReason,
    Line,
    Technology,
    expected_down_bps,
)
from netmon.path import Fault
from netmon.path import Verdict as PathVerdict
from netmon.units import MBIT

# Less than this is background noise of devices, nobody's traffic.
_QUIET_BPS = 0.1 * MBIT


class ReasonCode(StrEnum):
    """A reason; ``verdict.reason.<code>`` says it in words.

    The first group are headlines only, the others are told below one as well.
    """

    BELOW_MEDIUM = "below_medium"
    BELOW_MEDIUM_FINE = "below_medium_fine"
    BELOW_PATH = "below_path"
    BELOW = "below"
    BELOW_UNKNOWN = "below_unknown"
    RECOVERING = "recovering"
    SUSPECT = "suspect"
    SUSPECT_MEDIUM = "suspect_medium"
    FULL = "full"
    CONTRACT = "contract"
    NOT_JUDGED = "not_judged"
    UNMEASURED_MEDIUM = "unmeasured_medium"
    UNMEASURED_PATH = "unmeasured_path"
    PROBE_LIMITED = "probe_limited"

    OTHER_LINE = "other_line"
    FAILING = "failing"
    FAILING_EVER = "failing_ever"
    SILENT = "silent"
    NEVER = "never"

    CAPACITY = "capacity"
    MEASURED = "measured"
    AT_LEAST = "at_least"
    PASSIVE = "passive"
    RANGE = "range"
    RANGE_RADIO = "range_radio"
    DEMAND = "demand"
    DEMAND_IDLE = "demand_idle"

    EXPECTED = "expected"
    COUNTED_ROUTER = "counted_router"
    COUNTED_NOTHING = "counted_nothing"
    LOWER_BOUND = "lower_bound"
    ROUND_TRIPS = "round_trips"
    UP = "up"
    UP_AT_LEAST = "up_at_least"
    LIGHT_FINE = "light_fine"
    DSL_FINE = "dsl_fine"
    RADIO_FINE = "radio_fine"
    MEDIUM_FINE = "medium_fine"
    FINDING = "finding"
    PATH = "path"
    PATH_AFTER = "path_after"
    FAILED = "failed"


class Reason(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One reason. Names of ``numbers`` end in their unit.

    ``at_ms`` is when it was measured or began, None where it has no time.
    ``finding`` is one of the line's medium, ``failure`` why there is no number,
    ``blamed`` the guilty segment of the way to the internet.
    """

    code: ReasonCode
    numbers: dict[str, float] = {}
    at_ms: int | None = None
    method: str = ""
    finding: Finding | None = None
    failure: FailureReason | None = None
    blamed: PathVerdict | None = None


def below(line: Line, measured: LineFacts, medium: MediumHealth) -> list[Reason]:
    """Return why a line is below its target, as far as the medium explains it."""
    known = telling(line, measured)
    expected_bps = expected_down_bps(line)
    target = Reason(code=ReasonCode.EXPECTED, numbers={"expected_bps": expected_bps})
    if known is None:
        return [Reason(code=ReasonCode.BELOW_UNKNOWN), target]
    if (known.shown_bps or 0.0) >= expected_bps:
        code = ReasonCode.RECOVERING
    elif medium.findings:
        code = ReasonCode.BELOW_MEDIUM
    elif _breaks(measured):
        code = ReasonCode.BELOW_PATH
    elif medium.state is MediumState.OK:
        code = ReasonCode.BELOW_MEDIUM_FINE
    else:
        code = ReasonCode.BELOW
    reason = _of_contract(code, line, known, medium)
    if code is ReasonCode.BELOW_PATH:
        reason = replace(reason, blamed=measured.blamed)
    return [reason, target]


def suspected(line: Line, measured: LineFacts, medium: MediumHealth) -> list[Reason]:
    """Return what awaits its confirmation."""
    known = telling(line, measured)
    if known is None:
        return [Reason(code=ReasonCode.NOT_JUDGED)]
    code = ReasonCode.SUSPECT_MEDIUM if medium.findings else ReasonCode.SUSPECT
    return [_of_contract(code, line, known, medium)]


def _of_contract(
    code: ReasonCode, line: Line, known: Statement, medium: MediumHealth
) -> Reason:
    joins = code in {ReasonCode.BELOW_MEDIUM, ReasonCode.SUSPECT_MEDIUM}
    return Reason(
        code=code,
        numbers={
            "rate_bps": known.shown_bps or 0.0,
            "contracted_bps": float(line.contracted_down_bps),
        },
        at_ms=known.at_ms,
        finding=medium.findings[0] if joins else None,
    )


def full(statement: Statement, used_bps: float, carries_bps: float) -> Reason:
    """Return how much of what a line carries others use."""
    numbers = {"used_bps": used_bps, "capacity_bps": carries_bps}
    return Reason(code=ReasonCode.FULL, numbers=numbers, at_ms=statement.at_ms)


def contract(line: Line) -> Reason:
    """Return that the contract itself is below the city's target."""
    numbers = {
        "contracted_bps": float(line.contracted_down_bps),
        "target_bps": float(TARGET_DOWN_BPS),
    }
    return Reason(code=ReasonCode.CONTRACT, numbers=numbers)


def unmeasured(measured: LineFacts, medium: MediumHealth) -> list[Reason]:
    """Return since when there is no number, and why."""
    newest, failed = measured.shown or measured.newest, measured.failed
    worst = next(iter(medium.findings), None)
    head: list[Reason] = []
    if worst is not None and worst.state is MediumState.CRITICAL:
        head = [Reason(code=ReasonCode.UNMEASURED_MEDIUM, finding=worst)]
    elif _breaks(measured):
        head = [Reason(code=ReasonCode.UNMEASURED_PATH, blamed=measured.blamed)]
    if failed is not None and failed.failure is FailureReason.OTHER_LINE:
        return [*head, about_failure(ReasonCode.OTHER_LINE, failed)]
    at_ms = None if newest is None else newest.at_ms
    if failed is None:
        code = ReasonCode.SILENT if newest else ReasonCode.NEVER
        return [*head, Reason(code=code, at_ms=at_ms)]
    code = ReasonCode.FAILING if newest else ReasonCode.FAILING_EVER
    return [*head, Reason(code=code, at_ms=at_ms, failure=failed.failure)]


def _breaks(measured: LineFacts) -> bool:
    """Say whether the way itself breaks; slow it also is where the line is full."""
    blamed = measured.blamed
    return blamed is not None and blamed.reason is not Fault.SLOW


def about_path(blamed: PathVerdict) -> Reason:
    """Return which segment of the way is to blame."""
    code = ReasonCode.PATH if blamed.last_good is None else ReasonCode.PATH_AFTER
    return Reason(code=code, blamed=blamed)


def about_failure(code: ReasonCode, failed: Statement | None) -> Reason:
    """Return a reason with the time and the cause of a failed test."""
    if failed is None:
        return Reason(code=code)
    return Reason(code=code, at_ms=failed.at_ms, failure=failed.failure)


def after(
    head: Sequence[Reason],
    line: Line,
    measured: LineFacts,
    medium: MediumHealth,
    *,
    told_failure: bool,
) -> list[Reason]:
    """Return what is told after the head: numbers, what belongs to them, the medium.

    ``told_failure``: the newest failure is in the head already.
    """
    said = [reason.finding for reason in head if reason.finding]
    found: list[Reason] = []
    # A lower bound below the target says the least, however new it is.
    for each in sorted(measured.told, key=lambda each: _is_low(each, line)):
        found.append(_told(each, line))
        if each is measured.shown:
            found += _beside(each)
    found += _upload(measured)
    found += _healthy(measured, medium)
    found += [
        Reason(code=ReasonCode.FINDING, finding=each)
        for each in medium.findings
        if each not in said
    ]
    if measured.blamed is not None and not any(reason.blamed for reason in head):
        found.append(about_path(measured.blamed))
    if measured.failed is not None and not told_failure:
        found.append(about_failure(ReasonCode.FAILED, measured.failed))
    return found


def _is_low(statement: Statement, line: Line) -> bool:
    low = (statement.shown_bps or 0.0) < expected_down_bps(line)
    return statement.worth is Worth.AT_LEAST and low


def _told(statement: Statement, line: Line) -> Reason:
    """Return how a statement is told: what was shown, when, and how."""
    values = statement.values
    names: tuple[str, ...] = ("rate_low_bps", "rate_high_bps")
    match statement.worth:
        case Worth.CAPACITY if values.keys() >= set(names):
            code, names = ReasonCode.CAPACITY, ("rate_bps", *names)
        case Worth.CAPACITY:
            code, names = ReasonCode.MEASURED, ("rate_bps",)
        case Worth.AT_LEAST:
            passive = statement.family == PASSIVE
            code = ReasonCode.PASSIVE if passive else ReasonCode.AT_LEAST
            names = ("at_least_bps",)
        case Worth.RANGE:
            radio = line.technology is Technology.RADIO
            code = ReasonCode.RANGE_RADIO if radio else ReasonCode.RANGE
        case _ if "rtt_idle_s" in values:
            code, names = ReasonCode.DEMAND_IDLE, ("demand_bps", "rtt_idle_s")
        case _:
            code, names = ReasonCode.DEMAND, ("demand_bps",)
    return Reason(
        code=code,
        numbers={name: values[name] for name in names},
        at_ms=statement.at_ms,
        method=statement.method,
    )


def _beside(shown: Statement) -> list[Reason]:
    """Return what belongs to a rate or lower bound: others' traffic, round trips."""
    found = _counted(shown)
    names = ("rtt_idle_s", "rtt_loaded_s")
    if shown.values.keys() >= set(names):
        numbers = {name: shown.values[name] for name in names}
        found.append(Reason(code=ReasonCode.ROUND_TRIPS, numbers=numbers))
    return found


def _upload(measured: LineFacts) -> list[Reason]:
    up = measured.newest_up
    if up is None:
        return []
    exact = up.worth is Worth.CAPACITY
    return [
        Reason(
            code=ReasonCode.UP if exact else ReasonCode.UP_AT_LEAST,
            numbers={"rate_bps": up.shown_bps or 0.0},
            at_ms=up.at_ms,
            method=up.method,
        )
    ]


def _counted(known: Statement) -> list[Reason]:
    """Return whether what others moved is in the number."""
    cross_bps = known.values.get("cross_bps")
    if known.basis == "router" and cross_bps is not None:
        numbers = {"cross_bps": cross_bps}
        quiet = cross_bps < _QUIET_BPS
        code = ReasonCode.COUNTED_NOTHING if quiet else ReasonCode.COUNTED_ROUTER
        return [Reason(code=code, numbers=numbers)]
    if known.worth is Worth.AT_LEAST and known.basis in {"wire", "tcp"}:
        return [Reason(code=ReasonCode.LOWER_BOUND)]
    return []


def _healthy(measured: LineFacts, medium: MediumHealth) -> list[Reason]:
    """Return that the line's own medium is fine, with its number."""
    told = measured.device
    if medium.state is not MediumState.OK:
        return []
    for code, names in (
        (ReasonCode.LIGHT_FINE, ("rx_dbm",)),
        (ReasonCode.DSL_FINE, ("sync_bps",)),
        (ReasonCode.RADIO_FINE, ("radio_bps", "modulation_qam")),
    ):
        if told.keys() >= set(names):
            return [Reason(code=code, numbers={name: told[name] for name in names})]
    return [Reason(code=ReasonCode.MEDIUM_FINE)]
