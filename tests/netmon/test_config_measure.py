"""The measurement servers in the settings: strict, and documented."""

from __future__ import annotations

import re

import msgspec
import pytest

from netmon.config import MeasureServerSettings, load_settings
from netmon.errors import ConfigError

GOOD = """\
[measure]
key_file = "measure.key"

[[measure.servers]]
id = "m1"
address = "messserver.example:5201"
capacity = "10 Gbit/s"

[[measure.servers]]
id = "m2"
address = "[fd00::1]:5201"
capacity = "1 Gbit/s"
max_tests = 4
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.delenv("NETMON_DATA", raising=False)

    def load_text(text: str):
        file = tmp_path / "netmon.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings(file).measure

    return load_text


def test_servers_come_in_their_order(load):
    first, second = load(GOOD).servers
    assert (first.id, first.capacity_bps, first.max_tests) == ("m1", 10**10, 8)
    assert (second.address, second.max_tests) == ("[fd00::1]:5201", 4)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"10 Gbit/s"', '"10"', "has no unit"),
        ('"10 Gbit/s"', '"10 Gbyte/s"', "unit 'Gbyte/s' is unknown"),
        ("example:5201", "example", "is no address"),
        ("example:5201", "example:70000", "is no address"),
        ('"m2"', '"m1"', "two measurement servers have the same id"),
        ('"m1"', '""', "id]: is no name"),
        ("max_tests = 4", "max_tests = 0", "max_tests]: 0 is outside 1 to 1000"),
        ("max_tests = 4", "tests = 4", ".tests]: there is no such key"),
        ('key_file = "measure.key"', "", "key_file]: is needed"),
    ],
)
def test_bad_servers_are_refused_in_words(load, old, new, message):
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace(old, new))
    assert message in str(caught.value)
    assert "[measure" in str(caught.value)


def test_what_probes_are_told_has_defaults_that_disturb_nobody(load):
    measure = load("")
    assert (measure.calendar_file, measure.calendar_dir) == ("", "")
    assert (measure.budget_share, measure.full_tests_per_day) == (0.001, 2)
    assert measure.slot_s == 3600


@pytest.mark.parametrize(
    "text",
    [
        "budget_share = 0",
        "budget_share = 0.1",
        "full_tests_per_day = 0",
        "full_tests_per_day = 24",
        "slot_s = 1",
        "slot_s = 3600",
    ],
)
def test_the_ends_of_the_ranges_are_good(load, text):
    load(f"[measure]\n{text}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budget_share = -0.001", "outside 0 to 0.1"),
        ("budget_share = 0.11", "outside 0 to 0.1"),
        ("budget_share = nan", "outside 0 to 0.1"),
        ("full_tests_per_day = -1", "outside 0 to 24"),
        ("full_tests_per_day = 25", "outside 0 to 24"),
        (
            "full_tests_per_day = 1.5",
            "[measure.full_tests_per_day]: is no whole number",
        ),
        ("slot_s = 0.5", "outside 1 to 3600"),
        ("slot_s = 3601", "outside 1 to 3600"),
        ("slot_s = nan", "outside 1 to 3600"),
        ("calendar_file = 1", "[measure.calendar_file]: is no text"),
    ],
)
def test_senseless_plans_are_refused_in_words(load, text, message):
    with pytest.raises(ConfigError) as caught:
        load(f"[measure]\n{text}")
    assert message in str(caught.value)
    assert "[measure" in str(caught.value)


def test_every_setting_of_a_server_has_a_line(repo_dir):
    text = (repo_dir / "docs/betrieb/einstellungen.md").read_text(encoding="utf-8")
    table = text.partition("| Name in `[[measure.servers]]` |")[2]
    rows = dict(
        re.findall(r"^\| `servers\[\]\.([a-z_]+)` \| (.+?) \|", table, re.MULTILINE)
    )
    fields = msgspec.structs.fields(MeasureServerSettings)
    assert list(rows) == [field.name for field in fields]
    for field in fields:
        shown = "nötig" if field.required else f"`{field.default}`"
        assert rows[field.name] == shown
