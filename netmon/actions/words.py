"""Windows, silences and marks in words, for shell, pages and mails alike."""

from __future__ import annotations

from netmon.actions.muting import Muted
from netmon.actions.windows import counts_until_ms, next_start_ms, silence_counts
from netmon.clock import from_ms
from netmon.storage.action_records import (
    Maintenance,
    Mark,
    OneOff,
    Silence,
    Weekly,
)
from netmon.texts import Texts


def _moment(texts: Texts, at_ms: int) -> str:
    return texts.moment(from_ms(at_ms))


def muted_words(texts: Texts, muted: Muted) -> str:
    """Return e.g. ``In Wartung bis 01.12.2026, 22:00 Uhr (Umbau)``."""
    until = _moment(texts, muted.until_ms)
    return texts(f"actions.muted.{muted.by}", until=until, reason=muted.reason)


def acknowledged_words(texts: Texts, mark: Mark) -> str:
    """Return who sees to an incident, since when, and what they said."""
    at = _moment(texts, mark.at_ms)
    return texts("actions.acknowledged", author=mark.author, at=at, note=mark.note)


def false_words(texts: Texts, mark: Mark) -> str:
    """Return who called an incident a false alarm, when and why."""
    at = _moment(texts, mark.at_ms)
    return texts("actions.marked_false", author=mark.author, at=at, note=mark.note)


def when_words(texts: Texts, when: OneOff | Weekly) -> str:
    """Return the times of a window."""
    if isinstance(when, OneOff):
        first, last = _moment(texts, when.starts_ms), _moment(texts, when.ends_ms)
        return texts("actions.when.one_off", first=first, last=last)
    told = texts(
        "actions.when.weekly",
        days=", ".join(texts(f"actions.weekday.{day}") for day in when.days),
        start=f"{when.start:%H:%M}",
        end=f"{when.end:%H:%M}",
        first=texts.date(when.first),
        last=texts.date(when.last),
    )
    if when.excluded:
        days = ", ".join(texts.date(day) for day in when.excluded)
        told += texts("actions.when.excluded", days=days)
    return told


def window_line(texts: Texts, window: Maintenance, now_ms: int) -> str:
    """Return a maintenance window as one line."""
    return texts(
        "actions.line.maintenance",
        id=window.id,
        scope=texts(f"actions.scope.{window.scope}"),
        value=window.value,
        when=when_words(texts, window.when),
        state=window_state(texts, window, now_ms),
        reason=window.reason,
        author=window.author,
    )


def silence_line(texts: Texts, silence: Silence, now_ms: int) -> str:
    """Return a silence as one line."""
    span = OneOff(starts_ms=silence.starts_ms, ends_ms=silence.ends_ms)
    return texts(
        "actions.line.silence",
        id=silence.id,
        matchers=", ".join(map(str, silence.matchers)),
        when=when_words(texts, span),
        state=silence_state(texts, silence, now_ms),
        reason=silence.reason,
        author=silence.author,
    )


def _cancelled(texts: Texts, record: Maintenance | Silence) -> str | None:
    if record.cancelled_ms is None:
        return None
    at = _moment(texts, record.cancelled_ms)
    return texts("actions.state.cancelled", author=record.cancelled_by, at=at)


def window_state(texts: Texts, window: Maintenance, now_ms: int) -> str:
    """Return whether a window counts now, until when, or from when."""
    if (cancelled := _cancelled(texts, window)) is not None:
        return cancelled
    if (until_ms := counts_until_ms(window, now_ms)) is not None:
        return texts("actions.state.counts", until=_moment(texts, until_ms))
    if (starts_ms := next_start_ms(window, now_ms)) is not None:
        return texts("actions.state.waits", start=_moment(texts, starts_ms))
    return texts("actions.state.over")


def silence_state(texts: Texts, silence: Silence, now_ms: int) -> str:
    """Return whether a silence counts now, until when, or from when."""
    if (cancelled := _cancelled(texts, silence)) is not None:
        return cancelled
    if silence_counts(silence, now_ms):
        return texts("actions.state.counts", until=_moment(texts, silence.ends_ms))
    if silence.starts_ms > now_ms:
        return texts("actions.state.waits", start=_moment(texts, silence.starts_ms))
    return texts("actions.state.over")
