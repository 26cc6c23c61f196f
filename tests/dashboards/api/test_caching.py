"""ETag and 304: saved is only what nobody could tell from a fresh answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
from msgspec.structs import replace

from dashboards.caching import KEYED, SLOT_MS, Memory, knows
from netmon.ingest import token_hash
from netmon.storage.account_records import Role, Session
from netmon.storage.action_records import Actor, Mark, Via
from netmon.storage.records import AlarmState, SourceKind
from tests.dashboards.api.addresses import ADDRESSES, FILLED

ACTOR = Actor("leitstelle", Via.API)
_AT = re.compile(r'^\{"at":"[^"]*",')


@dataclass
class Reader:
    """Asks with an operator's token, on pages with a session."""

    client: httpx.AsyncClient
    headers: dict[str, str]

    async def get(self, address: str, tag: str | None = None) -> httpx.Response:
        headers = self.headers | ({} if tag is None else {"If-None-Match": tag})
        path = address.format(**FILLED)
        answer = await self.client.get(path, headers=headers)
        assert answer.status_code in {200, 304}, path
        return answer


@pytest.fixture
def reader(client, keys) -> Reader:
    return Reader(client, keys.headers("session") | keys.headers("operatorToken"))


def shown(answer: httpx.Response) -> str:
    """Return what an answer tells but for its own moment."""
    return _AT.sub("{", answer.text)


def test_the_keyed_addresses_are_there():
    assert set(ADDRESSES) >= KEYED


async def test_what_is_there_already_is_not_sent_again(reader):
    for address in ADDRESSES:
        first = await reader.get(address)
        if not first.headers["content-type"].startswith(("text/html", "application/j")):
            continue
        tag = first.headers["etag"]
        assert tag.startswith('W/"'), address
        assert first.headers["cache-control"] == "private, no-cache"
        assert {"Cookie", "Authorization"} <= set(first.headers["vary"].split(", "))
        for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
            again = await reader.get(address, known)
            assert again.status_code == 304, address
            assert again.content == b""
            assert again.headers["etag"] == tag
            assert again.headers["cache-control"] == "private, no-cache"
            assert "content-type" not in again.headers
            assert again.headers["content-security-policy"]
        other = await reader.get(address, 'W/"other"')
        assert (other.status_code, shown(other)) == (200, shown(first)), address


def a_measurement(city) -> None:
    city.test("gs-07", (1, {"rate_down_bps": 97.0}))


def an_access_point(city) -> None:
    city.access_point("gs-07", "gs-07-ap1", 3, age_s=1)


def a_new_incident(city) -> None:
    city.line_state("gs-07", AlarmState.BAD, rule="no_data", age_s=0)


def the_end_of_one(city) -> None:
    city.end_incident(1, "line_below_target", "line:gs-07-main", "gs-07")


def somebody_sees_to_it(city) -> None:
    mark = Mark(incident_id=1, author="leitstelle", at_ms=city.now_ms, note="ja")
    assert city.store.actions.acknowledge(mark, ACTOR)


def nobody_any_more(city) -> None:
    somebody_sees_to_it(city)
    assert city.store.actions.unacknowledge(1, ACTOR, city.now_ms)


def a_false_alarm(city) -> None:
    mark = Mark(incident_id=2, author="leitstelle", at_ms=city.now_ms, note="nein")
    assert city.store.actions.mark_false(mark, ACTOR)


def another_inventory(city) -> None:
    first, *others = city.inventory.buildings
    renamed = replace(first, name="Schule am Neuen Weg")
    city.adopt(replace(city.inventory, buildings=(renamed, *others)))


def a_new_sender(city) -> None:
    city.store.sources.create("neu", SourceKind.PROBE, "gs-07", token_hash("neu"))


def a_sign_of_life(city) -> None:
    city.store.heartbeats.beat("relay", city.now_ms, {"sent": 3.0})


def silence_of_the_alerts(city) -> None:
    city.store.heartbeats.beat("alerts", city.now_ms - 3_600_000, {})


