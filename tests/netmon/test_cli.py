"""The command line as people meet it: help, refusals, a taken port."""

from __future__ import annotations

import argparse
import re
import socket
import sys
from collections.abc import Iterator
from importlib.resources import files

import pytest

from netmon.cli import COMMANDS, build_parser, main
from netmon.texts import Texts


@pytest.fixture(autouse=True)
def german(monkeypatch, tmp_path):
    monkeypatch.setenv("NETMON_LANG", "de")
    monkeypatch.setenv("NETMON_DATA", str(tmp_path / "data"))


def test_help_names_every_command_in_german(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert name.replace("_", "-") in shown
    assert "Befehl" in shown or "BEFEHL" in shown


@pytest.mark.parametrize("command", [["gateway"], ["demo"]])
def test_a_taken_port_is_named_with_the_fix(command, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main([*command, "--port", str(port)]) == 1
    shown = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in shown
    assert "--port 0" in shown


def test_a_wrong_setting_is_refused_with_its_field(tmp_path, capsys):
    file = tmp_path / "netmon.toml"
    file.write_text("[gateway]\nprot = 1\n", encoding="utf-8")
    assert main(["sources", "list", "--config", str(file)]) == 1
    assert "prot" in capsys.readouterr().err


def test_a_wrong_calendar_stops_the_gateway_before_it_says_it_listens(tmp_path, capsys):
    calendar = tmp_path / "schule.toml"
    calendar.write_text('[[protected]]\nday = "Montag"\n', encoding="utf-8")
    file = tmp_path / "netmon.toml"
    file.write_text(f'[measure]\ncalendar_file = "{calendar}"\n', encoding="utf-8")
    assert main(["gateway", "--port", "0", "--config", str(file)]) == 1
    shown = capsys.readouterr()
    assert f"{calendar} [protected[0].day]: " in shown.err
    assert shown.out == ""


def test_a_token_is_shown_once_and_only_its_hash_is_kept(tmp_path, capsys):
    assert main(["sources", "add", "gs-07-p1", "--building", "gs-07"]) == 0
    shown = capsys.readouterr()
    token = shown.out.strip()
    assert len(token) >= 43
    assert "Anschluss mit 1 Gbit/s" in shown.err
    assert "netmon probe doctor" in shown.err
    kept = b"".join(f.read_bytes() for f in (tmp_path / "data").iterdir())
    assert token.encode() not in kept
    assert main(["sources", "list"]) == 0
    assert "gs-07-p1" in capsys.readouterr().out
    assert main(["sources", "revoke", "gs-07-p1"]) == 0
    assert main(["sources", "revoke", "gs-07-p1"]) == 1


def test_a_token_file_is_for_its_owner_only(tmp_path, capsys):
    file = tmp_path / "token"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o644)
    arguments = ["sources", "add", "c1", "--collector", "--token-file", str(file)]
    assert main(arguments) == 0
    # A collector has no port that matters.
    assert "Gbit/s" not in capsys.readouterr().err
    assert file.stat().st_mode & 0o077 == 0
    assert len(file.read_text(encoding="utf-8").strip()) >= 43


def test_a_token_that_reaches_no_file_replaces_none(tmp_path, capsys):
    file = tmp_path / "no" / "token"
    arguments = ["sources", "add", "c1", "--collector", "--token-file", str(file)]
    assert main(arguments) == 1
    assert "gibt es nicht" in capsys.readouterr().err
    assert main(["sources", "list"]) == 0
    assert "c1" not in capsys.readouterr().out


def test_a_sender_for_an_unknown_building_is_refused(capsys):
    folder = str(files("netmon.demo.city"))
    assert main(["inventory", "import", folder]) == 0
    capsys.readouterr()
    assert main(["sources", "add", "p1", "--building", "gs-999"]) == 1
    assert "„gs-999“" in capsys.readouterr().err
    assert main(["sources", "add", "p1", "--building", "gs-07"]) == 0


def test_a_folder_that_cannot_be_made_is_named_without_a_traceback(tmp_path, capsys):
    taken = tmp_path / "file"
    taken.touch()
    arguments = ["report", "annual", "--demo", "--year", "2025", "--out", str(taken)]
    assert main(arguments) == 1
    assert capsys.readouterr().err == f"{taken}: gibt es schon\n"


def test_a_store_that_cannot_be_opened_is_named(tmp_path, capsys):
    (tmp_path / "data" / "state.sqlite3").mkdir(parents=True)
    assert main(["alerts", "list"]) == 1
    assert str(tmp_path / "data" / "state.sqlite3") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["alerts", "ack", "x", "--note", "y"], "NR: „x“ ist keine passende Angabe"),
        (["alerts", "ack", "1"], "es fehlt: --note"),
        (["alerts", "akc"], "AKTION: „akc“ gibt es hier nicht; möglich: 'run', "),
        (["gateway", "--port"], "--port: braucht einen Wert"),
        (["sources", "add", "x"], "eines davon ist nötig: --building --collector"),
        (["relay", "status", "x"], "unbekannte Angabe: x"),
        (
            ["probe", "lan", "vlan", "5000"],
            "ID[=IP]: 5000 liegt nicht zwischen 1 und 4094",
        ),
        (["probe", "lan", "sweep", "10.7.20.0/24", "--rate", "5"], "--rate: 5 liegt"),
        (["probe", "lan", "vlan", "x"], "ID[=IP]: „x“ ist keine passende Angabe"),
        (["gateway", "--port", "99999"], "--port: „99999“ ist kein Port von 0 bis"),
        # Passed on, this one would be taken for 34463.
        (
            ["measure-server", "--token-file", "x", "--port", "99999"],
            "--port: „99999“ ist kein Port",
        ),
    ],
)
def test_a_wrong_call_is_refused_in_german(capsys, argv, told):
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("Aufruf: netmon ")
    assert f"Fehler: {told}" in err


