"""The port to evidence campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from netmon.storage.campaign_records import Campaign, CampaignStep, ChainEntry


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
