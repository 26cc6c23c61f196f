"""The closed lists of alarms; they live in netmon, for settings name them."""

from __future__ import annotations

from netmon.alarm_classes import Audience, Delivery, RuleName, Severity

__all__ = ["Audience", "Delivery", "RuleName", "Severity"]
