"""What sinks are to be told of incidents, on SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from netmon.errors import StorageError
from netmon.storage.database import Database
from netmon.storage.delivery_records import Delivery
from netmon.storage.records import Incident, MailEvent

_TOLD = (
    "SELECT i.id, i.rule, i.target, i.building_id, i.started_ms, i.ended_ms, "
    "i.evidence FROM thread_members AS m JOIN incidents AS i ON i.id = m.incident_id "
)


_DELIVERY = ", ".join(Delivery.__struct_fields__)


class SqliteDeliveries:
    """`netmon.storage.ports.DeliveryStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def told_open(self) -> list[Incident]:
        """Return open incidents that people were told of; see the port."""
        with self._database.reading() as connection:
            sql = f"{_TOLD}WHERE i.ended_ms IS NULL ORDER BY i.id"
            rows = connection.execute(sql).fetchall()
        return [
            Incident(**dict(zip(Incident.__struct_fields__, r, strict=True)))
            for r in rows
        ]

    def plan(self, sink: str, since_ms: int, now_ms: int) -> int:
        """Add what the sink has still to be told; see the port."""
        columns = "(sink, incident_id, event, created_ms, next_try_ms)"
        with self._database.transaction() as connection:
            alarms = connection.execute(
                f"INSERT INTO sink_events {columns} "  # noqa: S608
                "SELECT ?, m.incident_id, ?, ?, ? FROM thread_members AS m "
                "JOIN incidents AS i ON i.id = m.incident_id WHERE m.added_ms >= ? "
                "ON CONFLICT DO NOTHING",
                (sink, MailEvent.ALARM, now_ms, now_ms, since_ms),
            )
            ends = connection.execute(
                f"INSERT INTO sink_events {columns} "  # noqa: S608
                "SELECT d.sink, d.incident_id, ?, ?, ? FROM sink_events AS d "
                "JOIN incidents AS i ON i.id = d.incident_id "
                "WHERE d.sink = ? AND d.event = ? AND i.ended_ms IS NOT NULL "
                "AND NOT EXISTS (SELECT 1 FROM sink_events AS e WHERE e.sink = d.sink "
                "AND e.incident_id = d.incident_id AND e.event = ?)",
                (
                    MailEvent.RECOVERY,
                    now_ms,
                    now_ms,
                    sink,
                    MailEvent.ALARM,
                    MailEvent.RECOVERY,
                ),
            )
            return alarms.rowcount + ends.rowcount

    def due(self, sink: str, now_ms: int, limit: int = 50) -> list[Delivery]:
        """Return what is to be delivered now; see the port."""
        rows = self._database.rows(
            f"SELECT {_DELIVERY} FROM sink_events AS d WHERE sink = ? "  # noqa: S608
            "AND sent_ms IS NULL AND next_try_ms <= ? "
            # The end waits for its beginning: a ticket is closed after it is opened.
            "AND NOT EXISTS (SELECT 1 FROM sink_events AS o WHERE o.sink = d.sink "
            "AND o.incident_id = d.incident_id AND o.event < d.event "
            "AND o.sent_ms IS NULL) ORDER BY incident_id, event LIMIT ?",
            sink,
            now_ms,
            limit,
        )
        return [_delivery(row) for row in rows]

    def done(
        self, sink: str, incident_id: int, event: MailEvent, now_ms: int, reference: str
    ) -> None:
        """Mark an event as taken; see the port."""
        self._update(
            "sent_ms = ?, reference = ?, last_error = '', attempts = attempts + 1",
            (now_ms, reference),
            (sink, incident_id, event),
        )

    def failed(
        self,
        sink: str,
        incident_id: int,
        event: MailEvent,
        error: str,
        next_try_ms: int,
    ) -> None:
        """Count a failed try and set the next one; see the port."""
        self._update(
            "next_try_ms = ?, last_error = ?, attempts = attempts + 1",
            (next_try_ms, error),
            (sink, incident_id, event),
        )

    def hurry(self, now_ms: int) -> None:
        """Make all that waits for its next try due now; see the port."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE sink_events SET next_try_ms = ? "
                "WHERE sent_ms IS NULL AND next_try_ms > ?",
                (now_ms, now_ms),
            )

    def last_error(self, sink: str) -> str:
        """Return why the oldest event that waits was not taken; see the port."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT last_error FROM sink_events WHERE sink = ? "
                "AND sent_ms IS NULL AND last_error != '' "
                "ORDER BY created_ms, incident_id LIMIT 1",
                (sink,),
            ).fetchone()
        return "" if row is None else str(row[0])

    def reference_of(self, incident_id: int) -> str:
        """Return the number that a sink gave an incident; see the port."""
        row = self._database.row(
            "SELECT reference FROM sink_events WHERE incident_id = ? "
            "AND reference != '' ORDER BY sink, event LIMIT 1",
            incident_id,
        )
        return "" if row is None else str(row[0])

    def waiting_count(self, sink: str) -> int:
        """Return how many events the sink has not taken yet."""
        (row,) = self._database.rows(
            "SELECT count(*) FROM sink_events WHERE sink = ? AND sent_ms IS NULL",
            sink,
        )
        return int(row[0])

    def _update(
        self, what: str, values: Sequence[object], key: Sequence[object]
    ) -> None:
        with self._database.transaction() as connection:
            cursor = connection.execute(
                f"UPDATE sink_events SET {what} "  # noqa: S608
                "WHERE sink = ? AND incident_id = ? AND event = ?",
                (*values, *key),
            )
            if cursor.rowcount != 1:
                raise StorageError(f"there is no delivery {tuple(key)}")


def _delivery(row: Sequence[object]) -> Delivery:
    fields = dict(zip(Delivery.__struct_fields__, row, strict=True))
    fields["event"] = MailEvent(str(fields["event"]))
    return Delivery(**fields)  # type: ignore[arg-type]
