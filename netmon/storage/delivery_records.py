"""What goes into and comes out of the room of deliveries; times are UTC milliseconds."""

from __future__ import annotations

from msgspec import Struct

from netmon.storage.records import MailEvent


class Delivery(Struct, frozen=True, kw_only=True):
    """One event of an incident that a sink is to be told, or was.

    ``event`` is ALARM or RECOVERY. ``sent_ms`` is None until the sink took it;
    ``reference`` is the number the sink gave it, empty where it gave none.
    """

    sink: str
    incident_id: int
    event: MailEvent
    created_ms: int
    attempts: int
    next_try_ms: int
    sent_ms: int | None
    reference: str
    last_error: str
