"""``netmon probe measure capacity|floor`` against a real measurement server."""

from __future__ import annotations

import asyncio
import json

import pytest

from netmon.cli import main
from probes.measure_server import MeasureServer


@pytest.fixture
async def paced(measure_server: MeasureServer, tmp_path):
    measure_server.set_rate("line-1", 120e6, 40e6)
    (tmp_path / "token").write_text("right-token")
    return [
        "probe",
        "measure",
        "--server",
        f"127.0.0.1:{measure_server.port}",
        "--token-file",
        str(tmp_path / "token"),
        "--line",
        "line-1",
        "--interface",
        "lo",
    ]


async def run(*arguments: str) -> int:
    # Blocking, and with an event loop of its own; the server runs in ours.
    return await asyncio.to_thread(main, list(arguments))


async def test_a_short_test_says_in_words_what_it_shows(paced, capsys):
    contract = ["--contract-down", "50 Mbit/s", "--contract-up", "20 Mbit/s"]
    await run(*paced, *contract, "floor", "--explain")
    shown = capsys.readouterr()
    assert "Download: " in shown.out
    assert "Upload: " in shown.out
    assert "Zähler des Routers sind nicht eingerichtet" in shown.err


async def test_json_names_each_direction_with_its_tags(paced, capsys):
    contract = ["--contract-down", "50 Mbit/s", "--contract-up", "20 Mbit/s"]
    await run(*paced, *contract, "floor", "--json")
    down, up = json.loads(capsys.readouterr().out)["results"]
    assert (down["probe"], up["probe"]) == ("floor_down", "floor_up")
    assert down["tags"]["direction"] == "down"
    assert down["tags"]["purpose"] == "on_site"
    # Without counters never more than a lower bound.
    for found in (down, up):
        assert not any(name.startswith("rate_") for name in found["values"])


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        ([], "--contract-down]: fehlt"),
        (["--contract-down", "50"], "hat keine Einheit"),
        (
            ["--contract-down", "50 Mbit/s", "--contract-up", "x"],
            "ist keine Bandbreite",
        ),
    ],
)
async def test_a_missing_or_senseless_contract_is_refused(
    paced, capsys, contract, said
):
    assert await run(*paced, *contract, "floor") == 1
    assert said in capsys.readouterr().err


async def test_a_refusing_server_is_a_result_without_number(paced, capsys, tmp_path):
    (tmp_path / "token").write_text("wrong")
    assert await run(*paced, "--contract-down", "50 Mbit/s", "capacity") == 1
    assert "Zugang verweigert" in capsys.readouterr().out
