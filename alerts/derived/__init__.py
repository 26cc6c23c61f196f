"""Rules that judge no single measurement: one file each, and its line in this table."""

from __future__ import annotations

from alerts.derived import ap_degraded, below_by_contract, line_down, monitor
from alerts.derived.base import Derivation, Finding, View, no_calendar
from alerts.rules import AP_DEGRADED, BELOW_BY_CONTRACT, LINE_DOWN, MONITOR

# In order: who looks at another one's state comes after it.
DERIVED = (
    Derivation(MONITOR, 0, monitor.results, patient=True),
    Derivation(LINE_DOWN, 0, line_down.results),
    Derivation(AP_DEGRADED, ap_degraded.EVERY_S, ap_degraded.results),
    Derivation(BELOW_BY_CONTRACT, 86_400, below_by_contract.results),
)

__all__ = ["DERIVED", "Derivation", "Finding", "View", "no_calendar"]
