"""Who is told of which incidents, when, and together with which others."""

from __future__ import annotations

from alerts.notify.cases import Hours
from alerts.notify.decided import Decisions
from alerts.notify.notifier import READER, Advisers, Notifier

__all__ = ["READER", "Advisers", "Decisions", "Hours", "Notifier"]
