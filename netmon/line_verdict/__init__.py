"""One verdict on a line: what the alarms decided, why, and in words. Pure."""

from netmon.line_verdict.facts import (
    LineFacts,
    Statement,
    Worth,
    gather_facts,
    recorded_statements,
    statements,
)
from netmon.line_verdict.judge import (
    FULL_SHARE,
    PROVEN_FOR_S,
    VALID_S,
    LineAlarms,
    LineVerdict,
    VerdictClass,
    judge_line,
)
from netmon.line_verdict.reasons import Reason, ReasonCode
from netmon.line_verdict.words import Told, ended, method_text, tell, tell_causes

__all__ = [
    "FULL_SHARE",
    "PROVEN_FOR_S",
    "VALID_S",
    "LineAlarms",
    "LineFacts",
    "LineVerdict",
    "Reason",
    "ReasonCode",
    "Statement",
    "Told",
    "VerdictClass",
    "Worth",
    "ended",
    "gather_facts",
    "judge_line",
    "method_text",
    "recorded_statements",
    "statements",
    "tell",
    "tell_causes",
]
