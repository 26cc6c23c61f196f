"""What people decided that counts now, read once for many incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from netmon.actions.muting import Muted, Muting
from netmon.actions.words import acknowledged_words, false_words, muted_words
from netmon.model import Inventory
from netmon.rule_overrides import RuleOverride
from netmon.storage.action_records import Mark, MatchField
from netmon.storage.ports import Store
from netmon.storage.records import Incident
from netmon.texts import Texts


class Decided(Struct, frozen=True):
    """What people decided about one incident; None for what they did not."""

    muted: Muted | None = None
    acknowledged: Mark | None = None
    marked_false: Mark | None = None

    def notes(self, texts: Texts) -> tuple[str, ...]:
        """Return it in words, one sentence each."""
        found = []
        if self.muted is not None:
            found.append(muted_words(texts, self.muted))
        if self.acknowledged is not None:
            found.append(acknowledged_words(texts, self.acknowledged))
        if self.marked_false is not None:
            found.append(false_words(texts, self.marked_false))
        return tuple(found)


class Standing(Struct, frozen=True):
    """Windows and silences that count, and the marks by incident."""

    muting: Muting
    acknowledged: Mapping[int, Mark]
    marked_false: Mapping[int, Mark]

    def facts(
        self, incident: Incident, inventory: Inventory
    ) -> Mapping[MatchField, str]:
        """Return what a silence may look at, with how bad it is in its place."""
        return self.muting.facts(incident, inventory)

    def of(
        self, incident: Incident, inventory: Inventory, severity: str | None = None
    ) -> Decided:
        """Return what people decided; one that is over waits for nothing."""
        muted = None
        if incident.ended_ms is None:
            muted = self.muting.of(incident, inventory, severity)
        return Decided(
            muted=muted,
            acknowledged=self.acknowledged.get(incident.id),
            marked_false=self.marked_false.get(incident.id),
        )


def read_standing(
    store: Store, now_ms: int, rules: Sequence[RuleOverride] = ()
) -> Standing:
    """Return what counts now; acknowledgements are those of open incidents.

    ``rules`` are the settings' own, which say how bad an incident is in its place.

    Raises:
        StorageError: the store does not answer.
    """
    room = store.actions
    return Standing(
        muting=Muting(
            room.maintenance(ends_after_ms=now_ms),
            room.silences(ends_after_ms=now_ms),
            now_ms,
            rules,
        ),
        acknowledged=room.acknowledgements(open_only=True),
        marked_false=room.false_marks(),
    )
