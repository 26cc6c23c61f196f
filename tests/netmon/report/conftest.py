"""Made-up cities, and ``netmon report`` with a store of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path

import msgspec
import pytest

from netmon.clock import BERLIN, to_ms
from netmon.demo import city
from netmon.inventory import content_hash, encode
from netmon.model import Coverage, Inventory, SchoolType, Technology
from netmon.report import AnnualReport, Reader
from netmon.report.export import annual_files
from netmon.school_calendar import Holidays, Lessons, SchoolCalendar
from netmon.storage.alarms import OPEN_INCIDENT
from netmon.storage.records import (
    AlarmState,
    CheckedBatch,
    CheckedSeries,
    SourceKind,
    Transition,
)
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts
from tests.city import a_building, a_line
from tests.command import run_command

# School type, technology (None: no line), Mbit/s down, LAN, WLAN.
Site = tuple[SchoolType, Technology | None, int, Coverage, Coverage]
MakeCity = Callable[[Iterable[Site]], Inventory]


HOUR = 3_600_000
AFTER = datetime(2026, 1, 5, 12, tzinfo=UTC)
FULL = Coverage.FULL
GYM, GRUND = SchoolType.GYMNASIUM, SchoolType.GRUNDSCHULE
# Lessons on one Monday of the whole year, from 8 to 12 o'clock.
CALENDAR = SchoolCalendar(
    lessons=(Lessons(start=time(8), end=time(12)),),
    holidays=(
        Holidays(first=date(2025, 1, 1), last=date(2025, 3, 2)),
        Holidays(first=date(2025, 3, 4), last=date(2025, 12, 31)),
    ),
)


def at(hour: float) -> int:
    return to_ms(datetime(2025, 3, 3, tzinfo=BERLIN)) + round(hour * HOUR)


class City:
    """Four buildings in a real store, and what was measured of them."""

    def __init__(self, path: Path, inventory: Inventory) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.store = SqliteStore(path)
        self.inventory = inventory
        self.save(inventory)
        self._sent = 0
        self._source = self.store.sources.create(
            "p", SourceKind.COLLECTOR, None, "hash"
        )

    def save(self, inventory: Inventory) -> None:
        self.store.inventories.save(content_hash(inventory), encode(inventory), 0)

    def measure(self, number: int, kind: str, **values: dict[float, float]) -> None:
        """Store values by hour of that Monday, each metric a record of its own."""
        tags = {"building": f"b{number}", "line": f"l{number}"}
        series = []
        for name, column in values.items():
            ts = [at(hour) for hour in column]
            method = {"method": f"tcp-{name}/1"} if kind == "throughput" else {}
            series.append(
                CheckedSeries(
                    kind=kind,
                    building_id=f"b{number}",
                    tags=tags | method,
                    seq=list(range(self._sent, self._sent + len(ts))),
                    ts=ts,
                    values={name: list(column.values())},
                    failure=None,
                    info={},
                    keep_rollups=True,
                )
            )
            self._sent += len(ts)
        batch = CheckedBatch(
            source=self._source,
            spool="s",
            received_ms=at(24),
            sent_ms=at(24),
            agent="",
            series=series,
            quarantined=[],
        )
        self.store.measurements.write([batch])

    def lose(self, number: int, noticed: float, since: float, back: float) -> None:
        """Store the proven loss of a building, as the alarms write it."""
        bad = (AlarmState.OK, AlarmState.BAD, at(noticed), at(since))
        good = (AlarmState.BAD, AlarmState.OK, at(back), at(back))
        rows = [
            Transition(
                id=0,
                rule=rule,
                target=f"line:l{number}",
                building_id=f"b{number}",
                from_state=before,
                to_state=after,
                at_ms=at_ms,
                incident_id=OPEN_INCIDENT,
                evidence=json.dumps({"cause": "x", "since_ms": since_ms}).encode(),
            )
            # A slow line is no loss.
            for rule in ("line_down", "line_below_target")
            for before, after, at_ms, since_ms in (bad, good)
        ]
        self.store.alarms.commit([], rows, reader="alerts", position=0, now_ms=at(24))

    def reader(self) -> Reader:
        return Reader(self.store, lambda _: CALENDAR, Texts())

    def report(self, year: int = 2025, now: datetime = AFTER) -> AnnualReport:
        return self.reader().report(year, now)


@pytest.fixture(scope="session")
def shipped() -> Inventory:
    """The shipped city: reading it takes longer than most tests."""
    return city.load()


@pytest.fixture(scope="session")
def make_city() -> MakeCity:
    """Return an inventory with one building a site."""

    def make(sites: Iterable[Site]) -> Inventory:
        buildings, lines = [], []
        for number, (school_type, technology, mbits, lan, wlan) in enumerate(sites):
            buildings.append(
                a_building(
                    f"b{number}", name="B", school_type=school_type, lan=lan, wlan=wlan
                )
            )
            if technology is not None:
                lines.append(
                    a_line(f"b{number}", mbits, 1, technology, id=f"l{number}")
                )
        return Inventory(buildings=tuple(buildings), lines=tuple(lines))

    return make


@pytest.fixture
def report_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Run ``netmon report ...`` in-process with a state store of its own."""
    monkeypatch.setenv("NETMON_DATA", str(tmp_path / "var"))
    return partial(run_command, "report")


