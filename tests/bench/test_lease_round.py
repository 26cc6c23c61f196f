"""The simulated round of the city: within its targets, and never over 80 %."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

from netmon.units import GBIT, MBIT


@pytest.fixture(scope="module")
def bench(repo_dir) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "bench_leases", repo_dir / "bench" / "leases.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("server_bps", "most_s"), [(10 * GBIT, 60), (GBIT, 300)])
def test_a_round_of_178_lines_both_ways(bench, server_bps, most_s):
    done = bench.simulate_round(server_bps)
    assert done.tests == 2 * 178
    assert done.round_s <= most_s
    assert done.peak_share <= 0.8
    assert done.peak_tests <= bench.MAX_TESTS


def test_the_round_is_not_faster_than_physics(bench):
    """Two lines of 800 Mbit/s on 1 Gbit/s: one after the other, but both ways at once."""
    done = bench.simulate_round(GBIT, mix=((2, 800 * MBIT),))
    assert done.tests == 4
    assert done.peak_share == 0.8
    assert 3 * bench.LENGTH_S < done.round_s < 6


def test_the_keys_of_the_bench(bench):
    assert bench.CEILINGS.keys() <= bench.figures().keys()
