"""Who asks for a page: a session's cookie, and what that person may see and do."""

from __future__ import annotations

import hmac
import secrets
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request, Response

from dashboards.bearer import RefusedError, authenticate_operator, refuse
from dashboards.caching import keep
from dashboards.context import Site, Visitor, site_of
from netmon.accounts.sessions import LONGEST_MS, TOUCH_EVERY_MS, is_over
from netmon.clock import to_ms
from netmon.ingest import new_token, token_hash
from netmon.storage.account_records import Role, Session
from netmon.storage.action_records import Via

# Not to be set by another host of the domain, not sent without TLS.
_SECURE_COOKIE = "__Host-netmon"
# Without TLS, which only this machine and tests use, browsers refuse the prefix.
_PLAIN_COOKIE = "netmon"
CSRF_FIELD = "csrf"
# The same word where the API is called from a session.
CSRF_HEADER = "X-CSRF-Token"
_READING = {"GET", "HEAD"}


class LoginNeededError(Exception):
    """A person has to log in first; the handler leads to the form."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who proved who they are."""

    name: str
    role: Role
    campus_district: str | None = None
    account_id: int | None = None


def cookie_name(site: Site) -> str:
    """Return the cookie's name: with TLS it is bound to this very host."""
    return _SECURE_COOKIE if is_secure(site) else _PLAIN_COOKIE


def log_in(site: Site, response: Response, entry: Entry) -> None:
    """Begin a session and give its cookie; the token is new, so none can be foisted.

    Raises:
        StorageError: the store refused.
    """
    now_ms = to_ms(site.clock.now())
    token = new_token()
    session = Session(
        name=entry.name,
        role=entry.role,
        campus_district=entry.campus_district,
        account_id=entry.account_id,
        csrf=secrets.token_urlsafe(24),
        created_ms=now_ms,
        used_ms=now_ms,
    )
    site.store.accounts.begin(token_hash(token), session, now_ms - LONGEST_MS)
    response.set_cookie(
        cookie_name(site),
        token,
        max_age=LONGEST_MS // 1000,
        path="/",
        secure=is_secure(site),
        httponly=True,
        # Lax: links in mails must find the session; forms carry a token of their own.
        samesite="lax",
    )


def log_out(site: Site, request: Request, response: Response) -> None:
    """End the session, here and in the browser.

    Raises:
        StorageError: the store refused.
    """
    if token := request.cookies.get(cookie_name(site)):
        site.store.accounts.end(token_hash(token))
    response.delete_cookie(
        cookie_name(site), path="/", secure=is_secure(site), httponly=True
    )


def find_visitor(site: Site, request: Request) -> Visitor | None:
    """Return who is logged in; None for nobody.

    Raises:
        StorageError: the store refused.
    """
    session, key = _session(site, request)
    now_ms = to_ms(site.clock.now())
    if session is None or is_over(session, now_ms):
        return None
    if now_ms - session.used_ms >= TOUCH_EVERY_MS:
        site.store.accounts.touch(key, now_ms)
    return Visitor(session.name, session.role, session.campus_district, session.csrf)


def run_out_visitor(site: Site, request: Request) -> Visitor | None:
    """Return whose session has run out; may do nothing. None where none has.

    Raises:
        StorageError: the store refused.
    """
    session, _ = _session(site, request)
    if session is None or not is_over(session, to_ms(site.clock.now())):
        return None
    return Visitor(session.name, None, session.campus_district, session.csrf)


def _session(site: Site, request: Request) -> tuple[Session | None, str]:
    """Return the session that a cookie names, over or not, and the token's hash."""
    token = request.cookies.get(cookie_name(site), "")
    key = token_hash(token) if token else ""
    return (site.store.accounts.session(key) if key else None), key


