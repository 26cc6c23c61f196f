"""Two schools, an alarm process and a mail server; only the clock is ours."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from hashlib import sha256
from itertools import count, pairwise
from pathlib import Path
from typing import Any

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
        """Store what the controller says of its access points and evaluate.

        Of which it says nothing (None) there is no record.
        """
        for ap, is_up in up.items():
            if is_up is not None:
                tags = {"building": "gs-07", "device": "wlc-07", "ap": ap}
                self.store_series("wlan_ap", tags, {"up": [float(is_up)]})
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


ALARM = "[Störung] Grundschule 07 (Demo), Demostraße 7 – "


MORE = "[Störung, Ergänzung] Grundschule 07 (Demo), Demostraße 7 – "


CLEAR = "[Entstört] Grundschule 07 (Demo), Demostraße 7 – "
