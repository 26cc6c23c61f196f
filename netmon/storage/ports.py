"""The port to the state store: what use cases may ask of it.

One store, in rooms by concern. SQLite implements it; the contract suite in
``tests/contracts`` is what another database has to pass. Every method that
writes is one transaction and returns after its commit.

All methods raise `StorageBusyError` (trying again helps) when another process
holds the write lock too long, and `StorageError` for anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, Protocol, TypeVar

from netmon.storage.account_records import Account, Role, Session
from netmon.storage.action_port import ActionStore
from netmon.storage.action_records import Actor, AuditAction
from netmon.storage.campaign_records import Campaign, CampaignStep, ChainEntry
from netmon.storage.delivery_records import Delivery
from netmon.storage.lease_records import LeaseBook, LeaseChange
from netmon.storage.records import (
    AlarmState,
    CheckedBatch,
    Chunk,
    Cursor,
    Heartbeat,
    Incident,
    InventoryVersion,
    Latest,
    Mail,
    MailEvent,
    Rollup,
    SeenAccessPoint,
    SeenNeighbour,
    Snapshot,
    Source,
    SourceKind,
    StateRow,
    StateWord,
    Thread,
    ThreadMember,
    ThreadNews,
    Transition,
    Written,
)

Resolution = Literal["hour", "day"]
T = TypeVar("T")


class SourceStore(Protocol):
    """Senders and their tokens; only the hash of a token is ever kept."""

    def create(
        self,
        name: str,
        kind: SourceKind,
        building_id: str | None,
        token_sha256: str,
        *,
        generated: bool = False,
    ) -> Source:
        """Create a sender, or give an existing one a new token."""

    def by_token(self, token_sha256: str) -> Source | None:
        """Return the sender of a token; None for unknown or revoked ones."""

    def revoke(self, name: str) -> bool:
        """Make the sender's token worthless; False where there is no sender."""

    def all(self) -> list[Source]:
        """Return all senders that are not revoked, by name."""


class MeasurementStore(Protocol):
    """Measurements with latest values and rollups; also the outbox, by cursors."""

    def write(self, batches: Sequence[CheckedBatch]) -> list[Written]:
        """Store batches in ONE transaction; records known by id are skipped."""

    def chunks_after(
        self,
        position: int,
        max_records: int,
        *,
        kind: str | None = None,
        kinds: Collection[str] = (),
    ) -> list[Chunk]:
        """Return chunks in order of arrival, at least one if there is one.

        With ``kind`` or ``kinds`` only those chunks: no chunk after the last one returned, up to
        the newest of all, is of such a kind unless ``max_records`` were returned.
        """

    def last_position(self) -> int:
        """Return the id of the newest chunk; 0 for an empty store."""

    def latest(
        self,
        *,
        kind: str | None = None,
        kinds: Collection[str] = (),
        building_id: str | None = None,
    ) -> list[Latest]:
        """Return the newest values, of a kind, any of several kinds, a building.

        What is given must all hold. Of the whole city one question after several
        kinds is cheaper than one after each: there are more than 30,000 series.
        """

    def chunks(
        self, series_ids: Sequence[int], first_ms: int, last_ms: int
    ) -> list[Chunk]:
        """Return chunks that overlap a span, oldest arrival first."""

    def rollups(
        self, series_id: int, metric: str, resolution: Resolution, first: int, last: int
    ) -> list[Rollup]:
        """Return buckets ``first <= bucket <= last`` in order of time."""

    def access_points(self, building_id: str | None = None) -> list[SeenAccessPoint]:
        """Return every access point ever reported, by building and name."""

    def neighbours(self, building_id: str | None = None) -> list[SeenNeighbour]:
        """Return every neighbour a switch ever saw at a port, newest first."""

    def count(self) -> int:
        """Return the number of measurements stored."""

    def quarantine_count(self) -> int:
        """Return the number of records in quarantine."""

    def ids(self) -> list[tuple[str, str, int]]:
        """Return (source, spool, seq) of every stored record, for audits."""

    def prune(self, before_ms: int, readers: Sequence[str]) -> int:
        """Delete chunks received before a time that all readers have read."""


class CursorStore(Protocol):
    """How far each reader has come."""

    def get(self, reader: str) -> Cursor:
        """Return a reader's cursor; position 0 for a new reader."""

    def set(
        self, reader: str, position: int, now_ms: int, memory: str | None = None
    ) -> None:
        """Move a reader's cursor; ``memory`` None keeps what it remembers."""

    def log_delivery(self, reader: str, position: int, now_ms: int) -> None:
        """Move the cursor, also back, and note when that position was reached."""

    def delivered_before(self, reader: str, at_ms: int) -> int | None:
        """Return up to where everything was delivered before a time.

        A position that the cursor was moved back behind since then counts no
        longer. None if nothing is known from before that time.
        """

    def prune_deliveries(self, reader: str, before_ms: int) -> None:
        """Forget deliveries before a time, but the newest of them."""


