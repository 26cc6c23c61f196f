"""Small things of the uplink that others know too: settings, kind, and the carrier."""

from __future__ import annotations

from msgspec import Struct

from netmon.model import FailureReason
from probes.base import ProbeContext, ProbeResult, failed


class UplinkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the uplink is measured; what and when the gateway tells.

    ``interface`` is the probe's port, empty for that of the default route.
    ``proof_valid_s`` is how long a proof lets quiet lessons do without a test.
    """

    enabled: bool = True
    interface: str = ""
    passive_interval_s: float = 30.0
    assignment_interval_s: float = 60.0
    confirm_spacing_s: float = 60.0
    patience_s: float = 300.0
    proof_valid_s: float = 10_800.0
    tick_s: float = 5.0


class UplinkKind:
    """Tags and kind of the uplink's records; made into records like a probe's."""

    name = "uplink"
    kind = "throughput"
    limit_s = 0.0

    def tags(self, context: ProbeContext) -> dict[str, str]:
        """Return building and line; a result's own tags say the rest."""
        return {"building": context.building, "line": context.line}

    async def run(self, context: ProbeContext) -> ProbeResult:
        """Refuse: the uplink decides by itself when it measures."""
        text = f"{self.name} is not measured by the clock"
        return failed(FailureReason.UNSUPPORTED, text)


class Carrier:
    """Which line carries the building's traffic; empty for the one to be measured.

    Told by the newest test; a `ProbeContext.carrier`.
    """

    def __init__(self) -> None:
        self.line = ""

    def __call__(self) -> str:
        """Return the line's id, or nothing."""
        return self.line
