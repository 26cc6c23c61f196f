"""What is asked for through the API: strict, times with their zone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from netmon.actions.checks import MAX_MATCHERS, MAX_TEXT
from netmon.clock import to_ms
from netmon.storage.action_records import (
    MaintenanceScope,
    Matcher,
    OneOff,
    Weekly,
)

MAX_WISH_BYTES = 32 * 1024
Moment = Annotated[datetime, Meta(tz=True)]
# Held by `netmon.actions.checks`, which says it in the user's words.
Text = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_TEXT})]


class OneOffWish(
    Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="one_off",
    forbid_unknown_fields=True,
):
    """A window from one time to another."""

    starts_at: Moment
    ends_at: Moment


class MaintenanceWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A maintenance window."""

    scope: MaintenanceScope
    value: str
    when: OneOffWish | Weekly
    reason: Text

    @property
    def times(self) -> OneOff | Weekly:
        """The times as the store keeps them."""
        if isinstance(self.when, Weekly):
            return self.when
        starts, ends = self.when.starts_at, self.when.ends_at
        return OneOff(starts_ms=to_ms(starts), ends_ms=to_ms(ends))


class SilenceWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A silence; without a start it begins at once."""

    matchers: Annotated[
        tuple[Matcher, ...],
        Meta(extra_json_schema={"minItems": 1, "maxItems": MAX_MATCHERS}),
    ]
    ends_at: Moment
    reason: Text
    starts_at: Moment | None = None

    def span_ms(self, now_ms: int) -> tuple[int, int]:
        """Return start and end."""
        starts_ms = now_ms if self.starts_at is None else to_ms(self.starts_at)
        return starts_ms, to_ms(self.ends_at)


class NoteWish(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says of an incident."""

    note: Text


decode_maintenance = msgspec.json.Decoder(MaintenanceWish).decode
decode_silence = msgspec.json.Decoder(SilenceWish).decode
decode_note = msgspec.json.Decoder(NoteWish).decode
