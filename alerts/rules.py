"""What raises an alarm: one entry a rule, and the limits it sets for a target.

What a line must reach comes from `netmon.model`, for probes ask for it as well; no
other threshold of an alarm is written anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from alerts.classes import Audience, Delivery, Severity
from alerts.watched import Limits
from netmon.config import AlertSettings
from netmon.metrics import KINDS
from netmon.model import (
    CONTRACT_SHARE,
    FailureReason,
    Inventory,
    Line,
    LineRole,
    below_by_contract,
    clear_down_bps,
    expected_down_bps,
)

LINE_DOWN = "line_down"
LINE_BELOW_TARGET = "line_below_target"
LINE_FLAPPING = "line_flapping"
BELOW_BY_CONTRACT = "below_by_contract"
NO_DATA = "no_data"
DEVICE_DOWN = "device_down"
AP_DOWN = "ap_down"
AP_DEGRADED = "ap_degraded"
MONITOR = "monitor"


class Scope(StrEnum):
    """What a rule's target is; begins the target's name."""

    LINE = "line"
    ACCESS_POINT = "ap"
    DEVICE = "device"
    MONITOR = "netmon"


_TAGS = {
    Scope.LINE: ("line",),
    Scope.ACCESS_POINT: ("ap",),
    Scope.DEVICE: ("device",),
}

# netmon itself, the one target of the rule `MONITOR`.
NETMON = f"{Scope.MONITOR}:self"
# What arrives later than this after it was measured comes out of a spool: it says
# nothing of now. Probes and collectors send within a minute.
LATE_AFTER_S = 15 * 60.0
# What derives from the inventory, or is judged at each moment, never grows old.
_DEGRADED_VALID_S = 2 * 3600.0
_NEVER_STALE_S = 100 * 366 * 86400.0
# Silent devices are asked ever more seldom, up to every `KINDS["device"]` grows stale:
# three such polls must be able to follow each other.
SELDOM_POLLED_S = 3 * KINDS["device"].stale_after_s
# To find what is bad every other time so many times the results that raise are looked at.
WAVER_WINDOWS = 4
# A device that answers, were it with a refusal, is not down.
NO_ANSWER = frozenset(
    {FailureReason.NO_REPLY, FailureReason.TIMEOUT, FailureReason.UNREACHABLE}
)
# Only one that runs can say no, break off or talk nonsense.
ANSWERS = frozenset(
    {
        FailureReason.REFUSED,
        FailureReason.DENIED,
        FailureReason.UNTRUSTED,
        FailureReason.PROTOCOL,
        FailureReason.PARTIAL,
        FailureReason.BROKEN_OFF,
    }
)
# Behind a line that is interrupted no name is resolved either.
CUT_OFF = NO_ANSWER | {FailureReason.DNS}


def _yes_or_no(_: Line | None) -> tuple[float, float]:
    return 1.0, 1.0


def _at_once(_: AlertSettings) -> tuple[int, int]:
    return 1, 1


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    ``kinds`` are the sorts of measurements it reads and ``quantity`` the number
    it judges; None takes any number as a sign of life, and silence is what it is
    about. ``lower`` and ``upper`` are the ends of that number's interval, which alone
    are a range; ``at_least`` is a lower bound, where its kind has them.
    ``thresholds`` gets the line for rules on lines, else None, and returns
    below what a value is bad and from what on it is good. ``counts`` are the
    results in a row that raise and clear, ``valid_for_s`` how long a result says
    something about now. Of the results that raise ``spare_count`` more are looked at,
    which may be good. ``group_by_building`` puts what falls within one
    evaluation in one building into one mail. ``bad_failures`` are failures that
    count as a bad result, ``good_failures`` those that count as a good one. A rule without ``kinds`` is derived (`alerts.derived`).
    ``one_a_moment``: results of one target measured at the same moment are one.
    ``late_after_s`` is None where a result is late only when it is stale.
    ``wavers``: what is bad every other time is found too, ``breaks_within_s`` is that of
    `alerts.watched.Limits`.
    ``cut_off_after_s``: a failure counts only if its record could not be sent either for
    so long, so that it was not the other end that failed. By default a rule is derived, judges 1 (good) or 0 (bad), and the first result decides.
    """

    name: str
    scope: Scope
    valid_for_s: Callable[[AlertSettings], float]
    kinds: tuple[str, ...] = ()
    quantity: str | None = None
    thresholds: Callable[[Line | None], tuple[float | None, float | None]] = _yes_or_no
    counts: Callable[[AlertSettings], tuple[int, int]] = _at_once
    group_by_building: bool = False
    lower: str | None = None
    upper: str | None = None
    at_least: str | None = None
    severity: Severity = Severity.MAJOR
    delivery: Delivery = Delivery.LESSONS
    audiences: tuple[Audience, ...] = (Audience.SERVICE, Audience.DISTRICT)
    bad_failures: frozenset[FailureReason] = frozenset()
    good_failures: frozenset[FailureReason] = frozenset()
    one_a_moment: bool = False
    late_after_s: float | None = None
    spare_count: int = 0
    wavers: bool = False
    breaks_within_s: float | None = None
    cut_off_after_s: float | None = None

    def limits(self, settings: AlertSettings, line: Line | None) -> Limits:
        """Return the limits of one target as the city has them.

        ``line`` is None for what is no line; what hangs on a line then stays None.
        """
        raise_below, clear_from = self.thresholds(line)
        confirm_count, clear_count = self.counts(settings)
        return Limits(
            raise_below=raise_below,
            clear_from=clear_from,
            confirm_count=confirm_count,
            clear_count=clear_count,
            valid_for_s=self.valid_for_s(settings),
            silence_is_bad=bool(self.kinds) and self.quantity is None,
            late_after_s=self.late_after_s,
            one_a_moment=self.one_a_moment,
            waver_of=WAVER_WINDOWS * confirm_count if self.wavers else 0,
            breaks_within_s=self.breaks_within_s,
        )

    def target(self, tags: Mapping[str, str]) -> str:
        """Return the target's name, e.g. ``line:gs-07-main``, ``ap:gs-07-ap03``."""
        return f"{self.scope}:" + "/".join(tags[name] for name in _TAGS[self.scope])


