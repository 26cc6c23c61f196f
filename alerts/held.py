"""A target's state between the machine and the store."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from alerts.gate import Key
from alerts.watched import Memory, Watched
from netmon.storage.records import StateRow

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Memory).decode


@dataclass(frozen=True, slots=True)
class Held:
    """What the machine knows, with what only the store needs."""

    building_id: str
    watched: Watched
    incident_id: int | None

    @property
    def held_by(self) -> Key | None:
        """The parent (rule, target) that keeps it from raising; None for none."""
        return self.watched.memory.held_by

    @property
    def via(self) -> str:
        """The controller that had it up last; empty for the planned one."""
        return self.watched.memory.via

    @property
    def flapping(self) -> bool:
        """Whether it comes and goes so often that its incident is kept open."""
        return self.watched.memory.unsettled

    @classmethod
    def of(cls, row: StateRow) -> Held:
        """Return what a stored row holds."""
        watched = Watched(
            row.state, row.since_ms, row.incident_id is not None, _decode(row.memory)
        )
        return cls(row.building_id, watched, row.incident_id)

    def row(self, rule: str, target: str, now_ms: int) -> StateRow:
        """Return the row to store."""
        return StateRow(
            rule=rule,
            target=target,
            building_id=self.building_id,
            state=self.watched.state,
            since_ms=self.watched.since_ms,
            updated_ms=now_ms,
            incident_id=self.incident_id,
            memory=_encode(self.watched.memory),
            held_by="" if self.held_by is None else " ".join(self.held_by),
            flapping=self.flapping,
        )
