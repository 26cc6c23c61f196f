"""The room of evidence campaigns on SQLite: links are only ever added."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from netmon.errors import StorageError
from netmon.storage.campaign_records import (
    Campaign,
    CampaignState,
    CampaignStep,
    ChainEntry,
)
from netmon.storage.database import Database
from netmon.storage.keeping import set_cursor

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Campaign).decode
_RUNNING = CampaignState.RUNNING.value


def _add(
    connection: sqlite3.Connection, campaign_id: str, entries: Sequence[ChainEntry]
) -> None:
    connection.executemany(
        "INSERT INTO campaign_entries (campaign_id, number, record, previous, sha256) "
        "VALUES (?,?,?,?,?)",
        [(campaign_id, e.number, e.record, e.previous, e.sha256) for e in entries],
    )


def _fits(connection: sqlite3.Connection, step: CampaignStep) -> bool:
    """Say whether the campaign still runs and its chain ends before the step."""
    row = connection.execute(
        "SELECT e.number, e.sha256 FROM campaigns c JOIN campaign_entries e "
        "ON e.campaign_id = c.id WHERE c.id = ? AND c.state = ? "
        "ORDER BY e.number DESC LIMIT 1",
        (step.campaign_id, _RUNNING),
    ).fetchone()
    if row is None:
        return False
    number, sha256 = row
    for entry in step.entries:
        if (entry.number, entry.previous) != (number + 1, sha256):
            return False
        number, sha256 = entry.number, entry.sha256
    return True


def _end(connection: sqlite3.Connection, step: CampaignStep) -> None:
    if step.end is None:
        return
    (body,) = connection.execute(
        "SELECT body FROM campaigns WHERE id = ?", (step.campaign_id,)
    ).fetchone()
    ended = replace(_decode(body), state=step.end.state, ended_ms=step.end.ended_ms)
    connection.execute(
        "UPDATE campaigns SET state = ?, body = ? WHERE id = ?",
        (ended.state.value, _encode(ended), ended.id),
    )


class SqliteCampaigns:
    """`netmon.storage.ports.CampaignStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, campaign: Campaign, first: ChainEntry) -> None:
        """Store a new campaign with its first link; see the port."""
        with self._database.transaction() as connection:
            running = connection.execute(
                "SELECT id FROM campaigns WHERE line_id = ? AND state = ?",
                (campaign.line_id, _RUNNING),
            ).fetchone()
            if running is not None:
                raise StorageError(
                    f"line {campaign.line_id} has the running campaign {running[0]}"
                )
            connection.execute(
                "INSERT INTO campaigns (id, line_id, state, started_ms, body) "
                "VALUES (?,?,?,?,?)",
                (
                    campaign.id,
                    campaign.line_id,
                    campaign.state.value,
                    campaign.started_ms,
                    _encode(campaign),
                ),
            )
            _add(connection, campaign.id, [first])

    def get(self, campaign_id: str) -> Campaign | None:
        """Return a campaign; see the port."""
        found = self._campaigns("WHERE id = ?", campaign_id)
        return found[0] if found else None

    def of_line(self, line_id: str) -> list[Campaign]:
        """Return a line's campaigns, newest first; see the port."""
        return self._campaigns(
            "WHERE line_id = ? ORDER BY started_ms DESC, id", line_id
        )

    def running(self) -> list[Campaign]:
        """Return all campaigns that run; see the port."""
        return self._campaigns("WHERE state = ? ORDER BY started_ms, id", _RUNNING)

    def _campaigns(self, where: str, value: str) -> list[Campaign]:
        rows = self._database.rows(
            f"SELECT body FROM campaigns {where}",  # noqa: S608
            value,
        )
        return [_decode(row[0]) for row in rows]

    def entries(self, campaign_id: str) -> list[ChainEntry]:
        """Return a campaign's chain in order; see the port."""
        rows = self._database.rows(
            "SELECT number, record, previous, sha256 FROM campaign_entries "
            "WHERE campaign_id = ? ORDER BY number",
            campaign_id,
        )
        return [
            ChainEntry(number=row[0], record=row[1], previous=row[2], sha256=row[3])
            for row in rows
        ]

    def advance(
        self,
        steps: Sequence[CampaignStep],
        *,
        reader: str,
        read_from: int,
        position: int,
        now_ms: int,
    ) -> bool:
        """Add links, ends and the cursor in ONE transaction; see the port."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT position FROM cursors WHERE reader = ?", (reader,)
            ).fetchone()
            if (0 if row is None else row[0]) != read_from:
                return False
            if not all(_fits(connection, step) for step in steps):
                return False
            for step in steps:
                _add(connection, step.campaign_id, step.entries)
                _end(connection, step)
            if position != read_from or row is None:
                set_cursor(connection, reader, position, now_ms, None)
        return True
