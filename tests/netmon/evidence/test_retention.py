"""What a campaign needs is never removed: unread, or while it runs."""

from __future__ import annotations

from netmon.config import Settings
from netmon.evidence.campaign import evaluation_of
from netmon.retention import ALERTS, DAY_MS, Retention
from netmon.storage.campaign_records import CampaignState
from netmon.store_settings import StoreSettings

SHORT = Settings(
    store=StoreSettings(keep_tests_days=2, keep_lines_days=2, keep_polled_days=1)
)


def _left(school, now_ms):
    sweeper = Retention(school.store, SHORT)
    while sweeper.step(now_ms):
        pass
    return len(school.store.measurements.chunks_after(0, 10**6))


def test_results_stay_until_their_campaign_has_ended_and_its_chain_forever(school):
    campaign = school.begin()
    school.measure(campaign, range(29))
    school.store.cursors.set(ALERTS, 10**6, school.now_ms)
    later_ms = campaign.moments_ms[-1] + 100 * DAY_MS
    assert _left(school, later_ms) == 59 - 1  # only what came before it began
    school.record(campaign)
    assert _left(school, later_ms) == 58
    school.measure(campaign, [29])
    school.record(campaign)
    done = school.store.campaigns.get(campaign.id)
    assert done.state is CampaignState.COMPLETE
    before = evaluation_of(school.store.campaigns.entries(campaign.id))
    assert _left(school, later_ms) == 0
    after = evaluation_of(school.store.campaigns.entries(campaign.id))
    assert after == before
    assert after.complete
