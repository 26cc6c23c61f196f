"""A small city, and what probes, collectors and alerts would write of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from netmon.clock import ManualClock, to_ms
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
    School,
    SchoolType,
    Technology,
)
from netmon.storage.records import (
    AlarmState,
    CheckedBatch,
    CheckedSeries,
    Quarantined,
    Source,
    SourceKind,
    Transition,
)
from netmon.storage.sqlite import SqliteStore
from netmon.units import MBIT
from tests.city import a_building, a_line, a_state, led_to


def make_building(
    building_id: str,
    name: str,
    school_type: SchoolType = SchoolType.GRUNDSCHULE,
    **changes: Any,
) -> Building:
    fields: dict[str, Any] = {
        "street": "Dollersweg 14",
        "postcode": "44319",
        "campus_district": "Asseln",
        "city_district": "Brackel",
        "latitude_deg": 51.53,
        "longitude_deg": 7.62,
        "wlan": Coverage.PARTIAL,
    }
    return a_building(
        building_id, name=name, school_type=school_type, **(fields | changes)
    )


def make_line(
    building_id: str,
    down_mbits: int,
    technology: Technology,
    role: LineRole = LineRole.MAIN,
) -> Line:
    return a_line(building_id, down_mbits, technology=technology, role=role)


def make_inventory() -> Inventory:
    types = SchoolType
    return Inventory(
        buildings=(
            make_building("b-ost", "Ostschule", street="Ostwall 1"),
            make_building("b-oest", "Östliche Schule", types.GYMNASIUM),
            make_building(
                "b-z10", "Schule 10", types.BERUFSKOLLEG, campus_district="Kirchlinde"
            ),
            make_building("b-z9", "Schule 9", types.REALSCHULE, pupils=300, classes=12),
            make_building("b-leer", "Anne-Frank-Schule", wlan=Coverage.UNKNOWN),
        ),
        schools=(
            School(
                id="123456",
                name="Immanuel-Kant-Gymnasium",
                school_type=types.GYMNASIUM,
                building_ids=("b-oest",),
            ),
        ),
        lines=(
            make_line("b-ost", 250, Technology.FIBRE),
            make_line("b-oest", 200, Technology.RADIO),
            make_line("b-oest", 100, Technology.VDSL, LineRole.BACKUP),
            make_line("b-z10", 1000, Technology.FIBRE),
            make_line("b-z9", 50, Technology.VDSL),
        ),
        devices=(
            Device(
                id="wlc-1",
                building_id="b-ost",
                kind=DeviceKind.CONTROLLER,
                name="Controller Ost",
                address="127.0.0.1:161",
            ),
            Device(
                id="sw-1",
                building_id="b-ost",
                kind=DeviceKind.SWITCH,
                name="Switch Ost",
                address="127.0.0.1:162",
                ports=24,
            ),
        ),
        access_points=tuple(
            AccessPoint(
                id=f"ost-{n}",
                building_id="b-ost",
                name=f"AP {n}",
                controller_id="wlc-1",
                serial=f"SN{n}",
                room_id="r-1",
            )
            for n in (1, 2, 3)
        ),
        rooms=(
            Room(
                id="r-1", building_id="b-ost", name="Aula", floor="EG", teaching=False
            ),
        ),
    )


def _bits(said: dict[str, float]) -> dict[str, float]:
    return {n: x * MBIT if n.endswith("_bps") else x for n, x in said.items()}


@dataclass
class City:
    """Writes into a store what probes, collectors and alerts would."""

    store: SqliteStore
    clock: ManualClock
    inventory: Inventory = field(default_factory=make_inventory)
    _seq: int = 0
    _sources: dict[str, Source] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.adopt(self.inventory)

    @property
    def now_ms(self) -> int:
        return to_ms(self.clock.now())

    def adopt(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.store.inventories.save(
            content_hash(inventory), encode(inventory), self.now_ms
        )

    def source(
        self, name: str, building_id: str | None = None, *, generated: bool = False
    ) -> Source:
        if name not in self._sources:
            kind = SourceKind.COLLECTOR if building_id is None else SourceKind.PROBE
            self._sources[name] = self.store.sources.create(
                name, kind, building_id, f"hash of {name}", generated=generated
            )
        return self._sources[name]

    def write(
        self,
        kind: str,
        building_id: str,
        tags: dict[str, str],
        *records: tuple[float, dict[str, float] | FailureReason],
        generated: bool = False,
        info: dict[str, str] | None = None,
        source: str | None = None,
        quarantined: int = 0,
    ) -> None:
        """Write records given as (age in s, numbers or a failure)."""
        names = {n for _, r in records if isinstance(r, dict) for n in r}
        failures = [r if isinstance(r, FailureReason) else None for _, r in records]
        first = self._seq + 1
        self._seq += len(records) + quarantined
        series = CheckedSeries(
            kind=kind,
            building_id=building_id,
            tags={"building": building_id, **tags},
            seq=list(range(first, first + len(records))),
            ts=[self.now_ms - round(age_s * 1000) for age_s, _ in records],
            values={
                name: [r.get(name) if isinstance(r, dict) else None for _, r in records]
                for name in names
            },
            failure=failures if any(failures) else None,
            info=info or {},
            keep_rollups=KINDS[kind].keep_rollups,
        )
        name = source or ("verlauf" if generated else "sammler")
        batch = CheckedBatch(
            source=self.source(name, generated=generated),
            spool="0" * 32,
            received_ms=self.now_ms,
            sent_ms=self.now_ms - 1500,
            agent="netmon/0.1.0",
            series=[series] if records else [],
            quarantined=[
                Quarantined(
                    seq=first + len(records) + n, reason="too large", record=b"{}"
                )
                for n in range(quarantined)
            ],
        )
        self.store.measurements.write([batch])

    def throughput(
        self,
        building_id: str,
        *records: tuple[float, tuple[float, float] | FailureReason],
        role: LineRole = LineRole.MAIN,
        generated: bool = False,
    ) -> None:
        """Write (age in s, (down, up) in Mbit/s or a failure)."""
        self.write(
            "throughput",
            building_id,
            {"line": f"{building_id}-{role}", "method": "tcp-plain/1"},
            *(
                (age_s, r)
                if isinstance(r, FailureReason)
                else (
                    age_s,
                    {"rate_down_bps": r[0] * MBIT, "rate_up_bps": r[1] * MBIT},
                )
                for age_s, r in records
            ),
            generated=generated,
        )

    def test(
        self,
        building_id: str,
        *records: tuple[float, dict[str, float] | FailureReason],
        method: str = "tcp-adaptive/2",
        direction: str = "down",
        basis: str = "router",
        purpose: str = "routine",
        role: LineRole = LineRole.MAIN,
    ) -> None:
        """Write records of one way to measure; rates are in Mbit/s."""
        self.write(
            "throughput",
            building_id,
            {
                "line": f"{building_id}-{role}",
                "method": method,
                "direction": direction,
                "basis": basis,
                "purpose": purpose,
            },
            *(
                (age_s, r if isinstance(r, FailureReason) else _bits(r))
                for age_s, r in records
            ),
        )

    def latency(
        self, building_id: str, *records: tuple[float, float], loss_ratio: float = 0.0
    ) -> None:
        """Write (age in s, round trip in ms)."""
        self.write(
            "latency",
            building_id,
            {"line": f"{building_id}-main"},
            *(
                (
                    age_s,
                    {"rtt_s": ms / 1000, "jitter_s": 0.001, "loss_ratio": loss_ratio},
                )
                for age_s, ms in records
            ),
        )

    def access_point(
        self,
        building_id: str,
        ap: str,
        clients: float,
        *,
        up: bool = True,
        age_s: float = 60.0,
        device: str = "wlc-1",
        generated: bool = False,
        **info: str,
    ) -> None:
        """Write what a controller says; ``ap`` is the planned id or device/name."""
        self.write(
            "wlan_ap",
            building_id,
            {"device": device, "ap": ap},
            (age_s, {"up": float(up), "clients_count": clients}),
            generated=generated,
            info={"name": ap.rpartition("/")[2], **info},
        )

    def state(
        self,
        rule: str,
        target: str,
        building_id: str,
        state: AlarmState,
        *,
        age_s: float = 600.0,
        **evidence: object,
    ) -> int | None:
        """Store a state; BAD opens an incident, whose id is returned."""
        at_ms = self.now_ms - round(age_s * 1000)
        row = a_state(rule, target, building_id, state, at_ms, self.now_ms)
        change = led_to(row, **evidence)
        stored = self.store.alarms.commit(
            [row], [change], reader="alerts", position=0, now_ms=self.now_ms
        )
        return stored[0].incident_id

    def line_state(
        self,
        building_id: str,
        state: AlarmState,
        *,
        rule: str = "line_below_target",
        age_s: float = 600.0,
        **evidence: object,
    ) -> int | None:
        target = f"line:{building_id}-main"
        return self.state(rule, target, building_id, state, age_s=age_s, **evidence)

    def end_incident(self, incident_id: int, rule: str, target: str, b: str) -> None:
        change = Transition(
            id=0,
            rule=rule,
            target=target,
            building_id=b,
            from_state=AlarmState.BAD,
            to_state=AlarmState.OK,
            at_ms=self.now_ms,
            incident_id=incident_id,
            evidence=b"{}",
        )
        self.store.alarms.commit(
            [], [change], reader="alerts", position=0, now_ms=self.now_ms
        )

    def all_alive(self) -> None:
        for process in ("ingest", "alerts", "relay"):
            self.store.heartbeats.beat(process, self.now_ms, {})