async def page_guard(request: Request) -> None:
    """Let people in who are logged in, or everybody where no login is required.

    Raises:
        LoginNeededError: nobody is logged in.
    """
    site = site_of(request)
    visitor = await site.in_thread(find_visitor, site, request)
    if visitor is None:
        if site.settings.login.required:
            raise LoginNeededError
        visitor = Visitor()
    request.state.visitor = visitor
    await keep(request, site.seen_by(visitor))


async def api_guard(request: Request) -> None:
    """Let in whom the pages let in, and programs with an operator's token.

    Raises:
        RefusedError: neither.
    """
    site = site_of(request)
    visitor = await site.in_thread(_program_or_person, site, request)
    if visitor is None:
        if site.settings.login.required:
            raise _nobody()
        visitor = Visitor()
    request.state.visitor = visitor
    await keep(request, site.seen_by(visitor))


async def action_guard(request: Request) -> None:
    """Let in programs with an operator's token, and people who may operate.

    Who sends a token acts by it, whoever is logged in. A browser sends a session's cookie by itself; so a session that changes something
    sends its own word in `CSRF_HEADER` too.

    Raises:
        RefusedError: neither, or the word is missing.
    """
    site = site_of(request)
    who = _program if _sends_token(request) else find_visitor
    visitor = await site.in_thread(who, site, request)
    if visitor is None:
        raise _nobody()
    allow(visitor, Role.OPERATE)
    if visitor.via is Via.SITE and request.method not in _READING:
        sent = request.headers.get(CSRF_HEADER, "")
        if not is_own_form(site, request, visitor, sent):
            raise refuse(
                HTTPStatus.FORBIDDEN,
                "csrf",
                f"the header {CSRF_HEADER} is missing or is not this session's",
                "send the value of the field 'csrf' of any form of this session",
            )
    request.state.visitor = visitor
    await keep(request, site.seen_by(visitor))


def _nobody() -> RefusedError:
    return refuse(
        HTTPStatus.UNAUTHORIZED,
        "no_token",
        "nobody is logged in and no operator's token was sent",
        "log in, or send 'Authorization: Bearer <token>' of "
        "'netmon alerts operators add'",
    )


def _program_or_person(site: Site, request: Request) -> Visitor | None:
    """Return who asks to read."""
    visitor = find_visitor(site, request)
    if visitor is None and _sends_token(request):
        # Where everybody may read, whatever a proxy sends along is no reason to refuse.
        with nullcontext() if site.settings.login.required else suppress(RefusedError):
            return _program(site, request)
    return visitor


def _program(site: Site, request: Request) -> Visitor:
    operator = authenticate_operator(request, site.store)
    return Visitor(operator.name, Role.OPERATE, via=operator.via)


def _sends_token(request: Request) -> bool:
    # A proxy may add a header of another scheme, which means nothing here.
    return request.headers.get("authorization", "").lower().startswith("bearer ")


def allow(visitor: Visitor, needed: Role) -> None:
    """Refuse what a role does not include.

    Raises:
        RefusedError: the visitor may not do that.
    """
    if not visitor.may(needed):
        raise refuse(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            "this account may not do that",
            "ask for an account that may: netmon accounts add NAME --role ...",
        )


def is_own_form(site: Site, request: Request, visitor: Visitor, sent: str) -> bool:
    """Say whether a form was filled in on a page of ours, in this session.

    Two locks: the session's own word in the form, and the browser's word where it
    comes from.
    """
    word_fits = bool(visitor.csrf) and hmac.compare_digest(visitor.csrf, sent)
    return word_fits and comes_from_here(site, request)


def comes_from_here(site: Site, request: Request) -> bool:
    """Say whether a browser that names an origin names ours."""
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = {
        site.settings.gateway.public_url.rstrip("/"),
        f"{request.url.scheme}://{request.url.netloc}",
    }
    return origin in ours


def is_secure(site: Site) -> bool:
    """Say whether browsers reach the site by TLS."""
    return site.settings.gateway.public_url.startswith("https://")
