"""What one measurement looks like on the screen, as JSON, and explained."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TextIO

import msgspec

from netmon.model import TARGET_DOWN_BPS
from netmon.texts import Texts
from probes.base import Probe, ProbeResult

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
        shown = {name: _shown(texts, name, value) for name, value in fields.items()}
        print(
            f"  {after:>12}  {texts(f'probe.event.{event}', **shown)}", file=self._out
        )


def as_text(texts: Texts, probe: Probe, result: ProbeResult) -> str:
    """Return the result in words, with a verdict."""
    name = texts(f"probe.name.{probe.name}")
    if result.failure is not None:
        reason = texts(f"failure.{result.failure}")
        return texts(
            "probe.result.failure", name=name, reason=reason, detail=result.detail
        )
    shown = {key: _shown(texts, key, value) for key, value in result.values.items()}
    said = texts(f"probe.result.{probe.name}", name=name, **shown)
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
                for name, result in results
            ]
        }
    ).decode()


def _verdict(texts: Texts, values: Mapping[str, float | None]) -> str:
    down_bps = values.get("rate_down_bps")
    if down_bps is None:
        return ""
    key = "reached" if down_bps >= TARGET_DOWN_BPS else "missed"
    return texts(f"probe.verdict.{key}", target=texts.rate(TARGET_DOWN_BPS))


def _shown(texts: Texts, name: str, value: float | str | None) -> str:
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
