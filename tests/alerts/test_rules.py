"""The table of rules, and the thresholds of real contracts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from alerts.derived import DERIVED
from alerts.rules import (
    RULES,
    RULES_OF_KIND,
    access_point_of,
    limited_by_contract,
    line_of,
    lines_below_by_contract,
)
from netmon.config import AlertSettings
from netmon.metrics import KINDS
from netmon.model import (
    Inventory,
    Line,
    LineRole,
    Technology,
    below_by_contract,
    clear_down_bps,
    expected_down_bps,
    threshold_up_bps,
)
from netmon.units import MBIT


def line(mbits: float, role: LineRole = LineRole.MAIN) -> Line:
    return Line(
        id=f"line-{mbits}-{role}",
        building_id="gs-07",
        role=role,
        technology=Technology.VDSL,
        contracted_down_bps=round(mbits * MBIT),
        contracted_up_bps=10 * MBIT,
        provider="DOKOM21",
    )


@pytest.mark.parametrize(
    ("contract", "alarm", "clear", "by_contract"),
    [
        (16, 14.4, 14.72, True),
        (50, 45, 46, True),
        (100, 90, 92, True),
        (111, 99.9, 102.12, True),
        (120, 100, 105, False),
        (250, 100, 105, False),
        (1000, 100, 105, False),
    ],
)
def test_thresholds_of_a_line(
    contract: float, alarm: float, clear: float, by_contract: bool
) -> None:
    limits = RULES["line_below_target"].limits(AlertSettings(), line(contract))
    assert limits.raise_below == pytest.approx(alarm * MBIT)
    assert limits.clear_from == pytest.approx(clear * MBIT)
    assert limited_by_contract(line(contract)) is by_contract


@pytest.mark.parametrize("contract", [1, 16, 25, 50, 99, 100, 105, 110, 115, 250, 1000])
def test_a_healthy_line_can_reach_its_clear_threshold(contract: float) -> None:
    goodput_bps = contract * MBIT * 1440 / 1538  # TCP over PPPoE and Ethernet
    assert expected_down_bps(line(contract)) < clear_down_bps(line(contract))
    assert clear_down_bps(line(contract)) < goodput_bps


@pytest.mark.parametrize(
    ("down", "up", "asked"),
    [(16, 2.4, 2.16), (100, 40, 36), (250, 250, 100), (1000, 100, 90), (100, 100, 90)],
)
def test_upwards_a_line_owes_its_contract_but_no_more_than_downwards(
    down: float, up: float, asked: float
) -> None:
    one = replace(line(down), contracted_up_bps=round(up * MBIT))
    assert threshold_up_bps(one) == pytest.approx(asked * MBIT)


def test_what_hangs_on_a_line_is_open_without_one() -> None:
    limits = RULES["line_below_target"].limits(AlertSettings(), None)
    assert (limits.raise_below, limits.clear_from) == (None, None)
    assert limits.confirm_count == 3


def test_settings_reach_the_limits() -> None:
    settings = AlertSettings(
        line_confirm_count=5,
        line_clear_count=4,
        ap_confirm_count=3,
        ap_clear_count=2,
        no_data_after_s=60,
        device_confirm_count=4,
        device_clear_count=2,
    )
    counts = {
        name: (limits.confirm_count, limits.clear_count)
        for name, rule in RULES.items()
        for limits in [rule.limits(settings, line(250))]
    }
    assert counts == {
        "line_below_target": (5, 4),
        "line_flapping": (4, 1),
        "ap_degraded": (6, 3),
        "ap_down": (3, 2),
        "no_data": (1, 1),
        "device_down": (4, 2),
        "line_down": (1, 1),
        "below_by_contract": (1, 1),
        "monitor": (1, 1),
    }
    assert RULES["no_data"].limits(settings, None).valid_for_s == 60
    # Whoever asks for more results asks for more of every other one too.
    assert RULES["line_below_target"].limits(settings, None).waver_of == 20


def test_rules_judge_what_the_catalogue_has() -> None:
    for rule in RULES.values():
        for name in rule.kinds:
            metrics = {metric.name for metric in KINDS[name].metrics}
            assert rule.quantity is None or rule.quantity in metrics
            assert rule in RULES_OF_KIND[name]
    assert {d.rule for d in DERIVED} == {r.name for r in RULES.values() if not r.kinds}
    assert RULES_OF_KIND.keys() == KINDS.keys()


def test_targets_name_what_they_are() -> None:
    tags = {"building": "gs-07", "line": "gs-07-main", "method": "tcp"}
    target = RULES["no_data"].target(tags)
    assert target == "line:gs-07-main"
    assert line_of(target) == "gs-07-main"
    for ap in ("gs-07-ap-1", "wlc-07/AP/1:2"):
        tags = {"building": "gs-07", "device": "wlc-07", "ap": ap}
        target = RULES["ap_down"].target(tags)
        assert target == f"ap:{ap}"
        assert access_point_of(target) == ap


def test_below_by_contract_counts_main_lines_only() -> None:
    lines = (line(99.999), line(100), line(50), line(16, LineRole.BACKUP))
    inventory = Inventory(buildings=(), lines=lines)
    assert lines_below_by_contract(inventory) == (lines[0], lines[2])
    assert below_by_contract(lines[3])
