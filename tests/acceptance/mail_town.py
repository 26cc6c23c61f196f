"""A town of 178 buildings whose incidents are told: store, planner and an own clock."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from alerts.evidence import Cause, Evidence, encode
from alerts.notify import Advisers, Notifier
from netmon.calendars import Calendars
from netmon.clock import BERLIN, ManualClock, to_ms
from netmon.config import AlertSettings, MailSettings, MeasureSettings, Settings
from netmon.model import (
    AccessPoint,
    Building,
    Coverage,
    Inventory,
    Line,
    LineRole,
    SchoolType,
    Segment,
    SegmentKind,
    Technology,
)
from netmon.notify_settings import EscalationStep, RecipientSettings, ReminderSettings
from netmon.storage.action_records import (
    Actor,
    Maintenance,
    MaintenanceScope,
    Mark,
    OneOff,
    Via,
)
from netmon.storage.records import AlarmState, Mail, StateRow, Transition
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts
from netmon.units import MBIT

SERVICE, NOC, MANAGER = "service@x", "noc@x", "cm3@x"
BUILDINGS = 178
FRIDAY = datetime(2026, 11, 20, 8, 0, tzinfo=BERLIN)

CALENDAR = """
[[holidays]]
first = 2027-07-19
last = 2027-08-31
name = "Sommerferien"
"""

SETTINGS = Settings(
    mail=MailSettings(sender="netmon@x", recipients=(SERVICE,)),
    alerts=AlertSettings(
        recipients=RecipientSettings(
            noc=(NOC,), district={"Campusbezirk 3": (MANAGER,)}
        ),
        reminders=ReminderSettings(
            after_s=3600, steps=(EscalationStep(after_s=7200, audience="noc"),)
        ),
    ),
)


def city() -> Inventory:
    """178 buildings in 11 Campusbezirke; 3, 14 and 25 are behind one radio hop."""
    numbers = range(1, BUILDINGS + 1)
    return Inventory(
        buildings=tuple(
            Building(
                id=f"b-{n}",
                name=f"Schule {n}",
                school_type=SchoolType.GRUNDSCHULE,
                street=f"Weg {n}",
                postcode="44137",
                city="Dortmund",
                campus_district=f"Campusbezirk {n % 11 or 11}",
                city_district="Mitte",
                latitude_deg=51.5,
                longitude_deg=7.5,
                lan=Coverage.FULL,
                wlan=Coverage.FULL,
            )
            for n in numbers
        ),
        lines=tuple(
            Line(
                id=f"l-{n}",
                building_id=f"b-{n}",
                role=LineRole.MAIN,
                technology=Technology.FIBRE,
                contracted_down_bps=250 * MBIT,
                contracted_up_bps=50 * MBIT,
                provider="DOKOM21",
                segments=("core", "hop") if n in {3, 14, 25} else ("core",),
            )
            for n in numbers
        ),
        segments=(
            Segment(
                id="hop",
                kind=SegmentKind.RADIO_HOP,
                capacity_bps=300 * MBIT,
                name="Richtfunk Nord",
            ),
            Segment(id="core", kind=SegmentKind.BACKBONE, capacity_bps=10_000 * MBIT),
        ),
        access_points=tuple(
            AccessPoint(
                id=f"b-{n}-ap-{k}",
                building_id=f"b-{n}",
                name=f"AP-{k}",
                controller_id="wlc",
            )
            for n in numbers
            for k in range(1, 4)
        ),
    )


CITY = city()
SOMEBODY = Actor(name="m.muster", via=Via.SHELL)


class Town:
    """A store, a notifier, and incidents that begin and end when told."""

    def __init__(self, folder: Path, *, restarting: bool) -> None:
        calendar = folder / "calendar.toml"
        calendar.write_text(CALENDAR)
        self.store = SqliteStore(folder / "state.sqlite3")
        self.clock = ManualClock(FRIDAY)
        self._hours = Calendars(
            MeasureSettings(calendar_file=str(calendar)), lambda: CITY
        )
        self._restarting = restarting
        self._notifier: Notifier | None = None
        self.look()

    @property
    def now_ms(self) -> int:
        return to_ms(self.clock.now())

    def look(self) -> None:
        if self._notifier is None or self._restarting:
            self._notifier = Notifier(
                self.store,
                lambda: CITY,
                SETTINGS,
                Texts("de"),
                self.clock,
                Advisers(self._hours),
            )
        self._notifier.run_once()

    def at(self, text: str, *, day: str = "2026-11-20", every_s: float = 300) -> None:
        """Let the time pass until then, with evaluations now and then."""
        until = datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=BERLIN)
        assert until >= self.clock.now(), "the timeline goes backwards"
        while (left_s := (until - self.clock.now()).total_seconds()) > 0:
            self.clock.advance(min(every_s, left_s))
            self.look()

    def in_maintenance(self, building: str, until: datetime) -> None:
        """Announce work in a building, from now on."""
        window = Maintenance(
            id=0,
            scope=MaintenanceScope.BUILDING,
            value=building,
            when=OneOff(starts_ms=self.now_ms, ends_ms=to_ms(until)),
            ends_ms=to_ms(until),
            reason="Umbau",
            author=SOMEBODY.name,
            created_ms=self.now_ms,
        )
        self.store.actions.add_maintenance(window, SOMEBODY)

    def acknowledge(self, number: int) -> None:
        """Note that somebody sees to it."""
        mark = Mark(
            incident_id=number, at_ms=self.now_ms, author=SOMEBODY.name, note="dabei"
        )
        assert self.store.actions.acknowledge(mark, SOMEBODY)

    def raised(self, *what: tuple[str, str, str], look: bool = True) -> list[int]:
        """Open incidents of (rule, target, building); return their numbers."""
        changes = [
            Transition(
                id=0,
                rule=rule,
                target=target,
                building_id=building,
                from_state=AlarmState.SUSPECT,
                to_state=AlarmState.BAD,
                at_ms=self.now_ms,
                incident_id=-1,
                evidence=encode(
                    Evidence(
                        cause=Cause.AP_DOWN if rule == "ap_down" else Cause.SILENT,
                        since_ms=self.now_ms,
                        role=LineRole.MAIN,
                    )
                ),
            )
            for rule, target, building in what
        ]
        numbers = self._commit(changes)
        if look:
            self.look()
        return numbers

    def lines(self, rule: str, *buildings: int, look: bool = True) -> list[int]:
        return self.raised(
            *((rule, f"line:l-{n}", f"b-{n}") for n in buildings), look=look
        )

    def over(self, *numbers: int, look: bool = True) -> None:
        """End incidents."""
        changes = []
        for number in numbers:
            one = self.store.alarms.incident(number)
            assert one is not None
            changes.append(
                Transition(
                    id=0,
                    rule=one.rule,
                    target=one.target,
                    building_id=one.building_id,
                    from_state=AlarmState.BAD,
                    to_state=AlarmState.OK,
                    at_ms=self.now_ms,
                    incident_id=number,
                    evidence=encode(
                        Evidence(cause=Cause.IN_ORDER, since_ms=one.started_ms)
                    ),
                )
            )
        self._commit(changes)
        if look:
            self.look()

    def _commit(self, changes: list[Transition]) -> list[int]:
        rows = [
            StateRow(
                rule=c.rule,
                target=c.target,
                building_id=c.building_id,
                state=c.to_state,
                since_ms=c.at_ms,
                updated_ms=c.at_ms,
                incident_id=c.incident_id if c.to_state is AlarmState.BAD else None,
                memory=b"{}",
            )
            for c in changes
        ]
        stored = self.store.alarms.commit(
            rows, changes, reader="alerts", position=1, now_ms=self.now_ms
        )
        return [t.incident_id for t in stored if t.incident_id is not None]

    def mails(self) -> list[Mail]:
        return self.store.outbox.mails(limit=1000)[::-1]

    def told(self) -> list[tuple[str, str, str]]:
        """Return (Berlin time, recipient, subject) of every mail, oldest first."""
        return [
            (
                f"{datetime.fromtimestamp(m.created_ms / 1000, BERLIN):%d. %H:%M}",
                m.recipient,
                m.subject,
            )
            for m in self.mails()
        ]
