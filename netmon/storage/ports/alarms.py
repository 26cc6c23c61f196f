"""The port to states, transitions and incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from netmon.storage.records import AlarmState, Incident, StateRow, StateWord, Transition


class AlarmStore(Protocol):
    """States, transitions and incidents."""

    def states(
        self, *, rule: str | None = None, building_id: str | None = None
    ) -> list[StateRow]:
        """Return the states of all targets, of a rule or building or both."""

    def words(self, rule: str) -> Mapping[str, StateWord]:
        """Return a rule's states by target, without what else is kept of them.

        A city has thousands of access points, and its overview only counts them. It is
        the same object as the last time where all of it is as it was.
        """

    def commit(
        self,
        rows: Sequence[StateRow],
        transitions: Sequence[Transition],
        *,
        reader: str,
        position: int,
        now_ms: int,
    ) -> list[Transition]:
        """Write states, transitions and the reader's cursor in ONE transaction.

        A transition to BAD or (rule's choice) STALE with ``incident_id`` -1
        opens an incident; one with an incident's id and ``to_state`` OK ends it.
        Returns the transitions with their ids.
        """

    def transitions_after(self, position: int, limit: int = 1000) -> list[Transition]:
        """Return transitions in order."""

    def last_transition(self) -> int:
        """Return the id of the newest transition; 0 where there is none."""

    def transitions_of(self, target: str, limit: int = 100) -> list[Transition]:
        """Return the newest transitions of a target, newest first."""

    def incidents(
        self,
        *,
        open_only: bool = False,
        building_id: str | None = None,
        limit: int = 1000,
    ) -> list[Incident]:
        """Return incidents, newest first."""

    def incident(self, incident_id: int) -> Incident | None:
        """Return one incident; None where there is none."""

    def flapping(self) -> list[Incident]:
        """Return the open incidents of what comes and goes, oldest first."""

    def state_counts(self) -> Mapping[tuple[str, AlarmState], int]:
        """Return the number of targets by rule and state."""
