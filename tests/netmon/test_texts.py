"""Message catalogues agree with each other; numbers are written the German way."""

from __future__ import annotations

import ast
import re
import string
from datetime import UTC, date, datetime, timedelta

import pytest

from netmon.model import Coverage, DeviceKind, FailureReason, LineRole, Technology
from netmon.storage.records import AlarmState
from netmon.texts import LANGUAGES, NO_VALUE, Texts, catalogue

NARROW = "\u00a0"
# Where the code stands among the arguments, and below which group its words.
CODES = {
    "WrongValueError": ("refused", 0),
    "refused": ("refused", 2),
    "failed": ("failed", 1),
}


@pytest.fixture
def de() -> Texts:
    return Texts("de")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_all_catalogues_have_the_same_keys_and_placeholders():
    first, *others = (catalogue(language) for language in LANGUAGES)
    for other in others:
        assert first.keys() == other.keys()
        for key, text in first.items():
            assert placeholders(text) == placeholders(other[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_member_of_a_closed_list_has_its_word(language):
    words = catalogue(language)
    for group, members in {
        "failure": FailureReason,
        "state": AlarmState,
        "technology": Technology,
        "coverage": Coverage,
        "line_role": LineRole,
        "mail.what.device_down": DeviceKind,
        "mail.effect.device_down": DeviceKind,
        "mail.what.line_below_target": LineRole,
        "mail.what.line_down": LineRole,
        "mail.what.no_data": LineRole,
        "mail.what.below_by_contract": LineRole,
        "mail.effect.line_below_target": LineRole,
        "mail.effect.line_down": LineRole,
        "mail.effect.no_data": LineRole,
        "mail.effect.below_by_contract": LineRole,
    }.items():
        for member in members:
            assert words[f"{group}.{member.value}"].strip()


def test_every_key_named_in_the_code_exists(repo_dir):
    known = catalogue("de")
    pattern = re.compile(r"""\btexts\(\s*"([a-z_]+(?:\.[a-z_]+)+)"[,)\s]""")
    found = 0
    for package in ("netmon", "probes", "collectors", "dashboards", "alerts"):
        for path in (repo_dir / package).rglob("*.py"):
            for key in pattern.findall(path.read_text(encoding="utf-8")):
                found += 1
                assert key in known, f"{path.name}: {key}"
    assert found > 20


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1234.56, 1, "1.234,6"),
        (0, 0, "0"),
        (-15, 0, "−15"),
        (-0.04, 1, "0,0"),
        (178, 0, "178"),
        (None, 0, NO_VALUE),
    ],
)
def test_numbers(de, value, decimals, text):
    assert de.number(value, decimals) == text


@pytest.mark.parametrize(
    ("rate_bps", "text"),
    [
        (93_400_000, "93,4 Mbit/s"),
        (99_940_000, "99,9 Mbit/s"),
        (100_000_000, "100 Mbit/s"),
        (1_000_000_000, "1.000 Mbit/s"),
        (None, NO_VALUE),
    ],
)
def test_rates(de, rate_bps, text):
    assert de.rate(rate_bps).replace(NARROW, " ") == text


def test_a_rate_below_100_is_never_printed_as_100(de):
    assert de.rate(99_949_999) == "99,9 Mbit/s"


def test_people_read_berlin_time(de):
    winter = datetime(2026, 11, 20, 7, 12, tzinfo=UTC)
    summer = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert de.moment(winter) == "20.11.2026, 08:12 Uhr"
    assert de.moment(summer) == "02.07.2026, 00:30 Uhr"
    assert de.date(date(2026, 1, 2)) == "02.01.2026"
    assert de.moment(None) == NO_VALUE


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 Sek."),
        (59.4, "59 Sek."),
        (60, "1 Min."),
        (84 * 60, "1 Std. 24 Min."),
        (25 * 3600, "1 Tag 1 Std."),
        (74 * 3600, "3 Tage 2 Std."),
        (None, NO_VALUE),
    ],
)
def test_durations(de, seconds, text):
    assert de.duration(seconds) == text


def test_age_is_a_duration(de):
    now = datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert de.age(now - timedelta(minutes=5), now) == "5 Min."
    assert de.age(None, now) == NO_VALUE


def test_an_unknown_language_is_refused():
    with pytest.raises(KeyError):
        catalogue("fr")


def test_every_code_of_a_refusal_has_its_words(repo_dir):
    known, found = catalogue("de"), 0
    for package in ("netmon", "probes", "collectors", "dashboards", "alerts"):
        for path in (repo_dir / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if not re.search(r"from netmon\.(refused|errors) import", text):
                continue
            tree = ast.parse(text)
            for call in ast.walk(tree):
                if not isinstance(call, ast.Call) or not isinstance(
                    call.func, ast.Name
                ):
                    continue
                group, place = CODES.get(call.func.id, ("", 0))
                if not group or len(call.args) <= place:
                    continue
                code = call.args[place]
                if isinstance(code, ast.Constant):
                    found += 1
                    words = (f"{group}.{code.value}", f"{group}.{code.value}.text")
                    assert any(key in known for key in words), (
                        f"{path.name}: {code.value}"
                    )
    assert found > 50
