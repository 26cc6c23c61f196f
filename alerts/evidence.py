"""What was seen when a state changed: stored with the transition, read by mails."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec import Struct

from alerts.gate import Key
from alerts.rules import (
    AP_DEGRADED,
    AP_DOWN,
    BELOW_BY_CONTRACT,
    DEVICE_DOWN,
    LINE_BELOW_TARGET,
    LINE_DOWN,
    LINE_FLAPPING,
    MONITOR,
    Rule,
    Scope,
    access_point_of,
    device_of,
    limited_by_contract,
    line_of,
)
from alerts.watched import Change, Result, Watched
from netmon.line_verdict import LineVerdict
from netmon.medium import MediumHealth
from netmon.model import (
    FailureReason,
    Inventory,
    Line,
    LineRole,
    Technology,
    below_by_contract,
    expected_down_bps,
)
from netmon.storage.records import AlarmState, SeenAccessPoint
from netmon.wlan_truth import ApTruth
from netmon.wlan_verdict import ApVerdict


class Cause(StrEnum):
    """Why a state changed, as far as netmon can tell."""

    BELOW_TARGET = "below_target"
    BELOW_CONTRACT = "below_contract"
    BELOW_KNOWN_CONTRACT = "below_known_contract"
    AP_DOWN = "ap_down"
    DEVICE_DOWN = "device_down"
    LINE_DOWN = "line_down"
    LINE_FLAPPING = "line_flapping"
    CONTRACT = "contract"
    BLIND = "blind"
    AP_DEGRADED = "ap_degraded"
    SILENT = "silent"
    FAILING = "failing"
    IN_ORDER = "in_order"
    RETIRED = "retired"


class Evidence(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was seen; times are UTC milliseconds, None where there is nothing.

    ``since_ms`` is when the trouble began: the first bad result, or the last
    sign of life. ``measured_bps`` is the newest number. ``failure`` is the
    newest reason why a measurement gave none. ``room`` is a room's id or, for
    lines, where the rack is. Incidents with the same ``group`` share their mail.
    ``measured_at_least``: that number is a lower bound. ``medium`` is how the line
    itself was, None where no device tells of it. ``verdict`` is what was known of
    the line at that moment, with its reasons, ``truth`` what plan, controller and
    switch together said of the access point.

    ``held_by`` is the parent (rule, target) that keeps a confirmed target from being
    raised. ``flapping``: it comes and goes. ``skewed``: the sender's clock was wrong,
    times are the gateway's. ``silent_count`` of ``speaking_count`` buildings fell
    silent at once. ``breaks`` are the moments at which a line broke off lately.
    ``devices_gone_count`` and ``points_gone_count`` did not answer when a line was lost.
    ``ap_verdict`` says why an access point works badly.
    """

    cause: Cause
    since_ms: int
    results: tuple[Result, ...] = ()
    measured_bps: float | None = None
    measured_at_least: bool = False
    expected_bps: float | None = None
    contracted_bps: float | None = None
    technology: Technology | None = None
    role: LineRole | None = None
    line: str = ""
    failure: FailureReason | None = None
    failure_ms: int | None = None
    last_valid_ms: int | None = None
    ap: str = ""
    ap_name: str = ""
    controller: str = ""
    controller_name: str = ""
    room: str = ""
    group: str = ""
    medium: MediumHealth | None = None
    verdict: LineVerdict | None = None
    truth: ApTruth | None = None
    ap_verdict: ApVerdict | None = None
    device: str = ""
    device_name: str = ""
    held_by: Key | None = None
    flapping: bool = False
    skewed: bool = False
    silent_count: int | None = None
    speaking_count: int | None = None
    breaks: tuple[int, ...] = ()
    devices_gone_count: int | None = None
    points_gone_count: int | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Evidence).decode


def encode(evidence: Evidence) -> bytes:
    """Return the evidence as JSON."""
    return _encode(evidence)


def decode(body: bytes) -> Evidence:
    """Return the evidence of `encode`'s JSON.

    Raises:
        msgspec.DecodeError: it is something else.
    """
    return _decode(body)


def readable(body: bytes) -> Evidence | None:
    """Return the evidence of `encode`'s JSON; None where it is something else."""
    try:
        return _decode(body)
    except msgspec.DecodeError:
        return None


