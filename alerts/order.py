"""Which rule explains which: what comes first is the cause of what comes later."""

from __future__ import annotations

from alerts.rules import (
    AP_DEGRADED,
    AP_DOWN,
    BELOW_BY_CONTRACT,
    DEVICE_DOWN,
    LINE_BELOW_TARGET,
    LINE_DOWN,
    LINE_FLAPPING,
    MONITOR,
    NO_DATA,
)

CAUSES = (
    MONITOR,
    LINE_DOWN,
    NO_DATA,
    LINE_FLAPPING,
    LINE_BELOW_TARGET,
    DEVICE_DOWN,
    AP_DOWN,
    AP_DEGRADED,
    BELOW_BY_CONTRACT,
)


def explains(rule: str) -> int:
    """Return a rule's place in the order; a rule that is gone comes last."""
    return CAUSES.index(rule) if rule in CAUSES else len(CAUSES)
