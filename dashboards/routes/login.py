"""Logging in and out: ``/anmelden``, ``/abmelden``."""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.context import Site, Visitor, site_of
from dashboards.interrupted import is_waiting
from dashboards.oidc import NoRoleError, Provider, ProviderError
from dashboards.visitors import (
    Entry,
    comes_from_here,
    find_visitor,
    is_own_form,
    log_in,
    log_out,
)
from netmon.accounts.limiter import Limiter
from netmon.accounts.passwords import check_password, hash_password, is_outdated
from netmon.errors import InputError
from netmon.login_settings import LoginSettings

_log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_STATE_COOKIE = "netmon-oidc"
_MAX_CHARS = 512


@dataclass
class Door:
    """What logging in needs beside the store: the provider, and who guesses."""

    settings: LoginSettings
    public_url: str
    limiter: Limiter = field(default_factory=Limiter)
    provider: Provider | None = None

    def __post_init__(self) -> None:
        """Make the provider of the settings; raises `ConfigError` as it does."""
        if self.settings.oidc.issuer:
            self.provider = Provider(self.settings.oidc, self.public_url)


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


def own_path(path: str) -> str:
    """Return an address of this site, the front page for anything else.

    A link that leads through the login to somewhere else would lend it our name.
    """
    is_path = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_path and path.isprintable() and len(path) < _MAX_CHARS else "/"


def _form(
    request: Request,
    next_path: str,
    *,
    problem: str = "",
    wait_s: float = 0.0,
    status: HTTPStatus = HTTPStatus.OK,
    name: str = "",
) -> Response:
    site = site_of(request)
    body = site.pages.get_template("login.html").render(
        current="",
        next_path=next_path,
        open_count=None,
        problem=problem,
        wait_s=wait_s,
        name=name,
        is_waiting=is_waiting(site, request),
        with_oidc=_door(request).provider is not None,
        visitor=Visitor(role=None),
    )
    headers = {"Retry-After": str(round(wait_s) + 1)} if wait_s else None
    return HTMLResponse(body, int(status), headers)


@router.get("/anmelden")
async def form(
    request: Request, weiter: Annotated[str, Query(max_length=_MAX_CHARS)] = "/"
) -> Response:
    """Show the form; who is logged in already goes on."""
    site = site_of(request)
    if await site.in_thread(find_visitor, site, request) is not None:
        return RedirectResponse(own_path(weiter), HTTPStatus.SEE_OTHER)
    return _form(request, own_path(weiter))


@router.post("/anmelden")
async def enter(
    request: Request,
    name: Annotated[str, Form(max_length=_MAX_CHARS)] = "",
    password: Annotated[str, Form(max_length=_MAX_CHARS)] = "",
    weiter: Annotated[str, Form(max_length=_MAX_CHARS)] = "/",
) -> Response:
    """Check name and password."""
    site, door, next_path = site_of(request), _door(request), own_path(weiter)
    if not comes_from_here(site, request):
        return _form(
            request, next_path, problem="elsewhere", status=HTTPStatus.FORBIDDEN
        )
    client = "" if request.client is None else request.client.host
    # The account's key slows one down who guesses from many addresses.
    keys = (f"account {name.strip().casefold()}", f"address {client}")
    now_s = site.clock.monotonic_s()
    wait_s = max(door.limiter.wait_s(key, now_s) for key in keys)
    if wait_s > 0:
        return _form(
            request,
            next_path,
            problem="wait",
            wait_s=wait_s,
            status=HTTPStatus.TOO_MANY_REQUESTS,
            name=name,
        )
    entry = await site.in_thread(_check, site, name.strip(), password)
    if entry is None:
        for key in keys:
            door.limiter.failed(key, now_s)
        _log.warning("a login with a wrong name or password from %s", client)
        return _form(
            request,
            next_path,
            problem="wrong",
            status=HTTPStatus.UNAUTHORIZED,
            name=name,
        )
    for key in keys:
        door.limiter.succeeded(key)
    return await _welcome(site, request, entry, next_path)


def _check(site: Site, name: str, password: str) -> Entry | None:
    accounts = site.store.accounts
    account = accounts.by_name(name) if name else None
    known = None if account is None or account.disabled_ms else account
    if not check_password(None if known is None else known.password_hash, password):
        return None
    if known is None:
        return None
    if is_outdated(known.password_hash):
        try:
            accounts.set_hash(known.id, hash_password(password, known.name))
        except InputError:
            # Chosen when less was asked of a password; it stays as it is.
            _log.info("the password of an account is weaker than asked for today")
    return Entry(known.name, known.role, known.campus_district, known.id)


async def _welcome(
    site: Site, request: Request, entry: Entry, next_path: str
) -> Response:
    response = RedirectResponse(next_path, HTTPStatus.SEE_OTHER)
    # A session of somebody else in this browser ends here.
    await site.in_thread(log_out, site, request, response)
    await site.in_thread(log_in, site, response, entry)
    return response


@router.get("/anmelden/oidc/start")
async def leave(
    request: Request, weiter: Annotated[str, Query(max_length=_MAX_CHARS)] = "/"
) -> Response:
    """Lead to the city's own login."""
    provider, next_path = _door(request).provider, own_path(weiter)
    if provider is None:
        return RedirectResponse("/anmelden", HTTPStatus.SEE_OTHER)
    try:
        url, state = await provider.begin(next_path)
    except ProviderError as error:
        _log.error("the login provider cannot be used: %s", error)
        return _form(
            request, next_path, problem="provider", status=HTTPStatus.BAD_GATEWAY
        )
    response = RedirectResponse(url, HTTPStatus.SEE_OTHER)
    response.set_cookie(
        _STATE_COOKIE,
        state,
        max_age=600,
        path="/anmelden/oidc",
        secure=site_of(request).settings.gateway.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/anmelden/oidc")
async def arrive(
    request: Request, state: Annotated[str, Query(max_length=_MAX_CHARS)] = ""
) -> Response:
    """Take who comes back from there."""
    site, provider = site_of(request), _door(request).provider
    # The answer must come in the browser that asked.
    asked = request.cookies.get(_STATE_COOKIE, "")
    if provider is None or not state or not hmac.compare_digest(asked, state):
        return _form(request, "/", problem="provider", status=HTTPStatus.BAD_REQUEST)
    try:
        entry, next_path = await provider.finish(str(request.url), state)
    except ProviderError as error:
        _log.error("a login at the provider did not hold: %s", error)
        return _form(request, "/", problem="provider", status=HTTPStatus.BAD_GATEWAY)
    except NoRoleError:
        return _form(request, "/", problem="no_role", status=HTTPStatus.FORBIDDEN)
    response = await _welcome(site, request, entry, next_path)
    response.delete_cookie(_STATE_COOKIE, path="/anmelden/oidc")
    return response


@router.post("/abmelden")
async def leave_session(
    request: Request, csrf: Annotated[str, Form(max_length=_MAX_CHARS)] = ""
) -> Response:
    """End the session."""
    site = site_of(request)
    visitor = await site.in_thread(find_visitor, site, request)
    response = RedirectResponse("/anmelden", HTTPStatus.SEE_OTHER)
    if visitor is not None and not is_own_form(site, request, visitor, csrf):
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)
    await site.in_thread(log_out, site, request, response)
    return response