def gather(
    rule: Rule,
    target: str,
    watched: Watched,
    change: Change,
    inventory: Inventory,
) -> Evidence:
    """Return what is known about a change of a target; pure.

    ``watched`` is the target after the change. What concerns the access point
    itself is added by `name_access_point`.
    """
    memory = watched.memory
    failed = next((r for r in reversed(memory.results) if r.failure), None)
    evidence = Evidence(
        cause=_cause(rule, target, change, inventory, failing=failed is not None),
        since_ms=_since_ms(watched, change),
        results=memory.results,
        failure=None if failed is None else failed.failure,
        failure_ms=None if failed is None else failed.ts_ms,
        last_valid_ms=memory.valid_ms,
        held_by=memory.held_by,
        flapping=memory.unsettled,
        skewed=any(result.skewed for result in memory.results),
    )
    if rule.name == LINE_FLAPPING:
        # Single minutes say nothing here.
        evidence = msgspec.structs.replace(evidence, results=(), breaks=memory.window)
    if rule.scope is Scope.LINE:
        return _with_line(rule, evidence, target, inventory)
    if rule.scope is Scope.DEVICE:
        return _with_device(evidence, device_of(target), inventory)
    return evidence


def _since_ms(watched: Watched, change: Change) -> int:
    memory = watched.memory
    began_ms: int | None = None
    if change.to_state is AlarmState.STALE:
        began_ms = memory.valid_ms
    elif (
        change.to_state in {AlarmState.SUSPECT, AlarmState.BAD}
        or change.from_state is AlarmState.SUSPECT
        or change.closes
    ):
        began_ms = memory.bad_since_ms
    return change.at_ms if began_ms is None else began_ms


def _cause(
    rule: Rule, target: str, change: Change, inventory: Inventory, *, failing: bool
) -> Cause:
    no_number = Cause.FAILING if failing else Cause.SILENT
    match change.to_state:
        case AlarmState.OK:
            return Cause.IN_ORDER
        case AlarmState.UNKNOWN:
            return Cause.RETIRED
        case AlarmState.STALE:
            return no_number
        case AlarmState.SUSPECT | AlarmState.BAD:
            if (known := _CAUSES.get(rule.name)) is not None:
                return known
            if rule.quantity is None:
                return no_number
            line = inventory.line_by_id.get(line_of(target))
            return Cause.BELOW_TARGET if line is None else _line_cause(line)


# Rules with one cause each.
_CAUSES = {
    AP_DOWN: Cause.AP_DOWN,
    AP_DEGRADED: Cause.AP_DEGRADED,
    DEVICE_DOWN: Cause.DEVICE_DOWN,
    LINE_DOWN: Cause.LINE_DOWN,
    LINE_FLAPPING: Cause.LINE_FLAPPING,
    BELOW_BY_CONTRACT: Cause.CONTRACT,
    MONITOR: Cause.BLIND,
}


def _line_cause(line: Line) -> Cause:
    if below_by_contract(line):
        return Cause.BELOW_KNOWN_CONTRACT
    if limited_by_contract(line):
        return Cause.BELOW_CONTRACT
    return Cause.BELOW_TARGET


def _with_line(
    rule: Rule, evidence: Evidence, target: str, inventory: Inventory
) -> Evidence:
    line = inventory.line_by_id.get(line_of(target))
    if line is None:
        return msgspec.structs.replace(evidence, line=line_of(target))
    building = inventory.building_by_id.get(line.building_id)
    numbers = [r for r in evidence.results if r.value is not None]
    newest = numbers[-1] if rule.name == LINE_BELOW_TARGET and numbers else None
    return msgspec.structs.replace(
        evidence,
        measured_bps=None if newest is None else newest.value,
        measured_at_least=newest is not None and newest.at_least,
        expected_bps=expected_down_bps(line),
        contracted_bps=line.contracted_down_bps,
        technology=line.technology,
        role=line.role,
        line=line.id,
        room="" if building is None else building.rack_room,
    )


def _with_device(evidence: Evidence, device_id: str, inventory: Inventory) -> Evidence:
    device = inventory.device_by_id.get(device_id)
    return msgspec.structs.replace(
        evidence,
        device=device_id,
        device_name=device_id if device is None else device.name,
        room="" if device is None else device.room,
    )


def name_access_point(
    evidence: Evidence,
    target: str,
    inventory: Inventory,
    seen: SeenAccessPoint | None,
) -> Evidence:
    """Return the evidence with the access point's name, controller and room.

    ``seen`` is what the controller last said of it, None where it said nothing. One that
    stands alone has none.
    """
    ap = access_point_of(target)
    planned = inventory.access_point_by_id.get(ap)
    device = "" if planned is None else planned.controller_id
    name = ap if planned is None else planned.name
    if seen is not None:
        device, name = seen.device, name if planned else seen.name
    if inventory.stands_alone(ap):
        device = ""
    controller = inventory.device_by_id.get(device)
    return msgspec.structs.replace(
        evidence,
        ap=ap,
        ap_name=name,
        controller=device,
        controller_name="" if controller is None else controller.name,
        room="" if planned is None else planned.room_id,
    )
