"""Settings of who is told: what is wrong is refused by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from netmon.config import load_settings
from netmon.errors import ConfigError

GOOD = """
[alerts.notify]
ticket = "Doline {number}"
[alerts.recipients]
service = ["service@dortmund.example"]
noc = ["noc@dortmund.example"]
[alerts.recipients.district]
"Campusbezirk 3" = ["cm3@dortmund.example"]
[alerts.reminders]
after_s = 3600
[[alerts.reminders.steps]]
after_s = 7200
audience = "noc"
"""


def test_recipients_and_reminders_are_read(tmp_path: Path) -> None:
    file = tmp_path / "netmon.toml"
    file.write_text(GOOD)
    alerts = load_settings(file).alerts
    assert alerts.recipients.district == {"Campusbezirk 3": ("cm3@dortmund.example",)}
    assert [(s.after_s, s.audience) for s in alerts.reminders.steps] == [(7200, "noc")]
    assert alerts.notify.ticket == "Doline {number}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('recipients = {noc = ["nobody"]}', "recipients.noc]: 'nobody' is no address"),
        ('recipients = {noc = ["a@b\\nBcc: c@d"]}', "is no address"),
        ('recipients = {district = {"C 3" = ["x"]}}', "district.\"C 3\"]: 'x' is no"),
        ('recipients = {district = {" " = ["a@b"]}}', "has no name"),
        (
            "recipients = {manager = []}",
            "[alerts.recipients.manager]: there is no such key",
        ),
        ("reminders = {after_s = -1}", "after_s]: is -1 -> use 0 for never"),
        ("reminders = {every_s = 1}", "every_s]: is 1 -> use 60 or more"),
        (
            'reminders = {steps = [{after_s = 9, audience = "all"}]}',
            "[alerts.reminders.steps[0].audience]",
        ),
        (
            'reminders = {steps = [{after_s = 9, audience = "noc"}, '
            '{after_s = 9, audience = "noc"}]}',
            "steps]: a step does not come after",
        ),
        ('reminders = {steps = [{after_s = 0, audience = "noc"}]}', "more than 0"),
        ("notify = {batch_s = 0}", "batch_s]: is 0 -> use more than 0"),
        ("notify = {storm_mails = 0}", "storm_mails]: is 0 -> use 1 or more"),
        ('notify = {ticket = "Doline"}', "ticket]: needs {number}"),
        ('notify = {ticket = "{number} {0}"}', "ticket]: needs {number}"),
        ('notify = {ticket = "{number"}', "ticket]: "),
        ('notify = {outside_lessons = "never"}', "outside_lessons"),
        ("notify = {storm_window_s = inf}", "storm_window_s]: is inf"),
        ("reminders = {after_s = inf}", "after_s]: is inf"),
        ("no_data_after_s = inf", "no_data_after_s]: is inf"),
        ("blind_share = 1.5", "blind_share]: 1.5 is not below 1"),
        ("line_breaks_count = 21", "line_breaks_count]: 21 is outside 1 to 20"),
        ('contacts = {devices = "a\\nb"}', "devices]: does not fit into one line"),
        ('contacts = {provider = {"" = "a"}}', "provider]: a provider has no name"),
        ('[mail]\nrecipients = ["foo bar"]', "recipients]: 'foo bar' is no address"),
        ('[mail]\nsender = "netmon"', "sender]: 'netmon' is no address"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "netmon.toml"
    file.write_text(f"[alerts]\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert told in str(caught.value)