def test_a_folder_for_data_that_cannot_be_had_is_named_with_its_setting(
    tmp_path, capsys, monkeypatch
):
    taken = tmp_path / "file"
    taken.write_text("")
    monkeypatch.setenv("NETMON_DATA", str(taken))
    assert main(["alerts", "list"]) == 1
    told = f"{taken} [data_dir]: gibt es schon -> den Ordner anlegen"
    assert told in capsys.readouterr().err


def test_a_command_whose_packages_are_not_installed_names_the_extra(
    capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["gateway"]) == 1
    err = capsys.readouterr().err
    assert "fehlt das Paket „uvicorn“" in err
    assert "gateway" in err


def every_help(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    yield parser.prog, parser.format_help()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from every_help(below)


def test_every_help_is_german_and_says_what_the_command_does():
    shown = dict(every_help(build_parser(Texts("de"))))
    assert len(shown) > 60
    for prog, text in shown.items():
        assert "Optionen:" in text, prog
        assert not re.search(
            r"usage|positional|options|show this|--\w+ [A-Z_]*FILE", text
        )
        # Between the call and the lists stands what it is for.
        assert len(text.split("\n\n")) >= 3, prog


def test_settings_are_refused_in_the_readers_language(tmp_path, capsys, monkeypatch):
    file = tmp_path / "netmon.toml"
    file.write_text("[gateway]\nprot = 1\n", encoding="utf-8")
    argv = ["sources", "list", "--config", str(file)]
    monkeypatch.delenv("NETMON_LANG", raising=False)
    assert main(argv) == 1
    german = "[gateway.prot]: diesen Namen gibt es hier nicht -> vermutlich ist „port“"
    assert german in capsys.readouterr().err
    monkeypatch.setenv("NETMON_LANG", "en")
    assert main(argv) == 1
    assert "[gateway.prot]: there is no such key" in capsys.readouterr().err
