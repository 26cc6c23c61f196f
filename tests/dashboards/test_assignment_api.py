"""What a probe is told: its line, its calendar, and when an alarm waits for it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from alerts.engine import Engine
from netmon.alarm_classes import RuleName
from netmon.assignment_wire import (
    Assignment,
    CampaignTask,
    LineAssignment,
    decode_assignment,
    encode_assignment,
)
from netmon.clock import ManualClock
from netmon.config import AlertSettings, MeasureSettings, Settings
from netmon.errors import StorageBusyError
from netmon.evidence.ordering import CampaignOrder, start
from netmon.evidence.plan import free_hours
from netmon.ingest import token_hash
from netmon.model import LineRole, ProbeUnit, Technology
from netmon.rule_overrides import RuleOverride
from netmon.school_calendar import Holidays, SchoolCalendar, around, put_together
from netmon.state_holidays import state_holidays
from netmon.storage.current import CurrentInventory
from netmon.storage.records import AlarmState, SourceKind
from netmon.storage.sqlite import SqliteStore
from netmon.units import MBIT
from netmon.wire import decode_error

PATH = "/api/v1/assignment"
PROBES = (
    ProbeUnit(id="ost-p1", building_id="b-ost", line_id="b-ost-main"),
    ProbeUnit(id="oest-p1", building_id="b-oest", line_id="b-oest-main"),
    ProbeUnit(id="oest-p2", building_id="b-oest", line_id="b-oest-backup"),
    ProbeUnit(id="z9-p1", building_id="b-z9", line_id="b-z9-main"),
)
EXAM = "[[protected]]\nday = 2027-04-20\nstart = 09:00:00\nend = 14:00:00\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "calendars"
    folder.mkdir()
    (folder / "b-oest.toml").write_text(EXAM, encoding="utf-8")
    return Settings(
        measure=MeasureSettings(
            calendar_dir=str(folder),
            budget_share=0.002,
            full_tests_per_day=3,
            slot_s=1800.0,
        )
    )


@pytest.fixture(autouse=True)
def known_probes(city) -> None:
    city.adopt(replace(city.inventory, probes=PROBES))


class Asker:
    """A probe that asks with its own token."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._token = token

    async def get(self, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        named["Authorization"] = f"Bearer {self._token}"
        return await self._client.get(PATH, headers=named)

    async def told(self) -> Assignment:
        answer = await self.get()
        assert answer.status_code == 200, answer.text
        return decode_assignment(answer.content)

    async def refused(self) -> tuple[int, str]:
        answer = await self.get()
        error = decode_error(answer.content)
        assert error is not None
        assert error.message
        assert error.fix
        assert "etag" not in answer.headers
        return answer.status_code, error.code


@pytest.fixture
def asker(store: SqliteStore, client: httpx.AsyncClient):
    def make(name: str, building_id: str | None = None) -> Asker:
        kind = SourceKind.PROBE if building_id else SourceKind.COLLECTOR
        store.sources.create(name, kind, building_id, token_hash(name))
        return Asker(client, name)

    return make


# What a probe is told where nobody wrote a calendar: the day of the tests is in 2026.
OF_THE_STATE = around(put_together([], None, state_holidays()), date(2026, 11, 20))


# --- what it says -------------------------------------------------------------


async def test_a_probe_is_told_all_it_needs(asker):
    found = await asker("ost-p1", "b-ost").told()
    assert found == Assignment(
        probe="ost-p1",
        building="b-ost",
        line="b-ost-main",
        lines=(
            LineAssignment(
                id="b-ost-main",
                role=LineRole.MAIN,
                technology=Technology.FIBRE,
                contracted_down_bps=250 * MBIT,
                contracted_up_bps=40 * MBIT,
                threshold_down_bps=100e6,
                clear_down_bps=105e6,
                threshold_up_bps=36e6,
            ),
        ),
        calendar=OF_THE_STATE,
        budget_share=0.002,
        full_tests_per_day=3,
        slot_s=1800.0,
        confirm=False,
        campaign=None,
    )


class TestAnotherTarget:
    @pytest.fixture
    def settings(self) -> Settings:
        entry = RuleOverride(
            rule=RuleName.LINE_BELOW_TARGET, building="b-ost", raise_below="150 Mbit/s"
        )
        return Settings(alerts=AlertSettings(rules=(entry,)))

    async def test_a_probe_is_told_the_target_of_its_line(self, asker):
        for probe, building, raised, clear in (
            ("ost-p1", "b-ost", 150e6, 157.5e6),
            ("oest-p1", "b-oest", 100e6, 105e6),
        ):
            line = (await asker(probe, building).told()).lines[0]
            assert (line.threshold_down_bps, line.clear_down_bps) == (raised, clear)


async def test_holidays_come_as_data_for_three_years(asker):
    found = (await asker("ost-p1", "b-ost").told()).calendar
    assert found.lessons == SchoolCalendar().lessons
    years = {one.first.year for one in found.holidays}
    assert years == {2025, 2026, 2027}
    summer = Holidays(
        first=date(2027, 7, 19), last=date(2027, 8, 31), name="Sommerferien"
    )
    assert summer in found.holidays


async def test_a_probe_measures_its_own_line_and_knows_the_others(asker):
    first = await asker("oest-p1", "b-oest").told()
    second = await asker("oest-p2", "b-oest").told()
    assert [one.id for one in first.lines] == ["b-oest-main", "b-oest-backup"]
    assert first.lines == second.lines
    assert (first.line, second.line) == ("b-oest-main", "b-oest-backup")


async def test_a_new_name_gets_the_buildings_only_probe(asker):
    found = await asker("spare", "b-z9").told()
    assert (found.probe, found.building, found.line) == ("spare", "b-z9", "b-z9-main")


async def test_another_inventory_is_seen_at_once(asker, city):
    probe = asker("oest-p1", "b-oest")
    assert (await probe.told()).line == "b-oest-main"
    moved = replace(PROBES[1], line_id="b-oest-backup")
    city.adopt(replace(city.inventory, probes=(moved,)))
    assert (await probe.told()).line == "b-oest-backup"


async def test_each_building_has_its_calendar_and_a_change_is_told(
    asker, settings: Settings
):
    probe, other = asker("oest-p1", "b-oest"), asker("ost-p1", "b-ost")
    exams = (await probe.told()).calendar.protected
    assert [one.day for one in exams] == [date(2027, 4, 20)]
    assert (await other.told()).calendar == OF_THE_STATE
    before = await probe.get()
    file = Path(settings.measure.calendar_dir) / "b-oest.toml"
    file.write_text(EXAM + EXAM.replace("2027-04-20", "2027-04-22"), encoding="utf-8")
    after = await probe.get(If_None_Match=before.headers["etag"])
    assert after.status_code == 200
    assert len(decode_assignment(after.content).calendar.protected) == 2
    file.write_text("[[protected]]\nday = 2027\n", encoding="utf-8")
    broken = await probe.get(If_None_Match=after.headers["etag"])
    assert broken.status_code == 304


# --- a suspected alarm --------------------------------------------------------


@pytest.fixture
def engine(store: SqliteStore, settings: Settings, clock: ManualClock) -> Engine:
    return Engine(store, CurrentInventory(store.inventories), settings, clock)


async def test_a_suspected_line_is_to_be_confirmed_until_it_is_judged(
    asker, city, engine: Engine, settings: Settings
):
    main, backup = asker("oest-p1", "b-oest"), asker("oest-p2", "b-oest")
    other = asker("ost-p1", "b-ost")
    city.throughput("b-oest", (0, (150, 30)))
    engine.run_once()
    calm = await main.get()
    assert decode_assignment(calm.content).confirm is False
    states = []
    for _ in range(settings.alerts.line_confirm_count):
        city.clock.advance(60)
        city.throughput("b-oest", (0, (60, 30)))
        engine.run_once()
        (row,) = city.store.alarms.states(
            rule="line_below_target", building_id="b-oest"
        )
        states.append(row.state)
        urgent = await main.get(If_None_Match=calm.headers["etag"])
        if row.state is AlarmState.SUSPECT:
            assert decode_assignment(urgent.content).confirm is True
        else:
            assert urgent.status_code == 304
        assert (await backup.told()).confirm is False
        assert (await other.told()).confirm is False
    assert states == [AlarmState.SUSPECT, AlarmState.SUSPECT, AlarmState.BAD]


async def test_another_rule_asks_for_no_confirmation(asker, city):
    city.line_state("b-ost", AlarmState.SUSPECT, rule="no_data")
    assert (await asker("ost-p1", "b-ost").told()).confirm is False


# --- nothing new --------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", '"other", {}', '{},W/"x"', "*"])
async def test_who_has_it_already_gets_no_body(asker, form):
    probe = asker("ost-p1", "b-ost")
    first = await probe.get()
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    again = await probe.get(If_None_Match=form.replace("{}", tag))
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == tag
    assert again.headers["cache-control"] == "no-cache"


async def test_who_has_another_one_gets_it_all(asker):
    probe, other = asker("oest-p1", "b-oest"), asker("oest-p2", "b-oest")
    foreign = (await other.get()).headers["etag"]
    for tag in (foreign, "", '"', "nonsense", 'W/""'):
        answer = await probe.get(If_None_Match=tag)
        assert answer.status_code == 200
        assert answer.headers["etag"] != foreign


async def test_a_long_calendar_goes_out_compressed_under_the_same_tag(
    asker, settings: Settings
):
    file = Path(settings.measure.calendar_dir) / "b-oest.toml"
    file.write_text(EXAM * 100, encoding="utf-8")
    probe = asker("oest-p1", "b-oest")
    plain = await probe.get(Accept_Encoding="identity")
    packed = await probe.get(Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.headers["etag"] == plain.headers["etag"]
    assert packed.headers["etag"].startswith("W/")


# --- who gets nothing ---------------------------------------------------------


async def test_a_collector_is_refused(asker):
    assert await asker("sammler").refused() == (403, "no_probe")


async def test_strangers_and_revoked_tokens_are_refused(asker, client, store):
    assert await Asker(client, "wrong").refused() == (401, "bad_token")
    probe = asker("ost-p1", "b-ost")
    await probe.told()
    assert store.sources.revoke("ost-p1")
    assert await probe.refused() == (401, "bad_token")
    answer = await client.get(PATH)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "no_token"


@pytest.mark.parametrize(
    ("name", "building_id"),
    [
        ("z10-p1", "b-z10"),  # a line, but no probe
        ("leer-p1", "b-leer"),  # no line either
        ("oest-p3", "b-oest"),  # two probes, and neither of that name
        ("gone-p1", "b-gone"),  # no such building
    ],
)
async def test_a_probe_that_the_inventory_lacks_is_told_the_fix(
    asker, name, building_id
):
    probe = asker(name, building_id)
    assert await probe.refused() == (404, "unknown_probe")
    assert "probes.csv" in (await probe.get()).json()["error"]["fix"]


async def test_a_probe_in_another_building_than_its_token_gets_no_line(asker):
    probe = asker("ost-p1", "b-z9")
    assert await probe.refused() == (403, "forbidden_building")


async def test_a_busy_store_says_come_again(asker, store, monkeypatch):
    def busy(*_: object, **__: object) -> None:
        raise StorageBusyError("/a/secret/path")

    probe = asker("ost-p1", "b-ost")
    monkeypatch.setattr(type(store.alarms), "states", busy)
    answer = await probe.get()
    assert answer.status_code == 503
    assert answer.json()["error"]["retry"] is True
    assert "retry-after" in answer.headers
    assert "secret" not in answer.text


# --- description --------------------------------------------------------------


async def test_the_description_has_an_example_that_a_probe_can_read(client):
    described = (await client.get("/api/v1/openapi.json")).json()
    operation = described["paths"][PATH]["get"]
    assert operation["security"] == [{"senderToken": []}]
    content = operation["responses"]["200"]["content"]["application/json"]
    assert content["schema"]["$ref"] == "#/components/schemas/Assignment"
    example: dict[str, Any] = content["example"]
    found = decode_assignment(json.dumps(example).encode())
    assert json.loads(encode_assignment(found)) == example
    for status in ("401", "403", "404", "503"):
        answer = operation["responses"][status]["content"]["application/json"]
        assert answer["schema"]["$ref"].endswith("/ErrorReply")


async def test_a_probe_is_told_of_its_lines_campaign(asker, city, clock):
    probe, other = asker("ost-p1", "b-ost"), asker("z9-p1", "b-z9")
    assert (await probe.told()).campaign is None
    city.throughput("b-ost", (60.0, (200.0, 38.0)))
    campaign = start(
        city.store,
        city.inventory,
        CampaignOrder(line_id="b-ost-main", from_ms=city.now_ms),
        now_ms=city.now_ms,
        allowed=free_hours(SchoolCalendar()),
    )
    told = await probe.told()
    assert told.campaign == CampaignTask(id=campaign.id, moments_ms=campaign.moments_ms)
    assert (await other.told()).campaign is None
    # Once it is too late for the first one, it is asked for no more.
    first = campaign.moments_ms[0]
    clock.advance((first - city.now_ms) / 1000 + 20 * 60)
    told = await probe.told()
    assert told.campaign.moments_ms == campaign.moments_ms[1:]
