"""A city with one line, a store, and probes that answer as a campaign asks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from netmon.clock import BERLIN, to_ms
from netmon.evidence.campaign import record_new
from netmon.evidence.ordering import CampaignOrder, start
from netmon.evidence.plan import free_hours
from netmon.ingest import check_batch, new_token, token_hash
from netmon.inventory import content_hash, encode
from netmon.model import (
    FailureReason,
    Inventory,
    Line,
    ProbeUnit,
)
from netmon.school_calendar import SchoolCalendar
from netmon.storage.campaign_records import Campaign
from netmon.storage.records import Source, SourceKind
from netmon.storage.sqlite import SqliteStore
from netmon.units import MBIT
from netmon.wire import Batch, Series
from tests.city import a_building, a_line

NOW_MS = to_ms(datetime(2026, 12, 1, 12, 0, tzinfo=BERLIN))
LINE_ID = "gs-31-l1"
SPOOL = "5" * 32

LINE = a_line(
    "gs-31",
    id=LINE_ID,
    provider="Netz & Söhne",
    normal_down_bps=84 * MBIT,
    normal_up_bps=33 * MBIT,
    minimum_down_bps=54 * MBIT,
)


def make_inventory(line: Line = LINE) -> Inventory:
    return Inventory(
        buildings=(
            a_building(
                "gs-31",
                name="Schule am Ostpark",
                street="Weg 3",
                city_district="Hörde",
            ),
        ),
        lines=(line,),
        probes=(ProbeUnit(id="gs-31-p1", building_id="gs-31", line_id=LINE_ID),),
    )


Rates = Callable[[int], float | FailureReason]


@dataclass
class School:
    """The building's probe: sends through the door what its line can do.

    ``down`` and ``up`` say by the measurement's number (from 0) the rate in bit/s,
    or why there is none.
    """

    store: SqliteStore
    inventory: Inventory = field(default_factory=make_inventory)
    down: Rates = lambda _: 93.0 * MBIT
    up: Rates = lambda _: 38.0 * MBIT
    seq: int = 0
    line_id: str = LINE_ID
    now_ms: int = NOW_MS

    def __post_init__(self) -> None:
        self.adopt(self.inventory)
        self.source: Source = self.store.sources.create(
            "gs-31-p1", SourceKind.PROBE, "gs-31", token_hash(new_token())
        )
        self.noise = random.Random(31)

    def adopt(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.store.inventories.save(content_hash(inventory), encode(inventory), NOW_MS)

    def line(self, **changes: Any) -> None:
        self.adopt(make_inventory(replace(LINE, **changes)))

    def begin(self, now_ms: int = NOW_MS, **more: Any) -> Campaign:
        """Start a campaign on a line that was measured before."""
        self.send("down", now_ms - 3_600_000, 90.0 * MBIT)
        wish = CampaignOrder(line_id=LINE_ID, from_ms=now_ms, author="Frau Ö", **more)
        return start(
            self.store,
            self.inventory,
            wish,
            now_ms=now_ms,
            allowed=free_hours(SchoolCalendar()),
        )

    def send(
        self,
        direction: str,
        at_ms: int,
        rate: float | FailureReason,
        *,
        campaign: str = "",
        source: Source | None = None,
        values: dict[str, float] | None = None,
        tags: dict[str, str] | None = None,
        building: str = "gs-31",
    ) -> None:
        """Send one record through the same checks as every probe's."""
        self.seq += 1
        name = {"campaign": campaign, "purpose": "campaign"} if campaign else {}
        failed = isinstance(rate, FailureReason)
        numbers = values or ({} if failed else self.numbers(direction, float(rate)))
        series = Series(
            kind="throughput",
            tags={
                "building": building,
                "line": LINE_ID,
                "method": "tcp-adaptive/2",
                "direction": direction,
                "basis": "router",
                "congestion": "bbr",
                **name,
                **(tags or {}),
            },
            seq=[self.seq],
            ts=[at_ms],
            values={key: [value] for key, value in numbers.items()},
            failure=[rate] if failed else None,
        )
        sender = source or self.source
        batch = Batch(sender.name, SPOOL, at_ms + 1000, [series])
        checked = check_batch(batch, sender, at_ms + 1000, lambda _: True)
        assert checked.quarantined == []
        self.store.measurements.write([checked])

    def numbers(self, direction: str, rate_bps: float) -> dict[str, float]:
        cross_bps = self.noise.uniform(0, 0.02) * rate_bps
        return {
            f"rate_{direction}_bps": rate_bps,
            f"rate_{direction}_low_bps": rate_bps * 0.995,
            f"rate_{direction}_high_bps": rate_bps * 1.005,
            f"capacity_{direction}_bps": rate_bps * 1500 / 1448,
            f"goodput_{direction}_bps": rate_bps - cross_bps,
            f"cross_{direction}_bps": cross_bps,
            "rtt_idle_s": 0.0112,
            "rtt_loaded_s": 0.043,
            "retransmitted_ratio": 0.0007,
            "port_speed_bps": 1e9,
            "loopback_ceiling_bps": 9.4e9,
            "cpu_busy_ratio": 0.21,
            "cpu_steal_ratio": 0.0,
            "probe_late_s": 0.0031,
            "clock_offset_s": -0.012,
        }

    def measure(self, campaign: Campaign, numbers: Sequence[int] = range(30)) -> None:
        """Answer planned measurements, both directions, some seconds late."""
        for number in numbers:
            at_ms = campaign.moments_ms[number] + 12_000
            self.send("down", at_ms, self.down(number), campaign=campaign.id)
            self.send("up", at_ms + 9_000, self.up(number), campaign=campaign.id)

    def record(self, campaign: Campaign, *, after_ms: int = 3_600_000) -> int:
        return record_new(self.store, campaign.moments_ms[-1] + after_ms)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "data" / "state.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def school(store: SqliteStore) -> School:
    return School(store)
