"""Timelines of whole evenings, mornings and storms: which mails, when, to whom.

Incidents are written as the engine writes them; what is shown is the planner on a real
store, with an own clock. Every timeline runs with one notifier, and with a new one at
each evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

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
from netmon.notify_settings import (
    EscalationStep,
    RecipientSettings,
    ReminderSettings,
)
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


@pytest.fixture(params=[False, True], ids=["one notifier", "restarted each time"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path, restarting=request.param)
    yield made
    first: dict[tuple[int | None, str], str] = {}
    for mail in made.mails():
        if mail.thread_id is None:
            continue
        known = first.setdefault((mail.thread_id, mail.recipient), mail.message_id)
        answered = "" if known == mail.message_id else known
        assert mail.in_reply_to == answered, (
            "every mail answers the first of its thread"
        )
    made.store.close()


def test_a_storm_and_its_end(town: Town) -> None:
    everything = range(1, BUILDINGS + 1)
    numbers = town.lines("line_down", *everything, look=False)
    numbers += town.raised(
        *(
            ("ap_down", f"ap:b-{n}-ap-{k}", f"b-{n}")
            for n in everything
            for k in (1, 2, 3)
        )
    )
    what = "[Störung] core, 178 von 178 Gebäuden – Anbindungen ausgefallen und"
    assert town.told() == [
        ("20. 08:00", NOC, f"{what} weitere Störungen seit 08:00 Uhr"),
        ("20. 08:00", SERVICE, f"{what} weitere Störungen seit 08:00 Uhr"),
    ]
    text = " ".join(town.mails()[0].text.split())
    assert "Anbindungen ausgefallen: 178, Access Points ausgefallen: 534" in text
    town.at("08:30")
    town.over(*numbers[:500])
    town.at("08:45")
    town.over(*numbers[500:])
    assert [(at, who) for at, who, _ in town.told()[2:]] == [
        ("20. 08:45", NOC),
        ("20. 08:45", SERVICE),
    ]
    assert town.told()[-1][2].startswith("[Entstört] core, 178 von 178 Gebäuden")
    assert town.told()[-1][2].endswith("Dauer 45 Min.")


def test_buildings_behind_one_radio_hop_are_told_in_the_night(town: Town) -> None:
    town.at("23:00", every_s=3600)
    town.lines("no_data", 3)
    town.at("23:05")
    assert town.told() == []
    town.lines("no_data", 14)
    assert town.told() == [
        (
            "20. 23:05",
            SERVICE,
            "[Störung] Richtfunk Nord, 2 von 3 Gebäuden – Anbindungen nicht gemessen "
            "seit 23:00 Uhr",
        )
    ]
    text = " ".join(town.mails()[0].text.split())
    assert "hinter „Richtfunk Nord“" in text
    assert "Zurzeit ist dort kein Unterricht." in text


def test_what_came_to_flap_is_told_once(town: Town) -> None:
    (number,) = town.lines("no_data", 3)
    (row,) = town.store.alarms.states()
    town.store.alarms.commit(
        [replace(row, flapping=True)], [], reader="a", position=1, now_ms=town.now_ms
    )
    town.at("11:00")
    subject = "[Störung, Ergänzung] Schule 3, Weg 3 – Anbindung nicht gemessen, "
    flapping = f"{subject}wechselt ständig seit 08:00 Uhr"
    told = [mail for mail in town.told()[2:] if "Ergänzung" in mail[2]]
    assert told == [
        ("20. 08:05", MANAGER, flapping),
        ("20. 08:05", SERVICE, flapping),
    ]
    town.over(number)
    assert town.told()[-1][2].startswith("[Entstört]")


def test_how_far_a_large_thread_is(town: Town) -> None:
    numbers = town.raised(*(("ap_down", f"ap:b-3-{n}", "b-3") for n in range(20)))
    town.at("08:30")
    town.over(*numbers[1:])
    town.at("09:30")
    subject = "[Teilweise entstört] Schule 3, Weg 3 – noch offen: Access Point"
    assert [(at, who) for at, who, what in town.told() if subject in what] == [
        ("20. 08:45", MANAGER),
        ("20. 08:45", SERVICE),
    ]
    assert town.told()[-1][2].endswith("19 von 20 behoben")
    town.over(numbers[0])
    assert [what[:10] for _, _, what in town.told()[4:]] == ["[Entstört]"] * 2


def test_maintenance_ends_and_it_is_still_bad(town: Town) -> None:
    town.in_maintenance("b-3", FRIDAY + timedelta(hours=2))
    (bad,) = town.lines("line_down", 3)
    (good,) = town.raised(("ap_down", "ap:b-3-ap-1", "b-3"))
    town.at("09:30")
    town.over(good)
    town.at("09:59")
    assert town.told() == []
    town.at("10:00")
    subject = "[Störung] Schule 3, Weg 3 – Anbindung ausgefallen seit 08:00 Uhr"
    assert town.told() == [
        ("20. 10:00", MANAGER, subject),
        ("20. 10:00", NOC, subject),
        ("20. 10:00", SERVICE, subject),
    ]
    text = " ".join(town.mails()[0].text.split())
    assert "erst jetzt, weil bis 10:00 Uhr eine Wartung" in text
    town.at("10:20")
    town.over(bad)
    assert [who for at, who, _ in town.told()[3:] if at == "20. 10:20"] == [
        MANAGER,
        NOC,
        SERVICE,
    ]


def test_reminded_escalated_acknowledged_and_over(town: Town) -> None:
    (number,) = town.lines("no_data", 3)
    town.at("10:30")
    what = "Schule 3, Weg 3 – Anbindung nicht gemessen"
    assert town.told() == [
        ("20. 08:00", MANAGER, f"[Störung] {what} seit 08:00 Uhr"),
        ("20. 08:00", SERVICE, f"[Störung] {what} seit 08:00 Uhr"),
        ("20. 09:00", MANAGER, f"[Erinnerung] {what} seit 08:00 Uhr"),
        ("20. 09:00", SERVICE, f"[Erinnerung] {what} seit 08:00 Uhr"),
        ("20. 10:00", NOC, f"[Eskalation] {what} seit 08:00 Uhr"),
    ]
    town.acknowledge(number)
    town.at("11:00", day="2026-11-24", every_s=1800)
    # Acknowledged is not forgotten: the digest of each school day lists it.
    assert [at for at, _, subject in town.told()[5:] if "Lagebericht" in subject] == [
        "23. 07:00",
        "23. 07:00",
        "24. 07:00",
        "24. 07:00",
    ]
    assert len(town.told()) == 9
    town.over(number)
    assert {who for at, who, _ in town.told()[9:] if at == "24. 11:00"} == {
        MANAGER,
        SERVICE,
        NOC,
    }


def test_an_incident_of_the_night_is_told_in_the_morning_and_ends_in_its_thread(
    town: Town,
) -> None:
    town.at("20:00", day="2026-11-23", every_s=6 * 3600)
    (still, gone) = town.lines("line_below_target", 3, 4)
    town.at("22:00", day="2026-11-23", every_s=3600)
    town.over(gone)
    town.at("06:59", day="2026-11-24", every_s=3600)
    assert town.told() == []
    town.at("07:00", day="2026-11-24")
    assert town.told() == [
        ("24. 07:00", SERVICE, "[Lagebericht] 24.11.2026 – offen: 1"),
        ("24. 07:00", MANAGER, "[Lagebericht] 24.11.2026, Campusbezirk 3 – offen: 1"),
    ]
    whole, own = (" ".join(mail.text.split()) for mail in town.mails())
    assert "Schule 4, Weg 4: Anbindung unter Soll" in whole
    assert "Dauer 2 Std. 0 Min." in whole
    assert "Schule 4" not in own
    town.at("08:30", day="2026-11-24")
    assert len(town.told()) == 2  # told already, lessons or not
    town.over(still)
    subject = "[Entstört] Schule 3, Weg 3 – Anbindung unter Soll, Dauer 12 Std. 30 Min."
    assert sorted(town.told()[2:]) == [
        ("24. 08:30", MANAGER, subject),
        ("24. 08:30", SERVICE, subject),
    ]


def test_first_day_of_the_summer_holidays(town: Town) -> None:
    town.at("10:00", day="2027-07-19", every_s=7 * 86400)
    (waits,) = town.raised(("ap_down", "ap:b-3-ap-1", "b-3"))
    town.at("10:15", day="2027-07-19")
    assert town.told() == []
    (line,) = town.lines("line_down", 3)
    assert [(at, who) for at, who, _ in town.told()] == [
        ("19. 10:15", MANAGER),
        ("19. 10:15", NOC),
        ("19. 10:15", SERVICE),
    ]
    town.at("10:30", day="2027-07-19")
    town.over(line)
    town.at("06:00", day="2027-09-01", every_s=86400)
    assert len(town.told()) == 6
    town.at("07:00", day="2027-09-01")
    assert [(at, who) for at, who, _ in town.told()[6:]] == [
        ("01. 07:00", SERVICE),
        ("01. 07:00", MANAGER),
        ("01. 07:00", NOC),
    ]
    # The NOC hears of a gap in the data, the others of the access point as well.
    town.over(waits)
    assert {who for _, who, _ in town.told()[9:]} == {MANAGER, SERVICE}
    assert len(town.told()) == 11


def test_contracts_below_the_target_are_told_once(town: Town) -> None:
    town.lines("below_by_contract", *range(1, 60))
    subject = "[Hinweis] 59 Gebäude in 11 Campusbezirken – Verträge unter dem Ziel"
    assert town.told() == [("20. 08:00", SERVICE, subject)]
    town.at("08:00", day="2026-12-20", every_s=86400)
    assert len(town.told()) == 1
