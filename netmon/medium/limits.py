"""From where on the medium of a line is worth a word, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threshold:
    """From where on something is worth telling; None: no such grade.

    ``source`` says who set it: a standard, a maker, or this project.
    """

    warn: float | None
    critical: float | None
    source: str


_OWN = "own proposal, to be tuned on the fleet"
_RFC_MARGINS = (
    "RFC 5650: target 6.0 dB, retrain below 1.0 dB; grades in between are ours"
)
_RADWIN = "RADWIN 2000 manual, typical values against commissioning"
_SFF = "SFF-8472: the module's own alarm and warning limits, set by its maker"

THRESHOLDS: Mapping[str, Threshold] = {
    "dsl_margin_low": Threshold(4.0, 2.0, _RFC_MARGINS),
    "dsl_margin_fell": Threshold(2.0, None, f"against the median; {_OWN}"),
    # A rate-adaptive line gives way a little every night; 5 % is more than that.
    "dsl_rate_fell": Threshold(0.95, None, f"share of the usual rate; {_OWN}"),
    "dsl_rate_low": Threshold(0.95, None, f"share of the contract; {_OWN}"),
    "dsl_no_reserve": Threshold(1.05, None, f"attainable over actual rate; {_OWN}"),
    # RFC 5650 leaves its own thresholds of errored seconds at 0, which is off.
    "dsl_errors": Threshold(9.0, None, f"1 % of 15 minutes; {_OWN}"),
    "dsl_severe_errors": Threshold(0.0, None, f"any; {_OWN}"),
    "dsl_resyncs": Threshold(2.0, 3.0, f"a day; {_OWN}"),
    "optics_limit": Threshold(0.0, 0.0, _SFF),
    "optics_dark": Threshold(None, -40.0, "SFF-8472 counts from 0.1 uW, -40 dBm"),
    "optics_rx_fell": Threshold(2.0, 3.0, f"dB against the median; {_OWN}"),
    "optics_margin": Threshold(3.0, None, f"dB above the module's alarm; {_OWN}"),
    "radio_level_fell": Threshold(5.0, 8.0, _RADWIN),
    "radio_modulation_low": Threshold(1.0, None, "below its usual profile"),
    "radio_capacity_low": Threshold(1.1, None, f"share of the contract; {_OWN}"),
}

# The days of history that are usual: rates and profiles by what a day reaches,
# levels by the mean of a day.
TYPICAL_BY_HIGH: Mapping[str, Mapping[str, int]] = {
    "line_dsl": {"rate_down_bps": 30, "rate_up_bps": 30},
    "line_optics": {},
    "line_radio": {"modulation_qam": 30, "modulation_far_qam": 30},
}
TYPICAL_BY_MEAN: Mapping[str, Mapping[str, int]] = {
    "line_dsl": {"snr_margin_down_db": 7, "snr_margin_up_db": 7},
    "line_optics": {"rx_dbm": 30},
    "line_radio": {"rx_level_dbm": 30, "rx_level_far_dbm": 30},
}
COUNTED_BY_DAY: Mapping[str, tuple[str, ...]] = {"line_dsl": ("resyncs_total",)}
