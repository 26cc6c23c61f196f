"""The closed lists of alarms, as rules and mails use them."""

from netmon.alarm_classes import Audience, Delivery, Severity

__all__ = ["Audience", "Delivery", "Severity"]
