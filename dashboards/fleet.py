"""The senders as a fleet: contact, clock, spool, port and the probe's own limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dashboards.building_views import SourceView
from dashboards.context import Site
from dashboards.facts import Moment, newest
from dashboards.queries import read_sources
from dashboards.statements import probe_words
from dashboards.views import NO_READING, Reading
from netmon.collation import collation_key, fold
from netmon.storage.records import Latest, SourceKind
from netmon.texts import Texts

# Below this a probe's own port is the limit of what it can show.
SLOW_PORT_BPS = 100e6
# A clock that is off by more makes times doubtful (`MAX_SKEW_MS` makes them wrong).
CLOCK_OFF_S = 5.0


class Contact(StrEnum):
    """Whether a sender was heard of lately; ``fleet.contact.<contact>`` names it."""

    HEARD = "heard"
    SILENT = "silent"
    NEVER = "never"


class Trouble(StrEnum):
    """What may be wrong with a sender; ``fleet.trouble.<trouble>`` names it."""

    SILENT = "silent"
    CLOCK = "clock"
    SPOOL = "spool"
    PORT = "port"


@dataclass(frozen=True, slots=True)
class FleetRow:
    """A sender with its port and limits.

    ``rejected`` are records the gateway would not take. ``speed`` and ``full_duplex``
    are of the probe's own port, ``ceiling`` is what it can show at most; ``limits``
    says in words what its newest test carried as its certificate, empty before one.
    """

    source: SourceView
    rejected: Reading
    speed: Reading
    full_duplex: bool | None
    ceiling: Reading
    limits: str

    @property
    def contact(self) -> Contact:
        """Whether it was heard of lately."""
        if self.source.last_seen_ms is None:
            return Contact.NEVER
        return Contact.SILENT if self.source.silent else Contact.HEARD

    @property
    def is_slow(self) -> bool:
        """Whether its port is slow or sends one way at a time."""
        speed_bps = self.speed.value
        slow = speed_bps is not None and 0 < speed_bps <= SLOW_PORT_BPS
        return slow or self.full_duplex is False

    @property
    def clock_is_off(self) -> bool:
        """Whether its clock is so wrong that times are doubtful."""
        offset_s = self.source.clock_offset_s
        return offset_s is not None and abs(offset_s) > CLOCK_OFF_S

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What may be wrong with it."""
        found = {
            Trouble.SILENT: self.contact is not Contact.HEARD,
            Trouble.CLOCK: self.clock_is_off,
            Trouble.SPOOL: bool(self.source.spool_dropped.value or self.rejected.value),
            Trouble.PORT: self.is_slow,
        }
        return tuple(trouble for trouble, is_so in found.items() if is_so)


def _empty_is_none(value: object) -> object:
    # A form sends every field; an untouched one arrives as an empty text.
    return None if value == "" else value


_Optional = BeforeValidator(_empty_is_none)


class FleetQuery(BaseModel):
    """The page's query: every field is optional, empty means all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: Annotated[str, Field(max_length=100)] = ""
    kind: Annotated[SourceKind | None, _Optional] = None
    contact: Annotated[Contact | None, _Optional] = None
    trouble: Annotated[Trouble | None, _Optional] = None
    sort: Annotated[str, Field(pattern=r"^-?[a-z_]{1,40}$|^$")] = ""

    def query(self) -> dict[str, str]:
        """Return the parameters that differ from their defaults, for links."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return {name: str(value) for name, value in fields.items()}


# A key is compared only with keys of the same column; None comes last either way.
_Key = tuple[object, ...] | float | str | None
SORTS: Mapping[str, Callable[[FleetRow], _Key]] = {
    "name": lambda row: collation_key(row.source.name),
    "building": lambda row: collation_key(row.source.building_name or ""),
    "last_seen": lambda row: row.source.last_seen_ms or 0,
    "clock": lambda row: (
        None if row.source.clock_offset_s is None else abs(row.source.clock_offset_s)
    ),
    "spool": lambda row: row.source.spool_records.value,
    "dropped": lambda row: row.source.spool_dropped.value,
    "speed": lambda row: row.speed.value,
    "version": lambda row: row.source.agent or None,
}


def read_fleet(site: Site) -> list[FleetRow]:
    """Return all senders that the visitor may see, by name."""
    room, moment = site.store.measurements, site.moment()
    links: dict[str, list[Latest]] = {}
    health: dict[str, list[Latest]] = {}
    tests: dict[str, list[Latest]] = {}
    for kind, found in (
        ("probe_link", links),
        ("probe_health", health),
        ("throughput", tests),
    ):
        for item in room.latest(kind=kind):
            found.setdefault(item.series.source, []).append(item)
    return [
        _row(
            source,
            links.get(source.name, []),
            health.get(source.name, []),
            tests.get(source.name, []),
            moment,
            site.texts,
        )
        for source in read_sources(site)
    ]


def _row(
    source: SourceView,
    link: list[Latest],
    health: list[Latest],
    tests: list[Latest],
    moment: Moment,
    texts: Texts,
) -> FleetRow:
    duplex = newest(link, "full_duplex", moment).value
    certified = _newest_with(tests, ("probe_late_s", "cpu_steal_ratio"))
    return FleetRow(
        source=source,
        rejected=newest(health, "spool_rejected_total", moment),
        speed=newest(link, "speed_bps", moment),
        full_duplex=None if duplex is None else duplex == 1.0,
        ceiling=newest(tests, "loopback_ceiling_bps", moment) if tests else NO_READING,
        limits="" if certified is None else probe_words(certified.values, texts),
    )


def _newest_with(items: Iterable[Latest], names: tuple[str, ...]) -> Latest | None:
    """Return the newest of those that state one of these values."""
    having = [x for x in items if any(x.values.get(name) is not None for name in names)]
    return max(having, key=lambda x: x.ok_ts_ms or 0, default=None)


def arrange(rows: Iterable[FleetRow], wanted: FleetQuery) -> list[FleetRow]:
    """Return the rows that are asked for, in the order that is; None comes last."""
    found = [row for row in rows if _is_wanted(row, wanted)]
    key = SORTS.get(wanted.sort.removeprefix("-"), SORTS["name"])
    known = [(key(row), row) for row in found]
    ordered = sorted(
        (each for each in known if each[0] is not None),
        key=lambda each: each[0],  # type: ignore[arg-type,return-value]
        reverse=wanted.sort.startswith("-"),
    )
    return [row for _, row in ordered] + [row for value, row in known if value is None]


def _is_wanted(row: FleetRow, wanted: FleetQuery) -> bool:
    source = row.source
    text = fold(f"{source.name} {source.building_name or ''} {source.agent}")
    return (
        (wanted.kind is None or wanted.kind.value == source.kind)
        and (wanted.contact is None or row.contact is wanted.contact)
        and (wanted.trouble is None or wanted.trouble in row.troubles)
        and all(word in text for word in fold(wanted.q).split())
    )
