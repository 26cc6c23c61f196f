"""The dashboard, its generator, and a VictoriaMetrics the relay has filled."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from netmon.clock import SystemClock, to_ms
from netmon.config import TsdbSettings
from netmon.coverage_record import CoverageRecorder
from netmon.demo.victoria import Victoria, is_installed
from netmon.inventory import content_hash, encode
from netmon.model import (
    AccessPoint,
    Building,
    Coverage,
    Device,
    DeviceKind,
    FailureReason,
    Inventory,
    Room,
    SchoolType,
    Socket,
)
from netmon.relay import Relay, RelaySettings
from netmon.storage.records import CheckedBatch, CheckedSeries, Source, SourceKind
from netmon.storage.sqlite import SqliteStore
from netmon.storage.tsdb import InfluxSink

MINUTE_MS = 60_000


@pytest.fixture(scope="session")
def generator(repo_dir: Path) -> Iterator[ModuleType]:
    """The script, loaded without being on the path."""
    path = repo_dir / "tools" / "make_grafana.py"
    spec = importlib.util.spec_from_file_location("make_grafana_under_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="session")
def city(repo_dir: Path) -> dict[str, Any]:
    """The dashboard as it is shipped."""
    path = repo_dir / "grafana" / "dashboards" / "city.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


class Filled:
    """A VictoriaMetrics with a known city in it, asked at a fixed moment."""

    def __init__(self, victoria: Victoria, now_ms: int) -> None:
        self.victoria = victoria
        self.now_ms = now_ms

    def ask(
        self, query: str, *, generated: str = "^$", building: str = ".*"
    ) -> dict[tuple[str, ...], float]:
        """Return the values of a panel's query by the values of its labels."""
        for name, value in (("generated", generated), ("building", building)):
            query = query.replace(f"${name}", value)
        assert re.search(r"\$\w", query) is None
        found = {}
        for sample in self.victoria.query(query, self.now_ms / 1000):
            labels = {k: v for k, v in sample.labels.items() if k != "__name__"}
            key = tuple(labels[name] for name in sorted(labels))
            assert key not in found
            found[key] = sample.value
        return found


class _City:
    """Writes records at minutes before now into a store."""

    def __init__(self, store: SqliteStore, now_ms: int) -> None:
        self._store = store
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
        **values: float,
    ) -> None:
        count = len(minutes_ago)
        seq = [self._seq + 1 + i for i in range(count)]
        self._seq += count
        series = CheckedSeries(
            kind=kind,
            building_id=tags["building"],
            tags=dict(tags),
            seq=seq,
            ts=[self._now_ms - round(m * MINUTE_MS) for m in minutes_ago],
            values={name: [value] * count for name, value in values.items()},
            failure=None if failure is None else list(failure),
            info={},
            keep_rollups=False,
        )
        batch = CheckedBatch(
            source=self._sources[generated],
            spool="0" * 32,
            received_ms=self._now_ms,
            sent_ms=self._now_ms,
            agent="",
            series=[series],
            quarantined=[],
        )
        self._store.measurements.write([batch])


def _fill(city: _City) -> None:
    def line(building: str, name: str, **more: str) -> dict[str, str]:
        return {"building": building, "line": name, **more}

    tcp = {"method": "tcp"}
    city.put("throughput", line("a", "a-main", **tcp), [60, 1], rate_down_bps=250e6)
    city.put("throughput", line("a", "a-backup", **tcp), [5], rate_down_bps=50e6)
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
        city.put("wlan_ap", tags, [minutes], up=up, clients_count=clients)
    for probe, minutes_ago in (
        ("p-a", [90, 30, 3]),
        ("p-b", [130, 120]),
        ("p-c", [8 * 24 * 60]),
    ):
        tags = {"building": probe[-1], "probe": probe}
        city.put("probe_health", tags, minutes_ago, spool_records_count=1.0)


def _building(name: str, lan: Coverage, wlan: Coverage) -> Building:
    return Building(
        id=name,
        name=name,
        school_type=SchoolType.GRUNDSCHULE,
        street="S",
        postcode="44137",
        city="Dortmund",
        campus_district="C",
        city_district="D",
        latitude_deg=51.5,
        longitude_deg=7.4,
        lan=lan,
        wlan=wlan,
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
        city.put("lan_port", tags, [4], generated=generated, admin_up=on)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Real store, real relay, real database."""
    if not is_installed():
        reason = "no victoria-metrics on the PATH (Debian package victoria-metrics)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing in CI: {reason}")
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("grafana")
    now_ms = to_ms(SystemClock().now())
    store = SqliteStore(folder / "state.sqlite3")
    city = _City(store, now_ms)
    _fill(city)
    _fill_ports(city)
    inventory = _inventory()
    store.inventories.save(content_hash(inventory), encode(inventory), now_ms)
    CoverageRecorder(store).record(now_ms - MINUTE_MS)
    with Victoria(folder / "victoria") as victoria:
        sink = InfluxSink(TsdbSettings(url=victoria.url), None)
        relay = Relay(store, sink, SystemClock(), RelaySettings(settle_s=0.0))
        assert relay.run_once().lines > 20
        sink.close()
        victoria.flush()
        yield Filled(victoria, now_ms)
    store.close()
