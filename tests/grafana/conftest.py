"""The dashboards' definition, and two real databases that the relay has filled.

One VictoriaMetrics and one InfluxDB a session, filled once from one store. What the
panels must answer is worked out by hand from what is put in here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards.own import own_reader
from netmon.clock import SystemClock, to_ms
from netmon.config import Settings, TsdbSettings
from netmon.coverage_record import CoverageRecorder
from netmon.demo.victoria import Victoria, is_installed
from netmon.errors import SendError
from netmon.inventory import content_hash, encode
from netmon.metrics import KINDS
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
from netmon.own_metrics import OWN_KINDS
from netmon.own_record import write_once
from netmon.relay import READER, Relay, RelaySettings
from netmon.storage.records import (
    AlarmState,
    CheckedBatch,
    CheckedSeries,
    Quarantined,
    Source,
    SourceKind,
    StateRow,
    Transition,
)
from netmon.storage.sqlite import SqliteStore
from netmon.storage.tsdb import InfluxSink, Sink, SinkHealth

MINUTE_MS = 60_000
Answer = dict[tuple[str, ...], float]


@pytest.fixture(scope="session")
def boards(repo_dir: Path) -> dict[str, dict[str, Any]]:
    """The dashboards as they are shipped, by language and name."""
    return {
        language: {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((repo_dir / "grafana" / language).glob("*.json"))
        }
        for language in ("promql", "influxql")
    }


# --- the city ----------------------------------------------------------------


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
    port = {"building": "a", "device": "a-sw", "port": "1"}
    for minutes, errors, rate_bps in ((125, 10.0, 1e6), (3, 15.0, 70e6)):
        values = {"in_errors_total": errors, "in_rate_bps": rate_bps}
        city.put("lan_port", port, [minutes], **values)
    port = {"building": "b", "device": "b-sw", "port": "1"}
    # Started anew: less than before is no fault.
    for minutes, errors in ((125, 900.0), (3, 2.0)):
        city.put("lan_port", port, [minutes], in_errors_total=errors)
    answers = {"up": 1.0, "uptime_s": 86_400.0}
    city.put("device", {"building": "a", "device": "a-sw"}, [4], **answers)
    silent = {"building": "b", "device": "b-sw"}
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
    is_bad = {(r, t): s is AlarmState.BAD for r, t, _, s in _STATES}
    rows = [
        StateRow(
            rule=rule,
            target=target,
            building_id=building,
            state=state,
            since_ms=now_ms - MINUTE_MS,
            updated_ms=now_ms - MINUTE_MS,
            incident_id=-1 if is_bad[rule, target] else None,
            memory=b"{}",
        )
        for rule, target, building, state in _STATES
    ]
    begun = [
        Transition(
            id=0,
            rule=row.rule,
            target=row.target,
            building_id=row.building_id,
            from_state=AlarmState.SUSPECT,
            to_state=AlarmState.BAD,
            at_ms=row.since_ms,
            incident_id=-1,
            evidence=b"{}",
        )
        for row in rows
        if row.state is AlarmState.BAD
    ]
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


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """Measured and made-up results, alarms, coverage and signs of life."""
    store = SqliteStore(tmp_path_factory.mktemp("city") / "state.sqlite3")
    now_ms = to_ms(SystemClock().now())
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
    yield Known(store, now_ms)
    store.close()


# --- the databases -----------------------------------------------------------


def _missing(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing in CI: {reason}")
    pytest.skip(reason)


def _variables(query: str, **picked: str) -> str:
    everything = {
        "generated": "^$",
        "building": ".*",
        "campus_district": ".*",
        "school_type": ".*",
        **picked,
    }
    for name, value in everything.items():
        query = query.replace(f"${name}", value)
    return query


class _PromQL:
    def __init__(self, victoria: Victoria, now_ms: int) -> None:
        self._victoria = victoria
        self._now_s = now_ms / 1000

    def ask(self, panel: Mapping[str, Any], **picked: str) -> dict[str, Answer]:
        """Return the last values of each legend by the values of its labels."""
        return {
            target["legendFormat"]: self._one(target, **picked)
            for target in panel["targets"]
        }

    def _one(self, target: Mapping[str, Any], **picked: str) -> Answer:
        query = _variables(target["expr"], **picked)
        assert re.search(r"\$\w", query) is None
        found: Answer = {}
        if target["range"]:
            series = self._victoria.query_range(
                query, self._now_s - 600, self._now_s, 60
            )
            samples = [(k, v[-1][1]) for k, v in series if v[-1][0] > self._now_s - 60]
        else:
            instant = self._victoria.query(query, self._now_s)
            samples = [(sample.labels, sample.value) for sample in instant]
        for labels, value in samples:
            key = tuple(labels[n] for n in sorted(labels) if n != "__name__")
            assert key not in found
            found[key] = value
        return found

    def values(self, definition: str, **picked: str) -> set[str]:
        """Return the values of a variable, as ``label_values()`` lists them."""
        selector, label = re.fullmatch(
            r"label_values\((.+), (\w+)\)", definition
        ).groups()  # type: ignore[union-attr]
        query = (
            f"count by ({label}) (last_over_time({_variables(selector, **picked)}[1h]))"
        )
        return {s.labels[label] for s in self._victoria.query(query, self._now_s)}


@pytest.fixture(scope="session")
def promql(known: Known, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_PromQL]:
    """A VictoriaMetrics with the city in it."""
    if not is_installed():
        _missing("no victoria-metrics on the PATH (Debian package victoria-metrics)")
    with Victoria(tmp_path_factory.mktemp("victoria")) as victoria:
        sink = InfluxSink(TsdbSettings(url=victoria.url), None)
        known.relay(sink)
        sink.close()
        victoria.flush()
        yield _PromQL(victoria, known.now_ms)


class _FirstInflux:
    """The relay's sink for InfluxDB 1.x before 1.8, which has no v2 write API."""

    def __init__(self, url: str) -> None:
        self._url = url

    def write(self, body: bytes) -> None:
        answer = httpx.post(f"{self._url}/write", params={"db": "netmon"}, content=body)
        if answer.status_code != 204:
            raise SendError(answer.text, permanent=True)

    def health(self) -> SinkHealth:
        return SinkHealth(None, {})

    def close(self) -> None:
        """Nothing is kept open."""


