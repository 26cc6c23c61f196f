"""A small city in a real store, and the app in its lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from dashboards.app import create_app
from netmon.clock import ManualClock, to_ms
from netmon.config import Settings
from netmon.ingest import token_hash
from netmon.login_settings import LoginSettings
from netmon.model import (
    Building,
    Line,
)
from netmon.storage.account_records import Role, Session
from netmon.storage.sqlite import SqliteStore
from tests.dashboards.browsing import browser, chromium  # noqa: F401 - fixtures
from tests.dashboards.small_city import City, make_building, make_line

# 20.11.2026, 08:12 Uhr in Dortmund
START = datetime(2026, 11, 20, 7, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "state.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def city(store: SqliteStore, clock: ManualClock) -> City:
    return City(store, clock)


@pytest.fixture
def settings() -> Settings:
    """Pages that everybody may read; logging in has tests of its own."""
    return Settings(login=LoginSettings(required=False))


@pytest.fixture
async def app(
    settings: Settings, store: SqliteStore, clock: ManualClock
) -> AsyncIterator[FastAPI]:
    made = create_app(settings, store, clock)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    # An unexpected error shall be seen as the visitor sees it.
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://netmon.test"
    ) as made:
        yield made


@pytest.fixture
def building_maker() -> Callable[..., Building]:
    return make_building


@pytest.fixture
def line_maker() -> Callable[..., Line]:
    return make_line


@dataclass(frozen=True)
class LoggedIn:
    """A session: its cookie's token, and the word of its forms."""

    token: str
    csrf: str


@pytest.fixture
def log_in(
    store: SqliteStore, clock: ManualClock, client: httpx.AsyncClient
) -> Callable[..., LoggedIn]:
    """Let the client be somebody; passwords have tests of their own."""
    logins = count(1)

    def enter(
        role: Role, campus_district: str | None = None, name: str = "Ada"
    ) -> LoggedIn:
        number = next(logins)
        made = LoggedIn(f"token-{number}-of-{name}", f"word-{number}-of-{name}")
        session = Session(
            name=name,
            role=role,
            campus_district=campus_district,
            account_id=None,
            csrf=made.csrf,
            created_ms=to_ms(clock.now()),
            used_ms=to_ms(clock.now()),
        )
        store.accounts.begin(token_hash(made.token), session, 0)
        client.cookies.set("netmon", made.token)
        return made

    return enter
