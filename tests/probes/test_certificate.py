"""What a probe can prove: pure judgement by tables."""

from __future__ import annotations

import logging
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.metrics import KINDS
from probes.agent import warn_if_weak
from probes.certificate import (
    MAX_OFFSET_S,
    Certificate,
    Part,
    attach,
    can_prove,
    is_probe_limited,
    limiting_part,
    limits_of,
    values_of,
)

GIGABIT = Certificate(port_speed_bps=1e9, full_duplex=True, loopback_ceiling_bps=9e9)
FAST_ETHERNET = Certificate(port_speed_bps=1e8, full_duplex=True)


@pytest.mark.parametrize(
    ("certificate", "limit_bps", "part"),
    [
        (Certificate(), math.inf, None),
        (FAST_ETHERNET, 94.15e6, Part.PORT),
        (GIGABIT, 941.5e6, Part.PORT),
        (Certificate(port_speed_bps=1e9, full_duplex=None), 941.5e6, Part.PORT),
        (Certificate(port_speed_bps=1e9, full_duplex=False), 0.0, Part.DUPLEX),
        (
            Certificate(port_speed_bps=1e9, loopback_ceiling_bps=3e8),
            3e8,
            Part.LOOPBACK,
        ),
        (Certificate(loopback_ceiling_bps=3e8), 3e8, Part.LOOPBACK),
    ],
)
def test_the_weakest_part_sets_the_limit(certificate, limit_bps, part):
    assert limits_of(certificate) == pytest.approx(limit_bps, rel=1e-3)
    assert limiting_part(certificate) is part


@pytest.mark.parametrize(
    ("certificate", "threshold_bps", "expected"),
    [
        (FAST_ETHERNET, 100e6, False),
        (FAST_ETHERNET, 94e6, False),
        (FAST_ETHERNET, 45e6, True),
        (GIGABIT, 100e6, True),
        (GIGABIT, 900e6, True),
        (GIGABIT, 935e6, False),
        (Certificate(port_speed_bps=1e10, full_duplex=False), 16e6, False),
        (Certificate(port_speed_bps=1e9, loopback_ceiling_bps=9e7), 100e6, False),
        (Certificate(), 100e6, True),
    ],
)
def test_which_threshold_a_probe_can_prove(certificate, threshold_bps, expected):
    assert can_prove(threshold_bps, certificate) is expected


@pytest.mark.parametrize(
    ("rate_bps", "limited"),
    [(94.1e6, True), (92e6, True), (91e6, False), (50e6, False)],
)
def test_a_rate_near_the_ports_own_is_the_probes(rate_bps, limited):
    assert is_probe_limited(rate_bps, FAST_ETHERNET) is limited


def test_a_rate_the_port_limited_is_a_lower_bound_and_no_rate():
    values = {
        "rate_down_bps": 93.9e6,
        "rate_down_low_bps": 93.5e6,
        "rate_down_high_bps": 94.2e6,
        "capacity_down_bps": 97e6,
        "goodput_down_bps": 93.9e6,
        "rate_up_bps": 40e6,
        "rate_up_low_bps": 39e6,
    }
    found = attach(values, FAST_ETHERNET)
    assert found == {
        "at_least_down_bps": 93.5e6,
        "goodput_down_bps": 93.9e6,
        "rate_up_bps": 40e6,
        "rate_up_low_bps": 39e6,
        "port_speed_bps": 1e8,
        "loopback_ceiling_bps": None,
        "clock_offset_s": None,
    }


def test_a_range_up_to_the_ports_limit_is_a_lower_bound_too():
    values = {"rate_down_low_bps": 61e6, "rate_down_high_bps": 93e6}
    found = attach(values, FAST_ETHERNET)
    assert found["at_least_down_bps"] == 61e6
    assert not {"rate_down_low_bps", "rate_down_high_bps"} & set(found)
    below = {"rate_down_low_bps": 61e6, "rate_down_high_bps": 83e6}
    assert below.items() <= attach(below, FAST_ETHERNET).items()


def test_a_better_bound_is_kept_and_what_the_test_said_of_the_probe_too():
    values = {
        "rate_down_bps": 93e6,
        "at_least_down_bps": 94e6,
        "port_speed_bps": 1e8,
        "clock_offset_s": 0.2,
    }
    found = attach(values, Certificate(port_speed_bps=1e8, clock_offset_s=9.0))
    assert found["at_least_down_bps"] == 94e6
    assert "rate_down_bps" not in found
    assert found["clock_offset_s"] == 0.2


@given(
    st.floats(1e5, 1e11),
    st.floats(1e5, 1e11),
    st.one_of(st.none(), st.floats(1e5, 1e11)),
    st.sampled_from([True, False, None]),
)
def test_a_provable_rate_stays_a_rate_any_other_says_only_at_least(
    rate_bps, port_bps, ceiling_bps, duplex
):
    certificate = Certificate(
        port_speed_bps=port_bps, full_duplex=duplex, loopback_ceiling_bps=ceiling_bps
    )
    found = attach({"rate_down_bps": rate_bps}, certificate)
    assert ("rate_down_bps" in found) is can_prove(rate_bps, certificate)
    assert found.get("at_least_down_bps", rate_bps) == rate_bps


def test_what_travels_is_in_the_catalogue():
    metrics = {metric.name: metric for metric in KINDS["throughput"].metrics}
    names = set(metrics)
    assert metrics["clock_offset_s"].high == MAX_OFFSET_S
    assert values_of(Certificate(clock_offset_s=-56 * 365 * 86400.0)) == {
        "port_speed_bps": None,
        "loopback_ceiling_bps": None,
        "clock_offset_s": None,
    }
    assert set(values_of(GIGABIT)) <= names
    assert set(attach({"rate_down_bps": 99e6}, FAST_ETHERNET)) <= names


@pytest.mark.parametrize(
    ("certificate", "warned"), [(FAST_ETHERNET, True), (GIGABIT, False)]
)
def test_the_agent_says_at_its_start_that_it_cannot_prove_the_target(
    certificate, warned, caplog
):
    with caplog.at_level(logging.WARNING):
        warn_if_weak(certificate)
    assert ("94 Mbit/s at most (limited by its port)" in caplog.text) is warned
