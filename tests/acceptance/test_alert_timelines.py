"""Timelines: what is measured when, and exactly which mails go out, when, to whom.

Real state store, real SMTP; only the clock is ours. Every timeline runs twice:
with one alarm process, and with a new one at every evaluation.
"""

from __future__ import annotations

from alerts.evidence import decode
from netmon.config import Settings
from tests.acceptance.alert_world import (
    ALARM,
    CLEAR,
    MORE,
    NOC,
    SERVICE,
    World,
)


def test_a_measured_drop_is_mailed_and_its_end_too(world: World) -> None:
    world.measured(240)
    world.at("08:15")
    world.measured(40)
    world.at("08:30")
    world.measured(42)
    assert world.states() == "ok suspect"
    assert world.sent() == []
    world.at("08:45")
    world.measured(43)
    assert world.states() == "ok suspect bad"
    world.at("09:00")
    world.measured(103)  # above the alarm threshold, below the clear threshold
    world.at("09:15")
    world.measured(240)
    world.at("09:30")
    world.measured(238)
    world.at("10:30")
    assert world.states() == "ok suspect bad ok"
    assert world.sent() == [
        ("20. 08:45", SERVICE, ALARM + "Anbindung unter Soll seit 08:15 Uhr"),
        (
            "20. 09:30",
            SERVICE,
            CLEAR + "Anbindung unter Soll, Dauer 1 Std. 15 Min.",
        ),
    ]
    alarm, recovery = world.letters()
    assert recovery["In-Reply-To"] == recovery["References"] == alarm["Message-ID"]
    text = alarm.get_body(("plain",)).get_content()
    assert "Leitung unter Soll: Der Vertrag sieht 250 Mbit/s vor (Glasfaser)" in text
    assert "08:45 Uhr: 43,0 Mbit/s" in text
    assert "http://127.0.0.1:8080/gebaeude/gs-07" in text
    (incident,) = world.incidents()
    evidence = decode(incident.evidence)
    assert evidence.measured_bps == 43e6
    assert evidence.expected_bps == 100e6
    assert evidence.contracted_bps == 250e6


def test_two_bad_results_of_four_mail_nobody(world: World) -> None:
    for minute in ("08:15", "08:30", "08:45", "09:00", "09:15", "09:30"):
        world.at(minute)
        # Nor is it every other one of many.
        for mbits in (240, 40, 41, 240, 240, 240):
            world.measured(mbits)
    assert world.states() == "ok " + "suspect ok " * 5 + "suspect ok"
    assert world.sent() == []


def test_each_recipient_of_the_alarm_gets_the_recovery(world: World) -> None:
    mail = world.settings.mail
    world.settings = _with_recipients(world.settings, (SERVICE, NOC))
    world._service = None
    for minute in ("08:05", "08:10", "08:15"):
        world.at(minute)
        world.measured(10)
    world.settings = _with_recipients(world.settings, mail.recipients)
    world._service = None
    for minute in ("08:20", "08:25"):
        world.at(minute)
        world.measured(240)
    what = "Anbindung unter Soll"
    assert world.sent() == [
        ("20. 08:15", SERVICE, f"{ALARM}{what} seit 08:05 Uhr"),
        ("20. 08:15", NOC, f"{ALARM}{what} seit 08:05 Uhr"),
        ("20. 08:25", SERVICE, f"{CLEAR}{what}, Dauer 20 Min."),
        ("20. 08:25", NOC, f"{CLEAR}{what}, Dauer 20 Min."),
    ]


def _with_recipients(settings: Settings, recipients: tuple[str, ...]) -> Settings:
    from msgspec.structs import replace  # noqa: PLC0415

    return replace(settings, mail=replace(settings.mail, recipients=recipients))


def test_an_access_point_drops_and_returns(world: World) -> None:
    world.polled({"gs-07-ap-1": True, "gs-07-ap-2": True})
    world.at("08:05")
    world.polled({"gs-07-ap-1": False, "gs-07-ap-2": True})
    assert world.sent() == []
    world.at("08:10")
    world.polled({"gs-07-ap-1": False, "gs-07-ap-2": True})
    world.at("08:15")
    world.polled({"gs-07-ap-1": True, "gs-07-ap-2": True})
    assert world.sent() == [
        ("20. 08:10", SERVICE, ALARM + "Access Point AP-01 ausgefallen seit 08:05 Uhr"),
        ("20. 08:15", SERVICE, CLEAR + "Access Point AP-01 ausgefallen, Dauer 10 Min."),
    ]
    text = world.letters()[0].get_body(("plain",)).get_content()
    assert "Raum: 1.12 (1. OG)" in text


def test_access_points_that_fall_together_share_a_mail(world: World) -> None:
    world.polled({"gs-07-ap-1": True, "gs-07-ap-2": True, "gs-07-ap-3": True})
    for minute in ("08:05", "08:10"):
        world.at(minute)
        world.polled({"gs-07-ap-1": False, "gs-07-ap-2": False, "gs-07-ap-3": True})
    for minute in ("08:15", "08:20"):
        world.at(minute)
        world.polled({"gs-07-ap-1": True, "gs-07-ap-2": False, "gs-07-ap-3": False})
    world.at("08:25")
    world.polled({"gs-07-ap-1": True, "gs-07-ap-2": True, "gs-07-ap-3": True})
    assert world.sent() == [
        ("20. 08:10", SERVICE, ALARM + "2 Access Points ausgefallen seit 08:05 Uhr"),
        ("20. 08:25", SERVICE, MORE + "Access Point AP-03 ausgefallen seit 08:15 Uhr"),
        ("20. 08:25", SERVICE, CLEAR + "3 Access Points ausgefallen, Dauer 20 Min."),
    ]
    alarm, *answers = world.letters()
    assert [m["In-Reply-To"] for m in answers] == [alarm["Message-ID"]] * 2
    assert len(world.incidents()) == 3
    assert world.incidents(open_only=True) == []


def test_below_by_contract_is_no_alarm_but_below_the_contract_is(world: World) -> None:
    for hour in range(9, 16):
        world.at(f"{hour:02}:00")
        world.measured(46.5, number=8)  # what a contract of 50 Mbit/s can carry
    assert world.sent() == []
    assert world.states(number=8) == "ok"
    for minute in ("15:15", "15:30", "15:45"):
        world.at(minute)
        world.measured(30, number=8)
    (mail,) = world.sent()
    assert mail[2].startswith("[Störung] Grundschule 08 (Demo)")
    text = " ".join(world.letters()[0].get_body(("plain",)).get_content().split())
    assert "weniger als 90 % des Vertrags (45,0 Mbit/s)" in text
    assert "ist bekannt und nicht der Grund dieser Meldung" in text
    figures = {beat.process: beat.figures for beat in world.store.heartbeats.all()}
    assert figures["alerts"]["lines_below_by_contract_count"] == 1
