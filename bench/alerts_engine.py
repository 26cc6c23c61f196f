"""How long the alarm engine takes when everything in the city changes at once.

178 buildings, 7,000 access points, 200,000 switch ports: after a round in which all is
well come two in which every line is slow and every access point is gone, while all
devices answer, so that nothing explains anything and 7,178 incidents open. Then a round in
which all devices are silent too, and one in which all is well again. Real store, engine, planner
and mail server, one process; what is written is as collectors and probes write it.

``storm_mails`` is how many mails the server got, to all recipients together, until all
was well, ``recovery_mails`` how many after that.

``storm_cycle_s`` is the longest of the evaluations after the first round,
``storm_cycle_cpu_s`` the most processor time of one, ``idle_cycle_ms`` the median of
those that find nothing new, ``rss_mb`` the most memory the process had.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.controller import Controller

from alerts.service import AlertService
from alerts.smtp import SmtpMailer
from bench.alerts_city import FIRST_BUILDING, alerts_city, district
from netmon.clock import ManualClock, to_ms
from netmon.config import AlertSettings, MailSettings, Settings
from netmon.inventory import content_hash, encode
from netmon.model import DeviceKind, FailureReason, Inventory
from netmon.notify_settings import RecipientSettings
from netmon.storage.records import CheckedBatch, CheckedSeries, SourceKind
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts

BUILDINGS, POINTS, PORTS = 178, 7_000, 200_000
PORTS_A_SWITCH = 48
CONTROLLERS = 4
DISTRICTS = 11
SERIES_A_BATCH = 10_000
IDLE_CYCLES = 21


class MailServer(Controller):  # type: ignore[misc]
    """Counts the mails it takes."""

    def __init__(self) -> None:
        self.count = 0
        super().__init__(self, hostname="127.0.0.1", port=0)

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802
        """Take a mail."""
        self.count += 1
        return "250 OK"

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def _settings(port: int) -> Settings:
    """Return settings with everybody who may be told of something."""
    managers = {
        district(n, DISTRICTS): (f"campus{n}@dortmund.example",)
        for n in range(DISTRICTS)
    }
    recipients = RecipientSettings(
        service=("service@dortmund.example",),
        noc=("noc@dortmund.example",),
        district=managers,
    )
    return Settings(
        mail=MailSettings(host="127.0.0.1", port=port, security="none"),
        alerts=AlertSettings(recipients=recipients),
    )


class Bench:
    """The store, the service, and rounds of everything."""

    def __init__(self, folder: Path, inventory: Inventory, ports: int) -> None:
        self.clock = ManualClock(datetime(2026, 11, 20, 9, 0, tzinfo=UTC))
        self.store = SqliteStore(folder / "state.sqlite3")
        self.inventory, self.ports = inventory, ports
        now_ms = to_ms(self.clock.now())
        self.store.inventories.save(content_hash(inventory), encode(inventory), now_ms)
        self._source = self.store.sources.create(
            "bench", SourceKind.COLLECTOR, None, "a" * 64
        )
        self.server = MailServer()
        self.server.start()
        settings = _settings(self.server.port)
        self.service = AlertService(
            self.store,
            settings,
            self.clock,
            SmtpMailer(settings.mail, None),
            Texts(settings.language),
        )
        self._seq = 0
        self.cpu_s = 0.0

    def arrive(self, series: Iterator[CheckedSeries]) -> None:
        """Store series in batches of a collector's size."""
        batch: list[CheckedSeries] = []
        for each in series:
            batch.append(each)
            if len(batch) == SERIES_A_BATCH:
                self._write(batch)
                batch = []
        self._write(batch)

    def _write(self, series: list[CheckedSeries]) -> None:
        now_ms = to_ms(self.clock.now())
        batch = CheckedBatch(
            source=self._source,
            spool="5" * 32,
            received_ms=now_ms,
            sent_ms=now_ms,
            agent="",
            series=series,
            quarantined=[],
        )
        self.store.measurements.write([batch])

    def round(self, *, well: bool, answering: bool, mbits: float) -> float:
        """Let five minutes pass and everything be measured; return the cycle in s."""
        self.clock.advance(300)
        self.arrive(self._series(well, answering, mbits))
        started_s, cpu_s = time.perf_counter(), time.process_time()
        evaluation, _ = self.service.evaluate()
        took_s = time.perf_counter() - started_s
        self.cpu_s = max(self.cpu_s, time.process_time() - cpu_s)
        if not evaluation.caught_up:
            sys.exit("one evaluation did not get through: raise the steps")
        self.service.send()
        incidents = self.store.alarms.incidents(open_only=True, limit=10**6)
        print(
            f"{took_s:6.2f} s  {evaluation.records} records, "
            f"{len(evaluation.transitions)} transitions, {len(incidents)} open, "
            f"{self.server.count} mails so far"
        )
        return took_s

    def idle(self) -> float:
        """Return how long an evaluation takes that finds nothing new, in ms."""
        took_ms = []
        for _ in range(IDLE_CYCLES):
            self.clock.advance(1)
            started_s = time.perf_counter()
            self.service.evaluate()
            took_ms.append((time.perf_counter() - started_s) * 1000)
        return statistics.median(took_ms)

    def mails_when_all_is_told(self) -> int:
        """Return how many mails the server has once none waits and no thread is open."""
        for _ in range(40):
            if not self.store.threads.open():
                break
            # Nothing more is measured; not so long that this would be silence.
            self.clock.advance(60)
            self.service.evaluate()
            self.service.send()
        return self.server.count

    def close(self) -> None:
        """Stop the mail server and close the store."""
        self.server.stop()
        self.store.close()

    def _series(
        self, well: bool, answering: bool, mbits: float
    ) -> Iterator[CheckedSeries]:
        for line in self.inventory.lines:
            tags = {"building": line.building_id, "line": line.id}
            rate = {"rate_down_bps": mbits * 1e6}
            yield self._one("throughput", {**tags, "method": "tcp"}, rate)
            yield self._one("latency", tags, {"rtt_s": 0.01})
        failure = None if answering else FailureReason.NO_REPLY
        for device in self.inventory.devices:
            tags = {
                "building": device.building_id or FIRST_BUILDING,
                "device": device.id,
            }
            up = {"up": 1.0 if answering else None}
            yield self._one("device", tags, up, failure)
        for ap in self.inventory.access_points:
            tags = {"building": ap.building_id, "device": ap.controller_id, "ap": ap.id}
            yield self._one("wlan_ap", tags, {"up": float(well)})
        switches = [d for d in self.inventory.devices if d.kind is DeviceKind.SWITCH]
        for n in range(self.ports):
            switch = switches[n % len(switches)]
            tags = {
                "building": str(switch.building_id),
                "device": switch.id,
                "port": str(n // len(switches)),
            }
            yield self._one("lan_port", tags, {"oper_up": float(well)})

    def _one(
        self,
        kind: str,
        tags: dict[str, str],
        values: dict[str, float | None],
        failure: FailureReason | None = None,
    ) -> CheckedSeries:
        self._seq += 1
        return CheckedSeries(
            kind=kind,
            building_id=tags["building"],
            tags=tags,
            seq=[self._seq],
            ts=[to_ms(self.clock.now())],
            values={name: [value] for name, value in values.items()},
            failure=None if failure is None else [failure],
            info={},
            keep_rollups=False,
        )


def run(buildings: int, points: int, ports: int) -> dict[str, float]:
    """Return the figures of one run."""
    with tempfile.TemporaryDirectory() as folder:
        city = alerts_city(
            buildings,
            points,
            switches=-(-ports // PORTS_A_SWITCH),
            controllers=CONTROLLERS,
            districts=DISTRICTS,
        )
        bench = Bench(Path(folder), city, ports)
        bench.round(well=True, answering=True, mbits=240)
        bench.cpu_s = 0.0
        cycles_s = [
            bench.round(well=False, answering=True, mbits=40),
            bench.round(well=False, answering=True, mbits=40),
            bench.round(well=False, answering=True, mbits=40),
            bench.round(well=False, answering=False, mbits=40),
        ]
        storm_mails = bench.server.count
        cycles_s.append(bench.round(well=True, answering=True, mbits=240))
        idle_ms = bench.idle()
        # A line must be seen in order more than once.
        bench.round(well=True, answering=True, mbits=240)
        recovery_mails = bench.mails_when_all_is_told() - storm_mails
        bench.close()
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "storm_cycle_s": round(max(cycles_s), 3),
        "storm_cycle_cpu_s": round(bench.cpu_s, 3),
        "idle_cycle_ms": round(idle_ms, 2),
        "storm_mails": storm_mails,
        "recovery_mails": recovery_mails,
        "rss_mb": round(rss_mb, 1),
    }
