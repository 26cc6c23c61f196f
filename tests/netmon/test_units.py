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
        ("100", "has no unit; write '100 Mbit/s'"),
        ("schnell", "is no rate"),
        ("100 MByte/s", "unit 'MByte/s' is unknown"),
        ("100 Mbps", "unit 'Mbps' is unknown"),
        ("0 Mbit/s", "outside 64 kbit/s to 100 Gbit/s"),
        ("100 bit/s", "outside 64 kbit/s to 100 Gbit/s"),
        ("1000 Gbit/s", "outside 64 kbit/s to 100 Gbit/s"),
        ("-5 Mbit/s", "is no rate"),
        ("1.000 Mbit/s", "write '1000 Mbit/s' without a separator"),
        ("1,000 Mbit/s", "write '1000 Mbit/s' without a separator"),
    ],
)
def test_refusals_name_the_fix(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_rate_bps(text)