class AlarmStore(Protocol):
    """States, transitions and incidents."""

    def states(
        self, *, rule: str | None = None, building_id: str | None = None
    ) -> list[StateRow]:
        """Return the states of all targets, of a rule or building or both."""

    def words(self, rule: str) -> Mapping[str, StateWord]:
        """Return a rule's states by target, without what else is kept of them.

        A city has thousands of access points, and its overview only counts them.
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

    def open_incident(self, rule: str, target: str) -> int | None:
        """Return the open incident of a rule on a target; None if none is open."""

    def state_counts(self) -> Mapping[tuple[str, AlarmState], int]:
        """Return the number of targets by rule and state."""


class ThreadStore(Protocol):
    """What people are told of incidents: threads, their members and mails.

    An incident is in one thread at most. The planner alone writes here.
    """

    def open(self) -> list[Thread]:
        """Return the threads that are not closed, oldest first."""

    def members(self) -> list[ThreadMember]:
        """Return the members of all open threads, in the order they joined."""

    def incidents(self, thread_id: int) -> list[Incident]:
        """Return the members of a thread with their evidence, oldest first."""

    def thread_of(self, incident_id: int) -> int | None:
        """Return the thread of an incident; None where nobody was told of it."""

    def untold(self) -> list[Incident]:
        """Return the open incidents that are in no thread, oldest first."""

    def ended(self, after_ms: int, until_ms: int) -> list[tuple[Incident, int | None]]:
        """Return what ended within ``(after_ms, until_ms]``, with its thread."""

    def tell(
        self,
        news: Sequence[ThreadNews],
        *,
        reader: str,
        position: int,
        now_ms: int,
        memory: str,
    ) -> list[int | None]:
        """Write threads, members, mails and the reader's cursor in ONE transaction.

        Returns the ids of the threads, in the order of the news. A mail known by incident, event, number and
        recipient is not added again.

        Raises:
            StorageError: an incident is in another thread already.
        """


class OutboxStore(Protocol):
    """Mails on their way; `ThreadStore.tell` puts them here.

    A mail is claimed, sent, and marked: whoever is killed in between leaves a claim.
    """

    def due(self, now_ms: int, limit: int = 50) -> list[Mail]:
        """Return unsent mails whose next try has come, oldest first."""

    def mails(self, *, incident_id: int | None = None, limit: int = 200) -> list[Mail]:
        """Return mails, newest first."""

    def claim(self, mail_id: int, now_ms: int) -> bool:
        """Note that a mail is about to be sent; False if it is sent or claimed.

        A claim counts as a try, for the server may take the mail and nobody note it.
        """

    def release(self) -> int:
        """Give up all claims, whose senders are gone; return how many there were."""

    def hurry(self, now_ms: int) -> None:
        """Make all that waits for its next try due now."""

    def sent(self, mail_id: int, now_ms: int) -> None:
        """Mark a mail as taken by the server."""

    def failed(self, mail_id: int, error: str, next_try_ms: int) -> None:
        """Count a failed try and set the next one."""

    def counts(self) -> Mapping[tuple[MailEvent, bool], int]:
        """Return the number of mails by event and whether sent."""

    def made_since(self, after_ms: int) -> list[tuple[int, MailEvent]]:
        """Return when mails were made after a moment, and of what."""


class InventoryStore(Protocol):
    """Imported inventories, each a version kept for good."""

    def save(self, sha256: str, body: bytes, now_ms: int) -> InventoryVersion:
        """Store a new version; the same content again returns the current one."""

    def current(self) -> InventoryVersion | None:
        """Return the newest version; None before the first import."""

    def current_id(self) -> int | None:
        """Return the id of the newest version, without its body."""


class SnapshotStore(Protocol):
    """Frozen years of the annual report."""

    def save(self, snapshot: Snapshot, actor: Actor, done: AuditAction) -> None:
        """Store a year and that somebody did; StorageError if it is frozen already."""

    def load(self, year: int) -> Snapshot | None:
        """Return a frozen year; None where there is none."""

    def years(self) -> list[int]:
        """Return the frozen years in order."""


class HeartbeatStore(Protocol):
    """Signs of life of netmon's own processes."""

    def beat(
        self, process: str, now_ms: int, figures: Mapping[str, float], note: str = ""
    ) -> None:
        """Note that a process lives, with its figures."""

    def all(self) -> list[Heartbeat]:
        """Return the last sign of life of each process."""


class LeaseStore(Protocol):
    """Leases that run and requests that wait."""

    def settle(
        self,
        now_ms: int,
        forget_before_ms: int,
        decide: Callable[[LeaseBook], tuple[LeaseChange, T]],
    ) -> T:
        """Decide on the current book and write the change, in ONE transaction.

        Leases that expired by ``now_ms`` and requests due by ``forget_before_ms``
        are deleted before. ``decide`` returns what to write and the answer; nobody
        else decides meanwhile. A grant ends the waiting of its place. What
        ``decide`` raises undoes everything.
        """

    def book(self, now_ms: int) -> LeaseBook:
        """Return the leases not expired, and all who wait, oldest first."""

    def release(self, lease_id: str, building_id: str) -> bool:
        """End a lease of a building; False where it has none of that id."""


