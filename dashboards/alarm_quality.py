"""How good the alarms are, measured by netmon itself; by rule, never by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from dashboards.context import Site
from netmon.actions import MutedBy, read_standing
from netmon.storage.records import Incident

# A share says something about now: long enough for numbers, short enough to mend.
SHARE_DAYS = 90
_DAY_MS = 24 * 3_600_000
ALERTS = "alerts"
# What the engine says in its sign of life -> the label it has here.
_DAMPED: Mapping[str, str] = {
    "suppressed_count": "suppressed",
    "held_count": "held",
    "flapping_count": "flapping",
}


def quality(site: Site, is_open: list[Incident]) -> Iterator[Metric]:
    """Yield the families; ``is_open`` are the incidents that are open."""
    yield from _by_rule(site)
    yield from _decided(site, is_open)
    yield _damped(site)


def _by_rule(site: Site) -> Iterator[Metric]:
    opened = CounterMetricFamily(
        "netmon_incidents_opened", "Incidents ever opened", labels=["rule"]
    )
    acknowledged = CounterMetricFamily(
        "netmon_incidents_acknowledged",
        "Incidents that somebody has acknowledged",
        labels=["rule"],
    )
    false = CounterMetricFamily(
        "netmon_incidents_marked_false",
        "Incidents that somebody has marked as false alarms",
        labels=["rule"],
    )
    share = GaugeMetricFamily(
        "netmon_incidents_false_ratio",
        f"Share of false alarms in the incidents of the last {SHARE_DAYS} days",
        labels=["rule"],
    )
    room = site.store.actions
    for one in room.quality():
        opened.add_metric([one.rule], one.opened)
        acknowledged.add_metric([one.rule], one.acknowledged)
        false.add_metric([one.rule], one.marked_false)
    since_ms = site.moment().now_ms - SHARE_DAYS * _DAY_MS
    for one in room.quality(since_ms=since_ms):
        share.add_metric([one.rule], one.marked_false / one.opened)
    yield from (opened, acknowledged, false, share)


def _decided(site: Site, is_open: list[Incident]) -> Iterator[Metric]:
    inventory = site.inventory()
    standing = read_standing(
        site.store, site.moment().now_ms, site.settings.alerts.rules
    )
    muted = GaugeMetricFamily(
        "netmon_incidents_muted",
        "Open incidents that wait because of maintenance or a silence",
        labels=["by"],
    )
    found = Counter(
        one.by
        for incident in is_open
        if (one := standing.muting.of(incident, inventory)) is not None
    )
    for by in MutedBy:
        muted.add_metric([by], found[by])
    yield muted
    yield GaugeMetricFamily(
        "netmon_open_incidents_acknowledged",
        "Open incidents that somebody has acknowledged",
        value=sum(incident.id in standing.acknowledged for incident in is_open),
    )


def _damped(site: Site) -> Metric:
    family = GaugeMetricFamily(
        "netmon_alarms_damped",
        "Targets without an alarm of their own: their parent is down (suppressed), was "
        "down and they were not measured since (held), or they flap",
        labels=["why"],
    )
    for beat in site.store.heartbeats.all():
        if beat.process == ALERTS:
            for figure, why in _DAMPED.items():
                if figure in beat.figures:
                    family.add_metric([why], beat.figures[figure])
    return family
