"""Logging in: by name and password, by a real OpenID provider, and who sees what."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import oidc_provider_mock
import pytest
from fastapi import FastAPI

from dashboards.app import create_app
from dashboards.limited import limit
from dashboards.routes.login import own_path
from netmon.accounts.limiter import FREE_TRIES
from netmon.accounts.passwords import hash_password
from netmon.accounts.sessions import IDLE_MS
from netmon.clock import ManualClock, SystemClock, to_ms
from netmon.config import GatewaySettings, Settings, load_settings
from netmon.errors import ConfigError
from netmon.login_settings import LoginSettings, OidcSettings
from netmon.storage.account_records import Role
from netmon.storage.sqlite import SqliteStore

GOOD = "apfel-tür-wolke-sieben"
SITE = "http://netmon.test"
PAGES = ["/", "/gebaeude/b-ost", "/stoerungen", "/sonden", "/system"]
READS = ["/api/v1/buildings", "/api/v1/buildings/b-ost", "/api/v1/incidents"]


@pytest.fixture
def settings() -> Settings:
    return Settings(gateway=GatewaySettings(public_url=SITE))


@pytest.fixture(scope="session")
def hashed() -> str:
    return hash_password(GOOD, "ada")


@pytest.fixture
def ada(store: SqliteStore, clock: ManualClock, hashed: str) -> SqliteStore:
    now_ms = to_ms(clock.now())
    store.accounts.save("Ada", Role.OPERATE, None, hashed, now_ms)
    store.accounts.save("extern", Role.READ, "Kirchlinde", hashed, now_ms)
    return store


async def enter(
    client: httpx.AsyncClient, name: str = "ada", password: str = GOOD, **more: str
) -> httpx.Response:
    form = {"name": name, "password": password, **more}
    return await client.post("/anmelden", data=form)


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", PAGES)
async def test_a_stranger_is_led_to_the_form_and_back(
    client: httpx.AsyncClient, ada: SqliteStore, city: Any, path: str
) -> None:
    answer = await client.get(path + "?span=7d" if "gebaeude" in path else path)
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    form = urlsplit(answer.headers["location"])
    assert form.path == "/anmelden"
    wanted = parse_qs(form.query).get("weiter", ["/"])[0]
    shown = await client.get(answer.headers["location"])
    assert shown.status_code == 200
    assert 'autocomplete="current-password"' in shown.text
    back = await enter(client, weiter=wanted)
    assert (back.status_code, back.headers["location"]) == (303, wanted)
    assert (await client.get(wanted)).status_code == 200


@pytest.mark.parametrize("path", READS)
async def test_the_api_asks_for_a_login_in_its_own_shape(
    client: httpx.AsyncClient, ada: SqliteStore, city: Any, path: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "no_token"
    await enter(client)
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/static/site.css"])
async def test_machines_and_style_sheets_need_no_login(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(path)).status_code in {200, 503}


async def test_the_cookie_is_out_of_reach(
    client: httpx.AsyncClient, ada: SqliteStore
) -> None:
    cookie = (await enter(client)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    # Without TLS, on this machine only, it cannot be marked as secure.
    assert "secure" not in cookie


async def test_with_tls_the_cookie_is_bound_to_the_host(
    ada: SqliteStore, clock: ManualClock
) -> None:
    gateway = GatewaySettings(public_url="https://netmon.test")
    async with visiting(Settings(gateway=gateway), ada, clock) as client:
        cookies = (await enter(client)).headers.get_list("set-cookie")
    begun = next(cookie for cookie in cookies if "Max-Age=4" in cookie)
    assert begun.startswith("__Host-netmon=")
    assert "Secure" in begun
    assert "Path=/;" in begun
    assert "Domain" not in begun


@asynccontextmanager
async def visiting(
    settings: Settings, store: SqliteStore, clock: Any
) -> AsyncIterator[httpx.AsyncClient]:
    made = create_app(settings, store, clock)
    async with (
        made.router.lifespan_context(made),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=made), base_url=SITE
        ) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "falsch-falsch-falsch"), ("niemand", GOOD), ("", ""), ("ada", "")],
)
async def test_wrong_is_wrong_whatever_of_it(
    client: httpx.AsyncClient, ada: SqliteStore, name: str, password: str
) -> None:
    answer = await enter(client, name, password)
    assert answer.status_code == 401
    assert "Name oder Passwort stimmt nicht" in answer.text
    assert "set-cookie" not in answer.headers
    assert password not in answer.text or not password


async def test_a_disabled_account_is_out_at_once(
    client: httpx.AsyncClient, ada: SqliteStore, clock: ManualClock
) -> None:
    await enter(client)
    assert (await client.get("/stoerungen")).status_code == 200
    ada.accounts.disable("ada", to_ms(clock.now()))
    assert (await client.get("/stoerungen")).status_code == 303
    assert (await enter(client)).status_code == 401


async def test_guessing_is_slowed_down_by_account_and_address(
    client: httpx.AsyncClient, ada: SqliteStore, clock: ManualClock
) -> None:
    for _ in range(FREE_TRIES):
        assert (await enter(client, password="geraten-geraten")).status_code == 401
    answer = await enter(client)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Zu viele falsche Versuche" in answer.text
    # Another account from the same address waits too.
    assert (await enter(client, "extern")).status_code == 429
    clock.advance(3600)
    assert (await enter(client)).status_code == 303


async def test_a_session_ends_when_nobody_uses_it(
    client: httpx.AsyncClient, ada: SqliteStore, clock: ManualClock
) -> None:
    await enter(client)
    for _ in range(3):
        clock.advance(IDLE_MS / 1000 * 0.9)
        assert (await client.get("/stoerungen")).status_code == 200
    clock.advance(IDLE_MS / 1000)
    assert (await client.get("/stoerungen")).status_code == 303


async def test_logging_out_needs_the_sessions_own_word(
    client: httpx.AsyncClient, ada: SqliteStore
) -> None:
    await enter(client)
    page = (await client.get("/stoerungen")).text
    await client.post("/abmelden", data={"csrf": "geraten"})
    assert (await client.get("/stoerungen")).status_code == 200
    await client.post(
        "/abmelden",
        data={"csrf": csrf_of(page)},
        headers={"Origin": "https://boese.example"},
    )
    assert (await client.get("/stoerungen")).status_code == 200
    answer = await client.post(
        "/abmelden", data={"csrf": csrf_of(page)}, headers={"Origin": SITE}
    )
    assert answer.headers["location"] == "/anmelden"
    assert (await client.get("/stoerungen")).status_code == 303


async def test_a_login_from_another_site_does_not_count(
    client: httpx.AsyncClient, ada: SqliteStore
) -> None:
    answer = await client.post(
        "/anmelden",
        data={"name": "ada", "password": GOOD},
        headers={"Origin": "https://boese.example"},
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_login_gives_a_new_token_and_ends_the_old_session(
    client: httpx.AsyncClient, ada: SqliteStore
) -> None:
    await enter(client)
    first = client.cookies["netmon"]
    await enter(client, "extern")
    assert client.cookies["netmon"] != first
    client.cookies.set("netmon", first, domain="netmon.test", path="/")
    stale = httpx.Cookies({"netmon": first})
    client.cookies = stale
    assert (await client.get("/stoerungen")).status_code == 303


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/gebaeude/b-ost?span=7d", True),
        ("//boese.example/", False),
        ("/\\boese.example", False),
        ("https://boese.example", False),
        ("javascript:alert(1)", False),
        ("/a\nb", False),
        ("/" + "x" * 600, False),
    ],
)
def test_the_way_back_stays_in_the_house(path: str, kept: bool) -> None:
    assert own_path(path) == (path if kept else "/")


async def test_who_is_limited_to_a_campusbezirk_sees_nothing_else(
    client: httpx.AsyncClient, ada: SqliteStore, city: Any
) -> None:
    await enter(client, "extern")
    page = (await client.get("/")).text
    assert "Schule 10" in page
    assert "Ostschule" not in page
    assert (await client.get("/gebaeude/b-z10")).status_code == 200
    assert (await client.get("/gebaeude/b-ost")).status_code == 404
    assert (await client.get("/system")).status_code == 404
    found = (await client.get("/api/v1/buildings")).json()
    assert [each["id"] for each in found["buildings"]] == ["b-z10"]
    assert (await client.get("/api/v1/buildings/b-ost")).status_code == 404
    history = "/api/v1/buildings/{}/history"
    assert (await client.get(history.format("b-ost"))).status_code == 404
    assert (await client.get("/openapi.json")).status_code == 404


def test_what_is_cut_out_names_only_what_is_in_it(city: Any) -> None:
    whole = city.inventory
    part = limit(whole, "Kirchlinde")
    assert [building.id for building in part.buildings] == ["b-z10"]
    assert {line.building_id for line in part.lines} == {"b-z10"}
    assert {d.building_id for d in part.devices} <= {"b-z10", None}
    assert limit(whole, "nirgends").buildings == ()


def test_a_school_in_two_districts_is_cut_at_the_border(city: Any) -> None:
    whole = city.inventory
    both = msgspec.structs.replace(whole.schools[0], building_ids=("b-z10", "b-ost"))
    part = limit(msgspec.structs.replace(whole, schools=(both,)), "Kirchlinde")
    assert [school.building_ids for school in part.schools] == [("b-z10",)]
    assert [school.id for school in part.schools_of["b-z10"]] == [both.id]


# --- the city's own login ----------------------------------------------------


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Run a real OpenID provider of its own, on a free port."""
    users = [
        oidc_provider_mock.User(
            sub=sub, claims={"preferred_username": name, "groups": groups}
        )
        for sub, name, groups in (
            ("1", "grace", ["netmon-lesen", "netmon-bedienen", "anderes"]),
            ("2", "extern2", ["netmon-lesen", "bezirk-kirchlinde"]),
            ("3", "fremd", ["anderes"]),
        )
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def oidc(provider: str, tmp_path: Path) -> Settings:
    secret = tmp_path / "secret"
    secret.write_text("geheim")
    return Settings(
        gateway=GatewaySettings(public_url=SITE),
        login=LoginSettings(
            oidc=OidcSettings(
                issuer=provider,
                client_id="netmon",
                client_secret_file=str(secret),
                roles={"netmon-lesen": "lesen", "netmon-bedienen": "bedienen"},
                districts={"bezirk-kirchlinde": "Kirchlinde"},
            )
        ),
    )


async def at_provider(client: httpx.AsyncClient, sub: str) -> str:
    """Go to the provider as a browser does; return the address it leads back to."""
    start = await client.get("/anmelden/oidc/start", params={"weiter": "/sonden"})
    assert start.status_code == 303
    url = start.headers["location"]
    assert "code_challenge_method=S256" in url
    assert "nonce=" in url
    async with httpx.AsyncClient() as browser:
        answer = await browser.post(url, data={"sub": sub})
    assert answer.status_code == 302
    return str(answer.headers["location"])


async def test_the_citys_own_login(
    oidc: Settings, store: SqliteStore, city: Any
) -> None:
    async with visiting(oidc, store, SystemClock()) as client:
        assert "Konto der Stadt" in (await client.get("/anmelden")).text
        back = await at_provider(client, "1")
        assert back.startswith(f"{SITE}/anmelden/oidc?")
        answer = await client.get(back)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sonden")
        page = (await client.get("/sonden")).text
        assert "grace" in page
        assert "bedienen" in page
        # The same answer a second time is nobody's.
        assert (await client.get(back)).status_code in {400, 502}


async def test_a_group_limits_to_a_campusbezirk(
    oidc: Settings, store: SqliteStore, city: Any
) -> None:
    async with visiting(oidc, store, SystemClock()) as client:
        await client.get(await at_provider(client, "2"))
        page = (await client.get("/")).text
        assert "Schule 10" in page
        assert "Ostschule" not in page


async def test_without_a_role_nobody_gets_in(
    oidc: Settings, store: SqliteStore
) -> None:
    async with visiting(oidc, store, SystemClock()) as client:
        answer = await client.get(await at_provider(client, "3"))
        assert answer.status_code == 403
        assert "keine Rolle" in answer.text
        assert (await client.get("/")).status_code == 303


async def test_an_answer_for_another_browser_does_not_count(
    oidc: Settings, store: SqliteStore
) -> None:
    async with visiting(oidc, store, SystemClock()) as client:
        back = await at_provider(client, "1")
        client.cookies.clear()
        assert (await client.get(back)).status_code == 400
        assert (await client.get("/")).status_code == 303


async def test_a_provider_that_is_away_is_told_and_local_accounts_work(
    oidc: Settings, ada: SqliteStore, free_port: int
) -> None:
    provider = OidcSettings(
        issuer=f"http://localhost:{free_port}",
        client_id="netmon",
        client_secret_file=oidc.login.oidc.client_secret_file,
        roles={"a": "lesen"},
    )
    settings = Settings(gateway=oidc.gateway, login=LoginSettings(oidc=provider))
    async with visiting(settings, ada, SystemClock()) as client:
        answer = await client.get("/anmelden/oidc/start")
        assert answer.status_code == 502
        assert "hat nicht geklappt" in answer.text
        assert (await enter(client)).status_code == 303


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('issuer = "http://ad.example"', "https"),
        ('issuer = "https://ad.example"', "client_id"),
        (
            'issuer = "https://ad.example"\nclient_id = "n"\nclient_secret_file = "x"',
            "nobody could log in",
        ),
        (
            'issuer = "https://ad.example"\nclient_id = "n"\nclient_secret_file = "x"\n'
            '[login.oidc.roles]\na = "alles"',
            "[login.oidc.roles]: is none of",
        ),
    ],
)
def test_wrong_settings_name_the_field(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "netmon.toml"
    file.write_text(f"[login.oidc]\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert says in str(caught.value)
    assert "login.oidc" in str(caught.value)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_an_app_of_wrong_settings_does_not_start(
    store: SqliteStore, clock: ManualClock
) -> None:
    oidc = OidcSettings(
        issuer="https://ad.example",
        client_id="netmon",
        client_secret_file="/nowhere/secret",
        roles={"a": "lesen"},
    )
    with pytest.raises(ConfigError, match=r"login\.oidc\.client_secret_file"):
        create_app(Settings(login=LoginSettings(oidc=oidc)), store, clock)


def test_the_app_is_made(app: FastAPI) -> None:
    assert app.state.door.provider is None
