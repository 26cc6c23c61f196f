"""What a test of the line says on the screen, in words."""

from __future__ import annotations

from netmon.texts import Texts
from probes.base import ProbeResult


def uplink_text(
    texts: Texts, direction: str, result: ProbeResult, threshold_bps: float
) -> str:
    """Return a result of one direction in some lines, with what it means."""
    way = texts(f"probe.way.{direction}")
    if result.failure is not None:
        reason = texts(f"failure.{result.failure}")
        return texts(
            "probe.result.failure", name=way, reason=reason, detail=result.detail
        )
    parts = [_headline(texts, way, direction, result)]
    carrier = result.tags.get("line")
    if carrier:
        # The contract is that of another line.
        parts.append(texts("probe.event.other_line", line=carrier))
    else:
        parts.append(_verdict(texts, direction, result, threshold_bps))
    parts += _beside(texts, direction, result)
    return "\n  ".join(parts)


def _headline(texts: Texts, way: str, direction: str, result: ProbeResult) -> str:
    values = result.values

    def rate(name: str) -> str:
        return texts.rate(values.get(name))

    low = values.get(f"rate_{direction}_low_bps")
    if values.get(f"rate_{direction}_bps") is not None:
        return texts(
            "probe.uplink.capacity",
            way=way,
            rate=rate(f"rate_{direction}_bps"),
            low=rate(f"rate_{direction}_low_bps"),
            high=rate(f"rate_{direction}_high_bps"),
            ip=rate(f"capacity_{direction}_bps"),
        )
    if values.get(f"at_least_{direction}_bps") is not None:
        return texts(
            "probe.uplink.at_least", way=way, rate=rate(f"at_least_{direction}_bps")
        )
    if low is not None:
        return texts(
            "probe.uplink.range",
            way=way,
            low=texts.rate(low),
            high=rate(f"rate_{direction}_high_bps"),
        )
    return texts("probe.uplink.nothing", way=way)


def _verdict(
    texts: Texts, direction: str, result: ProbeResult, threshold_bps: float
) -> str:
    values = result.values
    rate = values.get(f"rate_{direction}_bps")
    high = values.get(f"rate_{direction}_high_bps")
    shown = values.get(f"at_least_{direction}_bps") if rate is None else rate
    if shown is not None and shown >= threshold_bps:
        key = "reached"
    elif rate is not None and (rate if high is None else high) < threshold_bps:
        key = "missed"
    else:
        key = "open"
    return texts(f"probe.uplink.{key}", target=texts.rate(threshold_bps))


def _beside(texts: Texts, direction: str, result: ProbeResult) -> list[str]:
    values, parts = result.values, []
    cross = values.get(f"cross_{direction}_bps")
    if cross is not None:
        parts.append(
            texts(
                "probe.uplink.shares",
                own=texts.rate(values.get(f"goodput_{direction}_bps")),
                cross=texts.rate(cross),
            )
        )
    elif result.tags.get("basis"):
        parts.append(texts("probe.uplink.uncounted"))
    idle, loaded = values.get("rtt_idle_s"), values.get("rtt_loaded_s")
    if idle is not None and loaded is not None:
        parts.append(
            texts(
                "probe.uplink.rtt",
                idle=texts.milliseconds(idle),
                loaded=texts.milliseconds(loaded),
                rpm=texts.number(values.get("responsiveness_rpm")),
            )
        )
    moved = values.get("transferred_bytes")
    if moved is not None:
        parts.append(
            texts(
                "probe.uplink.effort",
                size=texts.number(moved / 1e6, 1),
                seconds=texts.number(values.get("duration_s"), 1),
                method=result.tags.get("method", ""),
                streams=texts.number(values.get("streams_count")),
            )
        )
    return parts
