"""What the pages say of a line and why; lower bounds stand beside capacities."""

from __future__ import annotations

import pytest

from netmon.model import FailureReason
from netmon.storage.records import AlarmState

MINUTE_S, HOUR_S = 60.0, 3600.0
LINES = "Gebäude mit Anbindung"
SAID = "Was Tests und Zähler"
FULL = {
    "rate_down_bps": 94.2,
    "rate_down_low_bps": 93.1,
    "rate_down_high_bps": 95.3,
    "capacity_down_bps": 97.6,
    "cross_down_bps": 17.6,
    "rtt_idle_s": 0.011,
    "rtt_loaded_s": 0.0853,
    "probe_late_s": 0.001,
    "port_speed_bps": 1000.0,
}
PROVEN = {
    "at_least_down_bps": 104.2,
    "threshold_bps": 100.0,
    "rtt_idle_s": 0.011,
    "rtt_loaded_s": 0.0117,
}


def floor_passes(city, *ages_s: float) -> None:
    city.test(
        "b-ost",
        *((age_s, PROVEN) for age_s in ages_s),
        method="tcp-floor/2",
        purpose="floor",
    )


def row_of(rows: dict[str, dict[str, str]], name: str) -> dict[str, str]:
    return next(row for head, row in rows.items() if head.startswith(name))


async def test_a_short_test_keeps_a_line_green_hours_after_its_full_test(city, page):
    city.test("b-ost", (7 * HOUR_S, FULL))
    floor_passes(city, HOUR_S, 12 * MINUTE_S)
    city.line_state("b-ost", AlarmState.OK, age_s=86_400)
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Zustand"].startswith("In Ordnung")
    assert row["Download"].startswith("mind. 104 Mbit/svor 12 Min.")
    assert row["Download"].endswith("94,2 Mbit/s, vor 7 Std.")
    shown = await page("/gebaeude/b-ost")
    assert "Mindestens 104 Mbit/s nachgewiesen, vor 12 Min., Kurztest." in shown.text
    assert "94 Mbit/s gemessen (93 bis 95), vor 7 Std., voller Test." in shown.text
    assert shown.all("h1")[0].text.split() == ["Ostschule", "Nicht", "gemessen"], (
        "its access points never reported"
    )


async def test_a_lower_bound_alone_is_no_capacity(city, page):
    floor_passes(city, MINUTE_S)
    city.line_state("b-ost", AlarmState.OK)
    shown = await page("/gebaeude/b-ost")
    assert "DownloadNicht gemessen" in shown.text
    assert "Nachgewiesenmind. 104 Mbit/svor 1 Min.Kurztest" in shown.text
    assert "Nicht gemessen in diesem Zeitraum." in shown.text, "no chart of bounds"


async def test_the_reasons_stand_below_the_headline(city, page):
    city.test("b-z9", (12 * MINUTE_S, FULL | {"rate_down_bps": 21.0}))
    city.write(
        "line_dsl",
        "b-z9",
        {"device": "rt-9", "line": "b-z9-main"},
        (MINUTE_S, {"up": 1.0, "rate_down_bps": 23e6}),
    )
    city.line_state("b-z9", AlarmState.BAD)
    shown = await page("/gebaeude/b-z9")
    headlines = [e.text for e in shown.all("p") if e.attrs.get("class") == "headline"]
    assert headlines == ["21 von 50 Mbit/s: DSL-Synchronisation nur 23."]
    items = [element.text for element in shown.all("li")]
    for sentence in (
        "Soll: mindestens 45 Mbit/s.",
        "Fremder Verkehr von 18 Mbit/s ist am Router gezählt und eingerechnet.",
        "Laufzeit 11,0 ms im Leerlauf, 85,3 ms unter Last.",
    ):
        assert sentence in items
    row = row_of((await page("/")).rows(LINES), "Schule 9")
    assert row["Zustand"].startswith(
        "Unter Soll21 von 50 Mbit/s: DSL-Synchronisation nur 23"
    )


async def test_a_full_line_is_no_fault_and_has_its_own_badge(city, page):
    city.test("b-z9", (MINUTE_S, FULL | {"cross_down_bps": 96.0}))
    city.line_state("b-z9", AlarmState.OK)
    row = row_of((await page("/")).rows(LINES), "Schule 9")
    assert row["Zustand"] == (
        "AusgelastetLeitung in Ordnung, aber voll: 96 von 98 Mbit/s belegt"
    )
    found = await page("/?state=saturated")
    assert list(found.rows(LINES)) == ["Schule 9Dollersweg 14 · Asseln"]


async def test_a_probe_that_is_the_limit_says_so_instead_of_the_line(city, page):
    city.test("b-z9", (8 * HOUR_S, FULL), (MINUTE_S, FailureReason.PROBE_LIMITED))
    city.line_state("b-z9", AlarmState.STALE)
    row = row_of((await page("/")).rows(LINES), "Schule 9")
    assert row["Zustand"].startswith("Sonde begrenztDie Sonde selbst war die Grenze")


async def test_a_sentence_that_ends_in_an_abbreviation_has_one_full_stop(city, page):
    city.test("b-ost", (8 * HOUR_S, FULL), (60, FailureReason.OTHER_LINE))
    city.line_state("b-ost", AlarmState.STALE)
    shown = await page("/gebaeude/b-ost")
    assert "Eine andere Anbindung trägt den Verkehr, vor 1 Min." in shown.text
    assert ".." not in shown.text


