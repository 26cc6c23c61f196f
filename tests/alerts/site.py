"""A store with one source whose records arrive when told, and its engine."""

from __future__ import annotations

from datetime import UTC, datetime

from alerts.engine import Engine
from alerts.service import AlertService
from netmon.clock import ManualClock, to_ms
from netmon.config import AlertSettings, MailSettings, Settings
from netmon.inventory import content_hash, encode
from netmon.model import FailureReason, Inventory
from netmon.storage.current import CurrentInventory
from netmon.storage.records import (
    CheckedBatch,
    CheckedSeries,
    Source,
    SourceKind,
)
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts

START = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


SETTINGS = Settings(
    mail=MailSettings(recipients=("service@dortmund.example", "noc@dortmund.example")),
    alerts=AlertSettings(line_confirm_count=2, line_clear_count=1),
)


class Site:
    """A store with one source whose records arrive when told."""

    def __init__(self, store: SqliteStore, city: Inventory) -> None:
        self.store = store
        self.clock = ManualClock(START)
        self._seq = 0
        body = encode(city)
        store.inventories.save(content_hash(city), body, to_ms(START))
        self.source: Source = store.sources.create(
            "collector", SourceKind.COLLECTOR, None, "a" * 64
        )
        self.made_up: Source = store.sources.create(
            "history", SourceKind.COLLECTOR, None, "b" * 64, generated=True
        )

    def engine(self) -> Engine:
        inventory = CurrentInventory(self.store.inventories)
        return Engine(self.store, inventory, SETTINGS, self.clock)

    def service(self) -> AlertService:
        return AlertService(self.store, SETTINGS, self.clock, None, Texts("de"))

    def _series(
        self,
        kind: str,
        tags: dict[str, str],
        values: dict[str, list[float | None]],
        info: dict[str, str],
    ) -> CheckedSeries:
        (column, *_) = values.values()
        seq = [self._seq + 1 + i for i in range(len(column))]
        self._seq += len(column)
        return CheckedSeries(
            kind=kind,
            building_id=tags.get("building", "gs-07"),
            tags={"building": "gs-07", **tags},
            seq=seq,
            ts=[to_ms(self.clock.now())] * len(seq),
            values=values,
            failure=None,
            info=info,
            keep_rollups=False,
        )

    def _write(self, series: list[CheckedSeries], *, generated: bool = False) -> None:
        now_ms = to_ms(self.clock.now())
        batch = CheckedBatch(
            source=self.made_up if generated else self.source,
            spool="5" * 32,
            received_ms=now_ms,
            sent_ms=now_ms,
            agent="",
            series=series,
            quarantined=[],
        )
        self.store.measurements.write([batch])

    def lines(self, mbits: float, *, generated: bool = False) -> None:
        tags = {"line": "gs-07-main", "method": "tcp"}
        values: dict[str, list[float | None]] = {"rate_down_bps": [mbits * 1e6]}
        series = self._series("throughput", tags, values, {})
        self._write([series], generated=generated)

    def way(self, segment: str, said: float | FailureReason) -> None:
        """Let the probe tell of a segment of its way: a round trip, or a failure."""
        tags = {"line": "gs-07-main", "segment": segment}
        if isinstance(said, FailureReason):
            series = self._series("path", tags, {"rtt_s": [None]}, {})
            series.failure = [said]
        else:
            series = self._series("path", tags, {"rtt_s": [said]}, {})
        self._write([series])

    def aps(
        self,
        up: dict[str, float],
        info: dict[str, str] | None = None,
        *,
        building: str = "gs-07",
        generated: bool = False,
    ) -> None:
        """Let the controller report access points by their tag ``ap``."""
        series = [
            self._series(
                "wlan_ap",
                {"building": building, "device": "wlc-07", "ap": ap},
                {"up": [value]},
                info or {},
            )
            for ap, value in up.items()
        ]
        self._write(series, generated=generated)

    def modem(self, **values: float) -> None:
        """Let a modem tell of the main line."""
        tags = {"device": "rt-07", "line": "gs-07-main"}
        numbers: dict[str, list[float | None]] = {n: [v] for n, v in values.items()}
        self._write([self._series("line_dsl", tags, numbers, {})])

    def ports(self) -> None:
        tags = {"device": "sw-07", "port": "1"}
        self._write([self._series("lan_port", tags, {"oper_up": [1.0]}, {})])

    def outcome(self) -> tuple[object, ...]:
        """Everything that must not depend on how often the engine was killed."""
        alarms = self.store.alarms
        transitions = [
            (t.rule, t.target, t.from_state, t.to_state, t.at_ms, t.incident_id)
            for t in alarms.transitions_after(0)
        ]
        incidents = [(i.id, i.started_ms, i.ended_ms) for i in alarms.incidents()]
        mails = sorted(
            (m.message_id, m.recipient, m.subject) for m in self.store.outbox.mails()
        )
        return transitions, incidents, mails
