"""What one measurement looks like on the screen, as JSON, and explained."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TextIO

import msgspec

from netmon.model import TARGET_DOWN_BPS
from netmon.path import Segment, Verdict, guilty
from netmon.texts import Texts
from probes.base import Probe, ProbeResult
from probes.path import reading_of

_MEGABYTE = 1e6


class Explainer:
    """Prints each event of a run with the time since the probe began."""

    def __init__(self, texts: Texts, out: TextIO) -> None:
        self._texts = texts
        self._out = out
        self._began_s = time.monotonic()

    def begin(self, probe: Probe) -> None:
        """Start a new probe."""
        self._began_s = time.monotonic()
        print(self._texts(f"probe.name.{probe.name}"), file=self._out)

    def __call__(self, event: str, fields: Mapping[str, float | str]) -> None:
        """Print one event."""
        texts = self._texts
        after = texts.milliseconds(time.monotonic() - self._began_s)
        words = {name: shown(texts, name, value) for name, value in fields.items()}
        print(
            f"  {after:>12}  {texts(f'probe.event.{event}', **words)}", file=self._out
        )


def as_text(texts: Texts, probe: Probe, result: ProbeResult) -> str:
    """Return the result in words, with a verdict; a line for each part of it."""
    if probe.name == "path":
        return _path_text(texts, result)
    name = texts(f"probe.name.{probe.name}")
    return _one_text(texts, probe.name, name, result)


def _path_text(texts: Texts, result: ProbeResult) -> str:
    """Return the segments in the order of the way, and who is to blame."""
    found = {Segment(each.tags["segment"]): each for each in result.all if each.tags}
    if not found:  # the run itself came to nothing
        return _one_text(texts, "path", texts("probe.name.path"), result)
    lines = [
        _one_text(
            texts,
            "port"
            if segment is Segment.PORT and not found[segment].failure
            else "path",
            texts(f"path.segment.{segment.value}"),
            found[segment],
        )
        for segment in Segment
        if segment in found
    ]
    verdict = guilty(
        (reading_of(segment, each) for segment, each in found.items()), baseline={}
    )
    return "\n  ".join(
        [texts("probe.name.path"), *lines, texts_of_verdict(texts, verdict)]
    )


def texts_of_verdict(texts: Texts, verdict: Verdict | None) -> str:
    """Return who is to blame in words."""
    if verdict is None:
        return texts("path.verdict.none")
    segment = texts(f"path.segment.{verdict.segment.value}")
    reason = texts(f"path.reason.{verdict.reason.value}")
    if verdict.last_good is None:
        return texts("path.verdict.guilty", segment=segment, reason=reason)
    return texts(
        "path.verdict.guilty_after",
        segment=segment,
        reason=reason,
        last_good=texts(f"path.segment.{verdict.last_good.value}"),
    )


def _one_text(texts: Texts, key: str, name: str, result: ProbeResult) -> str:
    if result.failure is not None:
        reason = texts(f"failure.{result.failure}")
        return texts(
            "probe.result.failure", name=name, reason=reason, detail=result.detail
        )
    words = {key: shown(texts, key, value) for key, value in result.values.items()}
    said = texts(f"probe.result.{key}", name=name, **words)
    verdict = _verdict(texts, result.values)
    return f"{said}\n  {verdict}" if verdict else said


def as_json(results: Sequence[tuple[str, ProbeResult]]) -> str:
    """Return all results as one JSON object; values in bit/s, seconds, ratios."""
    return msgspec.json.encode(
        {
            "results": [
                {
                    "probe": name,
                    "ok": result.failure is None,
                    "values": result.values,
                    "failure": result.failure,
                    "detail": result.detail,
                    "info": result.info,
                    "tags": result.tags,
                }
                for name, run in results
                for result in run.all
            ]
        }
    ).decode()


def _verdict(texts: Texts, values: Mapping[str, float | None]) -> str:
    down_bps = values.get("rate_down_bps")
    if down_bps is None:
        return ""
    key = "reached" if down_bps >= TARGET_DOWN_BPS else "missed"
    return texts(f"probe.verdict.{key}", target=texts.rate(TARGET_DOWN_BPS))


def shown(texts: Texts, name: str, value: float | str | None) -> str:
    """Return a value as people read it, by the unit that ends its name."""
    if isinstance(value, str):
        return value
    if name == "full_duplex":
        key = {None: "unknown", 1.0: "full", 0.0: "half"}[value]
        return texts(f"probe.duplex.{key}")
    by_unit: dict[str, Callable[[float | None], str]] = {
        "bps": texts.rate,
        "ratio": texts.percent,
        "bytes": partial(_megabytes, texts),
        "s": texts.milliseconds,
    }
    return by_unit.get(name.rpartition("_")[2], texts.number)(value)


def _megabytes(texts: Texts, size: float | None) -> str:
    megabytes = None if size is None else size / _MEGABYTE
    return f"{texts.number(megabytes, 1)} MB"
