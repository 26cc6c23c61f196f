"""Prometheus Alertmanager: what is firing, posted again and again.

It forgets alerts and silences when it is killed and takes an alert for over that is
not repeated (its API: https://prometheus.io/docs/alerting/latest/clients/). So
nothing is kept here: each round posts all that people were told of and is open, and
once more what ended since the last round that was taken.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

from alerts.evidence import decode
from alerts.mails import headline, place_name
from alerts.sinks.base import (
    MAX_ERROR_CHARS,
    Context,
    Posted,
    http_client,
    post,
)
from netmon.clock import from_ms, to_ms
from netmon.config import read_secret
from netmon.errors import SendError
from netmon.storage.records import Incident

_log = logging.getLogger(__name__)

NAME = "alertmanager"
# A storm of a city is a few hundred; more than this in a request gains nothing.
_ALERTS_A_POST = 1000


class Alertmanager:
    """The sink; posts again while an incident is open."""

    name = NAME

    def __init__(self, context: Context, client: httpx.Client) -> None:
        self._context = context
        self._settings = context.settings.sinks.alertmanager
        self._client = client
        self._firing: dict[int, Incident] = {}
        self._ended: dict[int, Incident] = {}

    @property
    def every_s(self) -> float:
        """How often what is firing is posted again."""
        return self._settings.repeat_s

    def run_once(self) -> Posted:
        """Post what is open, and the end of what was; see the port."""
        store = self._context.store
        now_ms = to_ms(self._context.clock.now())
        is_open = {one.id: one for one in store.deliveries.told_open()}
        for number in self._firing.keys() - is_open.keys():
            known = store.alarms.incident(number) or self._firing[number]
            ended_ms = now_ms if known.ended_ms is None else known.ended_ms
            self._ended[number] = replace(known, ended_ms=ended_ms)
        self._firing = is_open
        incidents = [*is_open.values(), *self._ended.values()]
        alerts, broken = self._written(incidents, now_ms)
        url = f"{self._settings.url.rstrip('/')}/api/v2/alerts"
        for start in range(0, len(alerts), _ALERTS_A_POST):
            body = msgspec.json.encode(alerts[start : start + _ALERTS_A_POST])
            try:
                post(self._client, url, body)
            except SendError as error:
                return Posted(start, len(incidents) - start, str(error))
        self._ended.clear()
        return Posted(len(alerts), len(incidents) - len(alerts), broken)

    def _written(
        self, incidents: Sequence[Incident], now_ms: int
    ) -> tuple[list[dict[str, Any]], str]:
        """Return the alerts of these incidents, and why one of them has none.

        What is wrong with one must not keep the others from being told.
        """
        alerts, broken = [], ""
        for incident in incidents:
            try:
                alerts.append(self._alert(incident, now_ms))
            except Exception as error:  # noqa: BLE001
                _log.exception("incident %d is not posted", incident.id)
                broken = f"incident {incident.id}: {type(error).__name__}: {error}"
        return alerts, broken[:MAX_ERROR_CHARS]

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _alert(self, incident: Incident, now_ms: int) -> dict[str, Any]:
        context = self._context
        inventory, evidence = context.inventory(), decode(incident.evidence)
        building = inventory.building_by_id.get(incident.building_id)
        ends_ms = incident.ended_ms
        if ends_ms is None:
            ends_ms = now_ms + round(1000 * self._settings.resolve_after_s)
        # Alertmanager refuses an end before the beginning.
        starts_ms = min(evidence.since_ms, ends_ms)
        labels = {
            **self._settings.labels,
            "alertname": incident.rule,
            "incident": str(incident.id),
            "target": incident.target,
            "building": incident.building_id,
            "severity": context.severity_of(incident) or "",
            "campus_district": "" if building is None else building.campus_district,
            "school_type": "" if building is None else building.school_type,
        }
        what = headline((incident,), inventory, context.texts)
        place = place_name(building, incident, context.texts)
        return {
            # An empty label is none: Alertmanager drops it, and so do we.
            "labels": {name: value for name, value in labels.items() if value},
            "annotations": {"summary": f"{place}: {what}"},
            "startsAt": _rfc3339(starts_ms),
            "endsAt": _rfc3339(ends_ms),
            "generatorURL": context.link_to(incident),
        }


def alertmanager_from(context: Context) -> Alertmanager | None:
    """Return the sink of the settings; None while it has no address.

    Raises:
        ConfigError: a file cannot be read.
    """
    settings = context.settings.sinks.alertmanager
    if not settings.url:
        return None
    where = f"sinks.{NAME}"
    password = read_secret(settings.password_file, setting=f"{where}.password_file")
    auth = None if password is None else (settings.user, password.reveal())
    client = http_client(settings.ca_file, setting=f"{where}.ca_file", auth=auth)
    return Alertmanager(context, client)


def _rfc3339(ms: int) -> str:
    return from_ms(ms).isoformat(timespec="milliseconds")
