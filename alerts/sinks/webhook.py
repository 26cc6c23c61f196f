"""A ticket system: each alarm and each end once, signed, until it is taken.

The body is signed with HMAC-SHA256 over ``<time>.<body>``; the header
``Netmon-Signature: t=<unix seconds>,v1=<hex>`` carries both, so that nobody can send
an old call again later (the scheme of Stripe's webhooks). A call that was taken but not
answered is repeated with the same ``Idempotency-Key``. An answer ``{"reference": "..."}``
is kept: mails name it.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from alerts.evidence import decode
from alerts.mails import headline
from alerts.sender import backoff_s
from alerts.sinks.base import (
    MAX_ERROR_CHARS,
    Context,
    Posted,
    http_client,
    post,
)
from netmon.clock import from_ms, to_ms
from netmon.config import Secret, read_secret
from netmon.errors import NetmonError, SendError
from netmon.storage.delivery_records import Delivery
from netmon.storage.records import Incident

_log = logging.getLogger(__name__)

NAME = "webhook"
_A_ROUND = 50
_MAX_REFERENCE_CHARS = 64
# What was told before the webhook was switched on is not sent after it.
_LOOK_BACK_MS = 24 * 3_600_000


class _Answer(Struct):
    reference: str | int = ""


class Webhook:
    """The sink; an outbox row for every event, sent in order."""

    name = NAME
    every_s = 30.0

    def __init__(self, context: Context, client: httpx.Client, secret: Secret) -> None:
        self._context = context
        self._settings = context.settings.sinks.webhook
        self._client = client
        self._secret = secret

    def run_once(self) -> Posted:
        """Send what is due; see the port."""
        store, clock = self._context.store, self._context.clock
        now_ms = to_ms(clock.now())
        store.deliveries.plan(NAME, now_ms - _LOOK_BACK_MS, now_ms)
        posted = failed = 0
        error = ""
        for item in store.deliveries.due(NAME, now_ms, _A_ROUND):
            incident = store.alarms.incident(item.incident_id)
            try:
                reference = self._send(item, incident)
            except SendError as refused:
                wait_s = backoff_s(item.attempts + 1, permanent=refused.permanent)
                next_ms = to_ms(clock.now()) + round(1000 * wait_s)
                failed, error = failed + 1, str(refused)
                store.deliveries.failed(
                    NAME, item.incident_id, item.event, error, next_ms
                )
                if not refused.permanent:
                    # Nobody is there: the others will fare no better now.
                    break
            else:
                posted += 1
                at_ms = to_ms(clock.now())
                store.deliveries.done(
                    NAME, item.incident_id, item.event, at_ms, reference
                )
        return Posted(posted, failed, error)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _send(self, item: Delivery, incident: Incident | None) -> str:
        """Return the reference the ticket system gave, empty where it gave none."""
        if incident is None:
            raise SendError("there is no such incident any more", permanent=True)
        body = self._written(item, incident)
        headers = {
            "Idempotency-Key": f"netmon-{incident.id}-{incident.started_ms}-{item.event}",
            "Netmon-Signature": sign(
                self._secret, body, to_ms(self._context.clock.now()) // 1000
            ),
        }
        answer = post(self._client, self._settings.url, body, headers)
        try:
            said = msgspec.json.decode(answer.content, type=_Answer)
        except msgspec.DecodeError:
            return ""
        return " ".join(str(said.reference).split())[:_MAX_REFERENCE_CHARS]

    def _written(self, item: Delivery, incident: Incident) -> bytes:
        """Return the call's body.

        Raises:
            SendError: it cannot be written, which is this incident's trouble alone.
        """
        try:
            return msgspec.json.encode(self._body(item, incident))
        except NetmonError:
            raise
        except Exception as error:
            _log.exception("incident %d is not posted", incident.id)
            text = f"not written: {type(error).__name__}: {error}"[:MAX_ERROR_CHARS]
            raise SendError(text, permanent=True) from error

    def _body(self, item: Delivery, incident: Incident) -> dict[str, Any]:
        context = self._context
        evidence = decode(incident.evidence)
        building = context.inventory().building_by_id.get(incident.building_id)
        return {
            "event": item.event,
            "incident": incident.id,
            "rule": incident.rule,
            "severity": context.severity_of(incident),
            "target": incident.target,
            "building": {
                "id": incident.building_id,
                "name": "" if building is None else building.name,
                "street": "" if building is None else building.street,
                "campus_district": "" if building is None else building.campus_district,
            },
            "summary": headline((incident,), context.inventory(), context.texts),
            "cause": evidence.cause,
            "since": from_ms(evidence.since_ms).isoformat(),
            "ended": None
            if incident.ended_ms is None
            else from_ms(incident.ended_ms).isoformat(),
            "reference": context.store.deliveries.reference_of(incident.id),
            "link": context.link_to(incident),
        }


def sign(secret: Secret, body: bytes, at_s: int) -> str:
    """Return the signature header of a body sent at a time in unix seconds."""
    key = secret.reveal().encode()
    digest = hmac.new(key, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def webhook_from(context: Context) -> Webhook | None:
    """Return the sink of the settings; None while it has no address.

    Raises:
        ConfigError: a file cannot be read.
    """
    settings = context.settings.sinks.webhook
    if not settings.url:
        return None
    where = f"sinks.{NAME}"
    secret = read_secret(settings.secret_file, setting=f"{where}.secret_file")
    if secret is None:
        return None
    client = http_client(settings.ca_file, setting=f"{where}.ca_file")
    return Webhook(context, client, secret)
