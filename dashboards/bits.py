"""The small pieces of markup that stand a thousand times on a page.

Written in Python because a template macro called that often is what makes the
overview slow. Everything that comes from outside goes through `escape`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from markupsafe import Markup, escape

from dashboards.covered import RoomsCovered
from dashboards.formats import Formats
from dashboards.line_shaping import LOOKS
from dashboards.views import BuildingRow, LineView, Reading, Verdict
from netmon.line_verdict import LineVerdict, ReasonCode, Told, VerdictClass, tell
from netmon.texts import Texts

_REMEMBERED = 8192


class Bits:
    """Badges and values with their age, in one language."""

    def __init__(self, texts: Texts, formats: Formats) -> None:
        self._formats = formats
        self._never = escape(texts("site.never"))
        self._none = Markup('<span class="none">%s</span>') % texts("site.not_measured")
        self.old = Markup(' <span class="tag tag-old">%s</span>') % texts("site.stale")
        self._generated = Markup(' <span class="tag tag-gen" title="%s">%s</span>') % (
            texts("site.generated_why"),
            texts("site.generated"),
        )
        self._no_list = Markup('–<span class="sub">{}</span>').format(
            texts("city.rooms_no_list")
        )
        self._no_need = Markup('–<span class="sub">{}</span>').format(
            texts("city.need_unknown")
        )
        self._short = Markup(
            '<span class="sub"><span class="tag">{}</span></span>'
        ).format(texts("city.need_short"))
        self._texts = texts
        self._badges = {v: self._badge(v, texts(f"state.{v}")) for v in Verdict}
        self._line_badges = {
            each: self._badge(LOOKS[each], texts(f"verdict.class.{each}"))
            for each in VerdictClass
        }
        # Values that arrived together have the same time: written once.
        self._when = lru_cache(_REMEMBERED)(self._times)
        self._aged = lru_cache(_REMEMBERED)(self._time)
        self._worded = lru_cache(_REMEMBERED)(self._badge)
        self._number = lru_cache(_REMEMBERED)(self._num)
        self._counted = lru_cache(_REMEMBERED)(self._count)
        self._needed = lru_cache(_REMEMBERED)(self._need)
        self._marks = {
            (stale, made_up): (self.old if stale else Markup())
            + (self._generated if made_up else Markup())
            for stale in (False, True)
            for made_up in (False, True)
        }

    def functions(self) -> Mapping[str, Callable[..., Markup | Told]]:
        """Return what templates may call, by name."""
        return {
            "badge": self.badge,
            "ago": self.ago,
            "generated": self.generated,
            "marks": self.marks,
            "measured": self.measured,
            "line_badge": self.line_badge,
            "either": self.either,
            "told": self.told,
        }

    @staticmethod
    def _badge(verdict: str, text: str) -> Markup:
        return Markup(
            '<span class="state state-{0}"><svg class="sym" width="16" height="16" '
            'aria-hidden="true"><use href="#s-{0}"/></svg>{1}</span>'
        ).format(verdict, text)

    @staticmethod
    def _num(text: str) -> str:
        return f'<span class="num">{escape(text)}</span>'

    def _times(self, at_ms: int) -> str:
        iso, moment = self._formats.iso(at_ms), self._formats.moment(at_ms)
        return f'<time datetime="{escape(iso)}" title="{escape(moment)}">'

    def _time(self, at_ms: int, now_ms: int) -> Markup:
        age = escape(self._formats.ago(at_ms, now_ms))
        return Markup(f"{self._when(at_ms)}{age}</time>")  # noqa: S704 - escaped above

    def badge(self, verdict: str, text: str | None = None) -> Markup:
        """Return a state as symbol, word and colour; ``text`` replaces the word."""
        if text is not None:
            return self._worded(verdict, text)
        return self._badges[Verdict(verdict)]

    def ago(self, at_ms: int | None, now_ms: int) -> Markup:
        """Return how long ago, with the exact time in the markup."""
        if at_ms is None:
            return self._never
        return self._aged(at_ms, now_ms)

    def generated(self, flag: bool) -> Markup:
        """Return the badge of made-up data, or nothing."""
        return self._generated if flag else Markup()

    def marks(self, reading: Reading) -> Markup:
        """Return the badges of a value: too old, made up."""
        return self._marks[reading.stale, reading.generated]

    def measured(self, reading: Reading, text: str, now_ms: int) -> Markup:
        """Return a value written as ``text`` with its age below, or "not measured"."""
        if reading.value is None:
            return self._none
        age, marks = self.ago(reading.at_ms, now_ms), self.marks(reading)
        return Markup(  # noqa: S704 - the pieces are escaped where they are made
            f'{self._number(text)}<span class="sub">{age}{marks}</span>'
        )

    def line_badge(self, view: LineView) -> Markup:
        """Return a line's verdict in the words for lines: below target, full."""
        return self._line_badges[view.judged.verdict]

    def either(self, capacity: Reading, proof: Reading, now_ms: int) -> Markup:
        """Return the newer of capacity and lower bound, and the other below it."""
        rate = self._formats.rate
        if proof.value is None:
            return self.measured(capacity, rate(capacity.value), now_ms)
        at_least = self._texts("site.at_least", rate=rate(proof.value))
        if capacity.value is None:
            return self.measured(proof, at_least, now_ms)
        first, second = (capacity, rate(capacity.value)), (proof, at_least)
        if (proof.at_ms or 0) > (capacity.at_ms or 0):
            first, second = second, first
        when = self.ago(second[0].at_ms, now_ms)
        older = Markup('<span class="sub">{}, {}</span>').format(second[1], when)
        return self.measured(*first, now_ms) + older

    def rooms(self, rooms: RoomsCovered | None, now_ms: int) -> Markup:
        """Return how many rooms are covered of how many, what is open, and the age."""
        if rooms is None:
            return self._none
        if rooms.covered is None:
            return self._no_list
        if rooms.is_unknown:
            return self._open(rooms, now_ms)
        count = self._counted(rooms.covered, rooms.rooms, rooms.open)
        marks = self._marks[rooms.stale, rooms.generated]
        return Markup(  # noqa: S704 - the pieces are escaped where they are made
            f"{count}{self.ago(rooms.at_ms, now_ms)}{marks}</span>"
        )

    def _open(self, rooms: RoomsCovered, now_ms: int) -> Markup:
        """Return that nothing is known of any room: no 0 that was counted."""
        is_open = self._texts("city.rooms_open", n=rooms.open)
        marks = self._marks[rooms.stale, rooms.generated]
        return Markup(  # noqa: S704 - the text is escaped here, the others are markup
            f'–<span class="sub">{escape(is_open)} · '
            f"{self.ago(rooms.at_ms, now_ms)}{marks}</span>"
        )

    def _count(self, covered: int, total: int, is_open: int | None) -> str:
        """Return how many of how many, and the beginning of what stands below."""
        count = self._texts("site.of", n=covered, total=total)
        more = f"{self._texts('city.rooms_open', n=is_open)} · " if is_open else ""
        return f'{self._num(count)}<span class="sub">{escape(more)}'

    def need(self, row: BuildingRow) -> Markup:
        """Return what the building needs, and whether its contract is less."""
        needed_bps = row.needed_down_bps
        if needed_bps is None:
            return self._no_need
        return self._needed(needed_bps, row.contract_short)

    def _need(self, needed_bps: int, is_short: bool) -> Markup:
        shown = Markup('<span class="num">{}</span>').format(
            self._formats.axis(needed_bps, "bps")
        )
        return shown + self._short if is_short else shown

    def told(self, view: LineView, now_ms: int, *, findings: bool = True) -> Told:
        """Return a line's verdict in words, with ages.

        Without ``findings`` what stands beside the medium itself is left out.
        """
        head, *others = view.judged.reasons
        if not findings:
            others = [each for each in others if each.code is not ReasonCode.FINDING]
        shown = LineVerdict(view.judged.verdict, (head, *others))
        return tell(shown, self._texts, lambda ms: self._formats.ago(ms, now_ms))
