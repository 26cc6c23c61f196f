"""Who is to blame, as a table of runs; and what is usual."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.model import FailureReason
from netmon.path import Fault, Reading, Segment, Usual, Verdict, guilty, usual

PORT, GATEWAY, PROVIDER, DATA_CENTRE, INTERNET = Segment

USUAL = {
    PORT: Usual(None, 0.0),
    GATEWAY: Usual(0.001, 0.0),
    PROVIDER: Usual(0.008, 0.0),
    DATA_CENTRE: Usual(0.012, 0.0),
    INTERNET: Usual(0.020, 0.0),
}
NO_REPLY = FailureReason.NO_REPLY
TIMEOUT = FailureReason.TIMEOUT
UNREACHABLE = FailureReason.UNREACHABLE
DNS = FailureReason.DNS
UNSUPPORTED = FailureReason.UNSUPPORTED
INTERNAL = FailureReason.INTERNAL
GOOD = {
    PORT: (None, 0.0),
    GATEWAY: (0.001, 0.0),
    PROVIDER: (0.009, 0.0),
    DATA_CENTRE: (0.013, 0.0),
    INTERNET: (0.021, 0.0),
}


def run(**changes: object) -> list[Reading]:
    """A good run with some segments changed: (rtt, loss), a reason, or None: absent."""
    told = {**GOOD, **{Segment(name): value for name, value in changes.items()}}
    readings = []
    for segment, value in told.items():
        if isinstance(value, FailureReason):
            readings.append(Reading(segment, failure=value))
        elif value is not None:
            readings.append(Reading(segment, *value))
    return readings


SILENT, LOSS, SLOW = Fault


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, None),
        # One packet of five is chance.
        ({"data_centre": (0.013, 0.2)}, None),
        ({"internet": (0.035, 0.0)}, None),
        # The cable is out: everything behind the port inherits.
        (
            dict.fromkeys(("port", "gateway", "provider", "data_centre"), UNREACHABLE)
            | {"internet": DNS},
            Verdict(PORT, SILENT),
        ),
        (
            dict.fromkeys(("gateway", "provider", "data_centre"), NO_REPLY)
            | {"internet": TIMEOUT},
            Verdict(GATEWAY, SILENT, PORT),
        ),
        (
            {"provider": NO_REPLY, "data_centre": NO_REPLY, "internet": TIMEOUT},
            Verdict(PROVIDER, SILENT, GATEWAY),
        ),
        (
            {"data_centre": NO_REPLY, "internet": TIMEOUT},
            Verdict(DATA_CENTRE, SILENT, PROVIDER),
        ),
        ({"data_centre": NO_REPLY}, Verdict(DATA_CENTRE, SILENT, PROVIDER)),
        ({"internet": TIMEOUT}, Verdict(INTERNET, SILENT, DATA_CENTRE)),
        # Damaged frames on the probe's own cable.
        ({"port": (None, 0.03)}, Verdict(PORT, LOSS)),
        (
            {
                "provider": (0.009, 0.4),
                "data_centre": (0.013, 0.4),
                "internet": (0.021, 0.4),
            },
            Verdict(PROVIDER, LOSS, GATEWAY),
        ),
        (
            {
                "provider": (0.060, 0.0),
                "data_centre": (0.064, 0.0),
                "internet": (0.072, 0.0),
            },
            Verdict(PROVIDER, SLOW, GATEWAY),
        ),
        ({"internet": (0.090, 0.0)}, Verdict(INTERNET, SLOW, DATA_CENTRE)),
        # Routers that answer badly but forward.
        ({"gateway": NO_REPLY}, None),
        ({"gateway": NO_REPLY, "provider": NO_REPLY}, None),
        ({"provider": (0.200, 0.8)}, None),
        (
            {"gateway": (0.200, 0.0), "provider": NO_REPLY, "internet": TIMEOUT},
            Verdict(INTERNET, SILENT, DATA_CENTRE),
        ),
        # A busy gateway is not to blame for a dead line behind it.
        (
            {
                "gateway": (0.200, 0.0),
                "provider": NO_REPLY,
                "data_centre": NO_REPLY,
                "internet": TIMEOUT,
            },
            Verdict(PROVIDER, SILENT, GATEWAY),
        ),
        # Nor one that spent its ICMP answers on telling others of the dead line.
        (
            {
                "gateway": (0.001, 0.8),
                "provider": NO_REPLY,
                "data_centre": NO_REPLY,
                "internet": UNREACHABLE,
            },
            Verdict(PROVIDER, SILENT, GATEWAY),
        ),
        # A bad cable to the router: five of five may get lost behind it by chance.
        (
            {
                "gateway": (0.001, 0.6),
                "provider": (0.009, 0.6),
                "data_centre": NO_REPLY,
                "internet": (0.021, 0.66),
            },
            Verdict(GATEWAY, LOSS, PORT),
        ),
        # Our own fault, a missing feature or a name that is unknown blame nobody.
        ({"data_centre": INTERNAL, "internet": DNS}, None),
        ({"gateway": UNSUPPORTED, "provider": UNSUPPORTED}, None),
        (
            {"gateway": UNSUPPORTED, "provider": None, "data_centre": NO_REPLY},
            Verdict(DATA_CENTRE, SILENT, PORT),
        ),
        ({"port": UNSUPPORTED, "internet": TIMEOUT}, Verdict(INTERNET, SILENT, DATA_CENTRE)),
        (dict.fromkeys(GOOD), None),
    ],
)  # fmt: skip
def test_the_first_segment_that_jumps_is_guilty(changes, verdict):
    assert guilty(run(**changes), USUAL) == verdict
    assert guilty(reversed(run(**changes)), USUAL) == verdict


def test_who_is_always_silent_is_not_blamed_for_it_today():
    baseline = USUAL | {PROVIDER: Usual(None, 1.0)}
    assert guilty(run(provider=NO_REPLY), baseline) is None
    down = run(provider=NO_REPLY, data_centre=NO_REPLY, internet=TIMEOUT)
    assert guilty(down, baseline) == Verdict(DATA_CENTRE, SILENT, GATEWAY)


def test_a_router_that_always_limits_its_answers_is_not_blamed_either():
    baseline = USUAL | {PROVIDER: Usual(0.008, 0.4)}
    readings = run(provider=(0.008, 0.6), data_centre=NO_REPLY, internet=TIMEOUT)
    assert guilty(readings, baseline) == Verdict(DATA_CENTRE, SILENT, PROVIDER)


def test_without_history_silence_is_judged_and_slowness_is_not():
    assert guilty(run(internet=(9.0, 0.0)), {}) is None
    assert guilty(run(internet=TIMEOUT), {}) == Verdict(INTERNET, SILENT, DATA_CENTRE)


def test_usual_is_the_median_and_needs_some_history():
    history = [
        *(Reading(GATEWAY, rtt, 0.0) for rtt in (0.001, 0.001, 0.002, 0.5, 0.002)),
        *(Reading(PROVIDER, failure=NO_REPLY) for _ in range(6)),
        *(Reading(DATA_CENTRE, 0.01, 0.0) for _ in range(4)),
        *(Reading(INTERNET, failure=INTERNAL) for _ in range(9)),
        *(Reading(PORT, None, 0.0) for _ in range(5)),
    ]
    assert usual(history) == {
        GATEWAY: Usual(0.002, 0.0),
        PROVIDER: Usual(None, 1.0),
        PORT: Usual(None, 0.0),
    }


_readings = st.builds(
    Reading,
    st.sampled_from(Segment),
    st.one_of(st.none(), st.floats(0, 10)),
    st.one_of(st.none(), st.floats(0, 1)),
    st.one_of(st.none(), st.sampled_from(FailureReason)),
)


@given(st.lists(_readings, unique_by=lambda reading: reading.segment))
def test_nobody_is_blamed_without_a_reading_and_no_router_that_forwards(readings):
    verdict = guilty(readings, USUAL)
    if verdict is None:
        return
    order = list(Segment)
    assert verdict.segment in {reading.segment for reading in readings}
    if verdict.last_good is not None:
        assert order.index(verdict.last_good) < order.index(verdict.segment)
    if verdict.segment in (GATEWAY, PROVIDER):
        good = [
            each.segment
            for each in readings
            if guilty([each], USUAL) is None and each.failure is None
        ]
        assert all(order.index(each) < order.index(verdict.segment) for each in good)
