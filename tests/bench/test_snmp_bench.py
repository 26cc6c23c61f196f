"""The SNMP bench on a village: what it counts, and that its agents are no fiction."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from types import ModuleType

import pytest


@pytest.fixture
def bench(repo_dir, monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(repo_dir / "bench")
    spec = importlib.util.spec_from_file_location(
        "bench_snmp", repo_dir / "bench" / "snmp.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_the_city_has_the_size_it_is_said_to_have(bench):
    assert bench.VALUES == 620_800
    assert bench.SWITCHES * len(bench.REQUESTS) == 9_600


@pytest.mark.slow
def test_a_village_is_polled_and_accepted(bench, monkeypatch):
    """Every value that the platforms' files ask reaches the gateway's receipt."""
    monkeypatch.setattr(bench, "SWITCHES", 4)
    monkeypatch.setattr(bench, "CONTROLLERS", 1)
    monkeypatch.setattr(bench, "DELAY_S", 0.001)
    monkeypatch.setattr(bench, "ROUND_S", 3.0)
    monkeypatch.setattr(bench, "DEAD", 2)
    raw = 4 * bench.PORTS * 8 + bench.APS * bench.RADIOS * 16
    monkeypatch.setattr(bench, "VALUES", raw)
    figures = asyncio.run(bench.run(peers=False))
    assert bench.TARGETS.keys() <= figures.keys()
    # A device, its ports, its access points and their radios; the controller itself.
    ports, points = 4 * bench.PORTS, bench.APS * (1 + bench.RADIOS)
    assert figures["accepted_records"] == 4 + ports + 1 + points + 1
    # Of each port what IF-MIB, EtherLike and PoE tell, of each radio eight columns.
    assert figures["accepted_values"] >= 9 * ports + 8 * bench.APS * bench.RADIOS
    assert all(figures[name] >= -0.01 for name in bench.TARGETS)
    assert figures["overdue"] == 0
