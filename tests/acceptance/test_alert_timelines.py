"""Timelines: what is measured when, and exactly which mails go out, when, to whom.

Real state store, real SMTP; only the clock is ours. Every timeline runs twice:
with one alarm process, and with a new one at every evaluation.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from hashlib import sha256
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest

from alerts.evidence import decode
from alerts.service import AlertService
from alerts.smtp import mailer_from
from netmon.clock import BERLIN, ManualClock, from_ms, to_ms
from netmon.config import MailSettings, Settings
from netmon.inventory import content_hash, encode
from netmon.model import (
    AccessPoint,
    Building,
    Device,
    DeviceKind,
    FailureReason,
    Inventory,
    Line,
    Room,
    Technology,
)
from netmon.storage.records import (
    CheckedBatch,
    CheckedSeries,
    Incident,
    Mail,
    SourceKind,
)
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts
from tests.city import a_building, a_line

SERVICE = "service@dortmund.example"
NOC = "noc@dortmund.example"
KNOWN = "below_by_contract"
START = datetime(2026, 11, 20, 8, 0, tzinfo=BERLIN)


def building(number: int) -> Building:
    return a_building(
        f"gs-{number:02}",
        name=f"Grundschule {number:02} (Demo)",
        street=f"Demostraße {number}",
        rack_room="0.12",
    )


def line(number: int, technology: Technology, mbits: int) -> Line:
    return a_line(f"gs-{number:02}", mbits, mbits // 5, technology)


CITY = Inventory(
    buildings=(building(7), building(8)),
    lines=(line(7, Technology.FIBRE, 250), line(8, Technology.VDSL, 50)),
    devices=(
        Device(
            id="wlc-07",
            building_id="gs-07",
            kind=DeviceKind.CONTROLLER,
            name="wlc-gs-07",
            address="192.0.2.7:161",
        ),
    ),
    rooms=(
        Room(id="r112", building_id="gs-07", name="1.12", floor="1. OG", teaching=True),
    ),
    access_points=tuple(
        AccessPoint(
            id=f"gs-07-ap-{n}",
            building_id="gs-07",
            name=f"AP-0{n}",
            controller_id="wlc-07",
            room_id="r112" if n == 1 else "",
        )
        for n in (1, 2, 3)
    ),
)


class Postbox:
    """What a mail server does with mails: it keeps them."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(  # noqa: N802
        self, server: object, session: object, envelope: Any
    ) -> str:
        message = message_from_bytes(envelope.content, policy=default)
        self.mails.append((envelope.rcpt_tos, message))
        return "250 OK"


def _is_known(subject: str) -> bool:
    return subject.startswith("[Hinweis]")


