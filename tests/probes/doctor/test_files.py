"""Settings, secrets and the spool's folder, as the doctor finds them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from netmon.cli.probe_doctor import line_of
from netmon.clock import SystemClock
from netmon.errors import Problem
from netmon.texts import Texts
from probes.doctor import CHECKS, Grade, Place, files
from probes.wan import WanSettings
from tests.probes.doctor.conftest import told


async def test_refused_settings_are_told_with_field_and_fix(tmp_path):
    problem = Problem("sonde.toml", None, "dns.port", "0 is outside", "choose another")
    place = Place(tmp_path / "sonde.toml", SystemClock(), None, (problem,))
    (found,) = await files.settings(place)
    assert found.grade is Grade.ERROR
    assert found.fields == {
        "where": "dns.port",
        "text": "0 is outside",
        "fix": "choose another",
    }
    # All others can do without settings, or say nothing.
    for name, check in CHECKS.items():
        if name not in {"settings", "processor"}:
            for finding in await check(place):
                assert name in {"port", "clock", "kernel"}, (name, finding)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0o600, "ok closed"),
        (0o640, "ok closed"),
        (0o644, "hint open"),
        (0o646, "error writable"),
    ],
)
async def test_a_secret_is_for_its_account_only(
    settings, make_place, token_file, mode, expected
):
    token_file.chmod(mode)
    findings = await files.secrets(make_place(settings))
    assert told(findings) == [expected, expected]
    assert "right-token" not in repr(findings)


async def test_each_secret_that_cannot_be_read_is_named(settings, make_place, tmp_path):
    (tmp_path / "empty").write_text("")
    wan = WanSettings(
        line="l1",
        address="127.0.0.1:161",
        if_index=1,
        community_file=str(tmp_path / "none"),
    )
    by_user = WanSettings(
        line="l2",
        address="127.0.0.1:161",
        if_index=1,
        user="netmon",
        auth_file=str(tmp_path / "no-auth"),
        priv_file=str(tmp_path / "no-priv"),
    )
    changed = replace(
        settings,
        wan=(wan, by_user),
        server=replace(settings.server, token_file=str(tmp_path / "empty")),
    )
    findings = await files.secrets(make_place(changed))
    assert told(findings) == ["ok closed", *["error unreadable"] * 4]
    assert [finding.fields["name"] for finding in findings[1:]] == [
        "server.token_file",
        "wan[0].community_file",
        "wan[1].auth_file",
        "wan[1].priv_file",
    ]
    assert "(gibt es nicht)" in line_of(Texts("de"), "secrets", findings[2])


async def test_the_spools_folder_takes_data_and_nothing_is_left_there(
    settings, make_place, tmp_path
):
    before = set(tmp_path.iterdir())
    (found,) = await files.spool(make_place(settings))
    assert found.grade in {Grade.OK, Grade.HINT, Grade.ERROR}
    assert found.says in {"room", "little", "full"}
    assert found.fields["free_bytes"] > 0
    assert set(tmp_path.iterdir()) == before


async def test_a_folder_that_is_not_there_is_an_error(settings, make_place, tmp_path):
    gone = replace(settings, spool=str(tmp_path / "gone" / "spool.sqlite3"))
    assert told(await files.spool(make_place(gone))) == ["error not_writable"]


@pytest.mark.parametrize(
    ("free_bytes", "expected"),
    [(1e6, "error full"), (100e6, "hint little"), (5e9, "ok room")],
)
async def test_a_full_disk_is_told(
    settings, make_place, monkeypatch, free_bytes, expected
):
    class Usage:
        free = free_bytes

    monkeypatch.setattr(files.shutil, "disk_usage", lambda folder: Usage)
    assert told(await files.spool(make_place(settings))) == [expected]
