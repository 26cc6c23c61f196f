"""Covered rooms of a year that was frozen, out of a store that goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from netmon.clock import SystemClock, to_ms
from netmon.inventory import content_hash, encode
from netmon.model import Coverage, Inventory, Room, SchoolType, Socket, Technology
from netmon.report import encode_year, freeze
from netmon.storage.action_records import Actor, AuditAction, Via
from netmon.storage.records import CheckedBatch, CheckedSeries, Snapshot, SourceKind
from netmon.storage.sqlite import SqliteStore

FULL, UNKNOWN = Coverage.FULL, Coverage.UNKNOWN
NOW = datetime(2025, 12, 31, 22, 59, tzinfo=UTC)


class _School:
    """One building whose four rooms hang on a switch that tells of its ports."""

    def __init__(self, path: Path, make_city: Callable[..., Inventory]) -> None:
        self.store = SqliteStore(path)
        self._seq = 0
        self._source = self.store.sources.create(
            "collector", SourceKind.COLLECTOR, None, "0" * 64
        )
        site = (SchoolType.GYMNASIUM, Technology.FIBRE, 1000, FULL, UNKNOWN)
        rooms = tuple(
            Room(id=f"r{n}", building_id="b0", name=f"{n}", floor="EG", teaching=True)
            for n in range(4)
        )
        sockets = tuple(
            Socket(room_id=f"r{n}", name="1", switch_id="sw", switch_port=f"{n}")
            for n in range(4)
        )
        inventory = replace(make_city([site]), rooms=rooms, sockets=sockets)
        self.store.inventories.save(content_hash(inventory), encode(inventory), 0)

    def tell(self, *enabled: bool) -> None:
        now_ms = to_ms(SystemClock().now())
        series = []
        for port, on in enumerate(enabled):
            self._seq += 1
            series.append(
                CheckedSeries(
                    kind="lan_port",
                    building_id="b0",
                    tags={"building": "b0", "device": "sw", "port": f"{port}"},
                    seq=[self._seq],
                    ts=[now_ms],
                    values={"admin_up": [float(on)]},
                    failure=None,
                    info={},
                    keep_rollups=False,
                )
            )
        batch = CheckedBatch(
            source=self._source,
            spool="0" * 32,
            received_ms=now_ms,
            sent_ms=now_ms,
            agent="",
            series=series,
            quarantined=[],
        )
        self.store.measurements.write([batch])


@pytest.fixture
def school(tmp_path: Path, make_city: Callable[..., Inventory]) -> Iterator[_School]:
    made = _School(tmp_path / "var" / "state.sqlite3", make_city)
    yield made
    made.store.close()


def test_what_changes_later_does_not_change_a_frozen_year(
    school: _School, report_command: Callable[..., int], tmp_path: Path
) -> None:
    def exported(name: str, year: int) -> dict[str, bytes]:
        folder = tmp_path / name
        assert report_command("annual", "--year", year, "--out", folder) == 0
        # Only files for people say whether the year is frozen, and since when.
        return {path.name: path.read_bytes() for path in folder.glob("*.csv")}

    school.tell(True, True, True, False)
    before = exported("provisional", 2025)
    assert report_command("freeze", "--year", 2025, "--force") == 0
    assert exported("frozen", 2025) == before
    assert (
        b"b0,B,Gymnasium,lan,full,partial,4,3,0,0.75,0.75\n"
        in (before["contradictions.csv"])
    )
    school.tell(True, True, True, True)
    assert exported("later", 2025) == before
    now = exported("next", 2026)
    assert b"Gymnasium,1,0,4,4,0,1.0,1.0," in now["rooms.csv"]
    assert now["contradictions.csv"].count(b"\n") == 1


def test_a_year_frozen_before_rooms_were_counted_says_so(
    school: _School,
    report_command: Callable[..., int],
    make_city: Callable[..., Inventory],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site = (SchoolType.GYMNASIUM, Technology.FIBRE, 1000, FULL, UNKNOWN)
    old = freeze(make_city([site]), 2025, NOW, inventory_sha256="abc")
    school.store.snapshots.save(
        Snapshot(
            year=2025,
            frozen_ms=old.frozen_ms,
            sha256=old.sha256,
            body=encode_year(old),
        ),
        Actor("ada", Via.SHELL),
        AuditAction.YEAR_FROZEN,
    )
    school.tell(True, True, True, True)
    assert report_command("annual", "--year", 2025, "--out", tmp_path / "r") == 0
    assert "bevor netmon die Räume zählte" in capsys.readouterr().out
    assert not (tmp_path / "r" / "rooms.csv").exists()
