"""How templates write numbers and times; German by default."""

from __future__ import annotations

from datetime import date, datetime

from netmon.clock import BERLIN, berlin_day, from_ms
from netmon.texts import NO_VALUE, Texts

_AXES = {
    "bps": (1e-6, "Mbit/s"),
    "s": (1e3, "ms"),
    "ratio": (100.0, "%"),
    "dbm": (1.0, "dBm"),
    "db": (1.0, "dB"),
}
# Decimals, and what stands behind the number.
_OTHERS = {
    "dbm": (1, " dBm"),
    "db": (1, " dB"),
    "rpm": (0, " RPM"),
    "count": (0, ""),
    "total": (0, ""),
}


class Formats:
    """Writes values for one language; None is always an en dash."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def rate(self, rate_bps: float | None) -> str:
        """Return ``93,4 Mbit/s``."""
        return self._texts.rate(rate_bps)

    def axis(self, value: float, unit: str) -> str:
        """Return a round value with as few decimals as it needs, and its unit."""
        return f"{self.tick_value(value, unit)}\u00a0{self.unit(unit)}"

    def unit(self, unit: str) -> str:
        """Return how the unit of a metric's name is written: Mbit/s, ms, %."""
        return _AXES[unit][1]

    def tick_value(self, value: float, unit: str) -> str:
        """Return a round value with as few decimals as it needs, without unit."""
        scaled = round(value * _AXES[unit][0], 6)
        decimals = next((n for n in (0, 1, 2) if scaled == round(scaled, n)), 3)
        return self._texts.number(scaled, decimals)

    def value(self, value: float | None, unit: str) -> str:
        """Return a measured value by the unit that ends its metric's name."""
        if unit == "bps":
            return self._texts.rate(value)
        if unit == "s":
            return self._texts.milliseconds(value)
        if unit == "ratio" or value is None:
            return self._texts.percent(value)
        if unit == "bytes":
            return f"{self._texts.number(value / 1e6, 1)} MB"
        decimals, word = _OTHERS[unit]
        return f"{self._texts.number(value, decimals)}{word}"

    def ago(self, at_ms: int | None, now_ms: int) -> str:
        """Return ``vor 24 Min.``; a dash for None."""
        if at_ms is None:
            return NO_VALUE
        return self._texts("site.ago", age=self._rough(now_ms - at_ms))

    def since(self, at_ms: int, now_ms: int) -> str:
        """Return ``seit 3 Tagen``."""
        return self._texts("site.since", age=self._rough(now_ms - at_ms))

    def _rough(self, duration_ms: int) -> str:
        """Return an age in its largest unit: under two days in hours."""
        hours = max(0, duration_ms) // 3_600_000
        if hours < 1:
            return self.span(duration_ms)
        if hours < 48:
            return self._texts("site.age.hours", n=hours)
        return self._texts("site.age.days", n=hours // 24)

    def span(self, duration_ms: float | None) -> str:
        """Return a duration such as ``1 Std. 24 Min.``."""
        return self._texts.duration(None if duration_ms is None else duration_ms / 1000)

    def moment(self, at_ms: int | None) -> str:
        """Return ``20.11.2026, 08:12 Uhr``."""
        return self._texts.moment(None if at_ms is None else from_ms(at_ms))

    def is_past(self, day: date, now_ms: int) -> bool:
        """Say whether a day is over in Dortmund."""
        return day < berlin_day(now_ms)

    def clock(self, at_ms: int) -> str:
        """Return ``08:12`` for an axis."""
        return self._local(at_ms).strftime("%H:%M")

    def day(self, at_ms: int) -> str:
        """Return ``20.11.`` for an axis."""
        return self._local(at_ms).strftime("%d.%m.")

    def month(self, at_ms: int) -> str:
        """Return ``11/26`` for an axis."""
        return self._local(at_ms).strftime("%m/%y")

    def tick(self, at_ms: float, span: str) -> str:
        """Return a label of the time axis that fits the span."""
        if span == "24h":
            return self.clock(round(at_ms))
        return self.month(round(at_ms)) if span == "1y" else self.day(round(at_ms))

    def when(self, at_ms: int, grain: str) -> str:
        """Return a point's time as exactly as it is known."""
        if grain == "day":
            return self._texts.date(from_ms(at_ms))
        return self.moment(at_ms)

    def iso(self, at_ms: int | None) -> str:
        """Return ISO 8601 in UTC for a ``datetime`` attribute; empty for None."""
        return "" if at_ms is None else from_ms(at_ms).isoformat(timespec="seconds")

    @staticmethod
    def _local(at_ms: int) -> datetime:
        return from_ms(at_ms).astimezone(BERLIN)
