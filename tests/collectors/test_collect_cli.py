"""``netmon collect once`` against real agents, as a person types it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from netmon.demo.agents import AgentFleet
from netmon.errors import ConfigError, InputError
from netmon.inventory import content_hash, encode, write_folder
from netmon.model import Inventory
from netmon.storage.sqlite import SqliteStore
from tests.command import run_command

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process; data and credentials in a folder."""
    monkeypatch.setenv("NETMON_DATA", str(tmp_path))
    credentials = tmp_path / "snmp.toml"
    credentials.write_text(
        '[default]\nversion = "v2c"\ncommunity = "netmon-demo"\n'
        '[slow]\nversion = "v2c"\ncommunity = "netmon-demo"\ndriver = "pysnmp"\n',
        encoding="utf-8",
    )
    credentials.chmod(0o600)

    def called(*words: str) -> int:
        arguments = ["collect", *words]
        if "once" in words and "--recording" not in words:
            arguments += ["--credentials", str(credentials)]
        return run_command(*arguments)

    return called


async def once(run: Run, *words: str) -> int:
    """The agents live in this loop: the command gets a thread of its own."""
    return await asyncio.to_thread(run, "once", *words)


async def test_an_address_is_polled_and_told_in_german(
    run: Run, addresses: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await once(run, "--address", addresses["vc1"]) == 0
    said = capsys.readouterr().out
    assert "Access Points: 4" in said
    assert "GS07-R1  in Betrieb  515  Seriennummer CNTEST0001" in said
    assert "Ports: 1, davon 1 mit Verbindung" in said
    assert "1.000 Mbit/s" in said


async def test_the_other_driver_says_the_same(
    run: Run, addresses: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--address", addresses["sw1"], "--credential", "slow")
    assert await once(run, *words, "--explain") == 0
    said = capsys.readouterr()
    assert "Ports: 26" in said.out
    assert "Treiber pysnmp" in said.err
    assert "type aus 1.3.6.1.2.1.2.2.1.3: 27 Zeilen" in said.err
    assert "name aus 1.3.6.1.2.1.2.2.1.2: nicht nötig" in said.err
    assert "netmon-demo" not in said.out + said.err


async def test_json_has_numbers_in_units_of_the_catalogue(
    run: Run, addresses: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await once(run, "--address", addresses["sw1"], "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["failure"] is None
    assert said["platform"] == "if_mib"
    ports = said["tables"]["interfaces"]["rows"]
    assert {port["speed_bps"] for port in ports} == {1e9, 1e10}
    kinds = [record["kind"] for record in said["records"]]
    assert kinds.count("lan_port") == 26


async def test_a_device_of_an_inventory_folder(
    run: Run,
    city: Inventory,
    fleet: AgentFleet,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "inventory"
    write_folder(city, folder)
    fleet.set_ap("b1", "GS07-R1", present=False)
    fleet.set_ap("b1", "GS07-R2", up=False)
    assert await once(run, "vc1", "--inventory", str(folder)) == 0
    said = capsys.readouterr().out
    assert "GS07-R2  AUSGEFALLEN" in said
    assert "Geplant, aber nicht in der Liste des Controllers: GS07-R1" in said


async def test_a_device_of_the_store(
    run: Run, city: Inventory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match="noch kein Inventar"):
        await once(run, "vc1")
    store = SqliteStore(tmp_path / "state.sqlite3")
    store.inventories.save(content_hash(city), encode(city), 1)
    store.close()
    assert await once(run, "vc1") == 0
    assert "Access Points: 4" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="gibt es im Inventar nicht"):
        await once(run, "vc9")


async def test_a_table_that_breaks_off_is_told(
    run: Run,
    addresses: dict[str, str],
    fleet: AgentFleet,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fleet.agent("vc1").break_below("1.3.6.1.4.1.14823.2.3.3.1.2.1.1.11")
    assert await once(run, "--address", addresses["vc1"], "--explain") == 0
    said = capsys.readouterr()
    assert "Unvollständig gelesen: was fehlt, gilt nicht als ausgefallen." in said.out
    assert "Hinweis: Spalte up" in said.out
    assert "Unerwartete Antwort der Gegenstelle" in said.err


async def test_a_wrong_community_is_no_answer_and_status_1(
    run: Run,
    addresses: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "snmp.toml"
    path.write_text('[default]\nversion = "v2c"\ncommunity = "no"\n', encoding="utf-8")
    monkeypatch.setattr("collectors.base.Timing.__init__.__defaults__", (0.2, ()))
    assert await once(run, "--address", addresses["vc1"]) == 1
    assert "Keine Antwort" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "es ist kein Gerät genannt"),
        (("--address", "127.0.0.1:0"), "write HOST or HOST:PORT"),
        (("--address", "127.0.0.1", "--credential", "none"), "no credential called"),
        (
            ("--address", "127.0.0.1", "--platform", "abacus"),
            "use one of airfiber_60, airfiber_ltu",
        ),
        (("--recording", "none.snmprec"), "No such file"),
    ],
)
async def test_wrong_words_are_refused_with_the_fix(
    run: Run, words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        await once(run, *words)


async def test_a_recording_needs_no_credentials(
    run: Run, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recordings / "aruba-instant.snmprec"
    assert await once(run, "--recording", str(path)) == 0
    said = capsys.readouterr().out
    assert "Access Points: 3" in said
    assert "Kanal 161" in said


async def test_run_ends_cleanly_on_sigterm(city: Inventory, tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    write_folder(city, folder)
    for name, text in (
        ("token", "t\n"),
        ("snmp.toml", '[default]\nversion = "v2c"\ncommunity = "netmon-demo"\n'),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    config = tmp_path / "netmon.toml"
    config.write_text(
        f'data_dir = "{tmp_path}"\n[collector]\ninterval_s = 0.5\n'
        f'credentials_file = "{tmp_path}/snmp.toml"\ntoken_file = "{tmp_path}/token"\n'
        'gateway_url = "http://127.0.0.1:9"\n',
        encoding="utf-8",
    )
    script = (
        "import argparse, sys\n"
        "from netmon.cli import collect\n"
        "from netmon.texts import Texts\n"
        "parser, texts = argparse.ArgumentParser(), Texts('de')\n"
        "collect.add(parser.add_subparsers(), texts)\n"
        "args = parser.parse_args(sys.argv[1:])\n"
        "sys.exit(args.run(args, texts))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", script, "collect", "run", "--config", str(config)),
        *("--inventory", str(folder)),
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(30):
        line = ""
        while "devices every" not in line:
            line = (await process.stderr.readline()).decode()
            assert line, "it ended by itself"
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert "Der Collector wurde beendet." in out.decode()
    assert "Traceback" not in err.decode()


async def test_what_a_modem_tells_of_its_line_is_shown(
    run: Run, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recordings / "draytek_vdsl.snmprec"
    assert await once(run, "--recording", str(path)) == 0
    said = capsys.readouterr().out
    assert "DSL: 1" in said
    assert "Rate zum Gebäude 110 Mbit/s" in said
    assert "Dämpfung zum Gebäude 16,0 dB" in said
