"""The sentences below a headline, and that each code has its words."""

from __future__ import annotations

import re

import pytest

from netmon.line_verdict import (
    ReasonCode,
    VerdictClass,
    gather_facts,
    judge_line,
    tell_causes,
)
from netmon.model import FailureReason, Technology
from netmon.texts import catalogue
from tests.netmon.line_verdict.lines import (
    BAD,
    DE,
    DOWN,
    FELL,
    FINE,
    FULL,
    HOUR,
    LOSS,
    MINUTE,
    NOW_MS,
    OK,
    OPTICS,
    RESYNCS,
    SHORT,
    SILENT,
    SLOW,
    STALE,
    bad,
    failing,
    floor,
    full,
    judged,
    line,
    passive,
    record,
)

SENTENCES = {
    "the test behind a fault": (
        (
            BAD,
            full(
                12 * MINUTE,
                62,
                cross_down_bps=17.6,
                rtt_idle_s=0.011,
                rtt_loaded_s=0.0853,
            ),
        ),
        {"medium": bad(FELL, RESYNCS)},
        (
            "Soll: mindestens 90 Mbit/s",
            "62 Mbit/s gemessen (61 bis 63), vor 12 Min., voller Test",
            "Fremder Verkehr von 18 Mbit/s ist am Router gezählt und eingerechnet",
            "Laufzeit 11,0 ms im Leerlauf, 85,3 ms unter Last",
            "Heute 2-mal neu synchronisiert",
        ),
    ),
    "a fault on a fibre that is fine": (
        (BAD, full(MINUTE, 62), OPTICS),
        {"medium": FINE, "of": line(250, Technology.FIBRE)},
        (
            "Soll: mindestens 100 Mbit/s",
            "62 Mbit/s gemessen (61 bis 63), vor 1 Min., voller Test",
            "Die Faser selbst ist in Ordnung: Empfangspegel −12,3 dBm",
        ),
    ),
    "nobody else on the line, and a way that loses": (
        (OK, full(MINUTE, 94, cross_down_bps=0.02)),
        {"blamed": LOSS},
        (
            "Der Router zählte währenddessen keinen fremden Verkehr",
            "Auf dem Weg ins Internet auffällig: Netz des Providers verliert Pakete; "
            "in Ordnung bis Router im Gebäude",
        ),
    ),
    "without counters": (
        (
            OK,
            record(
                MINUTE,
                {"at_least_down_bps": 93},
                method=FULL,
                direction="down",
                basis="wire",
            ),
        ),
        {},
        ("Ohne Zähler des Routers gemessen: Es kann mehr sein",),
    ),
    "quiet: when it was proven": (
        (STALE, floor(5 * HOUR, 92), passive(MINUTE, demand_down_bps=3.1)),
        {},
        ("Mindestens 92 Mbit/s nachgewiesen, vor 300 Min., Kurztest",),
    ),
    "the other direction": (
        (
            OK,
            full(MINUTE, 94),
            record(MINUTE, {"at_least_up_bps": 38}, method=SHORT, direction="up"),
        ),
        {},
        ("Upload mindestens 38 Mbit/s, vor 1 Min., Kurztest",),
    ),
    "a failure since": (
        (OK, full(10 * MINUTE, 94), failing(MINUTE, FailureReason.BUSY)),
        {},
        ("Zuletzt ohne Ergebnis, vor 1 Min.: Messserver ausgelastet",),
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_the_sentences_below_the_headline(name: str) -> None:
    (alarms, *latest), options, sentences = SENTENCES[name]
    assert judged(alarms, *latest, **options)[2] == sentences


def test_a_mail_without_numbers_still_tells_of_medium_and_way() -> None:
    facts = gather_facts(line(), [full(9 * HOUR, 94)], NOW_MS, blamed=SLOW)
    verdict = judge_line(line(), SILENT, facts, bad(DOWN, RESYNCS), NOW_MS)
    assert tell_causes(verdict, DE) == (
        "Keine DSL-Synchronisation",
        "Heute 2-mal neu synchronisiert",
        "Auf dem Weg ins Internet auffällig: "
        "Netz des Providers ist langsamer als sonst",
    )


def test_every_code_has_its_words_and_every_word_its_code() -> None:
    for language in ("de", "en"):
        keys = catalogue(language).keys()
        codes = {key.rpartition(".")[2] for key in keys if "verdict.reason." in key}
        assert codes == set(ReasonCode)
        classes = {key.rpartition(".")[2] for key in keys if "verdict.class." in key}
        assert classes == set(VerdictClass)


def test_the_numbers_of_a_reason_end_in_their_unit() -> None:
    bare = {"when", "method", "finding", "failure", "segment", "fault", "last_good"}
    for key, text in catalogue("de").items():
        if key.startswith("verdict.reason."):
            for name in set(re.findall(r"\{(\w+)\}", text)) - bare:
                assert name.endswith(("_bps", "_s", "_dbm", "_qam")), key
