"""What was made of a line or of a building's access points, for as long as it holds.

The pages of the whole city are asked for again and again, and hardly anything differs
from the last time. What was derived is used again if what it was derived from is the
same, and no value in it has grown too old meanwhile: content and time decide, so there
is nothing to be told of a change, and nothing to forget.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dashboards.ap_shaping import ap_group
from dashboards.facts import Facts, Moment, stale_after_ms
from dashboards.line_shaping import line_view, rules_of
from dashboards.views import ApGroup, LineView
from netmon.line_verdict import PROVEN_FOR_S
from netmon.model import AccessPoint, Line
from netmon.storage.records import Latest

# The ages, besides those of its kind and the alerts', at which a line's value changes
# what it says.
_LINE_AGES_MS = (round(PROVEN_FOR_S * 1000),)


class _Line(NamedTuple):
    said: tuple[object, ...]
    view: LineView
    from_ms: int
    until_ms: float


class _Points(NamedTuple):
    said: tuple[object, ...]
    group: ApGroup
    from_ms: int
    until_ms: float


class Kept:
    """The newest views of lines and of buildings' access points.

    Threads may use it together: at worst something is made twice.
    """

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._points: dict[str, _Points] = {}

    def line_view(self, line: Line, facts: Facts, moment: Moment) -> LineView:
        """Return a line's view; of facts of the whole city only."""
        kinds = facts.by_line.get(line.id, {})
        health = facts.media.get(line.id)
        rules = rules_of(line, facts)
        said = (line, rules, kinds, health, moment.no_data_after_s)
        known = self._lines.get(line.id)
        if known is not None and _holds(known, said, moment):
            return known.view
        view = line_view(line, facts, moment)
        until_ms = _line_until_ms(kinds, moment)
        self._lines[line.id] = _Line(said, view, moment.now_ms, until_ms)
        return view

    def ap_group(
        self,
        planned: Sequence[AccessPoint],
        facts: Facts,
        building_id: str,
        moment: Moment,
    ) -> ApGroup:
        """Return a building's access points, counted; of facts of the whole city only."""
        seen = facts.seen.get(building_id, ())
        known = self._points.get(building_id)
        said = (planned, seen, facts.ap_words, facts.ap_poor, moment.no_data_after_s)
        if known is not None and _holds(known, said, moment):
            return known.group
        group = ap_group(planned, facts, building_id, moment)
        ages = (stale_after_ms("wlan_ap"), _no_data_ms(moment))
        until_ms = _until_ms((ap.last_seen_ms for ap in seen), ages, moment.now_ms)
        self._points[building_id] = _Points(said, group, moment.now_ms, until_ms)
        return group


def _holds(known: _Line | _Points, said: tuple[object, ...], moment: Moment) -> bool:
    # Comparing is cheap: what is the same is mostly the same object.
    return known.from_ms <= moment.now_ms < known.until_ms and known.said == said


def _no_data_ms(moment: Moment) -> int:
    return moment.now_ms - moment.oldest_ms


def _line_until_ms(kinds: Mapping[str, Sequence[Latest]], moment: Moment) -> float:
    """Return when a value of a line reaches an age at which something changes."""
    return min(
        (
            _until_ms(
                (at_ms for item in items for at_ms in _times(item)),
                (stale_after_ms(kind), _no_data_ms(moment), *_LINE_AGES_MS),
                moment.now_ms,
            )
            for kind, items in kinds.items()
        ),
        default=float("inf"),
    )


def _times(item: Latest) -> tuple[int, ...]:
    return (item.ts_ms,) if item.ok_ts_ms is None else (item.ts_ms, item.ok_ts_ms)


def _until_ms(times_ms: Iterable[int], ages_ms: Sequence[int], now_ms: int) -> float:
    """Return the first moment after now at which one of the times is older than an age."""
    turns = (at_ms + age_ms + 1 for at_ms in times_ms for age_ms in ages_ms)
    return min((turn for turn in turns if turn > now_ms), default=float("inf"))
