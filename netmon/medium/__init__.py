"""The line's own medium: thresholds with their source, judgement, words. Pure."""

from netmon.medium.judge import (
    JUDGES,
    Baseline,
    Finding,
    MediumHealth,
    MediumState,
    Values,
    at_place,
    combine,
    judge_dsl,
    judge_optics,
    judge_radio,
    merge,
    resyncs_today,
)
from netmon.medium.limits import THRESHOLDS, Threshold
from netmon.medium.words import mbits, sentence, short_sentence, value_text

__all__ = [
    "JUDGES",
    "THRESHOLDS",
    "Baseline",
    "Finding",
    "MediumHealth",
    "MediumState",
    "Threshold",
    "Values",
    "at_place",
    "combine",
    "judge_dsl",
    "judge_optics",
    "judge_radio",
    "mbits",
    "merge",
    "resyncs_today",
    "sentence",
    "short_sentence",
    "value_text",
]
