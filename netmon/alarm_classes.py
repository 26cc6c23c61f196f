"""The closed lists of alarms: how bad, when told, to whom, and what rules there are.

Here because what people decide about alarms names them, and pages do; the rules
themselves are in `alerts.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


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
    "line_down": Severity.CRITICAL,
    "line_below_target": Severity.MAJOR,
    "below_by_contract": Severity.INFO,
    "no_data": Severity.MAJOR,
    "device_down": Severity.MAJOR,
    "ap_down": Severity.MINOR,
    "ap_degraded": Severity.INFO,
    "monitor": Severity.CRITICAL,
}