class World:
    """A store, probes and a controller that report, an alarm process, a postbox."""

    def __init__(self, folder: Path, smtp_port: int, *, restarting: bool) -> None:
        self.clock = ManualClock(START)
        self.store = SqliteStore(folder / "state.sqlite3")
        self.postbox = Postbox()
        self.settings = Settings(
            data_dir=str(folder),
            mail=MailSettings(
                host="127.0.0.1",
                port=smtp_port,
                security="none",
                sender="netmon <netmon@dortmund.example>",
                recipients=(SERVICE,),
            ),
        )
        self._restarting = restarting
        self._service: AlertService | None = None
        self._seq = count(1)
        self.plan(CITY)
        self._source = self.store.sources.create(
            "collector", SourceKind.COLLECTOR, None, sha256(b"token").hexdigest()
        )

    def plan(self, inventory: Inventory) -> None:
        self.store.inventories.save(
            content_hash(inventory), encode(inventory), to_ms(self.clock.now())
        )

    def service(self) -> AlertService:
        if self._service is None or self._restarting:
            self._service = AlertService(
                self.store,
                self.settings,
                self.clock,
                mailer_from(self.settings.mail),
                Texts("de"),
            )
        return self._service

    def run(self) -> None:
        """Evaluate and send, as the alarm process does every few seconds."""
        service = self.service()
        service.evaluate()
        self.service().send()

    def at(self, text: str, *, days: int = 0, every_s: float = 300.0) -> None:
        """Let the time pass until then; an evaluation every five minutes, or so."""
        hour, minute = (int(part) for part in text.split(":"))
        day = (START + timedelta(days=days)).date()
        until = datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN)
        assert until >= self.clock.now(), "the timeline goes backwards"
        while (left_s := (until - self.clock.now()).total_seconds()) > 0:
            self.clock.advance(min(every_s, left_s))
            self.run()

    def store_series(
        self,
        kind: str,
        tags: dict[str, str],
        values: dict[str, list[float | None]],
        *,
        failure: FailureReason | None = None,
        measured: list[datetime] | None = None,
    ) -> None:
        now_ms = to_ms(self.clock.now())
        moments = [now_ms] if measured is None else [to_ms(m) for m in measured]
        series = CheckedSeries(
            kind=kind,
            building_id=tags["building"],
            tags=tags,
            seq=[next(self._seq) for _ in moments],
            ts=moments,
            values=values,
            failure=None if failure is None else [failure for _ in moments],
            info={},
            keep_rollups=True,
        )
        batch = CheckedBatch(
            source=self._source,
            spool="5" * 32,
            received_ms=now_ms,
            sent_ms=now_ms,
            agent="test",
            series=[series],
            quarantined=[],
        )
        self.store.measurements.write([batch])

    def measured(
        self,
        *mbits: float | None,
        number: int = 7,
        failure: FailureReason | None = None,
        measured: list[datetime] | None = None,
    ) -> None:
        """Store throughput results of a line and evaluate."""
        values: list[float | None] = [None if m is None else m * 1e6 for m in mbits]
        tags = {
            "building": f"gs-{number:02}",
            "line": f"gs-{number:02}-main",
            "method": "tcp",
        }
        self.store_series(
            "throughput",
            tags,
            {"rate_down_bps": values},
            failure=failure,
            measured=measured,
        )
        self.run()

    def pinged(self, number: int = 7) -> None:
        tags = {"building": f"gs-{number:02}", "line": f"gs-{number:02}-main"}
        self.store_series("latency", tags, {"rtt_s": [0.012]})

    def polled(self, up: dict[str, bool | None]) -> None:
        """Store what the controller says of its access points and evaluate."""
        for ap, is_up in up.items():
            tags = {"building": "gs-07", "device": "wlc-07", "ap": ap}
            failure = FailureReason.NO_REPLY if is_up is None else None
            value = None if is_up is None else float(is_up)
            self.store_series("wlan_ap", tags, {"up": [value]}, failure=failure)
        self.run()

    def states(self, rule: str = "line_below_target", number: int = 7) -> str:
        """Return the states a rule's target went through, in order."""
        target = f"line:gs-{number:02}-main"
        found = self.store.alarms.transitions_of(target)
        chain = [t for t in reversed(found) if t.rule == rule]
        for before, after in pairwise(chain):
            assert before.to_state is after.from_state
            assert before.at_ms <= after.at_ms
        return " ".join(t.to_state for t in chain)

    def incidents(self, *, open_only: bool = False) -> list[Incident]:
        """Return incidents, newest first, but the contract of line 8."""
        found = self.store.alarms.incidents(open_only=open_only)
        return [incident for incident in found if incident.rule != KNOWN]

    def sent(self, *, known: bool = False) -> list[tuple[str, str, str]]:
        """Return (Berlin time, recipient, subject) of mails, oldest first.

        The one about the contract of line 8 only if ``known``.
        """
        return [
            (f"{self._berlin(mail):%d. %H:%M}", mail.recipient, mail.subject)
            for mail in reversed(self.store.outbox.mails(limit=1000))
            if mail.sent_ms is not None and (known or not _is_known(mail.subject))
        ]

    def letters(self) -> list[Any]:
        """Return the messages of `sent` as the server took them."""
        mails = [message for _, message in self.postbox.mails]
        return [mail for mail in mails if not _is_known(mail["Subject"])]

    def told(self, number: int) -> str:
        """Return the plain text of a mail, in one line."""
        body = self.letters()[number].get_body(("plain",))
        return " ".join(body.get_content().split())

    @staticmethod
    def _berlin(mail: Mail) -> datetime:
        assert mail.sent_ms is not None
        return from_ms(mail.sent_ms).astimezone(BERLIN)


