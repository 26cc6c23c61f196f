"""The whole way by the commands: order, thirty results through the door, report, check."""

from __future__ import annotations

import json
import re
import time

import pytest

from netmon.cli import main
from netmon.model import FailureReason
from netmon.units import MBIT


@pytest.fixture(autouse=True)
def german(monkeypatch, tmp_path):
    monkeypatch.setenv("NETMON_LANG", "de")
    # Where the fixture `store` has its file.
    monkeypatch.setenv("NETMON_DATA", str(tmp_path / "data"))


@pytest.fixture
def ordered(school, capsys):
    """A campaign ordered by the command; what it said is in ``said``."""
    school.send("down", round(time.time() * 1000) - 60_000, 90.0 * MBIT)
    assert main(["evidence", "start", school.line_id, "--author", "Frau Ö"]) == 0
    school.said = capsys.readouterr().out
    (campaign,) = school.store.campaigns.running()
    return campaign


def test_from_the_order_to_a_tampered_file(school, ordered, tmp_path, capsys):
    assert "nicht das amtliche Nachweisverfahren" in school.said
    days = re.findall(r"^  \d\d\.\d\d\.\d{4}: ([0-9:, ]+)$", school.said, re.MULTILINE)
    assert [len(times.split(", ")) for times in days] == [10, 10, 10]
    (told,) = re.findall(r"\b[0-9a-f]{64}\b", school.said)
    assert told == school.store.campaigns.entries(ordered.id)[0].sha256

    school.down = lambda _: 61.0 * MBIT
    school.measure(ordered)
    assert main(["evidence", "status", school.line_id]) == 0
    said = capsys.readouterr().out
    assert f"Kampagne {ordered.id}: vollständig" in said
    assert "Gültige Messungen: 30 von 30" in said
    assert "Download, Höchstrate (90 %): an 0 von 3 Messtagen" in said
    assert "Prüfkette in Ordnung (Glieder: 62)" in said

    out = tmp_path / "out"
    assert main(["evidence", "report", school.line_id, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "Abweichung vom Vertrag" in said
    assert sorted(p.suffix for p in out.iterdir()) == [".docx", ".json", ".pdf"]
    (head,) = re.findall(r"\b[0-9a-f]{64}\b", said)

    (file,) = out.glob("*.json")
    assert main(["evidence", "verify", str(file), "--head", head]) == 0
    assert "Die letzte Prüfsumme ist die genannte." in capsys.readouterr().out
    text = file.read_text(encoding="utf-8")
    # In the link only: what stands beside it is computed anew.
    changed = text.replace(
        '\\"rate_down_bps\\":61000000.0', '\\"rate_down_bps\\":1.0', 1
    )
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    assert main(["evidence", "verify", str(file)]) == 1
    assert "bei Glied 1 gebrochen" in capsys.readouterr().err


def test_a_campaign_underway_tells_its_gaps_and_can_be_ended(school, ordered, capsys):
    school.measure(ordered, [0])
    at_ms = ordered.moments_ms[1]
    school.send("down", at_ms, FailureReason.BUSY, campaign=ordered.id)
    assert main(["evidence", "status", school.line_id]) == 0
    said = capsys.readouterr().out
    assert "Gültige Messungen: 1 von 30; vorbei: 0" in said
    assert "Nächste Messung: " in said
    assert "Die Kampagne läuft" in said
    assert "nicht vereinbart, nicht geprüft" in said
    assert main(["evidence", "start", school.line_id]) == 1
    assert f"läuft schon die Kampagne {ordered.id}" in capsys.readouterr().err
    assert main(["evidence", "abort", school.line_id]) == 0
    assert main(["evidence", "abort", school.line_id]) == 1
    assert "läuft keine Kampagne" in capsys.readouterr().err
    assert main(["evidence", "status", school.line_id]) == 0
    assert "Kein Urteil: Nur 1 von 30" in capsys.readouterr().out


def test_only_the_forms_asked_for_are_written(school, ordered, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["evidence", "report", school.line_id, "--out", str(out)]
    assert main([*arguments, "--format", "json"]) == 0
    assert [p.suffix for p in out.iterdir()] == [".json"]
    assert main([*arguments, "--campaign", "ev-0"]) == 1
    assert "hat keine Kampagne „ev-0“" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*arguments, "--format", "odt"])
    assert "„odt“ gibt es nicht" in capsys.readouterr().err


def test_a_chain_changed_in_the_store_is_not_reported(
    school, ordered, store, tmp_path, capsys
):
    school.measure(ordered, [0])
    assert main(["evidence", "status", school.line_id]) == 0
    capsys.readouterr()
    with store._database.transaction() as connection:
        connection.execute(
            "UPDATE campaign_entries SET record = replace(record, ':93000000.0', ':9.0')"
        )
    assert main(["evidence", "status", school.line_id]) == 1
    assert "Prüfkette gebrochen bei Glied 1" in capsys.readouterr().out
    arguments = ["evidence", "report", school.line_id, "--out", str(tmp_path / "o")]
    assert main(arguments) == 1
    assert "Prüfkette gebrochen bei Glied 1" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_day_that_is_past_or_no_day_is_refused(school, capsys):
    school.send("down", round(time.time() * 1000) - 60_000, 90.0 * MBIT)
    assert main(["evidence", "start", school.line_id, "--from", "2020-01-01"]) == 1
    assert "in der Vergangenheit" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["evidence", "start", school.line_id, "--from", "1.12.2026"])
    assert "„1.12.2026“ ist kein Tag" in capsys.readouterr().err


def test_each_refusal_names_the_fix(school, capsys):
    assert main(["evidence", "start", "gs-99-l1"]) == 1
    assert "netmon inventory show" in capsys.readouterr().err
    assert main(["evidence", "start", school.line_id]) == 1
    assert "noch keine gelungene Messung" in capsys.readouterr().err
    assert main(["evidence", "status", school.line_id]) == 1
    assert "netmon evidence start gs-31-l1" in capsys.readouterr().err
    values = {"rate_down_bps": 4e7, "port_speed_bps": 1e7}
    school.send("down", round(time.time() * 1000) - 9_000, 1.0, values=values)
    assert main(["evidence", "start", school.line_id]) == 1
    assert "10,0 Mbit/s; zu zeigen wären bis zu 90,0 Mbit/s" in capsys.readouterr().err


def test_before_any_inventory_the_import_is_named(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("NETMON_DATA", str(tmp_path / "new"))
    assert main(["evidence", "start", "l1"]) == 1
    assert "netmon inventory import" in capsys.readouterr().err


def test_the_manual_shows_how_to_check_without_netmon(
    school, ordered, tmp_path, repo_dir, capsys
):
    school.measure(ordered)
    out = tmp_path / "out"
    arguments = ["evidence", "report", school.line_id, "--out", str(out)]
    assert main([*arguments, "--format", "json"]) == 0
    capsys.readouterr()
    (file,) = out.glob("*.json")
    page = (repo_dir / "docs/betrieb/nachweis.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(code.replace("DATEI.json", str(file)), {})
    head = json.loads(file.read_text(encoding="utf-8"))["head"]
    assert capsys.readouterr().out.strip() == head
