"""Thresholds, one row each: just inside, just outside, and nothing to compare."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import msgspec
import pytest

from netmon.medium import (
    JUDGES,
    THRESHOLDS,
    Baseline,
    Finding,
    MediumHealth,
    MediumState,
    at_place,
    combine,
    merge,
    resyncs_today,
)
from netmon.metrics import KINDS, MEDIUM_KINDS
from netmon.model import Line

MakeLine = Callable[..., Line]
OK, WARN, CRITICAL = MediumState.OK, MediumState.WARN, MediumState.CRITICAL
UNKNOWN = MediumState.UNKNOWN
USUAL_DSL = Baseline({"rate_down_bps": 109e6, "snr_margin_down_db": 9.0})

# Kind, values, baseline, state, codes of the findings. The line: 100/40 Mbit/s.
CASES = [
    ("line_dsl", {"rate_down_bps": 109e6, "rate_up_bps": 43e6}, None, OK, []),
    ("line_dsl", {"up": 0.0, "rate_down_bps": 1e6}, None, CRITICAL, ["dsl_down"]),
    ("line_dsl", {"up": 1.0}, None, UNKNOWN, []),
    ("line_dsl", {}, None, UNKNOWN, []),
    # 95 % of the contract is the limit, 90 % what the line must reach.
    ("line_dsl", {"rate_down_bps": 95.0e6}, None, OK, []),
    ("line_dsl", {"rate_down_bps": 94.9e6}, None, WARN, ["dsl_rate_low"]),
    ("line_dsl", {"rate_down_bps": 89.9e6}, None, CRITICAL, ["dsl_rate_low"]),
    ("line_dsl", {"rate_up_bps": 37.9e6}, None, WARN, ["dsl_rate_up_low"]),
    ("line_dsl", {"rate_up_bps": 38.0e6}, None, OK, []),
    # 95 % of the usual.
    ("line_dsl", {"rate_down_bps": 104e6}, USUAL_DSL, OK, []),
    ("line_dsl", {"rate_down_bps": 103e6}, USUAL_DSL, WARN, ["dsl_rate_fell"]),
    (
        "line_dsl",
        {"rate_down_bps": 67e6},
        USUAL_DSL,
        CRITICAL,
        ["dsl_rate_fell"],
    ),
    ("line_dsl", {"snr_margin_down_db": 4.0}, None, OK, []),
    ("line_dsl", {"snr_margin_down_db": 3.9}, None, WARN, ["dsl_margin_down_low"]),
    ("line_dsl", {"snr_margin_down_db": 1.9}, None, CRITICAL, ["dsl_margin_down_low"]),
    ("line_dsl", {"snr_margin_up_db": 1.9}, None, CRITICAL, ["dsl_margin_up_low"]),
    ("line_dsl", {"snr_margin_down_db": 7.1}, USUAL_DSL, OK, []),
    (
        "line_dsl",
        {"snr_margin_down_db": 7.0},
        USUAL_DSL,
        WARN,
        ["dsl_margin_down_fell"],
    ),
    (
        "line_dsl",
        {"rate_down_bps": 100e6, "attainable_down_bps": 104e6},
        None,
        WARN,
        ["dsl_no_reserve"],
    ),
    (
        "line_dsl",
        {"rate_down_bps": 100e6, "attainable_down_bps": 105e6},
        None,
        OK,
        [],
    ),
    (
        "line_dsl",
        {"up": 1.0, "errored_seconds_15min_count": 10.0},
        None,
        WARN,
        ["dsl_errors"],
    ),
    (
        "line_dsl",
        {"rate_down_bps": 109e6, "errored_seconds_15min_count": 9.0},
        None,
        OK,
        [],
    ),
    (
        "line_dsl",
        {"severely_errored_seconds_15min_count": 1.0},
        None,
        WARN,
        ["dsl_severe_errors"],
    ),
    ("line_dsl", {"rate_down_bps": 109e6, "resyncs_day_count": 1.0}, None, OK, []),
    ("line_dsl", {"resyncs_day_count": 2.0}, None, WARN, ["dsl_resyncs"]),
    ("line_dsl", {"resyncs_day_count": 3.0}, None, CRITICAL, ["dsl_resyncs"]),
    (
        "line_dsl",
        {"resyncs_total": 22.0},
        Baseline({}, {"resyncs_total": 19.0}),
        CRITICAL,
        ["dsl_resyncs"],
    ),
    # Light: the module's own limits first.
    ("line_optics", {"rx_dbm": -8.0}, None, UNKNOWN, []),
    ("line_optics", {"rx_dbm": -8.0, "rx_low_alarm_dbm": -24.0}, None, OK, []),
    (
        "line_optics",
        {"rx_dbm": -24.1, "rx_low_warn_dbm": -23.0, "rx_low_alarm_dbm": -26.0},
        None,
        WARN,
        ["optics_rx_low"],
    ),
    (
        "line_optics",
        {"rx_dbm": -26.1, "rx_low_warn_dbm": -23.0, "rx_low_alarm_dbm": -26.0},
        None,
        CRITICAL,
        ["optics_rx_low"],
    ),
    (
        "line_optics",
        {"rx_dbm": 1.0, "rx_high_alarm_dbm": 0.0},
        None,
        CRITICAL,
        ["optics_rx_high"],
    ),
    (
        "line_optics",
        {"rx_dbm": -9.0, "tx_dbm": -9.5, "tx_low_warn_dbm": -9.0},
        None,
        WARN,
        ["optics_tx_low"],
    ),
    ("line_optics", {"rx_dbm": -21.0, "rx_low_alarm_dbm": -24.0}, None, OK, []),
    (
        "line_optics",
        {"rx_dbm": -21.1, "rx_low_alarm_dbm": -24.0},
        None,
        WARN,
        ["optics_margin"],
    ),
    ("line_optics", {"rx_dbm": -40.0}, None, CRITICAL, ["optics_dark"]),
    ("line_optics", {"rx_dbm": -9.9}, Baseline({"rx_dbm": -8.0}), OK, []),
    (
        "line_optics",
        {"rx_dbm": -10.0},
        Baseline({"rx_dbm": -8.0}),
        WARN,
        ["optics_rx_fell"],
    ),
    (
        "line_optics",
        {"rx_dbm": -11.0},
        Baseline({"rx_dbm": -8.0}),
        CRITICAL,
        ["optics_rx_fell"],
    ),
    # Radio: 10 % more than the contract, for what the air takes.
    ("line_radio", {"rx_level_dbm": -50.0}, None, UNKNOWN, []),
    ("line_radio", {"up": 0.0}, None, CRITICAL, ["radio_down"]),
    (
        "line_radio",
        {"capacity_down_bps": 110e6, "capacity_up_bps": 44e6},
        None,
        OK,
        [],
    ),
    (
        "line_radio",
        {"capacity_down_bps": 109e6},
        None,
        WARN,
        ["radio_capacity_low"],
    ),
    (
        "line_radio",
        {"capacity_down_bps": 89e6},
        None,
        CRITICAL,
        ["radio_capacity_low"],
    ),
    ("line_radio", {"capacity_up_bps": 43e6}, None, WARN, ["radio_capacity_up_low"]),
    (
        "line_radio",
        {"modulation_qam": 256.0},
        Baseline({"modulation_qam": 256.0}),
        OK,
        [],
    ),
    (
        "line_radio",
        {"modulation_qam": 64.0, "capacity_down_bps": 200e6},
        Baseline({"modulation_qam": 256.0}),
        WARN,
        ["radio_modulation_low"],
    ),
    (
        "line_radio",
        {"modulation_qam": 16.0, "capacity_down_bps": 62e6},
        Baseline({"modulation_qam": 256.0}),
        CRITICAL,
        ["radio_modulation_low", "radio_capacity_low"],
    ),
    (
        "line_radio",
        {"rx_level_dbm": -54.9},
        Baseline({"rx_level_dbm": -50.0}),
        OK,
        [],
    ),
    (
        "line_radio",
        {"rx_level_dbm": -55.0},
        Baseline({"rx_level_dbm": -50.0}),
        WARN,
        ["radio_level_fell"],
    ),
    (
        "line_radio",
        {"rx_level_far_dbm": -58.0},
        Baseline({"rx_level_far_dbm": -50.0}),
        CRITICAL,
        ["radio_level_far_fell"],
    ),
]


@pytest.mark.parametrize(("kind", "values", "baseline", "state", "codes"), CASES)
def test_each_threshold_on_both_sides(
    make_line: MakeLine,
    kind: str,
    values: Mapping[str, float | None],
    baseline: Baseline | None,
    state: MediumState,
    codes: list[str],
) -> None:
    assert set(values) <= {metric.name for metric in KINDS[kind].metrics}
    health = JUDGES[kind](values, baseline, make_line())
    assert [finding.code for finding in health.findings] == codes
    assert health.state is state


def test_every_kind_of_medium_has_its_judge() -> None:
    assert tuple(JUDGES) == MEDIUM_KINDS


def test_every_threshold_names_its_source() -> None:
    for code, threshold in THRESHOLDS.items():
        assert threshold.source, code
        assert (threshold.warn, threshold.critical) != (None, None), code


def test_the_worst_comes_first_and_decides(make_line: MakeLine) -> None:
    health = JUDGES["line_dsl"](
        {"rate_down_bps": 94e6, "snr_margin_up_db": 0.5, "resyncs_day_count": 2.0},
        None,
        make_line(),
    )
    assert [(f.code, f.state) for f in health.findings] == [
        ("dsl_margin_up_low", CRITICAL),
        ("dsl_rate_low", WARN),
        ("dsl_resyncs", WARN),
    ]


def test_a_small_contract_is_held_to_itself(make_line: MakeLine) -> None:
    judge = JUDGES["line_dsl"]
    assert judge({"rate_down_bps": 50e6}, None, make_line(50, 10)).state is OK
    # A large contract: 100 Mbit/s is what lessons need, less than 95 % is noted.
    assert judge({"rate_down_bps": 120e6}, None, make_line(250)).state is WARN


@pytest.mark.parametrize(
    ("values", "midnight", "resyncs"),
    [
        ({"resyncs_day_count": 4.0, "resyncs_total": 9.0}, {"resyncs_total": 9.0}, 4),
        ({"resyncs_total": 9.0}, {"resyncs_total": 7.0}, 2),
        ({"resyncs_total": 1.0}, {"resyncs_total": 7.0}, 1),
        ({"resyncs_total": 9.0}, {}, None),
        ({}, {"resyncs_total": 7.0}, None),
    ],
)
def test_resyncs_of_a_day(
    values: Mapping[str, float], midnight: Mapping[str, float], resyncs: float | None
) -> None:
    assert resyncs_today(values, Baseline({}, midnight)) == resyncs


def test_several_are_as_bad_as_the_worst_and_known_if_one_is() -> None:
    low = MediumHealth(WARN, (Finding("optics_margin", WARN),))
    assert combine([]).state is UNKNOWN
    assert combine([MediumHealth(UNKNOWN)]).state is UNKNOWN
    assert combine([MediumHealth(UNKNOWN), MediumHealth(OK)]).state is OK
    together = combine([MediumHealth(OK), at_place(low, "Te1")])
    assert together.state is WARN
    assert together.findings[0].where == "Te1"


def test_a_pair_carries_its_line_together() -> None:
    pair = [
        {"up": 1.0, "rate_down_bps": 50e6, "snr_margin_down_db": 9.0, "mse_db": -30.0},
        {"up": 0.0, "rate_down_bps": 45e6, "snr_margin_down_db": 4.0, "mse_db": -12.0},
    ]
    assert merge(pair) == {
        "up": 1.0,
        "rate_down_bps": 95e6,
        "snr_margin_down_db": 4.0,
        "mse_db": -12.0,
    }
    # Half a sum would be a wrong number.
    assert merge([{"rate_down_bps": 5e7}, {"rate_down_bps": None}]) == {
        "rate_down_bps": None
    }


def test_a_judgement_can_be_stored() -> None:
    health = MediumHealth(WARN, (Finding("dsl_errors", WARN, {"seconds_count": 12.0}),))
    body = msgspec.json.encode(health)
    assert json.loads(body)["findings"][0]["numbers"] == {"seconds_count": 12.0}
    assert msgspec.json.decode(body, type=MediumHealth) == health
