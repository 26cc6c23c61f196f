"""`netmon probe measure` and `netmon measure-server` as a person uses them."""

from __future__ import annotations

import json
import queue
import re
import signal
import subprocess
import sys
import threading

import pytest

from netmon.errors import ConfigError, InputError
from tests.command import run_command

CODE = (
    "import argparse, sys\n"
    "from netmon.cli import measure_server\n"
    "from netmon.texts import Texts\n"
    "parser = argparse.ArgumentParser()\n"
    "measure_server.add(parser.add_subparsers(), Texts())\n"
    "args = parser.parse_args()\n"
    "sys.exit(args.run(args, Texts()))\n"
)
SERVE = ("measure-server", "--port", "0", "--token-file")


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text("right-token\n")
    return str(path)


@pytest.fixture
def server_address(token_file):
    """The real command as a process of its own; it must end on SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *SERVE, token_file],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=lambda: lines.put(process.stdout.readline()))
    reader.start()
    try:
        ready = lines.get(timeout=20)
        found = re.search(r"bereit auf (127\.0\.0\.1:\d+) ", ready)
        assert found is not None, ready
        yield found.group(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def test_latency_on_the_screen(server_address, capsys):
    assert run_command("probe", "measure", "latency", "--server", server_address) == 0
    shown = capsys.readouterr().out
    assert re.match(r"Laufzeit: \d+,\d ms \(kleinste \d+,\d ms, größte", shown)
    assert "Paketverlust 0,0\u00a0%" in shown


def test_throughput_with_verdict_and_explanation(server_address, token_file, capsys):
    status = run_command(
        *("probe", "measure", "throughput", "--explain"),
        *("--server", server_address, "--token-file", token_file),
    )
    shown = capsys.readouterr()
    assert status == 0
    assert re.search(r"Download [\d.]+ Mbit/s, Upload [\d.]+ Mbit/s", shown.out)
    assert "Das Ziel von 100 Mbit/s im Download ist erreicht." in shown.out
    assert re.search(r"ms  Download: [\d.]+ Mbit/s, [\d.,]+ MB in", shown.err)
    assert "right-token" not in shown.out + shown.err


def test_failure_says_why_and_exits_one(server_address, capsys):
    status = run_command("probe", "measure", "throughput", "--server", server_address)
    assert status == 1
    shown = capsys.readouterr().out
    assert shown.startswith("Durchsatz: nicht gemessen – Zugang verweigert (down: ")


def test_failure_in_english(closed_port, capsys):
    address = f"127.0.0.1:{closed_port}"
    status = run_command(
        "probe", "measure", "throughput", "--server", address, language="en"
    )
    assert status == 1
    assert "not measured – connection refused" in capsys.readouterr().out


def test_json_has_raw_units_and_nothing_else_on_the_screen(server_address, capsys):
    assert (
        run_command("probe", "measure", "latency", "--json", "--server", server_address)
        == 0
    )
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["probe"] == "latency"
    assert result["ok"] is True
    assert 0 < result["values"]["rtt_s"] < 1
    assert result["failure"] is None


def test_json_of_a_failure_has_a_reason_and_no_numbers(closed_port, capsys):
    address = f"127.0.0.1:{closed_port}"
    assert (
        run_command("probe", "measure", "latency", "--json", "--server", address) == 1
    )
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert (result["failure"], result["values"]) == ("refused", {})


def test_the_settings_of_the_probe_name_server_token_and_line(
    server_address, token_file, tmp_path, capsys
):
    config = tmp_path / "sonde.toml"
    config.write_text(
        'probe = "p1"\nbuilding = "b1"\nline = "l1"\n'
        f'[gateway]\nurl = "http://127.0.0.1:9"\ntoken_file = "{token_file}"\n'
        f'[server]\naddress = "{server_address}"\ntoken_file = "{token_file}"\n'
        "[throughput]\nwarmup_s = 0.1\nwindow_s = 0.2\n",
        encoding="utf-8",
    )
    status = run_command(
        "probe", "measure", "throughput", "--json", "--config", str(config)
    )
    shown = capsys.readouterr()
    (result,) = json.loads(shown.out)["results"]
    assert (status, result["ok"]) == (0, True)
    assert result["values"]["rate_down_bps"] > 0
    assert "right-token" not in shown.out + shown.err


def test_link_needs_no_server(capsys):
    status = run_command("probe", "measure", "link")
    shown = capsys.readouterr().out
    assert shown.startswith("Eigener Netzwerkanschluss: ")
    assert status == (1 if "nicht gemessen" in shown else 0)


@pytest.mark.parametrize("argv", [[], ["--server", "nonsense"]])
def test_missing_or_wrong_server_is_refused_with_the_fix(argv):
    with pytest.raises(ConfigError, match=r"--server.* -> .*messserver"):
        run_command("probe", "measure", *argv)


def test_measure_server_names_a_port_it_cannot_have(server_address, token_file):
    port = server_address.rpartition(":")[2]
    with pytest.raises(InputError, match=f"127.0.0.1:{port}: cannot listen here"):
        run_command("measure-server", "--port", port, "--token-file", token_file)


def test_measure_server_without_a_readable_token_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="token-file"):
        run_command("measure-server", "--token-file", str(tmp_path / "none"))
