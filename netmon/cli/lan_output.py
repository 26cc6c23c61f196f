"""What the findings of ``netmon probe lan`` look like on the screen, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from netmon.texts import NO_VALUE, Texts
from probes.finding import Finding

_GRADE_CHARS = 8
# Values that are numbers and no quantities, and those a device need not tell.
_PLAIN = ("vlan", "found_vlan", "channel")
_OPTIONAL = ("lease_s", "channel", "width_mhz", "signal_dbm")


def text_of(texts: Texts, tool: str, found: Sequence[Finding]) -> str:
    """Return findings as lines, with its remedy below each that needs one."""
    lines = []
    for finding in found:
        grade = texts(f"onsite.grade.{finding.grade.value}").ljust(_GRADE_CHARS)
        lines.append(f"{grade} {said(texts, tool, finding)}")
        if fix := remedy(texts, tool, finding):
            lines.append(f"{' ' * _GRADE_CHARS} → {fix}")
    return "\n".join(lines)


def json_of(texts: Texts, tool: str, found: Sequence[Finding]) -> str:
    """Return findings as one JSON object; numbers in bit/s, seconds, dBm, MHz, W."""
    return msgspec.json.encode(
        {
            "tool": tool,
            "ok": all(finding.grade != "error" for finding in found),
            "findings": [
                {
                    "grade": finding.grade,
                    "finding": finding.says,
                    "values": finding.fields,
                    "text": said(texts, tool, finding),
                    "fix": remedy(texts, tool, finding),
                }
                for finding in found
            ],
        }
    ).decode()


def said(texts: Texts, tool: str, finding: Finding) -> str:
    """Return what was found; a value that is not known is a dash."""
    words = {name: _shown(texts, name, each) for name, each in finding.fields.items()}
    unknown = dict.fromkeys(_OPTIONAL, NO_VALUE)
    return texts(_key(texts, tool, finding), **(unknown | words))


def remedy(texts: Texts, tool: str, finding: Finding) -> str:
    """Return what to do; empty for what is well."""
    key = f"{_key(texts, tool, finding)}_fix"
    if not texts.has(key):
        return ""
    words = {name: _shown(texts, name, each) for name, each in finding.fields.items()}
    return texts(key, **words)


def _key(texts: Texts, tool: str, finding: Finding) -> str:
    own = f"onsite.{tool}.{finding.says}"
    return own if texts.has(own) else f"onsite.unusable.{finding.says}"


def _shown(texts: Texts, name: str, value: float | str) -> str:
    if isinstance(value, str):
        return value
    if name in _PLAIN:
        return f"{value:.0f}"
    if name.endswith("_bps"):
        return texts.rate(value)
    if name in ("waited_s", "lease_s"):
        return texts.duration(value)
    if name.endswith("_s"):
        return texts.milliseconds(value)
    return texts.number(value, 1 if name == "power_w" else 0)