@pytest.fixture(params=[False, True], ids=["one engine", "restarted each time"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with warnings.catch_warnings():
        # aiosmtpd tells of its own use of names that Python will drop.
        warnings.simplefilter("ignore")
        from aiosmtpd.controller import Controller  # noqa: PLC0415

    class FreePort(Controller):  # type: ignore[misc]
        def _trigger_server(self) -> None:
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    postbox = Postbox()
    controller = FreePort(postbox, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        found = World(tmp_path, controller.port, restarting=request.param)
        found.postbox = postbox
        yield found
        # What the store calls sent and what the server took are the same mails.
        ids = [message["Message-ID"] for _, message in postbox.mails]
        assert len(ids) == len(set(ids)) == len(found.sent(known=True))
        found.store.close()
    finally:
        controller.stop()


ALARM = "[Störung] Grundschule 07 (Demo), Demostraße 7 – "
MORE = "[Störung, Ergänzung] Grundschule 07 (Demo), Demostraße 7 – "
CLEAR = "[Entstört] Grundschule 07 (Demo), Demostraße 7 – "


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
        world.measured(240)
        world.measured(40)
        world.measured(41)
        world.measured(240)
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


def test_a_silent_controller_says_nothing_of_its_access_points(world: World) -> None:
    world.polled({"gs-07-ap-1": True})
    for minute in ("08:05", "08:10", "08:15", "08:20", "08:25", "08:30"):
        world.at(minute)
        world.polled({"gs-07-ap-1": None})
    (row,) = world.store.alarms.states(rule="ap_down")
    assert row.state == "stale"
    assert world.sent() == []


def test_late_data_raise_nothing_and_clear_nothing(world: World) -> None:
    world.measured(240)
    world.pinged()
    world.at("13:00")  # the line was gone, the probe kept measuring into its spool
    assert world.states() == "ok stale"
    early = [START + timedelta(minutes=m) for m in (15, 30, 45, 60)]
    world.measured(5, 5, 5, 5, measured=early)
    assert world.states() == "ok stale"
    assert world.states("no_data") == "ok bad"
    world.measured(240)
    assert world.states("no_data") == "ok bad ok"
    for minute in ("13:15", "13:30", "13:45"):
        world.at(minute)
        world.measured(5)
    world.measured(240, 240, 240, measured=early[:3])
    assert world.states() == "ok stale ok suspect bad"
    assert [subject for _, _, subject in world.sent()] == [
        ALARM + "Anbindung nicht gemessen seit 08:00 Uhr",
        CLEAR + "Anbindung nicht gemessen, Dauer 5 Std. 0 Min.",
        ALARM + "Anbindung unter Soll seit 13:15 Uhr",
    ]


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


def test_a_line_that_only_fails_is_not_measured_rather_than_slow(world: World) -> None:
    world.measured(240)
    for hour in (9, 10, 11, 12):
        world.at(f"{hour:02}:00")
        world.measured(None, failure=FailureReason.UNREACHABLE)
    assert world.states() == "ok stale"
    assert world.states("no_data") == "ok bad"
    assert world.sent() == [
        ("20. 11:05", SERVICE, ALARM + "Anbindung nicht gemessen seit 08:00 Uhr")
    ]
    text = " ".join(world.letters()[0].get_body(("plain",)).get_content().split())
    assert "ihre Messungen scheitern aber" not in text
    assert (
        "aber ihre Messungen scheitern, zuletzt 11:00 Uhr: Kein Weg zum Ziel." in text
    )
    world.at("12:30")
    world.measured(240)
    assert world.sent()[1:] == [
        (
            "20. 12:30",
            SERVICE,
            CLEAR + "Anbindung nicht gemessen, Dauer 4 Std. 30 Min.",
        )
    ]


def test_a_probe_that_never_worked_is_told_of_once_it_tried(world: World) -> None:
    world.at("08:30", days=3, every_s=6 * 3600)
    assert world.sent() == []  # in the inventory, never heard of: nobody is called
    world.measured(None, failure=FailureReason.REFUSED)
    world.at("12:30", days=3)
    assert world.sent() == [
        ("23. 11:35", SERVICE, ALARM + "Anbindung nicht gemessen seit 08:30 Uhr")
    ]


def test_latency_alone_shows_that_a_line_is_measured(world: World) -> None:
    world.measured(240)
    for hour in range(9, 20):
        world.at(f"{hour:02}:00")
        world.pinged()
    assert world.states() == "ok stale"
    assert world.states("no_data") == "ok"
    assert world.sent() == []


def test_an_open_incident_stays_open_while_nothing_is_known(world: World) -> None:
    for minute in ("08:05", "08:10", "08:15"):
        world.at(minute)
        world.measured(10)
    world.at("12:00")
    assert world.states() == "suspect bad stale"
    assert len(world.incidents(open_only=True)) == 2
    world.measured(240)
    assert world.states() == "suspect bad stale bad"
    world.at("12:05")
    world.measured(240)
    assert world.states() == "suspect bad stale bad ok"
    assert [subject for _, _, subject in world.sent()] == [
        ALARM + "Anbindung unter Soll seit 08:05 Uhr",
        ALARM + "Anbindung nicht gemessen seit 08:15 Uhr",
        CLEAR + "Anbindung nicht gemessen, Dauer 3 Std. 45 Min.",
        CLEAR + "Anbindung unter Soll, Dauer 4 Std. 0 Min.",
    ]


def test_a_line_taken_out_of_the_inventory_ends_its_incident(world: World) -> None:
    for minute in ("08:05", "08:10", "08:15"):
        world.at(minute)
        world.measured(10)
    world.plan(Inventory(buildings=CITY.buildings, lines=CITY.lines[1:]))
    world.at("20:00")
    assert world.states() == "suspect bad ok unknown"
    assert world.states("no_data") == "ok unknown"
    assert [subject for _, _, subject in world.sent()] == [
        ALARM + "Anbindung unter Soll seit 08:05 Uhr",
        CLEAR + "Anbindung unter Soll, Dauer 15 Min.",
    ]
    text = world.letters()[1].get_body(("plain",)).get_content()
    assert "steht nicht mehr im Inventar" in text


def test_an_engine_that_was_stopped_writes_the_history_it_missed(world: World) -> None:
    """Nothing ran from 08:00 to 12:00: states and times are as if it had."""
    world.measured(240)
    for minutes in (15, 15, 15, 150, 15):
        world.clock.advance(60 * minutes)
        tags = {"building": "gs-07", "line": "gs-07-main", "method": "tcp"}
        rate_bps = 240e6 if minutes == 150 or world.clock.now() > NOON else 10e6
        world.store_series("throughput", tags, {"rate_down_bps": [rate_bps]})
    world.run()
    assert world.states() == "ok suspect bad ok"
    (incident,) = world.incidents()
    assert from_ms(incident.started_ms) == START + timedelta(minutes=45)
    # Over before anybody could be told: no alarm any more, but no secret either.
    assert world.sent() == []
    world.pinged()
    world.at("07:00", days=3, every_s=3600)
    digest = world.sent()[-1]
    assert digest == ("23. 07:00", SERVICE, "[Lagebericht] 23.11.2026 – offen: 1")
    text = world.told(-1)
    assert "Aufgetreten und behoben: 1" in text
    assert "Anbindung unter Soll, Beginn 20.11.2026, 08:45 Uhr, Dauer 2 Std. 45" in text


NOON = datetime(2026, 11, 20, 10, 20, tzinfo=UTC)


def test_made_up_data_call_nobody(world: World) -> None:
    world._source = world.store.sources.create(
        "history",
        SourceKind.COLLECTOR,
        None,
        sha256(b"other").hexdigest(),
        generated=True,
    )
    world.measured(240)
    world.polled({"gs-07-ap-1": True})
    assert _states(world) == {
        ("line_below_target", "line:gs-07-main"): "ok",
        ("no_data", "line:gs-07-main"): "ok",
        ("ap_down", "ap:gs-07-ap-1"): "ok",
    }
    for minute in ("08:05", "08:10", "08:15", "08:20"):
        world.at(minute)
        world.measured(1)
        world.polled({"gs-07-ap-1": False})
    assert _states(world) == {
        ("line_below_target", "line:gs-07-main"): "suspect",
        ("no_data", "line:gs-07-main"): "ok",
        ("ap_down", "ap:gs-07-ap-1"): "suspect",
    }
    world.at("20:00")
    assert set(_states(world).values()) == {"stale"}
    assert world.states() == "ok suspect stale"
    assert world.states("no_data") == "ok stale"
    assert world.incidents() == []
    assert world.sent() == []


def _states(world: World) -> dict[tuple[str, str], str]:
    rows = world.store.alarms.states()
    return {(r.rule, r.target): r.state.value for r in rows if r.rule != KNOWN}


def test_before_the_first_inventory_nothing_is_lost(tmp_path: Path) -> None:
    world = World(tmp_path, 1, restarting=False)
    reader = world.store.cursors
    world.settings = Settings(data_dir=str(tmp_path))
    for _ in range(3):
        world.clock.advance(60)
        world.store_series(
            "throughput",
            {"building": "gs-07", "line": "gs-07-main", "method": "tcp"},
            {"rate_down_bps": [1e6]},
        )
    empty = SqliteStore(tmp_path / "empty.sqlite3")
    idle = AlertService(empty, world.settings, world.clock, None, Texts("de"))
    assert idle.evaluate()[0].transitions == ()
    assert reader.get("alerts").position == 0
    world.run()
    assert world.states() == "suspect bad"
    empty.close()
    world.store.close()