CHANGES: tuple[Callable[..., None], ...] = (
    a_measurement,
    an_access_point,
    a_new_incident,
    the_end_of_one,
    somebody_sees_to_it,
    nobody_any_more,
    a_false_alarm,
    another_inventory,
    a_new_sender,
    a_sign_of_life,
    silence_of_the_alerts,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_whatever_changes_is_seen_at_once(reader, full_city, change):
    before = {address: await reader.get(address) for address in ADDRESSES}
    change(full_city)
    seen = 0
    for address, old in before.items():
        answer = await reader.get(address, old.headers.get("etag", "none"))
        fresh = await reader.get(address)
        if answer.status_code == 304:
            assert shown(fresh) == shown(old), address
        else:
            assert shown(answer) == shown(fresh), address
        seen += shown(fresh) != shown(old)
    assert seen, "the change is shown nowhere, so this tests nothing"


async def test_nothing_is_made_while_nothing_changes(reader, full_city, monkeypatch):
    tags = {each: (await reader.get(each)).headers["etag"] for each in KEYED}

    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError("an answer was made again")

    for room, name in (
        (full_city.store.alarms, "states"),
        (full_city.store.alarms, "incidents"),
        (full_city.store.measurements, "latest"),
    ):
        monkeypatch.setattr(type(room), name, fail)
    full_city.clock.advance(SLOT_MS / 1000 - 0.5)
    for address, tag in tags.items():
        assert (await reader.get(address, tag)).status_code == 304


async def test_ages_go_on(reader, full_city, clock):
    full_city.test("gs-07", (5, {"rate_down_bps": 240.0}))
    page = await reader.get("/gebaeude/gs-07")
    assert "vor 5 Sek." in page.text
    clock.advance(SLOT_MS / 1000)
    later = await reader.get("/gebaeude/gs-07", page.headers["etag"])
    assert later.status_code == 200
    assert "vor 15 Sek." in later.text


async def test_everybody_gets_their_own(client, full_city, keys):
    """A tag of somebody who may see more is worth nothing."""
    for name, district in (("asseln", "Asseln"), ("mitte", "Mitte")):
        now_ms = full_city.now_ms
        session = Session(
            name=name,
            role=Role.READ,
            campus_district=district,
            account_id=None,
            csrf=name,
            created_ms=now_ms,
            used_ms=now_ms,
        )
        full_city.store.accounts.begin(token_hash(name), session, 0)
    mine = {"Cookie": "netmon=asseln"}
    theirs = {"Cookie": "netmon=mitte"}
    for address in ("/", "/api/v1/buildings"):
        first = await client.get(address, headers=mine)
        tag = {"If-None-Match": first.headers["etag"]}
        assert (await client.get(address, headers=mine | tag)).status_code == 304
        other = await client.get(address, headers=theirs | tag)
        assert other.status_code == 200
        assert "Beispielweg" in first.text
        assert "Beispielweg" not in other.text
        # Who is nobody is not told whether something has changed.
        assert (await client.get(address, headers=tag)).status_code in {303, 401}


async def test_what_must_not_be_kept(client, reader):
    for path in ("/anmelden", "/healthz", "/metrics", "/api/v1/openapi.json"):
        answer = await client.get(path)
        assert answer.headers["cache-control"] == "no-store", path
        assert "etag" not in answer.headers, path
    any_tag = reader.headers | {"If-None-Match": "*"}
    for path in ("/nichts", "/api/v1/buildings/nichts", "/?nichts=1"):
        answer = await client.get(path, headers=any_tag)
        assert answer.status_code in {404, 422}, path
        assert answer.headers["cache-control"] == "no-store", path


async def test_packed_or_not_it_is_the_same(url, reader):
    async with httpx.AsyncClient(base_url=url, headers=reader.headers) as real:
        packed = await real.get("/", headers={"Accept-Encoding": "gzip"})
        plain = await real.get("/", headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        tag = packed.headers["etag"]
        assert plain.headers["etag"] == tag
        again = await real.get("/", headers={"If-None-Match": tag})
        assert again.status_code == 304
        assert again.content == b""


def test_the_memory_forgets_the_oldest():
    memory = Memory(most=2)
    for key in "abc":
        memory.remember(key, key.upper())
    assert [memory.tag(key) for key in "abc"] == [None, "B", "C"]


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ([], False),
        (['"a"'], True),
        (['W/"a"'], True),
        (['"b"', 'W/"c", "a"'], True),
        (["*"], True),
        (["a"], False),
        (['"b"'], False),
    ],
)
def test_weak_comparison(header, known):
    assert knows(header, 'W/"a"') is known
