"""The closed lists of alarms: which there are, how bad, when told, to whom.

Here because settings, pages and what people decide about alarms name them; the rules
themselves are in `alerts.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class RuleName(StrEnum):
    """The rules; what they watch and when stands in `alerts.rules`."""

    LINE_DOWN = "line_down"
    LINE_FLAPPING = "line_flapping"
    LINE_BELOW_TARGET = "line_below_target"
    BELOW_BY_CONTRACT = "below_by_contract"
    NO_DATA = "no_data"
    DEVICE_DOWN = "device_down"
    AP_DOWN = "ap_down"
    AP_DEGRADED = "ap_degraded"
    MONITOR = "monitor"


class Severity(StrEnum):
    """How bad an incident is; ``severity.<severity>`` names it."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"


class Delivery(StrEnum):
    """When an incident is told by mail.

    ``LESSONS``: at once in lesson time, else by the morning digest. ``DIGEST``: by the
    digest only.
    """

    AT_ONCE = "at_once"
    LESSONS = "lessons"
    DIGEST = "digest"


class Audience(StrEnum):
    """Who is told; addresses stand in the settings."""

    SERVICE = "service"
    DISTRICT = "district"
    NOC = "noc"


# How bad the incidents of each rule are, unless the incident itself says it.
SEVERITY_OF: Mapping[str, Severity] = {
    RuleName.LINE_DOWN: Severity.CRITICAL,
    RuleName.LINE_FLAPPING: Severity.MAJOR,
    RuleName.LINE_BELOW_TARGET: Severity.MAJOR,
    RuleName.BELOW_BY_CONTRACT: Severity.INFO,
    RuleName.NO_DATA: Severity.MAJOR,
    RuleName.DEVICE_DOWN: Severity.MAJOR,
    RuleName.AP_DOWN: Severity.MINOR,
    RuleName.AP_DEGRADED: Severity.INFO,
    RuleName.MONITOR: Severity.CRITICAL,
}
