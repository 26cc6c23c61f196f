"""The rows of the two tables of all buildings.

Written in Python like the pieces in `bits`: as a template they take half the time of
the page. Everything that comes from outside goes through `escape`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote

from markupsafe import Markup, escape

from dashboards.bits import Bits
from dashboards.formats import Formats
from dashboards.views import ApGroup, BuildingRow, LineView, Verdict
from netmon.line_verdict import VerdictClass
from netmon.model import Building, Coverage, Technology
from netmon.texts import Texts

# Verdicts that already say that there was no result.
_SAYS_SO = (VerdictClass.NOT_MEASURED, VerdictClass.PROBE_LIMITED)
# What access points can be between working and being down.
_LESSER = (Verdict.DEGRADED, Verdict.SUSPECT, Verdict.NEVER_SEEN)
_PLAIN = ("school_type", "line_state", "line", "lan_rooms", "wlan_state", "wlan_rooms")
_RIGHT = ("contract", "need", "down", "up", "rtt", "aps", "aps_down", "aps_unknown")


class CityRows:
    """Writes rows in one language; ``columns`` are the headings by name."""

    def __init__(
        self, texts: Texts, formats: Formats, bits: Bits, columns: Mapping[str, str]
    ) -> None:
        self._texts, self._formats, self._bits = texts, formats, bits
        self._cells = {
            name: f'<td role="cell"{attribute} data-label="{escape(columns[name])}">'
            for names, attribute in (
                (_PLAIN, ""),
                ((*_RIGHT, "clients"), ' class="right"'),
            )
            for name in names
        }
        for name in ("line_state", "wlan_state"):
            self._cells[name] = self._cells[name].replace(
                'role="cell"', 'role="cell" class="c-state"'
            )
        self._technology = {x: escape(texts(f"technology.{x}")) for x in Technology}
        self._declared = {
            x: _sub(escape(texts("city.declared", what=texts(f"coverage.{x}"))))
            for x in Coverage
        }
        self._none = {
            name: f'<span class="none">{escape(texts(f"site.{name}"))}</span>'
            for name in ("no_line", "no_aps", "not_measured")
        }
        self._words = {x: escape(texts(f"city.aps_{x}")) for x in _LESSER}
        self._never = _sub(escape(texts("site.never_reported")))
        self._by_contract = _sub(
            '<span class="tag tag-contract">'
            f"{escape(texts('state.below_contract'))}</span>"
        )
        # They change with an import only.
        self._head = lru_cache(4096)(self._make_head)
        self._contract = lru_cache(4096)(self._make_contract)
        self._provided = lru_cache(4096)(self._make_provided)

    def line_rows(self, rows: Iterable[BuildingRow], now_ms: int) -> Markup:
        """Return the rows of line and LAN."""
        # One piece: a template that calls for each row pays for the calls.
        shown = "".join([self._line_row(row, now_ms) for row in rows])
        return Markup(shown)  # noqa: S704 - every text in it is escaped where it is made

    def wlan_rows(self, rows: Iterable[BuildingRow], now_ms: int) -> Markup:
        """Return the rows of WLAN."""
        shown = "".join([self._wlan_row(row, now_ms) for row in rows])
        return Markup(shown)  # noqa: S704 - every text in it is escaped where it is made

    def _line_row(self, row: BuildingRow, now_ms: int) -> str:
        cell, view, bits = self._cells, row.main, self._bits
        if view is None:
            none = self._none["not_measured"]
            line, contract = self._none["no_line"], "–"
            down = up = rtt = none
        else:
            line, contract = self._line(row, view), self._contract_of(view)
            down = bits.either(view.down, view.proof, now_ms)
            up = bits.either(view.up, view.up_proof, now_ms)
            text = self._formats.value(view.rtt.value, "s")
            rtt = bits.measured(view.rtt, text, now_ms)
        rooms = bits.rooms(row.lan_rooms, now_ms)
        return (
            f"{self._start(row.building, '')}"
            f"{cell['line_state']}{self._line_state(row, now_ms)}</td>"
            f"{cell['line']}{line}</td>{cell['contract']}{contract}</td>"
            f"{cell['need']}{bits.need(row)}</td>{cell['down']}{down}</td>"
            f"{cell['up']}{up}</td>{cell['rtt']}{rtt}</td>"
            f"{cell['lan_rooms']}{rooms}{self._declared[row.building.lan]}</td></tr>\n"
        )

    def _wlan_row(self, row: BuildingRow, now_ms: int) -> str:
        cell, aps, bits = self._cells, row.aps, self._bits
        state = bits.badge(aps.verdict) if aps.total else self._none["no_aps"]
        rooms = bits.rooms(row.wlan_rooms, now_ms)
        unknown = self._texts.number(aps.unknown) if aps.total else "–"
        text = self._texts.number(aps.clients.value)
        return (
            f"{self._start(row.building, '#wlan')}"
            f"{cell['wlan_state']}{state}</td>"
            f"{cell['wlan_rooms']}{rooms}{self._declared[row.building.wlan]}</td>"
            f"{cell['aps']}{self._in_order(aps, now_ms)}</td>"
            f"{cell['aps_down']}{self._down(aps)}</td>"
            f"{cell['aps_unknown']}{unknown}</td>"
            f"{cell['clients']}{bits.measured(aps.clients, text, now_ms)}</td></tr>\n"
        )

    def _start(self, building: Building, anchor: str) -> str:
        return self._head(
            building.id,
            building.name,
            f"{building.street} · {building.campus_district}",
            building.school_type.value,
            anchor,
        )

    def _make_head(
        self, key: str, name: str, where: str, school_type: str, anchor: str
    ) -> str:
        return (
            '<tr role="row"><th scope="row" role="rowheader">'
            f'<a href="/gebaeude/{quote(key)}{anchor}">{escape(name)}</a>'
            f"{_sub(escape(where))}</th>"
            f"{self._cells['school_type']}{escape(school_type)}</td>"
        )

    def _line_state(self, row: BuildingRow, now_ms: int) -> str:
        view, bits = row.main, self._bits
        if view is None:
            return bits.badge(row.line_verdict)
        shown = str(bits.line_badge(view))
        if view.speaks:
            shown += _sub(escape(bits.told(view, now_ms).headline))
        if view.failure and view.judged.verdict not in _SAYS_SO:
            failure = escape(self._texts(f"failure.{view.failure}"))
            shown += _sub(f"{failure}, {bits.ago(view.failure_at_ms, now_ms)}")
        elif view.since_ms:
            shown += _sub(escape(self._formats.since(view.since_ms, now_ms)))
        return shown

    def _line(self, row: BuildingRow, view: LineView) -> str:
        line = view.line
        shown = self._provided(line.technology, line.provider)
        if view.below_by_contract and row.line_verdict is not Verdict.BELOW_CONTRACT:
            return f"{shown}{self._by_contract}"
        return shown

    def _make_provided(self, technology: Technology, provider: str) -> str:
        return f"{self._technology[technology]}{_sub(escape(provider))}"

    def _contract_of(self, view: LineView) -> str:
        line = view.line
        return self._contract(line.contracted_down_bps, line.contracted_up_bps)

    def _make_contract(self, down_bps: int, up_bps: int) -> str:
        down = escape(self._formats.axis(down_bps, "bps"))
        up = self._texts("site.upload_of", rate=self._formats.axis(up_bps, "bps"))
        return f'<span class="num">{down}</span>{_sub(escape(up))}'

    def _in_order(self, aps: ApGroup, now_ms: int) -> str:
        if not aps.total:
            return "–"
        count = escape(self._texts("site.of", n=aps.ok, total=aps.total))
        if not aps.clients.at_ms:
            return f'<span class="num">{count}</span>{self._never}'
        age = self._bits.ago(aps.clients.at_ms, now_ms)
        made_up = self._bits.generated(aps.clients.generated)
        return f'<span class="num">{count}</span>{_sub(age + made_up)}'

    def _down(self, aps: ApGroup) -> str:
        shown = "0" if aps.ok else "–"
        if aps.down:
            number = self._texts.number(aps.down)
            shown = f'<strong class="alarm">{number}</strong>'
        more = {
            Verdict.DEGRADED: aps.degraded,
            Verdict.SUSPECT: aps.suspect,
            Verdict.NEVER_SEEN: aps.never_seen,
        }
        for look, count in more.items():
            if count:
                shown += _sub(f"{count} {self._words[look]}")
        return shown


def _sub(escaped: str) -> str:
    return f'<span class="sub">{escaped}</span>'
