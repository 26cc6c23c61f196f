"""SSH platform files: each refusal, and the pure functions on what was shown."""

from __future__ import annotations

import pytest

from collectors.ssh_model import folder, load_ssh_platforms, parse_ssh_platforms
from collectors.ssh_read import duration_s, facts_of, parse, tables_of
from netmon.errors import ConfigError
from tests.collectors.ssh_device import outputs

GOOD = """
name: test
driver: cisco_ios
templates: cisco_ios
tables:
  - name: ports
    result: port
    command: show interfaces
    key: interface
    columns:
      - {field: name, column: interface}
"""


def test_a_good_file_is_taken() -> None:
    platform = parse_ssh_platforms({"test.yaml": GOOD})["test"]
    assert platform.commands == ("show interfaces",)


@pytest.mark.parametrize(
    "command",
    [
        "configure terminal",
        "reload",
        "show version | redirect flash:x",
        "show version; reload",
        "show version\\nreload",
        "/interface set ether1 disabled=yes",
        "/interface print; /system reboot",
        "Show Version",
        "",
    ],
)
def test_a_command_that_does_more_than_show_is_refused(command: str) -> None:
    text = GOOD.replace("show interfaces", f'"{command}"')
    with pytest.raises(ConfigError, match="no command that only shows"):
        parse_ssh_platforms({"test.yaml": text})


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("name: test", "name: other", "differs from the file's name"),
        ("field: name", "field: nonsense", "is no field of port"),
        ("key: interface", "key: interface\n    adds_to: x", "no table before it"),
        ("key: interface", "key: interface\n    template: x", "no such template"),
        ("key: interface", "key: interface\n    kee: {}", "kee"),
        ("tables:", "facts: [{name: x, command: show x, column: y}]\ntables:", "'x'"),
        ("name: test", "name: [", "see ssh_model.py"),
    ],
)
def test_a_wrong_file_is_refused(old: str, new: str, wrong: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_ssh_platforms({"test.yaml": GOOD.replace(old, new)})
    assert wrong in str(refused.value)


def test_every_template_of_our_own_is_used() -> None:
    used = {t.template for p in load_ssh_platforms().values() for t in p.tables}
    assert {path.name for path in folder().glob("*.textfsm")} == used - {""}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2 weeks, 3 days, 4 hours, 5 minutes", 1_483_500.0),
        ("1 year, 1 second", 31_536_001.0),
        ("2d:17h:8m:4s", 234_484.0),
        ("10 days 2 hrs 3 mins 4 secs", 871_384.0),
        ("2w3d4h5m6s", 1_483_506.0),
        ("12 days", 1_036_800.0),
        ("soon", None),
        ("7 dwarfs", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration_s(text) == seconds


def test_older_arubaos_counts_clients_in_columns_of_their_own() -> None:
    text = """
Active AP Table
---------------
Name  Group    IP Address  11g Clients  11g Ch/EIRP/MaxEIRP  11a Clients  11a Ch/EIRP/MaxEIRP  AP Type  Flags  Uptime       Outer IP
----  -----    ----------  -----------  -------------------  -----------  -------------------  -------  -----  ------       --------
ap-1  default  10.1.1.1    2            AP:HT:1/12/21.5      13           AP:VHT:36E/15/23     335      A2a    1d:2h:3m:4s  N/A

Flags: 1 = 802.1x authenticated AP
Num APs:1
"""
    (record,) = parse(load_ssh_platforms()["aruba_os"], "show ap active", text) or []
    assert record == {"ap_name": "ap-1", "clients": "2 13"}


@pytest.mark.parametrize("platform", sorted(load_ssh_platforms()))
def test_output_that_breaks_off_never_raises(platform: str) -> None:
    """At any line; what is left is rows that are right, or no table."""
    family = load_ssh_platforms()[platform]
    shows = outputs(platform)
    for command in family.commands:
        lines = shows[command.strip("/").replace(" ", "_")].splitlines(keepends=True)
        for end in range(0, len(lines), 3):
            text = "".join(lines[:end])
            parsed = {command: parse(family, command, text)}
            facts_of(family, parsed)
            tables_of(family, parsed, {command: text})