async def test_since_when_is_only_told_where_a_rule_says_it(city, page):
    city.test("b-ost", (8 * HOUR_S, FULL))
    city.line_state("b-ost", AlarmState.OK, age_s=86_400 * 3)
    row = row_of((await page("/")).rows(LINES), "Ostschule")
    assert row["Zustand"] == "Nicht gemessenNicht gemessen, letzter Wert vor 8 Std."


async def test_the_statements_as_a_table(city, page):
    city.test("b-ost", (2 * HOUR_S, FULL), purpose="confirmation")
    floor_passes(city, HOUR_S)
    city.test(
        "b-ost",
        (30 * MINUTE_S, {"demand_down_bps": 3.1, "rtt_idle_s": 0.012}),
        method="passive/1",
    )
    city.test("b-ost", (MINUTE_S, FailureReason.UNSETTLED), direction="up")
    rows = list((await page("/gebaeude/b-ost")).rows(SAID).values())
    failed, quiet, short, full = rows
    assert failed["Verfahren"] == "voller Test, Uploadtcp-adaptive/2"
    assert failed["Ergebnis"] == "Kein eindeutiger Wert"
    assert quiet["Ergebnis"] == "Bedarf 3,1 Mbit/s"
    assert quiet["Laufzeit Leerlauf / Last"] == "12,0 ms / –"
    assert short["Verfahren"] == "Kurztest, Downloadtcp-floor/2"
    assert short["Ergebnis"] == "mindestens 104 Mbit/s (gefragt: 100 Mbit/s)"
    assert short["Anlass"] == "stündlicher Nachweis"
    assert full == {
        "Verfahren": "voller Test, Downloadtcp-adaptive/2",
        "Ergebnis": "94,2 Mbit/s (93,1 bis 95,3)",
        "Fremder Verkehr": "17,6 Mbit/s",
        "Laufzeit Leerlauf / Last": "11,0 ms / 85,3 ms",
        "Gezählt an": "Zähler des Routers",
        "Anlass": "Bestätigung",
        "Sonde": "ohne Befund, Port 1.000 Mbit/s",
    }


async def test_a_starved_probe_shows_in_its_row(city, page):
    starved = {"probe_late_s": 0.04, "cpu_steal_ratio": 0.12}
    city.test("b-ost", (MINUTE_S, FULL | starved))
    (row,) = (await page("/gebaeude/b-ost")).rows(SAID).values()
    assert row["Sonde"].replace("\u00a0", " ") == (
        "Takt bis zu 40,0 ms verspätet, Rechenzeit zu 12 % entzogen, Port 1.000 Mbit/s"
    )


async def test_the_newest_measurements_name_method_and_parameters(city, page):
    floor_passes(city, MINUTE_S)
    row = (await page("/gebaeude/b-ost")).rows("Neueste Messung")["Durchsatz"]
    assert row["Verfahren"] == (
        "tcp-floor/2Download, Zähler des Routers, stündlicher Nachweis"
    )
    assert "Download mindestens: 104 Mbit/s" in row["Ergebnis"]


async def test_the_way_is_told_segment_by_segment(city, page):
    for segment, said in (
        ("gateway", {"rtt_s": 0.001, "loss_ratio": 0.0}),
        ("provider", FailureReason.NO_REPLY),
    ):
        tags = {"line": "b-ost-main", "segment": segment}
        city.write("path", "b-ost", tags, (MINUTE_S, said))
    text = (await page("/gebaeude/b-ost")).text
    assert "Weg ins Internet –Router im Gebäude sammler Laufzeit: 1,0 ms" in text
    assert "Weg ins Internet –Netz des Providers sammler Keine Antwort" in text


@pytest.mark.parametrize("span", ["24h", "7d"])
async def test_lower_bounds_and_the_other_way_are_no_part_of_the_rates(
    city, page, span
):
    city.test("b-ost", (3 * HOUR_S, FULL))
    floor_passes(city, 2 * HOUR_S)
    city.test("b-ost", (HOUR_S, FailureReason.REFUSED), direction="up")
    shown = await page(f"/gebaeude/b-ost?span={span}")
    table = shown.html.split("Als Tabelle", 1)[1].split("</table>", 1)[0]
    assert "94,2" in table
    assert "104" not in table
    assert shown.text.count("Als Tabelle, Zeilen: 2") == 1


async def test_an_incident_names_what_the_medium_showed(city, page):
    city.line_state(
        "b-z9",
        AlarmState.BAD,
        measured_bps=21e6,
        expected_bps=45e6,
        verdict={
            "verdict": "below_target",
            "reasons": [
                {
                    "code": "below_medium",
                    "finding": {
                        "code": "dsl_rate_low",
                        "state": "critical",
                        "numbers": {"rate_bps": 23e6, "contracted_bps": 50e6},
                    },
                }
            ],
        },
    )
    city.line_state("b-ost", AlarmState.BAD, verdict={"verdict": "unheard of"})
    text = (await page("/stoerungen")).text
    assert (
        "Download 21,0 Mbit/s, erwartet mindestens 45,0 Mbit/s. "
        "DSL-Synchronisation nur 23 von 50 Mbit/s." in text
    )
    assert "Download unter dem Soll." in text
