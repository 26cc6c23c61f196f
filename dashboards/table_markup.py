"""Rows of the long tables: of a history, access points, the ports of a switch.

Written in Python for the reason that `dashboards.bits` gives. What comes from
outside goes through `escape`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from markupsafe import Markup, escape

from dashboards.bits import Bits
from dashboards.building_views import ApFinding, ApView, BuildingPage
from dashboards.floors import radio_text
from dashboards.formats import Formats
from dashboards.history import Point
from dashboards.ports import PortView
from dashboards.tables import HistoryRow
from netmon.line_verdict import ended
from netmon.metrics import KINDS
from netmon.storage.records import Latest
from netmon.texts import NO_VALUE, Texts

_REMEMBERED = 2048
_MBIT = 1e6


def _sub(text: str) -> str:
    """Return what stands small below a value; nothing for an empty text."""
    return f'<span class="sub">{escape(text)}</span>' if text else ""


class Rows:
    """Writes rows in one language."""

    def __init__(self, texts: Texts, formats: Formats, bits: Bits) -> None:
        self._texts = texts
        self._formats = formats
        self._bits = bits
        self._none = f'<span class="none">{escape(texts("site.not_measured"))}</span>'
        self._failures = escape(texts("site.col.failures"))
        self._columns = {
            name: f'<td role="cell" data-label="{escape(texts(f"building.port.{name}"))}">'
            for name in ("state", "neighbour", "poe", "errors", "changes", "traffic")
        }
        self._ap_columns = {
            name: f'<td role="cell" data-label="{escape(texts(f"site.col.{name}"))}">'
            for name in ("told_state", "finding", "room", "model", "radios", "reported")
        }
        self._clients = (
            '<td role="cell" class="right" '
            f'data-label="{escape(texts("site.col.clients"))}">'
        )
        self._unplanned = (
            f' <span class="tag">{escape(texts("site.building.unplanned"))}</span>'
        )
        self._never = (
            f'<span class="none">{escape(texts("site.never_reported"))}</span>'
        )
        # A city has few different speeds, powers and counts.
        self._link = lru_cache(_REMEMBERED)(self._link_text)
        self._watt = lru_cache(_REMEMBERED)(self._watt_text)
        self._counted = lru_cache(_REMEMBERED)(texts.number)
        self._mbits = lru_cache(_REMEMBERED)(self._mbits_text)

    def functions(self) -> Mapping[str, Callable[..., Markup]]:
        """Return what templates may call, by name."""
        return {
            "history_rows": self.history,
            "port_rows": self.ports,
            "ap_rows": self.access_points,
            "all_values": self.values,
        }

    def history(
        self, rows: Iterable[HistoryRow], metrics: Sequence[str], unit: str, grain: str
    ) -> Markup:
        """Return the rows of a history, one cell for each metric."""
        labels = [escape(self._texts(f"site.metric.{name}")) for name in metrics]
        heads = [f'<td role="cell" class="right" data-label="{x}">' for x in labels]
        last = f'<td role="cell" class="right" data-label="{self._failures}">'
        f = self._formats
        written = []
        for row in rows:
            at_ms = row.at_ms
            cells = "".join(
                f"{head}{self._point(point, unit)}</td>"
                for head, point in zip(heads, row.points, strict=True)
            )
            written.append(
                '<tr role="row"><th scope="row" role="rowheader">'
                f'<time datetime="{f.iso(at_ms)}">{f.when(at_ms, grain)}</time></th>'
                f"{cells}{last}{self._counted(row.failures)}</td></tr>\n"
            )
        return Markup("".join(written))  # noqa: S704 - numbers, and texts of ours

    def _point(self, point: Point | None, unit: str) -> str:
        if point is None or point.mean is None:
            return self._none
        value = self._formats.value
        shown = f"<span>{value(point.mean, unit)}</span>"
        if point.low == point.high:
            return shown
        low, high = value(point.low, unit), value(point.high, unit)
        words = self._texts("site.range", low=low, high=high)
        return f'{shown}<span class="sub">{words}</span>'

    def access_points(
        self, access_points: Iterable[ApView], page: BuildingPage, now_ms: int
    ) -> Markup:
        """Return the rows of access points."""
        c = self._ap_columns
        written = []
        for ap in access_points:
            since = (
                "" if ap.since_ms is None else self._formats.since(ap.since_ms, now_ms)
            )
            clients = None if ap.seen is None else ap.seen.clients_count
            radios = "".join(
                f'<span class="radio">{escape(radio.radio)}: '
                f"{escape(radio_text(radio, self._texts))}</span>"
                for radio in page.radios_of(ap)
            )
            written.append(
                '<tr role="row"><th scope="row" role="rowheader">'
                f"{escape(ap.name)}{'' if ap.planned else self._unplanned}</th>"
                f"{c['told_state']}{self._bits.badge(ap.verdict)}{_sub(since)}</td>"
                f"{c['finding']}{self._finding(page.findings.get(ap.id))}</td>"
                f"{c['room']}{escape(ap.room or NO_VALUE)}</td>"
                f"{c['model']}{escape(ap.model or NO_VALUE)}</td>"
                f"{self._clients}"
                f"{self._none if clients is None else self._counted(clients)}</td>"
                f"{c['radios']}{radios or NO_VALUE}</td>"
                f"{c['reported']}{self._reported(ap, now_ms)}</td></tr>\n"
            )
        return Markup("".join(written))  # noqa: S704 - escaped above and below

    def _finding(self, found: ApFinding | None) -> str:
        if found is None:
            return NO_VALUE
        below = ended(found.trail) if found.trail else found.port
        return f"{self._bits.badge(found.look, found.state)}{_sub(below)}"

    def _reported(self, ap: ApView, now_ms: int) -> str:
        if ap.seen is None:
            return self._never
        bits = self._bits
        old = bits.old if ap.stale else ""
        made_up = bits.generated(ap.seen.generated)
        return f"{bits.ago(ap.seen.last_seen_ms, now_ms)}{old}{made_up}"

    def ports(self, ports: Iterable[PortView]) -> Markup:
        """Return the rows of a switch."""
        c = self._columns
        written = []
        for port in ports:
            name = escape(port.name or port.port)
            counted = self._counted
            written.append(
                '<tr role="row"><th scope="row" role="rowheader">'
                f"{name}</th>{c['state']}{self._state(port)}</td>"
                f"{c['neighbour']}{self._neighbour(port)}</td>"
                f"{c['poe']}{self._power(port)}</td>"
                f"{c['errors']}{counted(port.errors_total)}</td>"
                f"{c['changes']}{counted(port.changes_total)}</td>"
                f"{c['traffic']}{self._traffic(port)}</td></tr>\n"
            )
        return Markup("".join(written))  # noqa: S704 - escaped above and below

    def _state(self, port: PortView) -> str:
        if port.failed or port.up is None:
            return self._none
        return self._link(
            port.up, port.switched_on, port.speed_bps, port.full_duplex, port.stale
        )

    def _link_text(
        self,
        up: bool,
        switched_on: bool | None,
        speed_bps: float | None,
        full_duplex: bool | None,
        stale: bool,
    ) -> str:
        texts = self._texts
        if not up:
            words = [
                texts(f"building.port.{'off' if switched_on is False else 'down'}")
            ]
        else:
            words = [texts("building.port.up")]
            words += [self._speed_text(speed_bps)] if speed_bps else []
            words += (
                [texts("building.port.half_duplex")] if full_duplex is False else []
            )
        return (
            f"<span>{escape(', '.join(words))}{self._bits.old if stale else ''}</span>"
        )

    def _neighbour(self, port: PortView) -> str:
        if port.neighbour:
            return str(escape(port.neighbour))
        if port.has_neighbour:
            return str(escape(self._texts("building.port.other_device")))
        return NO_VALUE

    def _power(self, port: PortView) -> str:
        if port.poe_on is None and port.poe_w is None:
            return NO_VALUE
        if port.poe_w:
            return self._watt(port.poe_w)
        key = "poe_on" if port.poe_on else "poe_off"
        return str(escape(self._texts(f"building.port.{key}")))

    def _traffic(self, port: PortView) -> str:
        if port.in_rate_bps is None or port.out_rate_bps is None:
            return NO_VALUE
        return self._mbits(port.in_rate_bps, port.out_rate_bps)

    def _mbits_text(self, *rates_bps: float) -> str:
        rates = [self._texts.number(rate_bps / _MBIT, 1) for rate_bps in rates_bps]
        return f"{' / '.join(rates)} Mbit/s"

    def _speed_text(self, speed_bps: float) -> str:
        if speed_bps >= 1e9:
            decimals = 0 if speed_bps % 1e9 == 0 else 1
            return f"{self._texts.number(speed_bps / 1e9, decimals)} Gbit/s"
        return f"{self._texts.number(speed_bps / _MBIT)} Mbit/s"

    def _watt_text(self, power_w: float) -> str:
        return f"{self._texts.number(power_w, 1)} W"

    def values(self, item: Latest) -> Markup:
        """Return every number of a record with its name, in the catalogue's order."""
        written = []
        for metric in KINDS[item.series.kind].metrics:
            value = item.values.get(metric.name)
            if value is not None:
                label = escape(self._texts(f"site.metric.{metric.name}"))
                text = escape(self._value(value, metric.name.rpartition("_")[2]))
                written.append(f'<span class="pair">{label}: {text}</span>')
        return Markup("".join(written))  # noqa: S704 - escaped above

    def _value(self, value: float, unit: str) -> str:
        # How long something took is told in seconds, a way there and back in ms.
        if unit == "s" and abs(value) >= 1:
            return self._texts("building.seconds", n=self._texts.number(value, 1))
        return self._formats.value(value, unit)
