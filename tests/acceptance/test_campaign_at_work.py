"""A campaign's whole way: order, assignment, test on a line with traffic, chain, report.

As in `test_uplink_at_work`, the line is played and everything else is real. The order
is made by hand, with moments of this minute: a drawn one begins in a quarter of an hour.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from netmon.clock import SystemClock, to_ms
from netmon.demo.line_traffic import Traffic
from netmon.demo.played_line import PlayedLine
from netmon.evidence import chain
from netmon.evidence.campaign import evaluation_of
from netmon.evidence.readings import Evaluation
from netmon.evidence.records import builtins, order_of
from netmon.evidence.verify import verify
from netmon.evidence.writing import WRITERS
from netmon.storage.campaign_records import AgreedRates, Campaign, Subject
from netmon.texts import Texts
from netmon.units import MBIT
from tests.acceptance.conftest import BUILDING, LINE, PROBE
from tests.acceptance.test_uplink_at_work import PAYLOAD, shape, site

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("line")]

APART_MS = 8_000


def order(store) -> Campaign:
    """Store a campaign with a moment every few seconds: one of them will do."""
    now_ms = to_ms(SystemClock().now())
    moments = tuple(now_ms + n * APART_MS for n in range(1, 31))
    campaign = Campaign(
        id="ev-20261126-0badcafe",
        line_id=LINE,
        building_id=BUILDING,
        started_ms=now_ms,
        author="Test",
        note="",
        moments_ms=moments,
        deadline_ms=moments[-1] + 3_600_000,
        down=AgreedRates(maximum_bps=120 * MBIT),
        up=AgreedRates(maximum_bps=40 * MBIT),
        subject=Subject(
            building="Grundschule 7",
            address="Weg 7",
            role="main",
            technology="fibre",
            provider="DOKOM21",
            probes=(PROBE,),
        ),
    )
    (entry,) = chain.extend(
        None, [builtins(replace(order_of(campaign), early_ms=0, window_ms=APART_MS))]
    )
    store.campaigns.start(campaign, entry)
    return campaign


def said(centre, campaign: Campaign) -> Evaluation:
    return evaluation_of(centre.store.campaigns.entries(campaign.id))


async def test_the_probe_measures_both_ways_and_the_chain_has_it(
    start_centre, tmp_path, until
):
    line = PlayedLine(shape(120, 40, Traffic.STEADY))
    async with site(start_centre, tmp_path, line) as centre:
        campaign = order(centre.store)
        await until(lambda: said(centre, campaign).valid, 150)
        entries = centre.store.campaigns.entries(campaign.id)
    first = evaluation_of(entries).valid[0]
    assert first.down.compared_bps == pytest.approx(120e6 * PAYLOAD, rel=0.1)
    assert first.up.compared_bps == pytest.approx(40e6 * PAYLOAD, rel=0.1)
    assert first.down.result.tags["basis"] == "router"
    assert first.down.result.tags["purpose"] == "campaign"
    body = WRITERS["json"](entries, Texts("de"))
    assert verify(body, head=chain.head(entries)).entries == len(entries)
