"""A town that works as long as nothing in it is broken; minutes pass in no time.

What is broken decides what is measured and what of it arrives: a probe behind a dead
line measures into its spool, a collector gets no answer, a gateway that is down hears
nobody. Real store, real engine; only the clock is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.held import Held
from alerts.service import AlertService
from bench.alerts_city import FIRST_BUILDING, alerts_city
from netmon.clock import BERLIN, ManualClock, from_ms, to_ms
from netmon.config import AlertSettings, Settings
from netmon.inventory import content_hash, encode
from netmon.model import AccessPoint, Device, DeviceKind, FailureReason, Inventory
from netmon.notify_settings import RecipientSettings
from netmon.storage.records import CheckedBatch, CheckedSeries, SourceKind
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts

MINUTE_S = 60
POLL_MINUTES = 5
# Everybody of whom an incident can be told; the town is all in one Campusbezirk.
RECIPIENTS = RecipientSettings(
    service=("service@x",), noc=("noc@x",), district={"Campusbezirk 3": ("cm3@x",)}
)
TEXTS = Texts()
SETTINGS = Settings(alerts=AlertSettings(recipients=RECIPIENTS))


@dataclass(slots=True)
class Record:
    """One measurement that waits to arrive; None is no answer."""

    kind: str
    tags: dict[str, str]
    values: dict[str, float | None]
    at_ms: int
    failure: FailureReason | None = None


@dataclass
class Town:
    """The town, its store, and the alarm process that watches it.

    ``broken`` names what does not work: ``line gs-00``, ``power gs-00``,
    ``probe gs-00``, ``gateway``, ``uplink``, ``server`` (of the measurements), ``slow gs-00-ap-1`` (its port), ``full
    gs-00-ap-1`` (its channel), or the id of a device or access point.
    """

    store: SqliteStore
    inventory: Inventory
    clock: ManualClock
    restarting: bool = False
    settings: Settings = SETTINGS
    broken: set[str] = field(default_factory=set)
    # Which are not patched where the plan says.
    elsewhere: set[str] = field(default_factory=set)
    # At which controller access points are, where that is not ``wlc``.
    hosts: dict[str, str] = field(default_factory=dict)
    unwatched: bool = False
    evaluations: int = 0
    service: AlertService | None = None
    _spools: dict[str, list[Record]] = field(default_factory=dict)
    _seq: int = 0
    _minutes: int = 0

    def __post_init__(self) -> None:
        self.plan(self.inventory)
        self._source = self.store.sources.create(
            "town", SourceKind.COLLECTOR, None, "a" * 64
        )

    def plan(self, inventory: Inventory) -> None:
        self.inventory = inventory
        now_ms = to_ms(self.clock.now())
        self.store.inventories.save(content_hash(inventory), encode(inventory), now_ms)

    def use(self, settings: Settings) -> None:
        """Go on with other settings, as a restarted service does."""
        self.settings, self.service = settings, None

    def at(self, text: str) -> None:
        """Let the time pass until then, today or tomorrow, in Dortmund."""
        hour, minute = map(int, text.split(":"))
        while True:
            here = self.clock.now().astimezone(BERLIN)
            if (here.hour, here.minute) == (hour, minute):
                return
            self.minutes(1)

    def minutes(self, count: int) -> None:
        for _ in range(count):
            self.clock.advance(MINUTE_S)
            self._minutes += 1
            self._probes()
            if self._minutes % POLL_MINUTES == 0:
                self._poll()
            self.evaluate()

    def evaluate(self) -> None:
        if self.unwatched:
            return
        if self.service is None or self.restarting:
            self.service = AlertService(
                self.store, self.settings, self.clock, None, TEXTS
            )
        self.service.evaluate()
        self.evaluations += 1

    def measured(
        self,
        building: str,
        mbits: float | None = None,
        *,
        failure: FailureReason | None = None,
        **more: float,
    ) -> None:
        """Let a building's probe tell of a test of its line, and evaluate."""
        tags = {"building": building, "line": f"{building}-main", "method": "tcp"}
        rate = None if mbits is None else mbits * 1e6
        values = {"rate_down_bps": rate, **{k: v * 1e6 for k, v in more.items()}}
        self._tell(building, Record("throughput", tags, values, self._now_ms, failure))
        self.evaluate()

    @property
    def _now_ms(self) -> int:
        return to_ms(self.clock.now())

    def works(self, *names: str) -> bool:
        return self.broken.isdisjoint(names)

    def _reaches(self, building: str) -> bool:
        return self.works("uplink", f"line {building}", f"power {building}")

    def _probes(self) -> None:
        for building in self.inventory.buildings:
            id_ = building.id
            if not self.works(f"power {id_}", f"probe {id_}"):
                continue
            tags = {"building": id_, "line": f"{id_}-main"}
            record = Record("latency", tags, {"rtt_s": 0.01}, self._now_ms)
            if not (self._reaches(id_) and self.works("server")):
                record.values = {"rtt_s": None}
                record.failure = FailureReason.TIMEOUT
            self._tell(id_, record)

    def _tell(self, building: str, record: Record) -> None:
        """Send what the probe has, or keep it in its spool."""
        spool = self._spools.setdefault(building, [])
        spool.append(record)
        if self._reaches(building) and self.works("gateway"):
            self.arrive(spool)
            spool.clear()

    def _poll(self) -> None:
        if not self.works("gateway"):
            return
        self.arrive([*map(self._device, self.inventory.devices), *self._points()])

    def _device(self, device: Device) -> Record:
        home = device.building_id
        behind = {
            DeviceKind.SWITCH: (f"rt-{home}",),
            DeviceKind.ACCESS_POINT: (f"rt-{home}", f"sw-{home}"),
        }.get(device.kind, ())
        up = self.works(device.id, *behind) and (home is None or self._reaches(home))
        tags = {"building": home or FIRST_BUILDING, "device": device.id}
        failure = None if up else FailureReason.NO_REPLY
        # It forwards all the same.
        if up and f"deaf {device.id}" in self.broken:
            up, failure = False, FailureReason.NO_REPLY
        if up and f"password {device.id}" in self.broken:
            up, failure = False, FailureReason.DENIED
        values = {"up": 1.0 if up else None}
        return Record("device", tags, values, self._now_ms, failure)

    def _alone(self, ap: AccessPoint, device: Device) -> Record:
        """Return what a device that is an access point tells of itself."""
        said = self._device(device)
        tags = {**said.tags, "ap": ap.id}
        return Record("wlan_ap", tags, dict(said.values), said.at_ms, said.failure)

    def _points(self) -> Iterator[Record]:
        if not self.works("uplink"):
            return
        for ap in self.inventory.access_points:
            home, host = ap.building_id, self.hosts.get(ap.id, ap.controller_id)
            if self.inventory.stands_alone(ap.id):
                yield self._alone(ap, self.inventory.device_by_id[host])
            if not self.works(host) or self.inventory.stands_alone(ap.id):
                continue
            path = (ap.id, str(ap.switch_id), f"rt-{home}")
            if ap.id in self.elsewhere:
                path = (ap.id, f"rt-{home}", "")
            up = self._reaches(home) and self.works(*path)
            tags = {"building": home, "device": host, "ap": ap.id}
            speed = 100e6 if f"slow {ap.id}" in self.broken else 1e9
            values: dict[str, float | None] = {"up": float(up)}
            yield Record(
                "wlan_ap", tags, {**values, "uplink_speed_bps": speed}, self._now_ms
            )
            if up:
                used = 0.9 if f"full {ap.id}" in self.broken else 0.2
                air = {"up": 1.0, "utilisation_ratio": used}
                yield Record("wlan_radio", {**tags, "radio": "0"}, air, self._now_ms)

    def arrive(self, records: list[Record], *, clock_off_s: float = 0.0) -> None:
        """Let records reach the gateway now, of a sender whose clock is ahead so far."""
        now_ms = self._now_ms
        off_ms = round(clock_off_s * 1000)
        series = []
        for record in records:
            self._seq += 1
            series.append(
                CheckedSeries(
                    kind=record.kind,
                    building_id=record.tags["building"],
                    tags=record.tags,
                    seq=[self._seq],
                    ts=[record.at_ms + off_ms],
                    values={name: [v] for name, v in record.values.items()},
                    failure=None if record.failure is None else [record.failure],
                    info={},
                    keep_rollups=False,
                )
            )
        batch = CheckedBatch(
            source=self._source,
            spool="5" * 32,
            received_ms=now_ms,
            sent_ms=now_ms + off_ms,
            agent="",
            series=series,
            quarantined=[],
        )
        self.store.measurements.write([batch])

    def everything_bad(self, at: datetime) -> list[Record]:
        """Return what spools would tell of a moment at which all was broken."""
        at_ms, silent = to_ms(at), FailureReason.NO_REPLY
        records = []
        for line in self.inventory.lines:
            tags = {"building": line.building_id, "line": line.id}
            records.append(Record("latency", tags, {"rtt_s": 0.01}, at_ms))
            tags, slow = {**tags, "method": "tcp"}, {"rate_down_bps": 1e6}
            for n in range(3):
                later_ms = at_ms + n * MINUTE_S * 1000
                records.append(Record("throughput", tags, slow, later_ms))
        for device in self.inventory.devices:
            tags = {
                "building": device.building_id or FIRST_BUILDING,
                "device": device.id,
            }
            records.append(Record("device", tags, {"up": None}, at_ms, silent))
        for ap in self.inventory.access_points:
            tags = {"building": ap.building_id, "device": "wlc", "ap": ap.id}
            records.append(Record("wlan_ap", tags, {"up": 0.0}, at_ms))
        return records

    def told(self) -> list[str]:
        """Return every incident, oldest first: ``12:10-12:45 line_down line:x``."""
        return [
            f"{_clock(i.started_ms)}-{_clock(i.ended_ms)} {i.rule} {i.target}"
            for i in reversed(self.store.alarms.incidents())
        ]

    def mails(self) -> list[str]:
        """Return the mails, oldest first: ``12:10 alarm noc+service: line_down gs-00``.

        The same to several people is one line, named by the first of what it tells.
        """
        incidents = {i.id: i for i in self.store.alarms.incidents()}
        found: dict[tuple[str, str, int], list[str]] = {}
        for mail in sorted(self.store.outbox.mails(), key=lambda mail: mail.id):
            first = incidents.get(mail.incident_id)
            about = "" if first is None else f"{first.rule} {first.building_id}".strip()
            what = (f"{_clock(mail.created_ms)} {mail.event}", about, mail.incident_id)
            found.setdefault(what, []).append(mail.recipient.partition("@")[0])
        return [
            f"{when} {'+'.join(sorted(who))}: {about}"
            for (when, about, _), who in found.items()
        ]

    def held(self, rule: str, target: str) -> Held:
        (row,) = (
            r
            for r in self.store.alarms.states()
            if (r.rule, r.target) == (rule, target)
        )
        return Held.of(row)


