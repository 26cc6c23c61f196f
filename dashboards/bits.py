"""The small pieces of markup that stand a thousand times on a page.

Written in Python because a template macro called that often is what makes the
overview slow. Everything that comes from outside goes through `escape`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from markupsafe import Markup, escape

from dashboards.formats import Formats
from dashboards.views import Reading, Verdict
from netmon.texts import Texts

_REMEMBERED = 8192


class Bits:
    """Badges and values with their age, in one language."""

    def __init__(self, texts: Texts, formats: Formats) -> None:
        self._formats = formats
        self._never = escape(texts("site.never"))
        self._none = Markup('<span class="none">%s</span>') % texts("site.not_measured")
        self._old = Markup(' <span class="tag tag-old">%s</span>') % texts("site.stale")
        self._generated = Markup(' <span class="tag tag-gen" title="%s">%s</span>') % (
            texts("site.generated_why"),
            texts("site.generated"),
        )
        self._badges = {v: self._badge(v, texts(f"state.{v}")) for v in Verdict}
        # Values that arrived together have the same time: written once.
        self._when = lru_cache(_REMEMBERED)(self._times)
        self._aged = lru_cache(_REMEMBERED)(self._time)
        self._marks = {
            (stale, made_up): (self._old if stale else Markup())
            + (self._generated if made_up else Markup())
            for stale in (False, True)
            for made_up in (False, True)
        }

    def functions(self) -> Mapping[str, Callable[..., Markup]]:
        """Return what templates may call, by name."""
        return {
            "badge": self.badge,
            "ago": self.ago,
            "generated": self.generated,
            "marks": self.marks,
            "measured": self.measured,
        }

    @staticmethod
    def _badge(verdict: str, text: str) -> Markup:
        return Markup(
            '<span class="state state-{0}"><svg class="sym" width="16" height="16" '
            'aria-hidden="true"><use href="#s-{0}"/></svg>{1}</span>'
        ).format(verdict, text)

    def _times(self, at_ms: int) -> str:
        iso, moment = self._formats.iso(at_ms), self._formats.moment(at_ms)
        return f'<time datetime="{escape(iso)}" title="{escape(moment)}">'

    def _time(self, at_ms: int, now_ms: int) -> Markup:
        age = escape(self._formats.ago(at_ms, now_ms))
        return Markup(f"{self._when(at_ms)}{age}</time>")  # noqa: S704 - escaped above

    def badge(self, verdict: str, text: str | None = None) -> Markup:
        """Return a state as symbol, word and colour; ``text`` replaces the word."""
        if text is not None:
            return self._badge(verdict, text)
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
        return Markup(  # noqa: S704 - text is escaped here, the others are markup
            f'<span class="num">{escape(text)}</span>'
            f'<span class="sub">{age}{marks}</span>'
        )