@pytest.fixture(scope="session")
def measured_inventory(make_city: Callable[..., Inventory]) -> Inventory:
    made = make_city(
        [
            (GYM, Technology.FIBRE, 1000, FULL, FULL),
            (GRUND, Technology.VDSL, 250, FULL, FULL),
            (GRUND, Technology.VDSL, 50, FULL, Coverage.UNKNOWN),
            (GRUND, None, 0, FULL, FULL),
        ]
    )
    stated = [(800, 30), (200, 8), (100, 4), (None, None)]
    buildings = [
        msgspec.structs.replace(one, name=f"Schule {one.id}", pupils=p, classes=c)
        for one, (p, c) in zip(made.buildings, stated, strict=True)
    ]
    buildings[2] = msgspec.structs.replace(buildings[2], name="=Schule")
    lines = list(made.lines)
    lines[2] = msgspec.structs.replace(lines[2], fibre_planned_on=date(2026, 9, 30))
    return msgspec.structs.replace(made, buildings=tuple(buildings), lines=tuple(lines))


def fill(city: City) -> None:
    """Let Monday happen; of the other days nothing is known."""
    hours = [float(hour) for hour in range(24)]
    city.measure(0, "latency", rtt_s=dict.fromkeys(hours[:10], 0.01))
    city.measure(0, "throughput", at_least_down_bps={3.0: 940e6, 7.0: 900e6})
    city.lose(0, noticed=9.75, since=9.5, back=11.0)
    city.measure(1, "latency", rtt_s=dict.fromkeys(hours, 0.02))
    city.measure(1, "throughput", rate_down_bps={3.0: 80e6, 20.0: 100e6})
    # A record without a number and one of what was used prove nothing of the line.
    city.measure(2, "throughput", demand_down_bps={10.0: 1e6})


@pytest.fixture(scope="session")
def new_city(
    tmp_path_factory: pytest.TempPathFactory, measured_inventory: Inventory
) -> Iterator[Callable[[], City]]:
    """Return a city of its own, for tests that change it."""
    made: list[City] = []

    def make() -> City:
        folder = tmp_path_factory.mktemp("report")
        made.append(City(folder / "state.sqlite3", measured_inventory))
        fill(made[-1])
        return made[-1]

    yield make
    for one in made:
        one.store.close()


@pytest.fixture(scope="session")
def measured_city(new_city: Callable[[], City]) -> City:
    return new_city()


@pytest.fixture(scope="session")
def measured_report(measured_city: City) -> AnnualReport:
    return measured_city.report()


@pytest.fixture(scope="session")
def measured_files(measured_report: AnnualReport) -> dict[str, bytes]:
    return annual_files(measured_report, Texts())
