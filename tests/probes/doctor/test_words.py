"""Each finding of the doctor has its words, and each word its finding."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from netmon.cli.probe_doctor import line_of, said, verdict
from netmon.texts import LANGUAGES, Texts, catalogue
from probes.doctor import CHECKS, Finding, Grade, files, gateway, machine, router
from probes.doctor import server as server_checks
from tests.command import run_command


def findings_in_code(repo_dir) -> set[tuple[str, str, str]]:
    """(grade, check, says) of every finding a check can make, read from its text."""
    modules = {"files": files, "gateway": gateway, "machine": machine}
    modules |= {"router": router, "server": server_checks}
    by_module: dict[str, set[str]] = {}
    for check, function in CHECKS.items():
        by_module.setdefault(function.__module__, set()).add(check)
    found = set()
    for module in modules.values():
        text = (repo_dir / f"{module.__name__.replace('.', '/')}.py").read_text()
        checks = by_module[module.__name__]
        for grade, says in re.findall(r'\b(ok|hint|error)\(\s*"(\w+)"', text):
            named = [
                check for check in checks if f"doctor.{check}.{says}" in catalogue("de")
            ]
            assert named, f"doctor.?.{says} of {module.__name__} has no words"
            found |= {(grade, check, says) for check in named}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_finding_has_words_and_what_is_not_well_a_remedy(repo_dir, language):
    texts = Texts(language)
    found = findings_in_code(repo_dir)
    assert len(found) > 50
    for grade, check, says in found:
        assert texts.has(f"doctor.{check}.{says}")
        if grade != "ok":
            assert texts.has(f"doctor.{check}.{says}_fix"), f"{check}.{says}"
    for check in CHECKS:
        assert texts.has(f"doctor.name.{check}")
    for each in Grade:
        assert texts.has(f"doctor.grade.{each.value}")


def test_no_words_are_left_over(repo_dir):
    used = {f"doctor.{check}.{says}" for _, check, says in findings_in_code(repo_dir)}
    # Names made of two parts, chosen by a condition.
    used |= {
        f"doctor.{name}"
        for name in (
            "port.unknown",
            "port.none",
            "counters.edges",
            "counters.rare",
            "server.token",
            "server.unreached",
        )
    }
    for key in catalogue("de"):
        room, _, rest = key.removeprefix("doctor.").partition(".")
        if key.startswith("doctor.") and rest and room not in {"grade", "name"}:
            assert key.removesuffix("_fix") in used, key


def test_a_line_shows_grade_finding_and_remedy_in_german():
    slow = Finding(
        Grade.ERROR,
        "slow",
        {
            "interface": "eth0",
            "speed_bps": 1e8,
            "limit_bps": 94.15e6,
            "target_bps": 1e8,
        },
    )
    first, second = line_of(Texts("de"), "port", slow).splitlines()
    assert first.startswith("Fehler   Netzwerkanschluss: eth0 läuft mit 100 Mbit/s")
    assert "höchstens 94,2 Mbit/s Nutzdaten: 100 Mbit/s lassen sich" in first
    assert second.startswith("         → Kabel")


def test_a_fine_line_needs_no_remedy_and_numbers_read_well():
    edges = Finding(Grade.OK, "edges", {"line": "l1", "refresh_s": 3.0})
    assert line_of(Texts("de"), "counters", edges) == (
        "OK       Zähler des Routers: l1: lesbar, alle 3,0 s neu"
    )
    broken = Finding(Grade.ERROR, "broken", {"segment": "provider", "fault": "silent"})
    assert said(Texts("de"), "path", broken) == "Netz des Providers antwortet nicht"
    room = Finding(Grade.OK, "room", {"folder": "/var", "free_bytes": 12.34e9})
    assert said(Texts("de"), "spool", room) == "/var ist beschreibbar, 12,3 GB frei"


@pytest.mark.parametrize(
    ("grades", "text"),
    [
        ([Grade.OK], "Keine Beanstandung: Die Sonde kann messen."),
        ([Grade.OK, Grade.HINT], "Die Sonde kann messen. Hinweise: 1."),
        ([Grade.ERROR, Grade.HINT], "So kann die Sonde nicht zuverlässig messen."),
    ],
)
def test_the_last_line_is_the_verdict(grades, text):
    assert verdict(Texts("de"), Counter(grades)).startswith(text)


def test_json_names_each_check_with_values_text_and_remedy(tmp_path, capsys):
    file = tmp_path / "sonde.toml"
    file.write_text("probe = 1\n")
    assert run_command("probe", "doctor", "--config", str(file), "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    first = answer["findings"][0]
    assert (first["check"], first["grade"]) == ("settings", "error")
    assert first["text"]
    assert first["fix"]


def test_a_wrong_certificate_file_is_a_wrong_setting(tmp_path, capsys):
    file = tmp_path / "sonde.toml"
    file.write_text(
        'probe = "p"\nbuilding = "b"\nline = "l"\n[gateway]\nurl = "https://x"\n'
        'token_file = "t"\nca_file = "none.pem"\n'
        '[server]\naddress = "x:1"\ntoken_file = "t"\n'
    )
    assert run_command("probe", "doctor", "--config", str(file)) == 1
    assert "Einstellungen: gateway.ca_file" in capsys.readouterr().out
