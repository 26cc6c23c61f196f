"""What goes into and comes out of the state store; all times are UTC milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from netmon.model import FailureReason


class SourceKind(StrEnum):
    """Who sends: a probe speaks for its building only, a collector for all."""

    PROBE = "probe"
    COLLECTOR = "collector"


class Source(Struct, frozen=True, kw_only=True):
    """A sender that may push.

    ``building_id`` limits it to one building; None allows all. ``generated``
    marks made-up data of the demo: every page says so beside the value.
    ``last_seen_ms`` and ``clock_offset_ms`` (gateway minus sender, network time
    included) are None before the first push.
    """

    id: int
    name: str
    kind: SourceKind
    building_id: str | None
    generated: bool
    last_seen_ms: int | None = None
    clock_offset_ms: int | None = None
    agent: str = ""


class CheckedSeries(Struct, gc=False):
    """A series whose every record may be stored; arrays are parallel."""

    kind: str
    building_id: str
    tags: dict[str, str]
    seq: list[int]
    ts: list[int]
    values: dict[str, list[float | None]]
    failure: list[FailureReason | None] | None
    info: dict[str, str]
    keep_rollups: bool


class Quarantined(Struct, frozen=True, kw_only=True):
    """A record that was not taken: kept with its reason, in the words of the receipt."""

    seq: int
    reason: str
    record: bytes


class CheckedBatch(Struct, kw_only=True):
    """One pushed batch after all checks that need no store."""

    source: Source
    spool: str
    received_ms: int
    sent_ms: int
    agent: str
    series: list[CheckedSeries]
    quarantined: list[Quarantined]


class Written(Struct, frozen=True):
    """How many records of a batch were new, and how many were known."""

    accepted: int
    duplicates: int


class Points(Struct, array_like=True, gc=False):
    """The stored body of a chunk: parallel arrays, see `netmon.wire.Series`."""

    seq: list[int]
    ts: list[int]
    values: dict[str, list[float | None]]
    failure: list[FailureReason | None] | None


class SeriesRef(Struct, frozen=True, kw_only=True):
    """A stored series: what is measured and by whom."""

    id: int
    source: str
    generated: bool
    kind: str
    building_id: str
    tags: Mapping[str, str]


# Delays of the network are less than this; what is more is a wrong clock.
MAX_SKEW_MS = 60_000


class Chunk(Struct, frozen=True, kw_only=True):
    """Points of one series that arrived together; ``id`` orders all arrivals.

    ``skew_ms`` is the gateway's clock minus the sender's when it sent, 0 where they
    agree within `MAX_SKEW_MS`: added to ``points.ts`` it gives the gateway's time.
    """

    id: int
    received_ms: int
    series: SeriesRef
    points: Points
    skew_ms: int = 0


class Latest(Struct, frozen=True, kw_only=True):
    """The newest knowledge of a series.

    ``ts_ms`` and ``failure`` belong to the newest record, ``ok_ts_ms`` and
    ``values`` to the newest one that has numbers (None and empty before that).
    """

    series: SeriesRef
    ts_ms: int
    received_ms: int
    failure: FailureReason | None
    ok_ts_ms: int | None
    values: Mapping[str, float | None]
    info: Mapping[str, str]


class Rollup(Struct, frozen=True):
    """Count, sum and range of a metric within a bucket (UTC hour or Berlin day).

    ``bucket`` is the hour's start in UTC milliseconds, or the day as 20261120.
    """

    bucket: int
    n: int
    total: float
    low: float
    high: float

    @property
    def mean(self) -> float:
        """The mean of the bucket; n is never 0."""
        return self.total / self.n


class SeenNeighbour(Struct, frozen=True, kw_only=True, gc=False):
    """A device of the network that a switch saw at one of its ports, by LLDP.

    ``name`` or ``chassis`` (its hardware address) may be empty.
    """

    building_id: str
    device: str
    port: str
    name: str
    chassis: str
    first_seen_ms: int
    last_seen_ms: int


class SeenAccessPoint(Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """An access point as its controller last reported it.

    ``up`` and ``clients_count`` are None where the newest record had no number.
    """

    building_id: str
    ap: str
    device: str
    name: str
    model: str
    serial: str
    firmware: str
    up: bool | None
    clients_count: int | None
    first_seen_ms: int
    last_seen_ms: int
    generated: bool


class AlarmState(StrEnum):
    """The states of a rule on a target."""

    UNKNOWN = "unknown"
    OK = "ok"
    SUSPECT = "suspect"
    BAD = "bad"
    STALE = "stale"


class StateRow(Struct, frozen=True, kw_only=True, gc=False):
    """The state a rule holds on a target, with what its machine remembers.

    ``target`` is e.g. ``line:gs-07-main``. ``incident_id`` is None unless an
    incident is open. ``memory`` is the machine's own, opaque JSON. ``held_by`` names
    what explains a target that looks bad, e.g. ``line_down line:gs-07-main``; empty
    where nothing does. ``flapping``: it comes and goes, and its incident stays open.
    """

    rule: str
    target: str
    building_id: str
    state: AlarmState
    since_ms: int
    updated_ms: int
    incident_id: int | None
    memory: bytes
    held_by: str = ""
    flapping: bool = False


class StateWord(Struct, frozen=True, gc=False):
    """Of a `StateRow` what it takes to say how a target is."""

    state: AlarmState
    held_by: str = ""


class Transition(Struct, frozen=True, kw_only=True):
    """A change of state, kept for good. ``id`` is 0 before it is stored.

    ``incident_id`` joins the transitions from the alarm to its end; None for
    changes that open nothing. ``evidence`` is JSON: what was seen.
    """

    id: int
    rule: str
    target: str
    building_id: str
    from_state: AlarmState
    to_state: AlarmState
    at_ms: int
    incident_id: int | None
    evidence: bytes


class Incident(Struct, frozen=True, kw_only=True):
    """From the alarm to its end; ``ended_ms`` is None while it is open."""

    id: int
    rule: str
    target: str
    building_id: str
    started_ms: int
    ended_ms: int | None
    evidence: bytes


class MailEvent(StrEnum):
    """What a mail tells of an incident."""

    ALARM = "alarm"
    UPDATE = "update"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    RECOVERY = "recovery"
    DIGEST = "digest"


class ThreadLevel(StrEnum):
    """What the incidents of a thread have in common: what its ``key`` names."""

    BUILDING = "building"
    DISTRICT = "district"
    CAUSE = "cause"
    DIGEST = "digest"


class Thread(Struct, frozen=True, kw_only=True):
    """Incidents that are told together, from the first alarm mail to the recovery.

    ``key`` is a building's id, a Campusbezirk, a rule with its common cause, or the
    day of a digest. ``closed_ms`` is None until all members are over and that is
    told. ``memory`` is the planner's own JSON.
    """

    id: int
    level: ThreadLevel
    key: str
    opened_ms: int
    closed_ms: int | None = None
    memory: str = ""


class ThreadMember(Struct, frozen=True, kw_only=True, gc=False):
    """An incident of a thread, without its evidence; ``added_ms``: told since then."""

    thread_id: int
    incident_id: int
    rule: str
    target: str
    building_id: str
    started_ms: int
    ended_ms: int | None
    added_ms: int


class Mail(Struct, frozen=True, kw_only=True):
    """A mail of the outbox; unique by (incident, event, number, recipient).

    ``incident_id`` is the first member of its thread, 0 for a digest that tells of
    none. ``sent_ms`` is None until the server took it. ``in_reply_to`` is empty for
    the first mail of a thread. ``unwritten`` is why it has only a plain text, empty
    where the full one could be written.
    """

    id: int
    incident_id: int
    event: MailEvent
    recipient: str
    message_id: str
    in_reply_to: str
    subject: str
    text: str
    html: str
    created_ms: int
    attempts: int
    next_try_ms: int
    sent_ms: int | None
    last_error: str
    number: int = 0
    thread_id: int | None = None
    claimed_ms: int | None = None
    unwritten: str = ""


class ThreadNews(Struct, frozen=True, kw_only=True):
    """What is new of a thread: its state, who joins it, and the mails that say so.

    ``thread`` is None for mails of no thread, its id 0 for a new one. The mails carry
    no ``thread_id`` yet.
    """

    thread: Thread | None
    joined: tuple[int, ...] = ()
    mails: tuple[Mail, ...] = ()


class InventoryVersion(Struct, frozen=True, kw_only=True):
    """An imported inventory; ``body`` is `netmon.inventory.encode`'s JSON."""

    id: int
    imported_ms: int
    sha256: str
    body: bytes


class Snapshot(Struct, frozen=True, kw_only=True):
    """A frozen year of the annual report."""

    year: int
    frozen_ms: int
    sha256: str
    body: bytes


class Heartbeat(Struct, frozen=True, kw_only=True):
    """The last sign of life of a process, with its own figures."""

    process: str
    at_ms: int
    figures: Mapping[str, float]
    note: str


class StoreRoom(Struct, frozen=True, kw_only=True):
    """The store's files in bytes; ``reusable_bytes`` of them are free for new rows."""

    store_bytes: int
    reusable_bytes: int
    disk_free_bytes: int


class Pruned(Struct, frozen=True, kw_only=True):
    """One step of a sweep: what it deleted, and up to where it has looked.

    ``more`` says that what comes next in the log may be old enough as well.
    """

    chunks: int
    records: int
    position: int
    more: bool


class Cursor(Struct, frozen=True, kw_only=True):
    """How far a reader has read the chunks: all up to ``position`` are done."""

    reader: str
    position: int
    updated_ms: int
    memory: str
