"""What the pages and answers about the whole city ask of the store: few reads."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from dashboards.covered import KIND as COVERAGE
from dashboards.covered import covered_rooms
from dashboards.facts import (
    AP_RULE,
    DEGRADED_RULE,
    LINE_DOWN_RULE,
    LINE_RULE,
    NO_DATA_RULE,
    Moment,
    gather,
    poor_targets,
)
from dashboards.kept import Kept
from dashboards.shaping import city
from dashboards.views import City, IncidentView
from dashboards.words import incident_view
from netmon.actions import read_standing
from netmon.alarm_classes import RuleName
from netmon.line_medium import read_media
from netmon.metrics import MEDIUM_KINDS
from netmon.model import Inventory
from netmon.storage.ports import Store
from netmon.storage.records import AlarmState, Incident, Latest

if TYPE_CHECKING:
    # The pages' own: a process that serves none can do without the web framework.
    from dashboards.context import Site

PAST_INCIDENTS = 200
# A line in these states is explained by its medium, also in the overview.
_TROUBLE = (AlarmState.BAD, AlarmState.SUSPECT)
# What the overview shows of a line or building.
_CITY_KINDS = ("throughput", "latency", *MEDIUM_KINDS, COVERAGE)


def read_city(site: Site) -> City:
    """Return all buildings; eight reads, and a few for each line that is suspected."""
    return city_at(site.store, site.inventory(), site.moment(), site.kept)


def city_at(
    store: Store, inventory: Inventory, moment: Moment, kept: Kept | None = None
) -> City:
    """Return all buildings as `read_city`, for a process that serves no pages.

    ``kept`` is what the last city left, None for nothing.
    """
    states = store.alarms.states(rule=LINE_RULE)
    newest_of: dict[str, list[Latest]] = defaultdict(list)
    for item in store.measurements.latest(kinds=_CITY_KINDS):
        newest_of[item.series.kind].append(item)
    told = [item for kind in MEDIUM_KINDS for item in newest_of[kind]]
    suspected = {
        row.target.partition(":")[2] for row in states if row.state in _TROUBLE
    }
    lines = [inventory.line_by_id[i] for i in suspected if i in inventory.line_by_id]
    media = read_media(store.measurements, lines, told, moment.now_ms)
    facts = gather(
        states
        + store.alarms.states(rule=NO_DATA_RULE)
        + store.alarms.states(rule=LINE_DOWN_RULE),
        newest_of["throughput"] + newest_of["latency"],
        store.measurements.access_points_of(),
        store.alarms.incidents(open_only=True, limit=100_000),
        media={line_id: medium.health for line_id, medium in media.items()},
    )
    facts = replace(
        facts,
        covered=covered_rooms(newest_of[COVERAGE], moment.now_ms),
        ap_words=store.alarms.words(AP_RULE),
        ap_poor=poor_targets(store.alarms.words(DEGRADED_RULE)),
    )
    return city(inventory, facts, moment, kept or Kept())


def open_incident_count(site: Site) -> int:
    """Return how many incidents are open, known contracts aside."""
    return len(_open_faults(site))


def _open_faults(site: Site) -> list[Incident]:
    """Return open incidents that somebody can mend, newest first.

    A contract below the target is known and planned for: the tables show and count it,
    and a red number that is never 0 would soon be read by nobody.
    """
    return [
        incident
        for incident in site.store.alarms.incidents(open_only=True, limit=100_000)
        if incident.rule != RuleName.BELOW_BY_CONTRACT
        and site.shows(incident.building_id)
    ]


def read_incidents(
    site: Site, *, open_only: bool = False, limit: int = PAST_INCIDENTS
) -> tuple[list[IncidentView], list[IncidentView]]:
    """Return open and past incidents, newest first; past ones up to the limit."""
    inventory = site.inventory()
    found = site.store.alarms.incidents(open_only=True, limit=100_000)
    if not open_only:
        ids = {incident.id for incident in found}
        past = site.store.alarms.incidents(limit=limit + len(ids))
        found += [incident for incident in past if incident.id not in ids]
    standing = read_standing(
        site.store, site.moment().now_ms, site.settings.alerts.rules
    )
    views = [
        incident_view(site.texts, one, inventory, standing)
        for one in found
        if site.shows(one.building_id)
    ]
    is_open = [view for view in views if view.ended_ms is None]
    return is_open, [view for view in views if view.ended_ms is not None][:limit]


def read_newest(site: Site, count: int) -> tuple[list[IncidentView], int]:
    """Return the newest open incidents, up to a count, and how many there are.

    Only these are put in words. Known contracts are left aside.
    """
    found = _open_faults(site)
    standing = read_standing(
        site.store, site.moment().now_ms, site.settings.alerts.rules
    )
    inventory, newest = site.inventory(), found[:count]
    views = [incident_view(site.texts, one, inventory, standing) for one in newest]
    return views, len(found)
