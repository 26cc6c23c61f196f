"""Evidence campaigns as the state store keeps them; times are UTC milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class CampaignState(StrEnum):
    """Where a campaign stands; all but the first are final.

    ``complete``: every measurement was had. ``expired``: its days are over and
    some are missing. ``aborted``: somebody ended it.
    """

    RUNNING = "running"
    COMPLETE = "complete"
    EXPIRED = "expired"
    ABORTED = "aborted"


class AgreedRates(Struct, frozen=True, kw_only=True):
    """What the contract says for one direction, in bit/s; None: not agreed."""

    maximum_bps: int
    normal_bps: int | None = None
    minimum_bps: int | None = None


class Subject(Struct, frozen=True, kw_only=True):
    """What was measured, as the inventory had it when the campaign began."""

    building: str
    address: str
    role: str
    technology: str
    provider: str
    probes: tuple[str, ...]


class Campaign(Struct, frozen=True, kw_only=True):
    """A campaign. ``moments_ms`` are its planned measurements, in order.

    ``ended_ms`` is None while it runs. A result counts until ``deadline_ms``, when
    it has waited at the probe for a way to the gateway.
    """

    id: str
    line_id: str
    building_id: str
    started_ms: int
    author: str
    note: str
    moments_ms: tuple[int, ...]
    deadline_ms: int
    down: AgreedRates
    up: AgreedRates
    subject: Subject
    state: CampaignState = CampaignState.RUNNING
    ended_ms: int | None = None


class ChainEntry(Struct, frozen=True, kw_only=True):
    """One link: ``record`` is the JSON text whose hash ``sha256`` covers.

    Numbers count from 0, the campaign itself; ``previous`` is the hash before.
    """

    number: int
    record: str
    previous: str
    sha256: str


class CampaignEnd(Struct, frozen=True, kw_only=True):
    """A campaign's final state and when it was reached."""

    state: CampaignState
    ended_ms: int


class CampaignStep(Struct, frozen=True, kw_only=True):
    """What is added to one campaign: links in order, and perhaps its end."""

    campaign_id: str
    entries: Sequence[ChainEntry]
    end: CampaignEnd | None = None