class CampaignStore(Protocol):
    """Evidence campaigns and their hash chains; a link is never changed."""

    def start(self, campaign: Campaign, first: ChainEntry) -> None:
        """Store a new campaign with its first link.

        Raises:
            StorageError: the line has a running campaign, or the id is taken.
        """

    def get(self, campaign_id: str) -> Campaign | None:
        """Return a campaign; None where there is none."""

    def of_line(self, line_id: str) -> list[Campaign]:
        """Return a line's campaigns, newest first."""

    def running(self) -> list[Campaign]:
        """Return all campaigns that run, oldest first."""

    def entries(self, campaign_id: str) -> list[ChainEntry]:
        """Return a campaign's chain in order; [] where there is none."""

    def advance(
        self,
        steps: Sequence[CampaignStep],
        *,
        reader: str,
        read_from: int,
        position: int,
        now_ms: int,
    ) -> bool:
        """Add links, ends of campaigns and the reader's cursor in ONE transaction.

        False, and nothing is written, where somebody else was faster: the cursor
        is no longer at ``read_from``, or a chain or campaign has gone on.
        """


class DeliveryStore(Protocol):
    """What sinks are to be told of incidents that people were told of."""

    def told_open(self) -> list[Incident]:
        """Return open incidents of which there is, or will be, a mail; oldest first."""

    def plan(self, sink: str, since_ms: int, now_ms: int) -> int:
        """Add what a sink has still to be told; return how many events.

        Those are incidents told since ``since_ms``, and the end of each incident
        whose beginning was planned.
        """

    def due(self, sink: str, now_ms: int, limit: int = 50) -> list[Delivery]:
        """Return what is to be delivered now: an end only after its beginning."""

    def done(
        self, sink: str, incident_id: int, event: MailEvent, now_ms: int, reference: str
    ) -> None:
        """Mark an event as taken; ``reference`` is empty where the sink gave none."""

    def failed(
        self,
        sink: str,
        incident_id: int,
        event: MailEvent,
        error: str,
        next_try_ms: int,
    ) -> None:
        """Count a failed try and set the next one."""

    def reference_of(self, incident_id: int) -> str:
        """Return the number that a sink gave an incident; empty where none did."""

    def waiting_count(self, sink: str) -> int:
        """Return how many events the sink has not taken yet."""


class AccountStore(Protocol):
    """People who may log in, and their sessions."""

    def save(
        self,
        name: str,
        role: Role,
        campus_district: str | None,
        password_hash: str,
        now_ms: int,
    ) -> Account:
        """Create an account; an existing one is changed, enabled, and logged out."""

    def by_name(self, name: str) -> Account | None:
        """Return an account, upper and lower case alike; None where there is none."""

    def all(self) -> list[Account]:
        """Return all accounts by name."""

    def set_hash(self, account_id: int, password_hash: str) -> None:
        """Keep the same password hashed anew; sessions go on."""

    def disable(self, name: str, now_ms: int) -> bool:
        """Lock an account out and end its sessions; False if none could log in."""

    def begin(self, token_sha256: str, session: Session, ended_before_ms: int) -> None:
        """Store a session; those last used before ``ended_before_ms`` are forgotten."""

    def session(self, token_sha256: str) -> Session | None:
        """Return a session by the hash of its token; None where there is none."""

    def touch(self, token_sha256: str, now_ms: int) -> None:
        """Note that a session is in use."""

    def end(self, token_sha256: str) -> None:
        """Forget a session."""


class Store(Protocol):
    """The state store: its rooms, and closing it."""

    @property
    def sources(self) -> SourceStore:
        """Senders."""

    @property
    def measurements(self) -> MeasurementStore:
        """Measurements, latest values, rollups."""

    @property
    def cursors(self) -> CursorStore:
        """Readers' positions."""

    @property
    def alarms(self) -> AlarmStore:
        """States, incidents."""

    @property
    def outbox(self) -> OutboxStore:
        """Mails on their way."""

    @property
    def deliveries(self) -> DeliveryStore:
        """What sinks are told."""

    @property
    def accounts(self) -> AccountStore:
        """People who may log in."""

    @property
    def threads(self) -> ThreadStore:
        """Threads of mails."""

    @property
    def inventories(self) -> InventoryStore:
        """Inventory versions."""

    @property
    def snapshots(self) -> SnapshotStore:
        """Frozen years."""

    @property
    def heartbeats(self) -> HeartbeatStore:
        """Own processes."""

    @property
    def leases(self) -> LeaseStore:
        """Slots of the measurement servers."""

    @property
    def campaigns(self) -> CampaignStore:
        """Evidence campaigns."""

    @property
    def actions(self) -> ActionStore:
        """What people decide about alarms."""

    def close(self) -> None:
        """Close all connections; the store is not usable afterwards."""
