"""What every sink has: the port, what it is given, and a careful HTTP client."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

import httpx

from alerts.classes import Severity
from alerts.rule_settings import effective
from alerts.rules import RULES, line_of
from netmon.clock import Clock
from netmon.config import Settings
from netmon.errors import ConfigError, SendError
from netmon.model import Inventory
from netmon.refused import refused
from netmon.storage.ports import Store
from netmon.storage.records import Incident
from netmon.texts import Texts

_TIMEOUT_S = 20.0
MAX_ERROR_CHARS = 300


@dataclass(frozen=True, slots=True)
class Context:
    """What a sink works with."""

    store: Store
    inventory: Callable[[], Inventory]
    settings: Settings
    texts: Texts
    clock: Clock

    def severity_of(self, incident: Incident) -> Severity | None:
        """Return how bad an incident is in its place; None where its rule is gone."""
        rule = RULES.get(incident.rule)
        if rule is None:
            return None
        inventory = self.inventory()
        building = inventory.building_by_id.get(incident.building_id)
        line = inventory.line_by_id.get(line_of(incident.target))
        return effective(rule, building, line, self.settings.alerts).severity

    def link_to(self, incident: Incident) -> str:
        """Return the page of an incident's building; the overview where it has none."""
        page = self.settings.gateway.public_url.rstrip("/")
        if not incident.building_id:
            return f"{page}/"
        return f"{page}/gebaeude/{quote(incident.building_id, safe='')}"


@dataclass(frozen=True, slots=True)
class Posted:
    """What one round of a sink did; ``error`` is empty where all was taken."""

    posted: int = 0
    failed: int = 0
    error: str = ""


class Sink(Protocol):
    """Somebody who is told of incidents; rounds may come at any time, none is needed."""

    @property
    def name(self) -> str:
        """What it is called in settings, figures and logs."""

    @property
    def every_s(self) -> float:
        """How long a round may be put off where nothing happens."""

    def run_once(self) -> Posted:
        """Tell what is to be told now; what is not taken stays for a later round.

        Raises:
            StorageError: the store refused.
        """

    def close(self) -> None:
        """Let go of connections."""


def http_client(
    ca_file: str, *, setting: str, auth: tuple[str, str] | None = None
) -> httpx.Client:
    """Return a client that checks certificates, against ``ca_file`` if it is given.

    Proxies of the environment are not used, redirects not followed: what is posted
    goes where the settings say and nowhere else.

    Raises:
        ConfigError: the file holds no certificates.
    """
    try:
        tls = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        wrong = refused(ca_file, setting, "no_certificates", why=error)
        raise ConfigError([wrong]) from error
    return httpx.Client(verify=tls, timeout=_TIMEOUT_S, trust_env=False, auth=auth)


def post(
    client: httpx.Client, url: str, body: bytes, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Return the answer to JSON that was taken.

    Raises:
        SendError: no answer, or one that says no; permanent where the same bytes
            would be refused again.
    """
    headers = {"Content-Type": "application/json", **(headers or {})}
    try:
        answer = client.post(url, content=body, headers=headers)
    except httpx.HTTPError as error:
        text = f"no answer: {type(error).__name__}: {error}"
        raise SendError(text[:MAX_ERROR_CHARS], permanent=False) from None
    if answer.is_success:
        return answer
    said = " ".join(answer.text.split())
    text = f"refused: {answer.status_code} {said}"[:MAX_ERROR_CHARS]
    # Too many requests, or not yet: as good as no answer.
    permanent = answer.status_code not in {408, 425, 429} and answer.status_code < 500
    raise SendError(text, permanent=permanent)
