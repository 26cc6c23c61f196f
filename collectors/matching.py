"""Which planned access point each row of a controller's table is: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from collectors.decode import Row
from collectors.hosts import ALONE, Roster, contradicts, dotted, folded
from collectors.wlan import OWN_AP
from netmon.model import AccessPoint

# By what one is known, the surest first.
_WORDS = ("serial", "mac", "name")

Matched = dict[str, AccessPoint]


def match_points(
    rows: Iterable[Row],
    planned: Sequence[AccessPoint],
    roster: Roster = ALONE,
    *,
    alone: bool = True,
) -> Matched:
    """Return the planned access point of each row's index, where there is one.

    The serial number decides, then the hardware address, then the name; no plan is
    given twice, and those planned here go before those of ``roster``. Of several rows of
    one name that is the one that is not down; if that is not one, it is none. A device
    that is an access point itself, and controls no other (``alone``), is the one
    planned there, whatever it is called.
    """
    rows = list(rows)
    own = [row.parts["ap"] for row in rows] == [OWN_AP]
    if own and alone and len(planned) == 1:
        return {OWN_AP: planned[0]}
    left = {plan.id: plan for plan in planned}
    matched: Matched = {}
    for word in _WORDS:
        _match_own(rows, word, left, matched)
        if roster is not ALONE:
            _match_guests(rows, word, {plan.id for plan in planned}, roster, matched)
    return matched


def _match_own(
    rows: Sequence[Row], word: str, left: dict[str, AccessPoint], matched: Matched
) -> None:
    by_word: dict[str, AccessPoint] = {}
    for plan in left.values():
        if text := _word_of_plan(plan, word):
            by_word.setdefault(text, plan)
    told = _by_word((row for row in rows if row.parts["ap"] not in matched), word)
    for text, plan in by_word.items():
        row = _that_is_up(told.get(text, ()))
        if row is not None and not (word == "mac" and contradicts(row, plan)):
            matched[row.parts["ap"]] = plan
            del left[plan.id]


def _match_guests(
    rows: Sequence[Row], word: str, own: set[str], roster: Roster, matched: Matched
) -> None:
    taken = {plan.id for plan in matched.values()} | own
    # All rows count, found or not: two that bear one name are two.
    for text, same in _by_word(rows, word).items():
        row = _that_is_up(same)
        if not text or row is None or row.parts["ap"] in matched:
            continue
        plan = roster.visitor(row, word)
        if plan is None or plan.id in taken:
            continue
        # What was shown by two for long under one name are two.
        if word != "name" or plan.id not in roster.two:
            matched[row.parts["ap"]] = plan
            taken.add(plan.id)


def _by_word(rows: Iterable[Row], word: str) -> Mapping[str, Sequence[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        told = row.parts.get("mac", "") if word == "mac" else row.words.get(word, "")
        found[told.casefold()].append(row)
    return found


def _word_of_plan(plan: AccessPoint, word: str) -> str:
    if word == "mac":
        return dotted(plan.mac)
    return folded(plan.serial if word == "serial" else plan.name)


def _that_is_up(same: Sequence[Row]) -> Row | None:
    """Return the one row of a word, or the one of several that is not down."""
    if len(same) > 1:
        same = [row for row in same if row.numbers.get("up") != 0]
    return same[0] if len(same) == 1 else None


def shown_twice(
    rows: Iterable[Row],
    matched: Mapping[str, AccessPoint],
    planned: Iterable[AccessPoint],
    roster: Roster,
) -> frozenset[str]:
    """Return the access points of others that are shown up here as well, or their name."""
    if roster is ALONE:
        return frozenset()
    own = {plan.id for plan in planned}
    found = (
        (row, matched.get(row.parts["ap"]) or roster.visitor(row, "name"))
        for row in rows
    )
    return frozenset(
        plan.id
        for row, plan in found
        if plan is not None and plan.id not in own and roster.is_twice(row, plan)
    )


def without_standbys(
    rows: Iterable[Row],
    matched: Mapping[str, AccessPoint],
    planned: Iterable[AccessPoint],
    roster: Roster,
) -> tuple[Row, ...]:
    """Return the rows without visitors of which others speak."""
    own = {plan.id for plan in planned}
    return tuple(
        row
        for row in rows
        if (plan := matched.get(row.parts["ap"])) is None
        or plan.id in own
        or roster.speaks_of(row, plan)
    )


def may_be(row: Row, plan: AccessPoint) -> bool:
    """Say whether a row that fits no plan may be a planned access point after all.

    It bears the same name as another one, or says nothing of who it is.
    """
    name, serial = row.words.get("name", ""), row.words.get("serial", "")
    return name.casefold() == folded(plan.name) or not (name or serial)
