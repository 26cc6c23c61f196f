"""``[[alerts.rules]]`` is strict: every slip is refused with its field and the fix."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from netmon.alarm_classes import RuleName
from netmon.config import AlertSettings, load_settings
from netmon.errors import ConfigError
from netmon.rule_overrides import FIELDS, PLACES, Field, RuleOverride, narrowest_first

GOOD = """\
[[alerts.rules]]
rule = "line_below_target"
building = "gs-07"
raise_below = "80 Mbit/s"
clear_from = "85 Mbit/s"
confirm_count = 4
confirm_of = 6
after_s = 1800
severity = "minor"
delivery = "digest"
audiences = ["service", "noc"]

[[alerts.rules]]
rule = "ap_down"
school_type = "Grundschule"
enabled = false
"""

Load = Callable[[str], AlertSettings]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.delenv("NETMON_DATA", raising=False)

    def load_text(text: str) -> AlertSettings:
        file = tmp_path / "netmon.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings(file).alerts

    return load_text


def test_entries_are_read_in_their_order(load: Load) -> None:
    first, second = load(GOOD).rules
    assert first.place == (("building", "gs-07"),)
    assert (first.raise_below_bps, first.clear_from_bps) == (80_000_000, 85_000_000)
    assert second.place == (("school_type", "Grundschule"),)
    assert second.changes == (Field.ENABLED,)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"line_below_target"', '"line_slow"', ", ap_down, "),
        ('"ap_down"', '"no_data"\nconfirm_count = 2', "no_data has no confirm_count"),
        ('"ap_down"', '"monitor"', "leave out school_type"),
        ('"Grundschule"', '"GS"', "use one of Grundschule, "),
        (
            'school_type = "Grundschule"',
            'technology = "fibre"',
            "instead of technology",
        ),
        (
            'school_type = "Grundschule"',
            'school = "x"',
            ".school]: there is no such key",
        ),
        ('"gs-07"', '" "', ".building]: is empty"),
        ("enabled = false", "", "changes nothing -> use one of confirm_count"),
        ('"80 Mbit/s"', '"80"', "raise_below]: '80' has no unit -> write '80 Mbit/s'"),
        ('"80 Mbit/s"', '"90 Mbit/s"', "clear_from]: is below raise_below"),
        ('raise_below = "80 Mbit/s"', "", "raise_below]: is missing, but clear_from"),
        ("confirm_count = 4", "", "confirm_count]: is missing, but confirm_of"),
        (
            "confirm_count = 4",
            "confirm_count = 0",
            "confirm_count]: 0 is outside 1 to 20",
        ),
        (
            "confirm_count = 4",
            "confirm_count = 7",
            "confirm_count]: is more than confirm_of",
        ),
        ("confirm_of = 6", "confirm_of = 21", "confirm_of]: 21 is outside 1 to 20"),
        ("confirm_of = 6", "clear_count = -1", "clear_count]: -1 is outside 1 to 20"),
        ("after_s = 1800", "after_s = 0", "after_s]: 0 is outside 1 to"),
        ("after_s = 1800", "after_s = nan", "after_s]: nan is outside 1 to"),
        ('"minor"', '"low"', "use one of critical, "),
        ('"digest"', '"never"', "use one of at_once, "),
        ('["service", "noc"]', '["noc"]', "audiences]: lacks 'service'"),
        ('["service", "noc"]', "[]", "audiences]: lacks 'service'"),
    ],
)
def test_slips_are_refused_with_field_and_fix(
    load: Load, old: str, new: str, message: str
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace(old, new))
    assert message in str(caught.value)
    assert re.search(r"\[alerts\.rules\[[01]\]", str(caught.value))
    assert " -> " in str(caught.value)


def test_two_entries_for_the_same_field_and_place_are_refused(load: Load) -> None:
    second = '[[alerts.rules]]\nrule = "line_below_target"\nbuilding = "gs-07"\n'
    load(f"{GOOD}{second}clear_count = 3\n")
    with pytest.raises(ConfigError, match=r"rules\[0\] and rules\[2\] both change"):
        load(f'{GOOD}{second}severity = "info"\n')


def test_every_rule_can_be_switched_off_and_told_otherwise() -> None:
    assert FIELDS.keys() == set(RuleName)
    always = {Field.ENABLED, Field.SEVERITY, Field.DELIVERY, Field.AUDIENCES}
    assert all(always <= set(fields) for fields in FIELDS.values())
    named = {field.name for field in structs.fields(RuleOverride)}
    assert named == {"rule", *PLACES, *Field}


def test_the_narrowest_place_goes_first() -> None:
    places: tuple[dict[str, str], ...] = (
        {},
        {"school_type": "Gymnasium"},
        {"technology": "vdsl"},
        {"technology": "fibre", "school_type": "Gymnasium"},
        {"campus_district": "Campusbezirk 3"},
        {"building": "gs-07"},
        {"technology": "radio"},
    )
    entries = [
        structs.replace(
            RuleOverride(rule=RuleName.LINE_DOWN, enabled=False),
            **place,
        )
        for place in places
    ]
    assert [n for n, _ in narrowest_first(entries)] == [5, 4, 3, 6, 2, 1, 0]


def test_the_operators_page_has_every_field(load: Load, repo_dir: Path) -> None:
    page = (repo_dir / "docs/betrieb/einstellungen.md").read_text(encoding="utf-8")
    table = page.partition("| Name in `[[alerts.rules]]` |")[2]
    rows = re.findall(r"^\| `rules\[\]\.([a-z_]+)` \|", table, re.MULTILINE)
    assert rows == [field.name for field in structs.fields(RuleOverride)]
    example = re.findall(r"```toml\n(\[\[alerts\.rules\]\].+?)```", page, re.DOTALL)
    assert len(load(example[0]).rules) >= 2