def line_of(target: str) -> str:
    """Return the id of the line a target names."""
    return target.removeprefix(f"{Scope.LINE}:")


def access_point_of(target: str) -> str:
    """Return the access point a target names: the collectors' tag ``ap``.

    That is the planned id, or controller and name of one nobody has planned.
    """
    return target.removeprefix(f"{Scope.ACCESS_POINT}:")


def device_of(target: str) -> str:
    """Return the id of the device a target names."""
    return target.removeprefix(f"{Scope.DEVICE}:")


def limited_by_contract(line: Line) -> bool:
    """Say whether the alarm threshold comes from the contract, not the target."""
    return line.contracted_down_bps * CONTRACT_SHARE < line.target_down_bps


def lines_below_by_contract(inventory: Inventory) -> tuple[Line, ...]:
    """Return the main lines whose contract promises less than the target.

    They are shown and counted, and nobody is mailed about it. Falling below
    0.9 of the contract is a fault all the same.
    """
    return tuple(
        line
        for line in inventory.lines
        if line.role is LineRole.MAIN and below_by_contract(line)
    )


def _line_thresholds(line: Line | None) -> tuple[float | None, float | None]:
    if line is None:
        return None, None
    return expected_down_bps(line), clear_down_bps(line)


_ALL_RULES = (
    Rule(
        LINE_BELOW_TARGET,
        Scope.LINE,
        kinds=("throughput",),
        quantity="rate_down_bps",
        thresholds=_line_thresholds,
        counts=lambda s: (s.line_confirm_count, s.line_clear_count),
        valid_for_s=lambda _: KINDS["throughput"].stale_after_s,
        lower="rate_down_low_bps",
        upper="rate_down_high_bps",
        at_least="at_least_down_bps",
        late_after_s=LATE_AFTER_S,
        spare_count=1,
        wavers=True,
    ),
    # What comes back within minutes is never silent for long: each break is a moment
    # at which the probe reached neither the measurement server nor the gateway.
    Rule(
        LINE_FLAPPING,
        Scope.LINE,
        kinds=("latency",),
        quantity="rtt_s",
        thresholds=lambda _: (1e-9, 1e-9),
        counts=lambda s: (s.line_breaks_count, 1),
        valid_for_s=lambda _: KINDS["latency"].stale_after_s,
        bad_failures=CUT_OFF,
        late_after_s=LATE_AFTER_S,
        breaks_within_s=3600.0,
        cut_off_after_s=60.0,
    ),
    # A controller that doesn't answer gives no number for its access points: they
    # become stale, for nothing is known about them. Nor does one whose table broke off.
    Rule(
        AP_DOWN,
        Scope.ACCESS_POINT,
        kinds=("wlan_ap",),
        quantity="up",
        counts=lambda s: (s.ap_confirm_count, s.ap_clear_count),
        valid_for_s=lambda _: KINDS["wlan_ap"].stale_after_s,
        group_by_building=True,
        severity=Severity.MINOR,
    ),
    # Of what a lesson notices slowly: it has to last an hour of ten minutes' looks.
    Rule(
        AP_DEGRADED,
        Scope.ACCESS_POINT,
        counts=lambda _: (6, 3),
        valid_for_s=lambda _: _DEGRADED_VALID_S,
        group_by_building=True,
        severity=Severity.INFO,
        delivery=Delivery.DIGEST,
        spare_count=2,
    ),
    # A line is watched from the first record that came of it, number or failure: a
    # probe that lies in a cupboard raises nothing, one that only fails does.
    Rule(
        NO_DATA,
        Scope.LINE,
        kinds=("throughput", "latency"),
        thresholds=lambda _: (None, None),
        valid_for_s=lambda s: s.no_data_after_s,
        late_after_s=LATE_AFTER_S,
    ),
    Rule(
        DEVICE_DOWN,
        Scope.DEVICE,
        kinds=("device",),
        quantity="up",
        counts=lambda s: (s.device_confirm_count, s.device_clear_count),
        valid_for_s=lambda _: SELDOM_POLLED_S,
        audiences=(Audience.NOC, Audience.SERVICE),
        bad_failures=NO_ANSWER,
        good_failures=ANSWERS,
        one_a_moment=True,
    ),
    Rule(
        LINE_DOWN,
        Scope.LINE,
        valid_for_s=lambda s: s.no_data_after_s,
        severity=Severity.CRITICAL,
        delivery=Delivery.AT_ONCE,
        audiences=(Audience.SERVICE, Audience.DISTRICT, Audience.NOC),
    ),
    Rule(
        BELOW_BY_CONTRACT,
        Scope.LINE,
        valid_for_s=lambda _: _NEVER_STALE_S,
        severity=Severity.INFO,
        audiences=(Audience.SERVICE,),
    ),
    Rule(
        MONITOR,
        Scope.MONITOR,
        valid_for_s=lambda _: _NEVER_STALE_S,
        severity=Severity.CRITICAL,
        delivery=Delivery.AT_ONCE,
        audiences=(Audience.NOC, Audience.SERVICE),
    ),
)

RULES: Mapping[str, Rule] = {rule.name: rule for rule in _ALL_RULES}

# The same of one that stands alone: it is asked itself, as any device, and ever more
# seldom while it is silent.
ALONE_AP_DOWN = replace(
    RULES[AP_DOWN],
    valid_for_s=lambda _: SELDOM_POLLED_S,
    bad_failures=NO_ANSWER,
    good_failures=ANSWERS,
)

RULES_OF_KIND: Mapping[str, tuple[Rule, ...]] = {
    kind: tuple(rule for rule in _ALL_RULES if kind in rule.kinds) for kind in KINDS
}
