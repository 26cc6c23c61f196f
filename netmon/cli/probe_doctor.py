"""``netmon probe doctor``: the findings as lines for the installer, or as JSON."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from netmon.errors import ConfigError, Problem
from netmon.refused import in_words, system_words
from netmon.texts import Texts

if TYPE_CHECKING:
    from probes.doctor import Finding, Grade
    from probes.settings import ProbeSettings

# A gateway that does not answer must not keep the installer waiting.
_ANSWER_S = 10.0
_GRADE_CHARS = 8


def run(args: argparse.Namespace, texts: Texts) -> int:
    """Make all checks; return 0 where none found an error, else 1."""
    return asyncio.run(_run(args.config, texts, as_json=args.json))


async def _run(file: Path, texts: Texts, *, as_json: bool) -> int:
    from netmon.clock import SystemClock
    from probes.client import open_client
    from probes.config import load_probe_settings
    from probes.doctor import Grade, Place, examine

    settings: ProbeSettings | None = None
    problems: list[Problem] = []
    client = None
    try:
        settings = load_probe_settings(file)
        client = open_client(settings, _ANSWER_S)
    except ConfigError as refused:
        settings = None
        problems = [in_words(one, texts) for one in refused.problems]
    place = Place(file, SystemClock(), settings, tuple(problems), client)
    found: list[tuple[str, Finding]] = []
    try:
        async for check, finding in examine(place):
            found.append((check, finding))
            if not as_json:
                print(line_of(texts, check, finding), flush=True)
    finally:
        if client is not None:
            await client.aclose()
    counts = Counter(finding.grade for _, finding in found)
    print(json_of(texts, found) if as_json else "\n" + verdict(texts, counts))
    return 1 if counts[Grade.ERROR] else 0


def line_of(texts: Texts, check: str, finding: Finding) -> str:
    """Return a finding in words, with its remedy below if it needs one."""
    grade = texts(f"doctor.grade.{finding.grade.value}").ljust(_GRADE_CHARS)
    text = f"{grade} {texts(f'doctor.name.{check}')}: {said(texts, check, finding)}"
    fix = remedy(texts, check, finding)
    return f"{text}\n{' ' * _GRADE_CHARS} → {fix}" if fix else text


def said(texts: Texts, check: str, finding: Finding) -> str:
    """Return what was found."""
    key = f"doctor.{check}.{finding.says}"
    return texts(key, **_shown_all(texts, finding))


def remedy(texts: Texts, check: str, finding: Finding) -> str:
    """Return what to do; empty for what is well."""
    key = f"doctor.{check}.{finding.says}_fix"
    return texts(key, **_shown_all(texts, finding)) if texts.has(key) else ""


def verdict(texts: Texts, counts: Counter[Grade]) -> str:
    """Return the last line: whether this probe can measure."""
    from probes.doctor import Grade

    errors, hints = counts[Grade.ERROR], counts[Grade.HINT]
    if errors:
        return texts("doctor.not_usable", errors=errors, hints=hints)
    return texts("doctor.usable", hints=hints) if hints else texts("doctor.all_well")


def json_of(texts: Texts, found: Sequence[tuple[str, Finding]]) -> str:
    """Return all findings as one JSON object; numbers in bit/s, seconds, ratios."""
    return msgspec.json.encode(
        {
            "ok": all(finding.grade != "error" for _, finding in found),
            "findings": [
                {
                    "check": check,
                    "grade": finding.grade,
                    "finding": finding.says,
                    "values": finding.fields,
                    "text": said(texts, check, finding),
                    "fix": remedy(texts, check, finding),
                }
                for check, finding in found
            ],
        }
    ).decode()


# Values of closed lists, and where their words are.
_WORDS = {"reason": "failure", "segment": "path.segment", "fault": "path.reason"}


def _shown_all(texts: Texts, finding: Finding) -> dict[str, str]:
    return {name: _shown(texts, name, each) for name, each in finding.fields.items()}


def _shown(texts: Texts, name: str, value: float | str) -> str:
    from netmon.cli.probe_output import shown

    match name, value:
        case "text", str():
            return system_words(value, texts)
        case (("reason" | "segment" | "fault"), _):
            return texts(f"{_WORDS[name]}.{value}")
        case "free_bytes", float():
            return f"{texts.number(value / 1e9, 1)} GB"
        case _, float() if name.endswith("_s") and abs(value) >= 1:
            return f"{texts.number(value, 1)} s"
        case _:
            return shown(texts, name, value)
