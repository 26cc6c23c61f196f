"""Who may use the API: programs with a token to read, people in a session to act."""

from __future__ import annotations

import pytest

from netmon.config import Settings
from netmon.ingest import token_hash
from netmon.storage.account_records import Role
from netmon.storage.action_records import Actor, AuditAction, Via
from netmon.storage.records import AlarmState, SourceKind
from tests.dashboards.test_actions_api import ROUTES, SILENCE, WINDOW

READS = [
    "/api/v1/buildings",
    "/api/v1/buildings/b-ost",
    "/api/v1/incidents",
    "/api/v1/sources",
]
TOKEN = {"Authorization": "Bearer leitstelle's token"}


@pytest.fixture
def settings() -> Settings:
    """Logging in is required."""
    return Settings()


@pytest.fixture
def known(city):
    """An operator and a probe have tokens."""
    actor = Actor("root", Via.SHELL)
    hashed = token_hash("leitstelle's token")
    city.store.actions.add_operator("leitstelle", hashed, actor, city.now_ms)
    city.store.sources.create("p1", SourceKind.PROBE, "b-ost", token_hash("a probe's"))
    return city


def word(session) -> dict[str, str]:
    return {"X-CSRF-Token": session.csrf}


@pytest.mark.parametrize("path", READS)
async def test_an_operators_token_reads(known, client, path):
    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, headers=TOKEN)).status_code == 200
    for token in ("wrong", "a probe's"):
        answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "bad_token"


async def test_a_token_acts_by_itself_and_another_scheme_is_none(known, client, log_in):
    session = log_in(Role.OPERATE)
    # Nobody is taken for somebody else because a browser has a session.
    wrong = {"Authorization": "Bearer wrong", **word(session)}
    answer = await client.post("/api/v1/maintenance", json=WINDOW, headers=wrong)
    assert answer.status_code == 401
    # A proxy that asks for a password of its own leaves this header.
    proxy = {"Authorization": "Basic YTpi", **word(session)}
    answer = await client.post("/api/v1/maintenance", json=WINDOW, headers=proxy)
    assert answer.status_code == 201


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_who_may_only_read_does_not_act(known, client, log_in, method, path):
    session = log_in(Role.READ)
    answer = await client.request(method, f"/api/v1{path}", headers=word(session))
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "forbidden"


@pytest.mark.parametrize("role", [Role.OPERATE, Role.ADMIN])
async def test_a_session_acts_with_its_word_only(known, client, log_in, role):
    session = log_in(role)
    for headers in (
        {},
        {"X-CSRF-Token": "guessed"},
        {**word(session), "Origin": "https://boese.example"},
    ):
        answer = await client.post("/api/v1/maintenance", json=WINDOW, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "csrf"
    assert known.store.actions.maintenance() == []
    answer = await client.post(
        "/api/v1/maintenance", json=WINDOW, headers=word(session)
    )
    assert answer.status_code == 201
    assert answer.json()["author"] == "Ada"
    # Reading changes nothing, so it needs no word.
    assert (await client.get("/api/v1/audit")).json()["entries"][0]["via"] == "site"


async def test_a_program_needs_no_word(known, client):
    answer = await client.post("/api/v1/silences", json=SILENCE, headers=TOKEN)
    assert answer.status_code == 201
    newest = known.store.actions.audit(limit=1)[0]
    assert (newest.author, newest.via) == ("leitstelle", Via.API)


class TestLimitedToACampusbezirk:
    """Somebody who sees Kirchlinde (b-z10) only."""

    @pytest.fixture
    def act(self, known, client, log_in):
        session = log_in(Role.OPERATE, "Kirchlinde", "extern")

        async def act(method, path, **more):
            return await client.request(
                method, f"/api/v1{path}", headers=word(session), **more
            )

        return act

    @pytest.mark.parametrize(
        ("place", "code"),
        [
            (("building", "b-z10"), 201),
            (("campus_district", "Kirchlinde"), 201),
            (("building", "b-ost"), 422),
            (("campus_district", "Asseln"), 422),
            (("provider", "Anbieter"), 422),
        ],
    )
    async def test_windows_of_its_own(self, act, place, code):
        wish = {**WINDOW, "scope": place[0], "value": place[1]}
        answer = await act("POST", "/maintenance", json=wish)
        assert answer.status_code == code, answer.text
        if code == 422:
            assert answer.json()["error"]["field"] == "value"

    @pytest.mark.parametrize(
        ("matcher", "code"),
        [
            ({"field": "building", "value": "b-z10"}, 201),
            ({"field": "building", "value": "b-ost"}, 422),
            ({"field": "building", "value": "b-z10", "negated": True}, 422),
            ({"field": "rule", "value": "ap_down"}, 422),
            ({"field": "target", "value": "line:b-ost-main"}, 422),
        ],
    )
    async def test_silences_of_its_own(self, act, matcher, code):
        wish = {**SILENCE, "matchers": [matcher]}
        assert (await act("POST", "/silences", json=wish)).status_code == code

    async def test_of_others_nothing_is_seen_or_ended(self, act, known, client):
        for matchers in (
            [{"field": "building", "value": "b-ost"}],
            SILENCE["matchers"],
        ):
            wish = {**SILENCE, "matchers": matchers}
            await client.post("/api/v1/silences", json=wish, headers=TOKEN)
        await client.post("/api/v1/maintenance", json=WINDOW, headers=TOKEN)
        other = known.line_state("b-ost", AlarmState.BAD)
        own = known.line_state("b-z10", AlarmState.BAD)
        assert (await act("GET", "/maintenance")).json()["maintenance"] == []
        # A silence of a rule everywhere counts here too, but is not theirs to end.
        listed = (await act("GET", "/silences")).json()["silences"]
        assert [each["id"] for each in listed] == [2]
        for path in ("/maintenance/1", "/silences/1", "/silences/2"):
            assert (await act("DELETE", path)).status_code == 404
        note = {"json": {"note": "x"}}
        for what in ("acknowledge", "false"):
            path = "/incidents/{}/" + what
            assert (await act("POST", path.format(other), **note)).status_code == 404
            assert (await act("POST", path.format(own), **note)).status_code == 200
        path = f"/incidents/{other}/acknowledge"
        assert (await act("DELETE", path)).status_code == 404
        entries = (await act("GET", "/audit")).json()["entries"]
        assert [(x["action"], x["subject"]) for x in entries] == [
            (AuditAction.MARKED_FALSE, f"incident:{own}"),
            (AuditAction.ACKNOWLEDGED, f"incident:{own}"),
            (AuditAction.SILENCE_ADDED, "silence:2"),
        ]