_INFLUX_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
"""


def _free_ports(count: int) -> list[int]:
    found = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in found]
    for server in found:
        server.close()
    return ports


class _InfluxQL:
    def __init__(self, url: str, now_ms: int) -> None:
        # One for all questions: each new one would read the machine's certificates.
        self._http = httpx.Client(base_url=url)
        self._now_ms = now_ms

    def close(self) -> None:
        self._http.close()

    def query(self, text: str) -> list[dict[str, Any]]:
        answer = self._http.get("/query", params={"db": "netmon", "q": text})
        (result,) = answer.json()["results"]
        assert "error" not in result, (text, result)
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def ask(self, panel: Mapping[str, Any], **picked: str) -> dict[str, Answer]:
        """Return the last values of each legend by the values of tags and columns."""
        found: dict[str, Answer] = {}
        for target in panel["targets"]:
            query = self._at(panel, target["query"], **picked)
            assert re.search(r"\$\w", query) is None, query
            alias = re.sub(r"\$tag_(\w+)", r"{{\1}}", target["alias"])
            is_table = target["resultFormat"] == "table"
            for column, key, value in self._rows(query):
                # Rows come in order of time: the last one counts.
                found.setdefault(column if is_table else alias, {})[key] = value
            if not is_table:
                found.setdefault(alias, {})
        return found

    def _rows(self, query: str) -> Iterator[tuple[str, tuple[str, ...], float]]:
        for series in self.query(query):
            for row in series["values"]:
                named = dict(zip(series["columns"], row, strict=True))
                named.pop("time")
                words = {k: v for k, v in named.items() if isinstance(v, str)}
                labels = {k: v for k, v in series.get("tags", {}).items() if v} | words
                key = tuple(labels[name] for name in sorted(labels))
                for name, value in named.items():
                    if isinstance(value, int | float):
                        yield name, key, float(value)

    def _at(self, panel: Mapping[str, Any], query: str, **picked: str) -> str:
        """Return the query as Grafana would send it at the time of the city."""
        (kind,) = set(re.findall(r'FROM "(\w+)"', query))
        valid_s = round({**KINDS, **OWN_KINDS}[kind].stale_after_s)
        begin, now = (
            datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            for ms in (self._now_ms - valid_s * 1000, self._now_ms)
        )
        query = query.replace(
            "time($__interval, now())", f"time({panel['interval']}, {self._now_ms}ms)"
        )
        query = query.replace("now()", f"'{now}'")
        span = f"time >= '{begin}' AND time <= '{now}'"
        return _variables(query.replace("$timeFilter", span), **picked)

    def values(self, definition: str, **picked: str) -> set[str]:
        """Return the values of a variable."""
        return {
            value
            for series in self.query(_variables(definition, **picked))
            for _, value in series["values"]
        }


@pytest.fixture(scope="session")
def influxql(
    known: Known, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_InfluxQL]:
    """An InfluxDB 1.x with the city in it; InfluxDB 2 answers the same InfluxQL."""
    binary = shutil.which("influxd")
    if binary is None:
        _missing("no influxd on the PATH (Debian package influxdb)")
    folder = tmp_path_factory.mktemp("influx")
    rpc, port = _free_ports(2)
    config = folder / "influxdb.conf"
    config.write_text(_INFLUX_CONFIG.format(rpc=rpc, http=port, folder=folder))
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(binary), "-config", str(config)], stdout=log, stderr=log
        )
    try:
        _wait_for(f"{url}/ping", process, folder / "log")
        httpx.post(f"{url}/query", params={"q": "CREATE DATABASE netmon"})
        known.relay(_FirstInflux(url))
        with closing(_InfluxQL(url, known.now_ms)) as asked:
            yield asked
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url).status_code == 204:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"influxd did not come up: {log.read_text(errors='replace')[-800:]}")
