"""Rates are read with their unit, or refused with the fix."""

from __future__ import annotations

import re

import pytest

from netmon.units import parse_rate_bps


@pytest.mark.parametrize(
    ("text", "rate_bps"),
    [
        ("100 Mbit/s", 100_000_000),
        ("1 Gbit/s", 1_000_000_000),
        ("16000 kbit/s", 16_000_000),
        ("2,5 Gbit/s", 2_500_000_000),
        ("2.5 Gbit/s", 2_500_000_000),
        (" 50 mbit/s ", 50_000_000),
    ],
)
def test_rates(text, rate_bps):
    assert parse_rate_bps(text) == rate_bps


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("100", "rate_without_unit: value 100, number 100"),
        ("schnell", "no_rate: value schnell"),
        ("100 MByte/s", "rate_unit: unit MByte/s"),
        ("100 Mbps", "rate_unit: unit Mbps"),
        ("0 Mbit/s", "rate_outside: value 0 Mbit/s"),
        ("100 bit/s", "rate_outside: value 100 bit/s"),
        ("1000 Gbit/s", "rate_outside: value 1000 Gbit/s"),
        ("-5 Mbit/s", "no_rate: value -5 Mbit/s"),
        ("1.000 Mbit/s", "rate_thousands: value 1.000 Mbit/s, plain 1000 Mbit/s"),
        ("1,000 Mbit/s", "rate_thousands: value 1,000 Mbit/s, plain 1000 Mbit/s"),
    ],
)
def test_refusals_name_the_fix(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_rate_bps(text)