def _clock(ms: int | None) -> str:
    return "" if ms is None else f"{from_ms(ms).astimezone(BERLIN):%H:%M}"


@pytest.fixture(scope="session")
def make_town() -> Callable[..., Town]:
    """Make a town that has run for ten minutes."""

    def make(
        store: SqliteStore,
        clock: ManualClock,
        buildings: int,
        points: int,
        *,
        restarting: bool = False,
    ) -> Town:
        city = alerts_city(buildings, points * buildings)
        made = Town(store, city, clock, restarting)
        made.minutes(10)
        return made

    return make


@pytest.fixture(params=[False, True], ids=["one engine", "restarted each time"])
def found(
    request: pytest.FixtureRequest, tmp_path: Path, make_town: Callable[..., Town]
) -> Iterator[Callable[..., Town]]:
    """Found a town of some buildings with some access points each, at 7 o'clock."""
    with ExitStack() as stack:

        def start(
            buildings: int,
            points: int = 0,
            start: datetime = datetime(2026, 11, 20, 6, 0, tzinfo=UTC),
        ) -> Town:
            store = SqliteStore(tmp_path / "state.sqlite3")
            stack.callback(store.close)
            clock = ManualClock(start)
            return make_town(store, clock, buildings, points, restarting=request.param)

        yield start
