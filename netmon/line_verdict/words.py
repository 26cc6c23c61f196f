"""A verdict in words: the same for pages, API and mails."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from netmon.line_verdict.judge import LineVerdict
from netmon.line_verdict.reasons import Reason, ReasonCode, about_path
from netmon.medium import mbits, sentence, short_sentence, value_text
from netmon.texts import Texts

# Headlines that name a finding as their cause in short.
_JOINING = {ReasonCode.BELOW_MEDIUM, ReasonCode.SUSPECT_MEDIUM}
_FINE = {
    ReasonCode.LIGHT_FINE,
    ReasonCode.DSL_FINE,
    ReasonCode.RADIO_FINE,
    ReasonCode.MEDIUM_FINE,
}


class Told(Struct, frozen=True):
    """A verdict in words: one short sentence, and those that explain it.

    No sentence ends with a full stop of its own, see `ended`.
    """

    headline: str
    sentences: tuple[str, ...]


def tell(verdict: LineVerdict, texts: Texts, when: Callable[[int], str]) -> Told:
    """Return a verdict in words.

    ``when`` writes a time in UTC milliseconds: as an age where people look at it
    now, as a clock's time where they will read it later.
    """
    headline, *sentences = (_say(each, texts, when) for each in verdict.reasons)
    return Told(headline, tuple(sentences))


def tell_causes(verdict: LineVerdict, texts: Texts) -> tuple[str, ...]:
    """Return only what a verdict says of the line's medium and of the way."""
    found = []
    for reason in verdict.reasons:
        if reason.finding is not None:
            found.append(sentence(reason.finding, texts))
        elif reason.blamed is not None:
            found.append(_say(about_path(reason.blamed), texts, str))
        elif reason.code in _FINE:
            found.append(_say(reason, texts, str))
    return tuple(found)


def ended(sentence: str) -> str:
    """Return a sentence with its full stop; an abbreviation at its end has one."""
    return sentence if sentence.endswith(".") else f"{sentence}."


def method_text(method: str, texts: Texts) -> str:
    """Return a method in plain words; its tag where it has none."""
    key = f"verdict.method.{method.partition('/')[0]}"
    return texts(key) if texts.has(key) else method


def _say(reason: Reason, texts: Texts, when: Callable[[int], str]) -> str:
    told = {name: _number(name, x, texts) for name, x in reason.numbers.items()}
    told["when"] = "" if reason.at_ms is None else when(reason.at_ms)
    told["method"] = method_text(reason.method, texts)
    if reason.finding is not None:
        write = short_sentence if reason.code in _JOINING else sentence
        told["finding"] = write(reason.finding, texts)
    if reason.failure is not None:
        told["failure"] = texts(f"failure.{reason.failure}")
    if reason.blamed is not None:
        told["segment"] = texts(f"path.segment.{reason.blamed.segment}")
        told["fault"] = texts(f"path.reason.{reason.blamed.reason}")
        good = reason.blamed.last_good
        told["last_good"] = "" if good is None else texts(f"path.segment.{good}")
    return texts(f"verdict.reason.{reason.code}", **told)


def _number(name: str, value: float, texts: Texts) -> str:
    unit = name.rpartition("_")[2]
    if unit == "bps":
        return mbits(value, texts)
    return texts.milliseconds(value) if unit == "s" else value_text(name, value, texts)
