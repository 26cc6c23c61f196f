"""The block "the line itself" on the building page, and its JSON twin."""

from __future__ import annotations

from netmon.model import FailureReason
from netmon.storage.records import AlarmState

DSL = {"device": "rt-9", "line": "b-z9-main"}
LIGHT = {"device": "rt-1", "line": "b-ost-main", "port": "25"}


async def test_a_line_nobody_tells_of_has_no_block(city, page):
    city.throughput("b-z9", (60, (48, 10)))
    assert "Leitung selbst" not in (await page("/gebaeude/b-z9")).text


async def test_values_ages_findings_and_the_sentence(city, page):
    city.throughput("b-z9", (60, (21, 9)))
    city.line_state("b-z9", AlarmState.BAD)
    city.write(
        "line_dsl",
        "b-z9",
        DSL,
        (120, {"up": 1.0, "rate_down_bps": 23e6, "snr_margin_down_db": 1.3}),
    )
    shown = await page("/gebaeude/b-z9")
    assert "Leitung selbst Gestört" in shown.text
    assert "21 von 50 Mbit/s: DSL-Synchronisation nur 23." in shown.text
    findings = [element.text for element in shown.all("li")]
    assert "DSL-Synchronisation nur 23 von 50 Mbit/s" in findings
    assert "Störabstandsreserve zum Gebäude 1,3 dB, Grenze 2,0 dB" in findings
    assert "Rate zum Gebäude23,0 Mbit/svor 2 Min." in shown.text
    assert "Verbindungverbundenvor 2 Min." in shown.text


async def test_the_modules_limits_stand_apart(city, page):
    city.write(
        "line_optics",
        "b-ost",
        LIGHT,
        (60, {"rx_dbm": -8.0, "rx_low_warn_dbm": -23.0, "rx_low_alarm_dbm": -24.0}),
    )
    shown = await page("/gebaeude/b-ost")
    assert "Leitung selbst In Ordnung" in shown.text
    assert "Licht der Glasfaser: rt-1, 25" in shown.text
    (limits,) = [e for e in shown.all("details") if "Grenzen" in e.text]
    assert "−24,0 dBm" in limits.text
    assert "−8,0 dBm" not in limits.text


async def test_a_failed_poll_is_told_and_old_values_keep_their_age(city, page):
    city.write(
        "line_dsl",
        "b-z9",
        DSL,
        (900, {"rate_down_bps": 52e6}),
        (60, FailureReason.PARTIAL),
    )
    text = (await page("/gebaeude/b-z9")).text
    assert "Leitung selbst Nicht bekannt" in text
    assert "Letzte Abfrage gescheitert: Unvollständige Antwort (vor 1 Min.)" in text
    assert "52,0 Mbit/svor 15 Min." in text


async def test_an_old_value_says_so_and_is_not_judged(city, page):
    city.write("line_dsl", "b-z9", DSL, (7200, {"rate_down_bps": 5e6}))
    text = (await page("/gebaeude/b-z9")).text
    assert "Leitung selbst Nicht bekannt" in text
    assert "5,0 Mbit/svor 2 Std. veraltet" in text


async def test_a_modem_is_no_measurement_of_its_line(city, page):
    """A backup line with a modem but without probe stays "not measured"."""
    city.throughput("b-oest", (60, (190, 40)))
    city.line_state("b-oest", AlarmState.OK)
    tags = {"device": "rt-2", "line": "b-oest-backup"}
    city.write("line_dsl", "b-oest", tags, (60, {"rate_down_bps": 109e6}))
    shown = await page("/gebaeude/b-oest")
    assert shown.all("h1")[0].text.split() == ["Östliche", "Schule", "In", "Ordnung"]
    assert "ohne Messung" in shown.text
    assert "Leitung selbst In Ordnung" in shown.text


async def test_the_twin_has_codes_numbers_and_values(city, client):
    city.write(
        "line_dsl", "b-z9", DSL, (60, {"rate_down_bps": 23e6, "crc_errors_total": 4.0})
    )
    found = (await client.get("/api/v1/buildings/b-z9")).json()
    (medium,) = found["media"]
    assert medium["line_id"] == "b-z9-main"
    assert medium["state"] == "critical"
    assert medium["findings"] == [
        {
            "code": "dsl_rate_low",
            "state": "critical",
            "text": "DSL-Synchronisation nur 23 von 50 Mbit/s",
            "where": "",
            "numbers": {"rate_bps": 23e6, "contracted_bps": 50e6},
        }
    ]
    (part,) = medium["parts"]
    assert part["values"] == {"rate_down_bps": 23e6, "crc_errors_total": 4.0}
    assert part["measured_at"].startswith("2026-11-20T07:11")
