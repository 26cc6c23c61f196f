"""A small city: what was measured there, what was decided, and its place in a store.

All that the panels must show is worked out by hand from what is put in here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboards.own import own_reader
from netmon.clock import SystemClock
from netmon.config import Settings, TsdbSettings
from netmon.coverage_record import CoverageRecorder
from netmon.inventory import content_hash, encode
from netmon.model import (
    AccessPoint,
    Building,
    Coverage,
    Device,
    DeviceKind,
    FailureReason,
    Inventory,
    Line,
    LineRole,
    Room,
    SchoolType,
    Socket,
    Technology,
)
from netmon.own_record import write_once
from netmon.relay import READER, Relay, RelaySettings
from netmon.storage.records import (
    AlarmState,
    CheckedBatch,
    CheckedSeries,
    Quarantined,
    Source,
    SourceKind,
)
from netmon.storage.sqlite import SqliteStore
from netmon.storage.tsdb import Sink
from tests.city import a_state, led_to

MINUTE_MS = 60_000


class _City:
    """Writes records at minutes before now into a store."""

    def __init__(self, store: SqliteStore, now_ms: int) -> None:
        self.store = store
        self._now_ms = now_ms
        self._seq = 0
        self._sources: dict[bool, Source] = {
            made_up: store.sources.create(
                f"source-{made_up}",
                SourceKind.COLLECTOR,
                None,
                str(int(made_up)) * 64,
                generated=made_up,
            )
            for made_up in (False, True)
        }

    def put(
        self,
        kind: str,
        tags: Mapping[str, str],
        minutes_ago: Sequence[float],
        *,
        generated: bool = False,
        failure: Sequence[FailureReason] | None = None,
        source: Source | None = None,
        **values: float,
    ) -> None:
        count = len(minutes_ago)
        seq = [self._seq + 1 + i for i in range(count)]
        self._seq += count
        series = CheckedSeries(
            kind=kind,
            building_id=tags.get("building", ""),
            tags=dict(tags),
            seq=seq,
            ts=[self._now_ms - round(m * MINUTE_MS) for m in minutes_ago],
            values={name: [value] * count for name, value in values.items()},
            failure=None if failure is None else list(failure),
            info={},
            keep_rollups=False,
        )
        batch = CheckedBatch(
            source=source or self._sources[generated],
            spool="0" * 32,
            received_ms=self._now_ms if source is None else max(series.ts),
            # Half a second before the centre's clock.
            sent_ms=self._now_ms if source is None else max(series.ts) - 500,
            agent="" if source is None else "netmon/1",
            series=[series],
            quarantined=[],
        )
        self.store.measurements.write([batch])

    def quarantine(self) -> None:
        """Set one record aside."""
        bad = Quarantined(seq=1, reason="no kind of ours", record=b"{}")
        batch = CheckedBatch(
            source=self._sources[False],
            spool="1" * 32,
            received_ms=self._now_ms,
            sent_ms=self._now_ms,
            agent="",
            series=[],
            quarantined=[bad],
        )
        self.store.measurements.write([batch])


def _fill(city: _City) -> None:
    def line(building: str, name: str, **more: str) -> dict[str, str]:
        return {"building": building, "line": name, **more}

    tcp = {"method": "tcp"}
    city.put(
        "throughput",
        line("a", "a-main", **tcp),
        [60, 1],
        rate_down_bps=250e6,
        rate_up_bps=40e6,
        rtt_loaded_s=0.08,
        cpu_busy_ratio=0.6,
    )
    city.put("throughput", line("a", "a-backup", **tcp), [5], rate_down_bps=50e6)
    # Below the target: tells nothing of whether it is reached.
    bounds = {"at_least_down_bps": 45e6, "at_least_up_bps": 9e6}
    city.put("throughput", line("a", "a-backup", method="tcp-floor/2"), [3], **bounds)
    city.put("dns", line("a", "a-main"), [2], duration_s=0.02)
    city.put("throughput", line("b", "b-main", **tcp), [2], rate_down_bps=60e6)
    city.put(
        "throughput", line("b", "b-main", method="adaptive"), [3], rate_down_bps=40e6
    )
    # What spoke last counts: a line that fell, one that healed, one only proven.
    full, floor = {"method": "tcp-adaptive/2"}, {"method": "tcp-floor/2"}
    for name, purpose, minutes, rate_bps in (
        ("fell", "routine", 100, 110e6),
        ("fell", "confirmation", 5, 55e6),
        ("healed", "routine", 100, 45e6),
    ):
        tags = line(name, f"{name}-main", purpose=purpose, **full)
        city.put("throughput", tags, [minutes], rate_down_bps=rate_bps)
    for name, bound_bps in (("healed", 104e6), ("proven", 104e6), ("fell", 30e6)):
        tags = line(name, f"{name}-main", **floor)
        city.put("throughput", tags, [4], at_least_down_bps=bound_bps)
    city.put("throughput", line("old", "old-main", **tcp), [181], rate_down_bps=10e6)
    city.put(
        "throughput",
        line("made-up", "made-up-main", **tcp),
        [10],
        generated=True,
        rate_down_bps=20e6,
    )
    city.put(
        "throughput",
        line("c", "c-main", **tcp),
        [90, 50, 30, 10, 5],
        failure=[FailureReason.TIMEOUT] * 4 + [FailureReason.DNS],
    )
    for building, name, rtt_s, loss in (
        ("a", "a-main", 0.010, 0.0),
        ("a", "a-backup", 0.030, 0.1),
        ("b", "b-main", 0.050, 0.2),
    ):
        values = {"rtt_s": rtt_s, "loss_ratio": loss}
        city.put("latency", line(building, name), [6, 1], **values)
    city.put("latency", line("old", "old-main"), [16], rtt_s=9.0, loss_ratio=1.0)
    for building, name, minutes, up, clients in (
        ("a", "ap-1", 4, 1.0, 12.0),
        ("a", "ap-2", 4, 0.0, 0.0),
        ("b", "ap-1", 4, 1.0, 30.0),
        ("b", "ap-old", 20, 0.0, 99.0),
    ):
        tags = {"building": building, "device": "wlc", "ap": name}
        uplink_bps = 100e6 if (building, name) == ("b", "ap-1") else 1e9
        values = {"up": up, "clients_count": clients, "uplink_speed_bps": uplink_bps}
        city.put("wlan_ap", tags, [minutes], **values)
    for building, busy, again in (("a", 0.8, 0.1), ("b", 0.3, 0.25)):
        tags = {"building": building, "device": "wlc", "ap": "ap-1", "radio": "0"}
        values = {"utilisation_ratio": busy, "retries_ratio": again}
        city.put("wlan_radio", tags, [4], **values)
    counted = {"aps_count": 4.0, "listed_aps_count": 3.0}
    city.put("wlan_controller", {"building": "a", "device": "wlc"}, [4], **counted)
    for number, (probe, minutes_ago) in enumerate(
        (("p-a", [90, 30, 3]), ("p-b", [130, 120]), ("p-c", [8 * 24 * 60]))
    ):
        source = city.store.sources.create(
            probe, SourceKind.PROBE, probe[-1], f"{number + 2}" * 64
        )
        tags = {"building": probe[-1], "probe": probe}
        values = {"spool_records_count": 1.0 + number, "spool_dropped_total": 5.0}
        for each in minutes_ago:
            city.put("probe_health", tags, [each], source=source, **values)


UNKNOWN = Coverage.UNKNOWN
BUILDINGS = ("a", "b", "c", "made-up", "fell", "healed", "proven", "old")
DISTRICTS = {"a": 1, "b": 1, "c": 3, "made-up": 3, "old": 3}


def _building(name: str, lan: Coverage, wlan: Coverage) -> Building:
    is_gymnasium = name == "b"
    return Building(
        id=name,
        name=f"Schule {name}",
        school_type=SchoolType.GYMNASIUM if is_gymnasium else SchoolType.GRUNDSCHULE,
        street="S",
        postcode="44137",
        city="Dortmund",
        campus_district=f"Campusbezirk {DISTRICTS.get(name, 2)}",
        city_district="D",
        latitude_deg=51.5 + len(name) / 100,
        longitude_deg=7.4 + len(name) / 100,
        lan=lan,
        wlan=wlan,
    )


def _line(line_id: str, building: str, role: LineRole = LineRole.MAIN) -> Line:
    """A fibre of 1 Gbit/s; 50 Mbit/s over copper at "healed" and as backup."""
    is_slow = building == "healed" or role is LineRole.BACKUP
    return Line(
        id=line_id,
        building_id=building,
        role=role,
        technology=Technology.VDSL if is_slow else Technology.FIBRE,
        contracted_down_bps=50_000_000 if is_slow else 1_000_000_000,
        contracted_up_bps=10_000_000 if is_slow else 200_000_000,
        provider="P",
    )


def _inventory() -> Inventory:
    """Four rooms at "a", two each elsewhere; of "c" there is no list of anything."""
    rooms = [("a", 4), ("b", 2), ("c", 2), ("made-up", 2)]
    sockets = {
        **{f"a-{n}": ("a-sw", f"{n}") for n in range(1, 5)},
        "b-1": ("b-sw", "1"),
        # Nobody hears of this switch.
        "b-2": ("b-silent", "1"),
        "made-up-1": ("made-up-sw", "1"),
    }
    planned = [("a", "ap-1", "a-1"), ("a", "ap-2", "a-2"), ("b", "ap-1", "b-1")]
    return Inventory(
        buildings=(
            _building("a", Coverage.FULL, Coverage.PARTIAL),
            _building("b", Coverage.FULL, Coverage.FULL),
            _building("c", Coverage.FULL, Coverage.UNKNOWN),
            _building("made-up", Coverage.FULL, Coverage.FULL),
            *(_building(name, UNKNOWN, UNKNOWN) for name in BUILDINGS[4:]),
        ),
        lines=(
            *(_line(f"{x}-main", x) for x in BUILDINGS),
            _line("a-backup", "a", LineRole.BACKUP),
        ),
        devices=(
            Device(
                id="wlc",
                building_id="a",
                kind=DeviceKind.CONTROLLER,
                name="WLC",
                address="demo.invalid:161",
            ),
        ),
        rooms=tuple(
            Room(id=f"{b}-{n}", building_id=b, name=f"{n}", floor="EG", teaching=True)
            for b, count in rooms
            for n in range(1, count + 1)
        ),
        sockets=tuple(
            Socket(room_id=room, name="1", switch_id=switch, switch_port=port)
            for room, (switch, port) in sockets.items()
        ),
        access_points=tuple(
            AccessPoint(
                id=ap, building_id=b, name=ap, room_id=room, controller_id="wlc"
            )
            for b, ap, room in planned
        ),
    )


def _fill_ports(city: _City) -> None:
    for building, port, on, generated in (
        ("a", "1", 1.0, False),
        ("a", "2", 1.0, False),
        ("a", "3", 1.0, False),
        ("a", "4", 0.0, False),
        ("b", "1", 1.0, False),
        ("made-up", "1", 1.0, True),
    ):
        tags = {"building": building, "device": f"{building}-sw", "port": port}
        values = {"admin_up": on, "oper_up": on, "poe_w": 5.0 * on}
        # Port 4 is slow as well, but nobody is at it.
        values |= {"speed_bps": 100e6 if port in "34" else 1e9}
        city.put("lan_port", tags, [4], generated=generated, **values)
    used = {"admin_up": 1.0, "oper_up": 1.0, "poe_w": 5.0, "speed_bps": 1e9}
    port = {"building": "a", "device": "a-sw", "port": "1"}
    for minutes, errors, rate_bps in ((125, 10.0, 1e6), (3, 15.0, 70e6)):
        values = {"in_errors_total": errors, "in_rate_bps": rate_bps, **used}
        city.put("lan_port", port, [minutes], **values)
    port = {"building": "b", "device": "b-sw", "port": "1"}
    # Started anew: less than before is no fault.
    for minutes, errors in ((125, 900.0), (3, 2.0)):
        city.put("lan_port", port, [minutes], in_errors_total=errors, **used)
    answers = {"up": 1.0, "uptime_s": 86_400.0}
    city.put("device", {"building": "a", "device": "a-sw"}, [4], **answers)
    silent = {"building": "b", "device": "b-router"}
    city.put("device", silent, [14], **answers)
    city.put("device", silent, [4], failure=[FailureReason.NO_REPLY])
    city.quarantine()
    figures = {"devices_count": 3.0, "silent_devices_count": 1.0, "timeouts_total": 7.0}
    city.put("collector_health", {"collector": "main"}, [1], **figures)


# What the alarm machine has decided; all others it has no state for.
_STATES = (
    ("line_below_target", "line:a-main", "a", AlarmState.OK),
    ("line_below_target", "line:a-backup", "a", AlarmState.OK),
    ("line_below_target", "line:b-main", "b", AlarmState.BAD),
    ("line_below_target", "line:fell-main", "fell", AlarmState.SUSPECT),
    ("line_below_target", "line:healed-main", "healed", AlarmState.OK),
    ("line_below_target", "line:proven-main", "proven", AlarmState.OK),
    ("line_below_target", "line:made-up-main", "made-up", AlarmState.OK),
    ("no_data", "line:c-main", "c", AlarmState.BAD),
    ("ap_down", "ap:ap-1", "a", AlarmState.OK),
    ("ap_down", "ap:ap-2", "a", AlarmState.BAD),
)


def _decide(store: SqliteStore, now_ms: int) -> None:
    began_ms = now_ms - MINUTE_MS
    rows = [a_state(*each, began_ms) for each in _STATES]
    begun = [led_to(row) for row in rows if row.state is AlarmState.BAD]
    store.alarms.commit(rows, begun, reader="alerts", position=0, now_ms=now_ms)


class Known:
    """The store of the city, the time of it, and how it goes into a database."""

    def __init__(self, store: SqliteStore, now_ms: int) -> None:
        self.store = store
        self.now_ms = now_ms
        self.settings = Settings(tsdb=TsdbSettings(url="http://tsdb.invalid"))

    def relay(self, sink: Sink) -> None:
        """Fill a database: everything measured, and what netmon says itself."""
        self.store.cursors.set(READER, 0, 0, "")
        relay = Relay(self.store, sink, SystemClock(), RelaySettings(settle_s=0.0))
        assert relay.run_once().lines > 50
        read = own_reader(self.store, self.settings)
        assert write_once(sink, read, self.now_ms - MINUTE_MS // 2) > 20


def build(store: SqliteStore, now_ms: int) -> Known:
    """Put the city into an empty store."""
    inventory = _inventory()
    store.inventories.save(content_hash(inventory), encode(inventory), now_ms)
    city = _City(store, now_ms)
    _fill(city)
    _fill_ports(city)
    _decide(store, now_ms)
    CoverageRecorder(store).record(now_ms - MINUTE_MS)
    figures = {"backlog_chunks": 3.0, "send_errors_total": 2.0}
    store.heartbeats.beat("relay", now_ms - 40_000, figures)
    store.heartbeats.beat("ingest", now_ms - 40_000, {})
    return Known(store, now_ms)
