"""Findings in German and English."""

from __future__ import annotations

import re

import pytest

from netmon.medium import (
    Finding,
    MediumState,
    mbits,
    sentence,
    short_sentence,
    value_text,
)
from netmon.metrics import KINDS, MEDIUM_KINDS
from netmon.texts import Texts, catalogue

DE, EN = Texts("de"), Texts("en")
WARN, CRITICAL = MediumState.WARN, MediumState.CRITICAL

LOW = Finding("dsl_rate_low", CRITICAL, {"rate_bps": 67.2e6, "contracted_bps": 100e6})
FELL = Finding("dsl_rate_fell", CRITICAL, {"rate_bps": 67e6, "typical_bps": 109e6})
QAM = Finding("radio_modulation_low", WARN, {"modulation_qam": 16, "typical_qam": 256})
LIGHT = Finding("optics_rx_low", WARN, {"power_dbm": -24.08, "limit_dbm": -23.0})
RESYNCS = Finding("dsl_resyncs", CRITICAL, {"resyncs_count": 4.0})


@pytest.mark.parametrize(
    ("finding", "german", "english"),
    [
        (
            LOW,
            "DSL-Synchronisation nur 67 von 100 Mbit/s",
            "DSL sync only 67 of 100 Mbit/s",
        ),
        (
            FELL,
            "DSL-Synchronisation von 109 auf 67 Mbit/s gefallen",
            "DSL sync fell from 109 to 67 Mbit/s",
        ),
        (
            QAM,
            "Funkstrecke nur noch 16-QAM (sonst 256-QAM)",
            "Radio link down to 16-QAM (usually 256-QAM)",
        ),
        (
            LIGHT,
            "Empfangspegel −24,1 dBm, Grenze −23,0",
            "Power received −24.1 dBm, limit −23.0",
        ),
        (RESYNCS, "Heute 4-mal neu synchronisiert", "Resynchronised 4 times today"),
    ],
)
def test_a_finding_in_words(finding: Finding, german: str, english: str) -> None:
    assert sentence(finding, DE) == german
    assert sentence(finding, EN) == english


def test_a_finding_names_its_port_and_modulations_have_names() -> None:
    placed = Finding("optics_dark", CRITICAL, {"power_dbm": -40.0}, "Te1/1/4")
    assert sentence(placed, DE) == "Te1/1/4: Kein Licht auf der Glasfaser (−40,0 dBm)"
    slow = Finding(
        "radio_modulation_low", WARN, {"modulation_qam": 4, "typical_qam": 2}
    )
    assert sentence(slow, DE) == "Funkstrecke nur noch QPSK (sonst BPSK)"


@pytest.mark.parametrize(
    ("finding", "german"),
    [
        (FELL, "DSL-Synchronisation auf 67 gefallen"),
        (LOW, "DSL-Synchronisation nur 67"),
        (QAM, "Funkstrecke nur noch 16-QAM"),
        (LIGHT, "Empfangspegel −24,1 dBm, Grenze −23,0"),
    ],
)
def test_a_finding_in_short(finding: Finding, german: str) -> None:
    assert short_sentence(finding, DE) == german
    assert short_sentence(finding, EN) != german


@pytest.mark.parametrize(
    ("rate_bps", "text"),
    [
        (9.44e6, "9,4"),
        (62.4e6, "62"),
        (99.96e6, "99,9"),
        (100e6, "100"),
        (250e6, "250"),
    ],
)
def test_a_bare_rate_below_100_is_never_100(rate_bps: float, text: str) -> None:
    assert mbits(rate_bps, DE) == text


@pytest.mark.parametrize("kind", MEDIUM_KINDS)
def test_every_metric_has_a_name_and_a_way_to_be_written(kind: str) -> None:
    for metric in KINDS[kind].metrics:
        for texts in (DE, EN):
            assert texts(f"medium.metric.{metric.name}")
            assert value_text(metric.name, metric.high, texts)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("up", 1.0, "verbunden"),
        ("up", 0.0, "nicht verbunden"),
        ("rate_down_bps", 109e6, "109 Mbit/s"),
        ("rx_dbm", -24.08, "−24,1 dBm"),
        ("snr_margin_down_db", 8.0, "8,0 dB"),
        ("airtime_ratio", 0.699, "70\u00a0%"),
        ("modulation_qam", 1024.0, "1024-QAM"),
        ("crc_errors_total", 12345.0, "12.345"),
    ],
)
def test_values_as_people_read_them(name: str, value: float, text: str) -> None:
    assert value_text(name, value, DE) == text


def test_every_text_of_a_finding_is_used_and_every_number_it_needs_is_its_unit() -> (
    None
):
    units = ("_bps", "_db", "_dbm", "_qam", "_count")
    for key, text in catalogue("de").items():
        if key.startswith(("medium.finding.", "medium.reason.")):
            for name in re.findall(r"\{(\w+)\}", text):
                assert name.endswith(units), key
