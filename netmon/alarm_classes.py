"""The closed lists of alarms: how bad, when told, to whom, and what rules there are.

Here because what people decide about alarms names them, and pages do; the rules
themselves are in `alerts.rules`.
"""

from __future__ import annotations

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


RULE_NAMES = (
    "line_down",
    "line_below_target",
    "below_by_contract",
    "no_data",
    "device_down",
    "ap_down",
    "ap_degraded",
    "monitor",
)
