"""One verdict a line: the sentences people read, and who decides what."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

import pytest

from netmon.line_verdict import (
    LineAlarms,
    LineFacts,
    ReasonCode,
    Statement,
    VerdictClass,
    gather_facts,
    judge_line,
    statements,
    tell,
    tell_causes,
)
from netmon.medium import Finding, MediumHealth, MediumState
from netmon.model import FailureReason, Line, LineRole, Technology
from netmon.path import Fault, Segment
from netmon.path import Verdict as PathVerdict
from netmon.storage.records import AlarmState, Latest, SeriesRef
from netmon.texts import Texts, catalogue

DE, EN = Texts("de"), Texts("en")
NOW_MS = 1_790_000_000_000
MINUTE, HOUR = 60.0, 3600.0
FULL, SHORT, PASSIVE = "tcp-adaptive/2", "tcp-floor/2", "passive/1"

FELL = Finding(
    "dsl_rate_fell", MediumState.CRITICAL, {"rate_bps": 67e6, "typical_bps": 109e6}
)
QAM = Finding(
    "radio_modulation_low",
    MediumState.CRITICAL,
    {"modulation_qam": 16, "typical_qam": 256},
)
DOWN = Finding("dsl_down", MediumState.CRITICAL)
RESYNCS = Finding("dsl_resyncs", MediumState.WARN, {"resyncs_count": 2.0})
FINE = MediumHealth(MediumState.OK)

OK, BAD, SUSPECT, STALE = (
    LineAlarms(below_target=state, no_data=AlarmState.OK)
    for state in (AlarmState.OK, AlarmState.BAD, AlarmState.SUSPECT, AlarmState.STALE)
)
SILENT = LineAlarms(below_target=AlarmState.STALE, no_data=AlarmState.BAD)


def line(down_mbits: float = 100, technology: Technology = Technology.VDSL) -> Line:
    return Line(
        id="b1-main",
        building_id="b1",
        role=LineRole.MAIN,
        technology=technology,
        contracted_down_bps=round(down_mbits * 1e6),
        contracted_up_bps=40_000_000,
        provider="DOKOM21",
    )


_ids = itertools.count(1)


def record(
    age_s: float,
    said: Mapping[str, float] | FailureReason,
    kind: str = "throughput",
    **tags: str,
) -> Latest:
    """Return what a series of its own remembers; rates are in Mbit/s."""
    failed = isinstance(said, FailureReason)
    at_ms = NOW_MS - round(age_s * 1000)
    values = {} if isinstance(said, FailureReason) else _bits(said)
    return Latest(
        series=SeriesRef(
            id=next(_ids),
            source="probe",
            generated=False,
            kind=kind,
            building_id="b1",
            tags={"building": "b1", "line": "b1-main", **tags},
        ),
        ts_ms=at_ms,
        received_ms=at_ms,
        failure=said if isinstance(said, FailureReason) else None,
        ok_ts_ms=None if failed else at_ms,
        values=values,
        info={},
    )


def _bits(said: Mapping[str, float]) -> dict[str, float | None]:
    return {
        name: value * 1e6 if name.endswith("_bps") else value
        for name, value in said.items()
    }


def full(age_s: float, rate: float, **more: float) -> Latest:
    said = {
        "rate_down_bps": rate,
        "rate_down_low_bps": rate - 1,
        "rate_down_high_bps": rate + 1,
        "capacity_down_bps": rate * 1.036,
    }
    tags = {"method": FULL, "direction": "down", "basis": "router"}
    return record(age_s, said | more, **tags)


def floor(age_s: float, rate: float, **more: float) -> Latest:
    tags = {"method": SHORT, "direction": "down", "basis": "router"}
    return record(age_s, {"at_least_down_bps": rate} | more, **tags)


def passive(age_s: float, **said: float) -> Latest:
    return record(age_s, said, method=PASSIVE, direction="down", basis="router")


def failing(age_s: float, reason: FailureReason, **tags: str) -> Latest:
    return record(age_s, reason, **{"method": FULL, "direction": "down", **tags})


def age(ms: int) -> str:
    return f"vor {(NOW_MS - ms) // 60_000} Min."


def judged(
    alarms: LineAlarms,
    *latest: Latest,
    medium: MediumHealth | None = None,
    of: Line | None = None,
    blamed: PathVerdict | None = None,
    **options: Any,
) -> tuple[VerdictClass, str, tuple[str, ...]]:
    """Return the verdict with its words."""
    of = of or line()
    facts = gather_facts(of, latest, NOW_MS, blamed=blamed)
    verdict = judge_line(of, alarms, facts, medium, NOW_MS, **options)
    assert tell(verdict, EN, age) != tell(verdict, DE, age)
    told = tell(verdict, DE, age)
    return verdict.verdict, told.headline, told.sentences


def bad(*findings: Finding) -> MediumHealth:
    return MediumHealth(findings[0].state, findings)


LOSS = PathVerdict(Segment.PROVIDER, Fault.LOSS, Segment.GATEWAY)
SLOW = PathVerdict(Segment.PROVIDER, Fault.SLOW)
OPTICS = record(MINUTE, {"rx_dbm": -12.3}, "line_optics", device="rt1", port="25")
RADIO = Technology.RADIO

HEADLINES = {
    "dsl sync fell": (
        (BAD, full(MINUTE, 62)),
        {"medium": bad(FELL)},
        VerdictClass.BELOW_TARGET,
        "62 von 100 Mbit/s: DSL-Synchronisation auf 67 gefallen",
    ),
    "radio at 16-QAM after rain": (
        (BAD, full(MINUTE, 62)),
        {"medium": bad(QAM), "of": line(100, RADIO)},
        VerdictClass.BELOW_TARGET,
        "62 von 100 Mbit/s: Funkstrecke nur noch 16-QAM",
    ),
    "slow, medium fine": (
        (BAD, full(MINUTE, 62)),
        {"medium": FINE},
        VerdictClass.BELOW_TARGET,
        "62 von 100 Mbit/s; die Leitung selbst ist ohne Befund",
    ),
    "slow, medium unknown": (
        (BAD, full(MINUTE, 62)),
        {},
        VerdictClass.BELOW_TARGET,
        "62 von 100 Mbit/s",
    ),
    "slow, and the provider loses packets": (
        (BAD, full(MINUTE, 62)),
        {"medium": FINE, "blamed": LOSS},
        VerdictClass.BELOW_TARGET,
        "62 von 100 Mbit/s: Netz des Providers verliert Pakete",
    ),
    "the medium comes before the way": (
        (BAD, full(MINUTE, 62)),
        {"medium": bad(FELL), "blamed": LOSS},
        VerdictClass.BELOW_TARGET,
        "62 von 100 Mbit/s: DSL-Synchronisation auf 67 gefallen",
    ),
    "a full line is slow too, that is no cause": (
        (BAD, full(MINUTE, 62)),
        {"medium": FINE, "blamed": SLOW},
        VerdictClass.BELOW_TARGET,
        "62 von 100 Mbit/s; die Leitung selbst ist ohne Befund",
    ),
    "a lower bound hides no capacity": (
        (BAD, full(10 * MINUTE, 62), floor(MINUTE, 40)),
        {},
        VerdictClass.BELOW_TARGET,
        "62 von 100 Mbit/s",
    ),
    "good again, not confirmed": (
        (BAD, full(HOUR, 62), floor(MINUTE, 94)),
        {},
        VerdictClass.BELOW_TARGET,
        "Wieder 94 von 100 Mbit/s, noch nicht bestätigt",
    ),
    "bad, but the series remembers no number": (
        (BAD,),
        {},
        VerdictClass.BELOW_TARGET,
        "Unter Soll; der Messwert dazu liegt nicht mehr vor",
    ),
    "a rate below 100 is not 100": (
        (BAD, full(MINUTE, 99.96)),
        {"of": line(250)},
        VerdictClass.BELOW_TARGET,
        "99,9 von 250 Mbit/s",
    ),
    "suspect": (
        (SUSPECT, full(MINUTE, 62)),
        {},
        VerdictClass.SUSPECT,
        "62 von 100 Mbit/s, wird noch bestätigt",
    ),
    "suspect with its cause": (
        (SUSPECT, full(MINUTE, 62)),
        {"medium": bad(FELL)},
        VerdictClass.SUSPECT,
        "62 von 100 Mbit/s, wird noch bestätigt: DSL-Synchronisation auf 67 gefallen",
    ),
    "line fine, full": (
        (OK, full(MINUTE, 96.6, cross_down_bps=96)),
        {},
        VerdictClass.SATURATED,
        "Leitung in Ordnung, aber voll: 96 von 100 Mbit/s belegt",
    ),
    "full by the counters alone": (
        (
            OK,
            full(5 * HOUR, 96.6, cross_down_bps=1, rtt_idle_s=0.011),
            passive(MINUTE, at_least_down_bps=91, demand_down_bps=95, rtt_idle_s=0.048),
        ),
        {},
        VerdictClass.SATURATED,
        "Leitung in Ordnung, aber voll: 95 von 100 Mbit/s belegt",
    ),
    "busy without a queue is not full": (
        (
            OK,
            full(5 * HOUR, 96.6, cross_down_bps=1, rtt_idle_s=0.011),
            passive(MINUTE, at_least_down_bps=91, demand_down_bps=95, rtt_idle_s=0.012),
        ),
        {},
        VerdictClass.IN_ORDER,
        "Mindestens 91 Mbit/s ohne Test nachgewiesen, vor 1 Min.",
    ),
    "it was full this morning": (
        (OK, full(4 * HOUR, 96.5, cross_down_bps=96), floor(MINUTE, 91)),
        {},
        VerdictClass.IN_ORDER,
        "Mindestens 91 Mbit/s nachgewiesen, vor 1 Min., Kurztest",
    ),
    "short test": (
        (OK, full(5 * HOUR, 112), floor(12 * MINUTE, 104)),
        {"of": line(250)},
        VerdictClass.IN_ORDER,
        "Mindestens 104 Mbit/s nachgewiesen, vor 12 Min., Kurztest",
    ),
    "a low bound is no headline of a line in order": (
        (OK, full(2 * HOUR, 94), floor(MINUTE, 40)),
        {},
        VerdictClass.IN_ORDER,
        "94 Mbit/s gemessen (93 bis 95), vor 120 Min., voller Test",
    ),
    "passive proof": (
        (OK, passive(12 * MINUTE, at_least_down_bps=104, demand_down_bps=60)),
        {"of": line(250)},
        VerdictClass.IN_ORDER,
        "Mindestens 104 Mbit/s ohne Test nachgewiesen, vor 12 Min.",
    ),
    "full test": (
        (OK, full(12 * MINUTE, 94)),
        {},
        VerdictClass.IN_ORDER,
        "94 Mbit/s gemessen (93 bis 95), vor 12 Min., voller Test",
    ),
    "a fading radio": (
        (
            OK,
            record(
                MINUTE,
                {"rate_down_low_bps": 61, "rate_down_high_bps": 98},
                method=FULL,
                direction="down",
            ),
        ),
        {"of": line(100, RADIO)},
        VerdictClass.IN_ORDER,
        "Richtfunk schwankt: 61 bis 98 Mbit/s, vor 1 Min., voller Test",
    ),
    "little demand": (
        (
            STALE,
            floor(5 * HOUR, 92),
            passive(MINUTE, demand_down_bps=3.1, rtt_idle_s=0.011),
        ),
        {},
        VerdictClass.IN_ORDER,
        "Wenig Bedarf (3,1 Mbit/s), Laufzeit wie im Leerlauf (11,0 ms), vor 1 Min.",
    ),
    "little demand of a line not proven for a day": (
        (STALE, floor(25 * HOUR, 92), passive(MINUTE, demand_down_bps=3.1)),
        {},
        VerdictClass.NOT_MEASURED,
        "Nicht gemessen, letzter Wert vor 1500 Min.",
    ),
    "little demand of a line last seen slow": (
        (STALE, full(5 * HOUR, 62), passive(MINUTE, demand_down_bps=3.1)),
        {},
        VerdictClass.NOT_MEASURED,
        "Nicht gemessen, letzter Wert vor 300 Min.",
    ),
    "contract below the target": (
        (OK, full(MINUTE, 47)),
        {"of": line(50)},
        VerdictClass.BELOW_BY_CONTRACT,
        "Der Vertrag sieht 50 Mbit/s vor, das Ziel sind 100 Mbit/s",
    ),
    "silent": (
        (SILENT, full(5 * HOUR, 94)),
        {},
        VerdictClass.NOT_MEASURED,
        "Nicht gemessen, letzter Wert vor 300 Min.",
    ),
    "failing": (
        (SILENT, full(5 * HOUR, 94), failing(MINUTE, FailureReason.TIMEOUT)),
        {},
        VerdictClass.NOT_MEASURED,
        "Nicht gemessen, letzter Wert vor 300 Min.: Zeitüberschreitung",
    ),
    "never measured": (
        (LineAlarms(),),
        {},
        VerdictClass.NOT_MEASURED,
        "Noch nie gemessen",
    ),
    "never anything but failures": (
        (LineAlarms(), failing(MINUTE, FailureReason.DNS)),
        {},
        VerdictClass.NOT_MEASURED,
        "Noch nie gemessen: Name nicht auflösbar",
    ),
    "silent because there is no sync": (
        (SILENT, full(5 * HOUR, 94)),
        {"medium": bad(DOWN)},
        VerdictClass.NOT_MEASURED,
        "Nicht gemessen: Keine DSL-Synchronisation",
    ),
    "silent because the way is cut": (
        (SILENT, full(5 * HOUR, 94), failing(MINUTE, FailureReason.UNREACHABLE)),
        {
            "blamed": PathVerdict(Segment.PROVIDER, Fault.SILENT, Segment.GATEWAY),
            "medium": FINE,
        },
        VerdictClass.NOT_MEASURED,
        "Nicht gemessen: Netz des Providers antwortet nicht",
    ),
    "the backup carries": (
        (STALE, full(5 * HOUR, 94), failing(MINUTE, FailureReason.OTHER_LINE)),
        {},
        VerdictClass.NOT_MEASURED,
        "Eine andere Anbindung trägt den Verkehr, vor 1 Min.",
    ),
    "probe limited": (
        (STALE, full(5 * HOUR, 94), failing(MINUTE, FailureReason.PROBE_LIMITED)),
        {},
        VerdictClass.PROBE_LIMITED,
        "Die Sonde selbst war die Grenze, vor 1 Min.; "
        "über die Leitung ist nichts bekannt",
    ),
    "probe limited, but proven meanwhile": (
        (OK, floor(10 * MINUTE, 94), failing(MINUTE, FailureReason.PROBE_LIMITED)),
        {},
        VerdictClass.IN_ORDER,
        "Mindestens 94 Mbit/s nachgewiesen, vor 10 Min., Kurztest",
    ),
    "not judged yet": (
        (LineAlarms(), full(MINUTE, 94)),
        {},
        VerdictClass.UNKNOWN,
        "Noch nicht bewertet",
    ),
    "the machine is behind": (
        (OK, full(4 * HOUR, 94)),
        {},
        VerdictClass.NOT_MEASURED,
        "Nicht gemessen, letzter Wert vor 240 Min.",
    ),
}


@pytest.mark.parametrize("name", HEADLINES)
def test_verdict_and_headline(name: str) -> None:
    (alarms, *latest), options, verdict, headline = HEADLINES[name]
    assert judged(alarms, *latest, **options)[:2] == (verdict, headline)


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


@pytest.mark.parametrize("no_data", [None, *AlarmState])
@pytest.mark.parametrize("below", [None, *AlarmState])
@pytest.mark.parametrize(
    "latest",
    [
        (),
        (full(MINUTE, 20),),
        (floor(MINUTE, 20),),
        (floor(MINUTE, 200),),
        (passive(MINUTE, demand_down_bps=1),),
        (failing(MINUTE, FailureReason.PROBE_LIMITED),),
        (full(9 * HOUR, 96, cross_down_bps=96), floor(MINUTE, 200)),
    ],
)
def test_the_machine_alone_says_below_target(
    below: AlarmState | None, no_data: AlarmState | None, latest: tuple[Latest, ...]
) -> None:
    verdict = judged(LineAlarms(below, no_data), *latest)[0]
    is_bad = below is AlarmState.BAD
    assert (verdict is VerdictClass.BELOW_TARGET) is is_bad
    if below is not AlarmState.OK:
        assert verdict is not VerdictClass.SATURATED


@pytest.mark.parametrize("below", [None, *AlarmState])
def test_a_line_that_is_down_is_not_green_until_its_numbers_are_old(
    below: AlarmState | None,
) -> None:
    alarms = LineAlarms(below, AlarmState.SUSPECT, line_down=AlarmState.BAD)
    verdict = judged(alarms, full(20 * MINUTE, 94))[0]
    assert verdict is VerdictClass.NOT_MEASURED


def test_an_open_incident_is_not_healed_by_little_demand() -> None:
    latest = (floor(5 * HOUR, 92), passive(MINUTE, demand_down_bps=3.1))
    alarms = LineAlarms(AlarmState.STALE, AlarmState.OK, incident_open=True)
    assert judged(alarms, *latest)[0] is VerdictClass.NOT_MEASURED


def test_how_old_a_number_may_be_is_the_callers_setting() -> None:
    latest = (full(2 * HOUR, 94),)
    assert judged(OK, *latest)[0] is VerdictClass.IN_ORDER
    assert judged(OK, *latest, valid_s=HOUR)[0] is VerdictClass.NOT_MEASURED


def test_a_failure_of_the_upload_says_nothing_of_the_download() -> None:
    up = failing(MINUTE, FailureReason.TIMEOUT, direction="up")
    facts = gather_facts(line(), [full(HOUR, 94), up], NOW_MS)
    assert facts.failed is None


def test_a_plain_test_speaks_of_both_directions() -> None:
    said = {"rate_down_bps": 94e6, "rate_up_bps": 38e6, "duration_s": 10.0}
    found = list(statements({"method": "tcp-plain/1"}, NOW_MS, said))
    assert [(each.direction, each.shown_bps) for each in found] == [
        ("down", 94e6),
        ("up", 38e6),
    ]
    assert found[0].values == {"rate_bps": 94e6, "duration_s": 10.0}


def test_what_a_series_has_forgotten_is_taken_from_its_records() -> None:
    forgotten = Statement(
        worth=next(iter(statements({}, 0, {"rate_down_bps": 1.0}))).worth,
        direction="down",
        at_ms=NOW_MS - 1000,
        values={"rate_bps": 94e6},
    )
    facts = gather_facts(line(), [floor(MINUTE, 92)], NOW_MS, [forgotten])
    assert facts.capacity is forgotten


def test_other_lines_say_nothing() -> None:
    assert gather_facts(line(), [full(MINUTE, 94)], NOW_MS).capacity is not None
    other = Line(
        **{k: getattr(line(), k) for k in line().__struct_fields__} | {"id": "x"}
    )
    assert gather_facts(other, [full(MINUTE, 94), OPTICS], NOW_MS) == LineFacts()


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
