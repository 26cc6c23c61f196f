"""``/metrics``: netmon's own health for Prometheus, read from the store at scrape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboards.alarm_quality import quality
from dashboards.context import Site
from dashboards.health import lags
from netmon.metrics import KINDS
from netmon.quantities import Unit
from netmon.retention import waiting
from netmon.storage.records import AlarmState, MailEvent

# Counting all records reads the whole table; a scrape every second must not.
_COUNT_EVERY_S = 10.0
_NO_NAME = re.compile(r"[^a-z0-9_]")


class StoreCollector(Collector):
    """Reads the store when asked; keeps nothing but the last count of records."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._counted: tuple[float, int] | None = None

    def describe(self) -> Iterable[Metric]:
        """Return nothing: registering must not read the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield all families.

        Raises:
            StorageError: the store does not answer.
        """
        yield from self._records()
        yield from self._processes()
        yield from self._alarms()
        yield from self._spools()
        yield from self._collectors()
        yield from self._calendar()

    def _stored(self) -> int:
        now_s = self._site.clock.monotonic_s()
        if self._counted is None or now_s - self._counted[0] >= _COUNT_EVERY_S:
            self._counted = (now_s, self._site.store.measurements.count())
        return self._counted[1]

    def _records(self) -> Iterator[Metric]:
        measurements = self._site.store.measurements
        yield GaugeMetricFamily(
            "netmon_stored_measurements",
            "Accepted measurements that are kept, counted every 10 s at most",
            value=self._stored(),
        )
        yield GaugeMetricFamily(
            "netmon_last_position_chunks",
            "Number of the newest accepted chunk",
            value=measurements.last_position(),
        )
        yield GaugeMetricFamily(
            "netmon_quarantined_measurements",
            "Measurements that could not be taken and were kept aside",
            value=measurements.quarantine_count(),
        )
        lag = GaugeMetricFamily(
            "netmon_reader_lag_chunks",
            "Chunks that a reader (relay, alerts) has still to read",
            labels=["reader"],
        )
        for reader, chunks in lags(self._site).items():
            lag.add_metric([reader], chunks)
        yield lag
        yield from self._room()

    def _room(self) -> Iterator[Metric]:
        """Yield how large the store is, and who keeps it from being smaller."""
        site, now_ms = self._site, self._site.moment().now_ms
        room = site.store.room()
        for name, told, value in (
            ("store_bytes", "Files of the state store", room.store_bytes),
            (
                "store_reusable_bytes",
                "Of these free for new rows",
                room.reusable_bytes,
            ),
            (
                "store_disk_free_bytes",
                "What the store's disk has left; below store.min_free_mb nothing is taken",
                room.disk_free_bytes,
            ),
        ):
            yield GaugeMetricFamily(f"netmon_{name}", told, value=value)
        behind = GaugeMetricFamily(
            "netmon_reader_waiting_seconds",
            "For how long the oldest chunk has waited for a reader, 0 if none does",
            labels=["reader"],
        )
        for each in waiting(site.store, site.settings, now_ms):
            since_ms = now_ms if each.since_ms is None else each.since_ms
            behind.add_metric([each.reader], max(0, now_ms - since_ms) / 1000)
        yield behind

    def _processes(self) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            "netmon_heartbeat_age_seconds",
            "Time since the last sign of life of a process of netmon",
            labels=["process"],
        )
        figures = GaugeMetricFamily(
            "netmon_process_figure",
            "What a process says of itself; the unit ends the figure's name",
            labels=["process", "figure"],
        )
        now_ms = self._site.moment().now_ms
        for beat in self._site.store.heartbeats.all():
            age.add_metric([beat.process], max(0, now_ms - beat.at_ms) / 1000)
            for name, value in sorted(beat.figures.items()):
                figures.add_metric([beat.process, _NO_NAME.sub("_", name)], value)
        yield age
        yield figures

    def _alarms(self) -> Iterator[Metric]:
        alarms = self._site.store.alarms
        states = GaugeMetricFamily(
            "netmon_alarm_targets",
            "Watched lines and access points by rule and state",
            labels=["rule", "state"],
        )
        counts = alarms.state_counts()
        for rule in sorted({rule for rule, _ in counts}):
            for state in AlarmState:
                states.add_metric([rule, state], counts.get((rule, state), 0))
        yield states
        is_open = alarms.incidents(open_only=True, limit=100_000)
        yield GaugeMetricFamily(
            "netmon_open_incidents", "Incidents that are open", value=len(is_open)
        )
        yield from quality(self._site, is_open)
        mails = GaugeMetricFamily(
            "netmon_mails",
            "Mails by event and whether the server took them",
            labels=["event", "sent"],
        )
        mail_counts = self._site.store.outbox.counts()
        for event in MailEvent:
            for sent in (True, False):
                mails.add_metric(
                    [event, str(sent).lower()], mail_counts.get((event, sent), 0)
                )
        yield mails
        yield GaugeMetricFamily(
            "netmon_mails_unwritten",
            "Mails sent with a plain text because the full one could not be written",
            value=self._site.store.outbox.unwritten()[0],
        )

    def _spools(self) -> Iterator[Metric]:
        dropped = CounterMetricFamily(
            "netmon_spool_dropped_records",
            "Records a sender had to drop because its spool was full",
            labels=["source"],
        )
        waiting = GaugeMetricFamily(
            "netmon_spool_waiting_records",
            "Records that wait in a sender's spool, as it last said",
            labels=["source"],
        )
        # A replaced SD card begins a new count under the same name; the newest counts.
        newest: dict[str, tuple[int, float, float]] = {}
        for item in self._site.store.measurements.latest(kind="probe_health"):
            at_ms = item.ok_ts_ms or 0
            if at_ms >= newest.get(item.series.source, (0, 0.0, 0.0))[0]:
                newest[item.series.source] = (
                    at_ms,
                    item.values.get("spool_dropped_total") or 0.0,
                    item.values.get("spool_records_count") or 0.0,
                )
        for source, (_, gone, left) in sorted(newest.items()):
            dropped.add_metric([source], gone)
            waiting.add_metric([source], left)
        yield dropped
        yield waiting

    def _collectors(self) -> Iterator[Metric]:
        newest = {
            item.series.tags["collector"]: item
            for item in self._site.store.measurements.latest(kind="collector_health")
        }
        for metric in KINDS["collector_health"].metrics:
            is_total = metric.unit is Unit.TOTAL
            family = (CounterMetricFamily if is_total else GaugeMetricFamily)(
                f"netmon_collector_{metric.name.removesuffix('_total')}",
                f"{metric.name} of a collector, see collector_health in docs/dev/metrics.md",
                labels=["collector"],
            )
            for name, item in sorted(newest.items()):
                value = item.values.get(metric.name)
                if value is not None:
                    family.add_metric([name], value)
            yield family

    def _calendar(self) -> Iterator[Metric]:
        days = self._site.calendars.ends_days(self._site.moment().now_ms)
        if days is not None:
            yield GaugeMetricFamily(
                "netmon_calendar_ends_days",
                "For how many days from now the holidays are known",
                value=days,
            )


def make_registry(site: Site) -> CollectorRegistry:
    """Return a registry of one app; the global one is never used."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreCollector(site))
    return registry
