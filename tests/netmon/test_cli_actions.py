"""What people may do about alarms, from a shell: German, by option, with an author."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from netmon.cli import main
from netmon.cli.acting import shell_user
from netmon.ingest import token_hash
from netmon.storage.action_records import AuditAction, Via
from netmon.storage.records import AlarmState, Transition
from netmon.storage.sqlite import SqliteStore

Run = Callable[..., tuple[int, str, str]]
MOMENT = r"\d\d\.\d\d\.\d{4}, \d\d:\d\d Uhr"


@pytest.fixture(autouse=True)
def german(monkeypatch, tmp_path):
    monkeypatch.setenv("NETMON_LANG", "de")
    monkeypatch.setenv("NETMON_DATA", str(tmp_path))
    monkeypatch.delenv("SUDO_USER", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "state.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def run(capsys) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        status = main(["alerts", *arguments])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


@pytest.fixture
def incident(store) -> int:
    change = Transition(
        id=0,
        rule="no_data",
        target="line:gs-07-main",
        building_id="gs-07",
        from_state=AlarmState.SUSPECT,
        to_state=AlarmState.BAD,
        at_ms=1_795_162_320_000,
        incident_id=-1,
        evidence=b'{"cause": "silent", "since_ms": 1795162320000}',
    )
    (stored,) = store.alarms.commit([], [change], reader="alerts", position=0, now_ms=0)
    return stored.incident_id


def test_a_window_from_now_is_listed_and_cancelled_by_its_author(run, store):
    arguments = ["--building", "gs-07", "--reason", "Umbau", "--until", "+2h"]
    status, out, _ = run("maintenance", "add", *arguments)
    assert status == 0
    assert re.fullmatch(
        f"Wartungsfenster Nr. 1 eingetragen: {MOMENT} bis {MOMENT}.\n", out
    )
    (window,) = store.actions.maintenance()
    assert window.when.ends_ms - window.when.starts_ms == 2 * 3_600_000
    user = pwd.getpwuid(os.getuid()).pw_name
    assert window.author == user == shell_user()
    _, out, _ = run("maintenance", "list")
    assert re.fullmatch(
        f"Nr. 1  Gebäude gs-07: {MOMENT} bis {MOMENT}  "
        rf"\[gilt bis {MOMENT}\]  Umbau \({user}\)\n",
        out,
    )
    assert run("maintenance", "cancel", "1")[0] == 0
    assert run("maintenance", "list")[1] == "Kein Wartungsfenster.\n"
    assert f"[beendet von {user}" in run("maintenance", "list", "--all")[1]
    status, _, error = run("maintenance", "cancel", "1")
    assert status == 1
    assert "Wartungsfenster Nr. 1 ist schon vorbei oder abgesagt" in error
    trail = store.actions.audit()
    assert [(x.action, x.via, x.author) for x in trail] == [
        (AuditAction.MAINTENANCE_CANCELLED, Via.SHELL, user),
        (AuditAction.MAINTENANCE_ADDED, Via.SHELL, user),
    ]


def test_a_weekly_window_and_a_silence_in_words(run):
    weekly = ["--weekly", "fr,mo", "--hours", "22:00-04:00"]
    days = ["--first", "2026-12-01", "--last", "31.03.2027", "--except", "2026-12-25"]
    status, out, _ = run(
        *["maintenance", "add", "--provider", "DOKOM21", "--reason", "Ausbau"],
        *weekly,
        *days,
    )
    assert status == 0
    assert out == (
        "Wartungsfenster Nr. 1 eingetragen: Mo, Fr 22:00 bis 04:00 Uhr, "
        "vom 01.12.2026 bis 31.03.2027, außer 25.12.2026.\n"
    )
    silence = ["silence", "add", "rule=ap_down", "severity!=critical"]
    assert run(*silence, "--reason", "Umbau", "--until", "+14d")[0] == 0
    assert "rule=ap_down, severity!=critical: " in run("silence", "list")[1]
    assert run("silence", "end", "1")[0] == 0
    assert run("silence", "list")[1] == "Keine Stummschaltung.\n"


def test_an_incident_is_acknowledged_and_its_story_told(run, incident):
    number = str(incident)
    assert run("ack", number, "--note", "Techniker bestellt")[0] == 0
    listed = run("list")[1].splitlines()
    assert len(listed) == 2
    assert re.fullmatch(
        rf"    Quittiert von \w+ am {MOMENT}: Techniker bestellt", listed[1]
    )
    assert run("unack", number)[0] == 0
    assert run("false", number, "--note", "Sonde war aus")[0] == 0
    status, out, _ = run("history", number)
    user = shell_user()
    lines = [re.sub(f"^{MOMENT}  ", "", line) for line in out.splitlines()]
    assert status == 0
    assert lines == [
        f"Störung Nr. {number}: gs-07, Regel no_data, line:gs-07-main",
        "Zustand: Auffällig → Gestört",
        f"{user} (Befehlszeile): quittiert: Techniker bestellt",
        f"{user} (Befehlszeile): Quittierung zurückgenommen",
        f"{user} (Befehlszeile): als Fehlalarm vermerkt: Sonde war aus",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ack", "99", "--note", "x"], "Störung Nr. 99 gibt es nicht"),
        (["history", "99"], "Störung Nr. 99 gibt es nicht"),
        (["unack", "1"], "Störung Nr. 1 gibt es nicht"),
        (["silence", "end", "9"], "Stummschaltung Nr. 9 gibt es nicht"),
        (["operators", "revoke", "x"], "Zugang „x“ gibt es nicht"),
        (["operators", "add", "a b"], "NAME: „a b“ ist kein Name"),
        (
            ["silence", "add", "x", "--reason", "x", "--until", "+1h"],
            "FELD=WERT: „x“ ist keine Bedingung",
        ),
        (
            ["silence", "add", "rule=x", "--reason", "x", "--until", "+1h"],
            "FELD=WERT: die Regel „x“ gibt es nicht",
        ),
        (
            ["silence", "add", "rule=ap_down", "--reason", "", "--until", "+1h"],
            "--reason: darf nicht leer sein",
        ),
        (
            ["silence", "add", "rule=ap_down", "--reason", "x", "--until", "bald"],
            "--until: „bald“ ist keine Zeitangabe",
        ),
        (
            ["silence", "add", "rule=ap_down", "--reason", "x", "--until", "+91d"],
            "--until: das Ende liegt mehr als 90 Tage voraus",
        ),
        (
            ["maintenance", "add", "--building", "b", "--reason", "x"],
            "entweder --until",
        ),
        (
            [
                *["maintenance", "add", "--building", "b", "--reason", "x"],
                *["--from", "jetzt"],
            ],
            "entweder --until",
        ),
        (
            [
                *["maintenance", "add", "--building", "b", "--reason", "x"],
                *["--weekly", "mo", "--hours", "22-4", "--last", "2027-01-01"],
            ],
            "--hours: „22-4“ ist keine Zeit von bis",
        ),
        (
            [
                *["maintenance", "add", "--building", "b", "--reason", "x"],
                *["--weekly", "mo", "--until", "+1h"],
            ],
            "entweder --until",
        ),
    ],
)
def test_a_refusal_names_the_option_and_writes_nothing(run, store, arguments, said):
    status, out, error = run(*arguments)
    assert (status, out) == (1, "")
    assert said in error
    assert "Abgelehnt: 1 Fehler; es wurde nichts geändert." in error
    assert store.actions.audit() == []


def test_a_place_must_be_in_the_inventory(run, capsys):
    folder = str(files("netmon.demo.city"))
    assert main(["inventory", "import", folder]) == 0
    capsys.readouterr()
    arguments = ["maintenance", "add", "--district", "x", "--reason", "x"]
    status, _, error = run(*arguments, "--until", "+1h")
    assert status == 1
    assert "den Campusbezirk „x“ gibt es nicht -> einen von diesen nennen: " in error


def test_an_operators_token_is_shown_once_and_only_its_hash_is_kept(
    run, store, tmp_path
):
    status, out, _ = run("operators", "add", "leitstelle")
    token = out.strip()
    assert status == 0
    assert len(token) >= 43
    operator = store.actions.operator_by_token(token_hash(token))
    assert operator is not None
    assert operator.name == "leitstelle"
    kept = b"".join(f.read_bytes() for f in tmp_path.iterdir())
    assert token.encode() not in kept
    listed = run("operators", "list")[1]
    assert re.fullmatch(rf"leitstelle  \(angelegt {MOMENT}\)\n", listed)
    assert run("operators", "revoke", "leitstelle")[0] == 0
    assert "Noch niemand" in run("operators", "list")[1]
    file = tmp_path / "token"
    assert run("operators", "add", "leitstelle", "--token-file", str(file))[0] == 0
    assert file.stat().st_mode & 0o077 == 0
    found = store.actions.operator_by_token(token_hash(file.read_text().strip()))
    assert found is not None


def test_under_sudo_the_author_is_who_called_it(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "anna")
    assert shell_user() == "anna"
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    assert shell_user() == "uid 4000000001"
