"""The verdict on a line and the headline people read."""

from __future__ import annotations

import pytest

from netmon.line_verdict import LineAlarms, VerdictClass
from netmon.model import FailureReason
from netmon.path import Fault, Segment
from netmon.path import Verdict as PathVerdict
from tests.netmon.line_verdict.lines import (
    BAD,
    DOWN,
    FELL,
    FINE,
    FULL,
    HOUR,
    LOSS,
    MINUTE,
    OK,
    QAM,
    RADIO,
    SILENT,
    SLOW,
    STALE,
    SUSPECT,
    bad,
    failing,
    floor,
    full,
    judged,
    line,
    passive,
    record,
)

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
