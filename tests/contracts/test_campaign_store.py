"""What every store has to do with campaigns: links are added in order, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from netmon.errors import StorageError
from netmon.storage.campaign_records import (
    AgreedRates,
    Campaign,
    CampaignEnd,
    CampaignState,
    CampaignStep,
    ChainEntry,
    Subject,
)
from netmon.storage.ports import Store
from netmon.storage.sqlite import SqliteStore

NOW_MS = 1_796_122_800_000
READER = "evidence"

# A second implementation joins the suite with one line.
OPEN: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "state.sqlite3")
}


@pytest.fixture(params=list(OPEN))
def open_campaign_store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[], Store]:
    return lambda: OPEN[request.param](tmp_path)


@pytest.fixture
def campaign_store(open_campaign_store: Callable[[], Store]) -> Iterator[Store]:
    opened = open_campaign_store()
    yield opened
    opened.close()


def _campaign(campaign_id: str = "ev-1", line: str = "l1", **more: Any) -> Campaign:
    fields: dict[str, Any] = {
        "building_id": "g1",
        "started_ms": NOW_MS,
        "author": "Frau Ö",
        "note": "",
        "moments_ms": (NOW_MS + 1, NOW_MS + 2),
        "deadline_ms": NOW_MS + 9,
        "down": AgreedRates(maximum_bps=100, normal_bps=84),
        "up": AgreedRates(maximum_bps=40, minimum_bps=20),
        "subject": Subject(
            building="Schule",
            address="Weg 1",
            role="main",
            technology="vdsl",
            provider="Netz",
            probes=("p1",),
        ),
    }
    return Campaign(id=campaign_id, line_id=line, **{**fields, **more})


def _link(number: int, record: str = "{}", previous: str | None = None) -> ChainEntry:
    return ChainEntry(
        number=number,
        record=record,
        previous=previous or f"hash {number - 1}",
        sha256=f"hash {number}",
    )


def _step(campaign_id: str, *numbers: int, end: CampaignEnd | None = None) -> Any:
    return CampaignStep(
        campaign_id=campaign_id, entries=[_link(n) for n in numbers], end=end
    )


def _advance(store: Store, *steps: CampaignStep, read_from: int, position: int) -> bool:
    return store.campaigns.advance(
        steps, reader=READER, read_from=read_from, position=position, now_ms=NOW_MS
    )


def test_a_campaign_comes_back_as_it_was_stored(open_campaign_store):
    one, other = _campaign(), _campaign("ev-2", "l2", started_ms=NOW_MS + 5)
    store = open_campaign_store()
    store.campaigns.start(one, _link(0, '{"ü":1}'))
    store.campaigns.start(other, _link(0))
    store.close()
    store = open_campaign_store()
    assert store.campaigns.get("ev-1") == one
    assert store.campaigns.get("ev-9") is None
    assert store.campaigns.running() == [one, other]
    assert store.campaigns.of_line("l2") == [other]
    assert store.campaigns.entries("ev-1") == [_link(0, '{"ü":1}')]
    assert store.campaigns.entries("ev-9") == []
    store.close()


def test_a_line_has_one_running_campaign(campaign_store):
    campaigns = campaign_store.campaigns
    campaigns.start(_campaign(), _link(0))
    with pytest.raises(StorageError, match="ev-1"):
        campaigns.start(_campaign("ev-2"), _link(0))
    with pytest.raises(StorageError):
        campaigns.start(_campaign(line="l2"), _link(0))
    assert campaigns.entries("ev-2") == []
    end = CampaignEnd(state=CampaignState.ABORTED, ended_ms=NOW_MS + 7)
    assert _advance(campaign_store, _step("ev-1", 1, end=end), read_from=0, position=0)
    newer = _campaign("ev-2", started_ms=NOW_MS + 8)
    campaigns.start(newer, _link(0))
    ended = replace(_campaign(), state=CampaignState.ABORTED, ended_ms=NOW_MS + 7)
    assert campaigns.of_line("l1") == [newer, ended]
    assert campaigns.running() == [newer]


def test_links_and_cursor_move_together(campaign_store):
    campaign_store.campaigns.start(_campaign(), _link(0))
    campaign_store.campaigns.start(_campaign("ev-2", "l2"), _link(0))
    steps = (_step("ev-1", 1, 2), _step("ev-2", 1))
    assert _advance(campaign_store, *steps, read_from=0, position=7)
    assert campaign_store.cursors.get(READER).position == 7
    assert campaign_store.cursors.get(READER).updated_ms == NOW_MS
    assert [e.number for e in campaign_store.campaigns.entries("ev-1")] == [0, 1, 2]
    assert _advance(campaign_store, read_from=7, position=9)
    assert campaign_store.cursors.get(READER).position == 9


ENDED = CampaignEnd(state=CampaignState.COMPLETE, ended_ms=NOW_MS)


@pytest.mark.parametrize(
    "steps",
    [
        [_step("ev-1", 2)],
        [_step("ev-1", 0)],
        [_step("ev-1", 1, 3)],
        [_step("ev-2", 1), _step("ev-1", 2)],
        [_step("ev-9", 0)],
        [_step("ev-3", 2)],
        [
            CampaignStep(campaign_id="ev-1", entries=[_link(1, previous="another")]),
        ],
    ],
)
def test_what_does_not_follow_is_not_written(campaign_store, steps):
    campaigns = campaign_store.campaigns
    for number in (1, 2, 3):
        campaigns.start(_campaign(f"ev-{number}", f"l{number}"), _link(0))
    assert _advance(
        campaign_store, _step("ev-3", 1, end=ENDED), read_from=0, position=4
    )
    before = [campaigns.entries(f"ev-{n}") for n in (1, 2, 3)]
    assert not _advance(campaign_store, *steps, read_from=4, position=5)
    assert [campaigns.entries(f"ev-{n}") for n in (1, 2, 3)] == before
    assert campaign_store.cursors.get(READER).position == 4


def test_of_many_who_read_the_same_one_writes(campaign_store):
    campaign_store.campaigns.start(_campaign(), _link(0))
    won: list[bool] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        won.append(_advance(campaign_store, _step("ev-1", 1), read_from=0, position=3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, False, False, True]
    assert len(campaign_store.campaigns.entries("ev-1")) == 2
