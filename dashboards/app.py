"""The gateway's web application: status site, JSON API, own health, ingest."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.resources import files

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.middleware.gzip import GZipMiddleware

from dashboards import errors
from dashboards.caching import Conditional, Memory
from dashboards.context import READER_THREADS, Site
from dashboards.exposition import make_registry
from dashboards.heads import Heads
from dashboards.health import INGEST
from dashboards.interrupted import Interrupted
from dashboards.keeping import keeping
from dashboards.kept import Kept
from dashboards.leasing import LeaseDesk
from dashboards.limited import LimitedInventories
from dashboards.openapi import ABOUT, describe, operation_id
from dashboards.recording import recording
from dashboards.rendering import make_environment
from dashboards.routes import (
    actions,
    api,
    assignment,
    city,
    desk,
    fleet,
    incidents,
    ingest,
    leases,
    login,
    own,
    pages,
    reports,
)
from dashboards.security import SecurityHeaders
from dashboards.static_files import LastingFiles
from dashboards.visitors import action_guard, api_guard, cookie_name, page_guard
from netmon import __version__
from netmon.calendars import Calendars
from netmon.clock import Clock
from netmon.config import Settings, read_secret
from netmon.errors import StorageError
from netmon.rule_overrides import aim_lines
from netmon.storage.current import CurrentInventory
from netmon.storage.ports import Store
from netmon.texts import Texts

_log = logging.getLogger(__name__)

Guard = Callable[[Request], Awaitable[None]]
# Every family of addresses: one line each.
# Senders have tokens, of which their routes ask; people and their programs pass a guard.
ROUTERS: tuple[tuple[APIRouter, Guard | None], ...] = (
    (ingest.router, None),
    (leases.router, None),
    (assignment.router, None),
    (actions.router, action_guard),
    (api.router, api_guard),
    (own.router, None),
    (login.router, None),
    (city.router, page_guard),
    (incidents.router, page_guard),
    (desk.router, page_guard),
    (fleet.router, page_guard),
    (reports.router, page_guard),
    (pages.router, page_guard),
)
BEAT_EVERY_S = 5.0
_GZIP_FROM_BYTES = 4096


def create_app(settings: Settings, store: Store, clock: Clock) -> FastAPI:
    """Return the application; it is usable only within its lifespan.

    The store stays the caller's: it is not closed here.

    Raises:
        ConfigError: the key that signs leases, a calendar, or the token of the
            metrics cannot be read, or is wrong.
    """
    texts = Texts(settings.language)
    aim = partial(aim_lines, settings.alerts.rules)
    inventory = CurrentInventory(store.inventories, aim)
    app = FastAPI(
        title="netmon",
        version=__version__,
        description=ABOUT,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=operation_id,
        lifespan=_lifespan,
    )
    site = Site(
        settings=settings,
        store=store,
        clock=clock,
        texts=texts,
        pages=make_environment(texts),
        readers=ThreadPoolExecutor(READER_THREADS, thread_name_prefix="reader"),
        inventory=inventory,
        limited=LimitedInventories(inventory),
        calendars=Calendars(settings.measure, inventory),
        kept=Kept(),
    )
    app.state.site = site
    app.state.memory = memory = Memory()
    app.state.interrupted = Interrupted()
    app.state.cookie_name = cookie_name(site)
    app.state.registry = make_registry(site)
    app.state.metrics_token = read_secret(
        settings.metrics.token_file, setting="metrics.token_file"
    )
    app.state.ingest = ingest.IngestService(
        store, clock, inventory, settings.store.min_free_bytes
    )
    app.state.leases = LeaseDesk(settings.measure, store, clock, texts)
    app.state.calendars = site.calendars
    app.state.counting = threading.Lock()
    app.state.door = login.Door(settings.login, settings.gateway.public_url)
    for router, guard in ROUTERS:
        app.include_router(router, dependencies=[Depends(guard)] if guard else None)
    static = files("dashboards").joinpath("static")
    app.mount("/static", LastingFiles(directory=str(static)), name="static")
    app.add_middleware(Conditional, memory=memory)
    app.add_middleware(GZipMiddleware, minimum_size=_GZIP_FROM_BYTES, compresslevel=4)
    app.add_middleware(SecurityHeaders, images=settings.site.tiles_origin)
    app.add_middleware(Heads)
    errors.install(app)
    app.openapi = describe(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start what runs beside the requests, and stop it in the other order."""
    site: Site = app.state.site
    service: ingest.IngestService = app.state.ingest
    service.start()
    # Before the first request, so that a fresh gateway is not called unwell.
    await _beat(site, service)
    await _look_at_calendars(site, app.state.calendars)
    beating = asyncio.create_task(_keep_beating(site, service))
    try:
        async with app.state.leases.watching(), recording(site), keeping(site):
            yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        service.stop()
        site.readers.shutdown()


async def _look_at_calendars(site: Site, calendars: Calendars) -> None:
    """Warn of holidays that end soon, and of calendars that count for nobody."""
    calendars.warn_of_end(site.moment().now_ms)
    try:
        inventory = await site.in_thread(site.inventory)
    except StorageError as error:
        _log.warning("names of calendars not looked at: %s", error)
        return
    if inventory.buildings:
        calendars.warn_of_strangers(inventory.building_by_id)


async def _beat(site: Site, service: ingest.IngestService) -> None:
    """Give ingest's sign of life once."""
    figures = {"waiting_batches_count": float(service.commits.waiting())}
    now_ms = site.moment().now_ms
    try:
        await site.in_thread(site.store.heartbeats.beat, INGEST, now_ms, figures)
    except StorageError as error:
        _log.warning("no sign of life this time: %s", error)


async def _keep_beating(site: Site, service: ingest.IngestService) -> None:
    """Give ingest's sign of life for as long as the app runs."""
    while True:
        await asyncio.sleep(BEAT_EVERY_S)
        await _beat(site, service)
