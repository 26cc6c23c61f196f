"""A form that was sent after the session had run out waits for the next login.

Two hours are soon over while somebody writes and telephones. What was typed stays in
this process's memory for a while: not in an address, a log, the store, or the browser,
which gets a token only. Nothing is done with it but to show the form again, filled, to
the same person, who sends it anew with the new session's own word.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request, Response

from dashboards.bearer import RefusedError
from dashboards.context import Site
from dashboards.forms import Form, read_form
from dashboards.visitors import CSRF_FIELD, is_own_form, is_secure, run_out_visitor
from netmon.ingest import new_token, token_hash

_COOKIE = "netmon-form"
KEPT_FOR_S = 3600
_MOST = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A form: the address it is sent to, and the page on which it stands.

    ``form`` is what that page calls it.
    """

    sent_to: re.Pattern[str]
    page: str
    form: str = "form"


_PLACES: Sequence[Place] = (
    Place(re.compile(r"/wartung/neu"), "/wartung/neu"),
    Place(re.compile(r"/wartung/stumm"), "/wartung/stumm"),
    Place(re.compile(r"(/stoerungen/\d+)/quittieren"), r"\1", "acknowledging"),
    Place(re.compile(r"(/stoerungen/\d+)/fehlalarm"), r"\1", "marking"),
    # These hold nothing that was typed: they only lead back.
    Place(re.compile(r"(/stoerungen/\d+)/zuruecknehmen"), r"\1", ""),
    Place(re.compile(r"/wartung/(stumm/)?\d+/beenden"), "/wartung", ""),
    Place(re.compile(r"(/berichte/\d+)/festschreiben"), r"\1", ""),
)


@dataclass(frozen=True, slots=True)
class _Waiting:
    name: str
    page: str
    form: str
    typed: Form
    until_s: float


class Interrupted:
    """The forms that wait, by the hash of the token that the browser has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()

    def put(self, waiting: _Waiting) -> str:
        """Keep a form and return its token; the oldest go if there are many."""
        token = new_token()
        with self._lock:
            self._waiting[token_hash(token)] = waiting
            while len(self._waiting) > _MOST:
                self._waiting.popitem(last=False)
        return token

    def find(self, token: str, now_s: float) -> tuple[str, _Waiting] | None:
        """Return a form with its key; None where none waits any more."""
        with self._lock:
            for key in [k for k, x in self._waiting.items() if x.until_s <= now_s]:
                del self._waiting[key]
            key = token_hash(token)
            found = self._waiting.get(key)
            return None if found is None else (key, found)

    def forget(self, key: str) -> None:
        """Let a form go."""
        with self._lock:
            self._waiting.pop(key, None)


def page_of(path: str) -> tuple[str, str]:
    """Return on which page the form stands that is sent to an address, and its name.

    The front page, and no name, for what is no form of ours.
    """
    for place in _PLACES:
        if found := place.sent_to.fullmatch(path):
            return found.expand(place.page), place.form
    return "/", ""


async def keep_typed(site: Site, request: Request) -> str:
    """Keep what somebody sent whose session has run out; return the token.

    It is empty where nothing is kept: for nobody, for a form from elsewhere, and for
    one in which nothing is typed.

    Raises:
        StorageError: the store refused.
    """
    page, form = page_of(request.url.path)
    visitor = await site.in_thread(run_out_visitor, site, request)
    if not form or visitor is None:
        return ""
    try:
        typed = await read_form(request)
    except RefusedError:
        return ""
    if not is_own_form(site, request, visitor, typed[CSRF_FIELD]):
        return ""
    values = {k: tuple(v) for k, v in typed.values.items() if k != CSRF_FIELD}
    until_s = site.clock.monotonic_s() + KEPT_FOR_S
    waiting = _Waiting(visitor.name, page, form, Form(values), until_s)
    return _forms(request).put(waiting)


def give_token(site: Site, response: Response, token: str) -> None:
    """Let the browser have the token of its form."""
    response.set_cookie(
        _COOKIE,
        token,
        max_age=KEPT_FOR_S,
        path="/",
        secure=is_secure(site),
        httponly=True,
        samesite="lax",
    )


def is_waiting(site: Site, request: Request) -> bool:
    """Say whether a form of this browser waits for a login."""
    return _find(site, request) is not None


def typed_before(site: Site, request: Request, form: str = "form") -> Form | None:
    """Return the form that waits for this visitor on this page, once; None for none."""
    found = _find(site, request)
    if found is None:
        return None
    key, waiting = found
    here = (site.visitor.name, request.url.path, form)
    if here != (waiting.name, waiting.page, waiting.form):
        return None
    _forms(request).forget(key)
    return waiting.typed.resumed(site.texts)


def _find(site: Site, request: Request) -> tuple[str, _Waiting] | None:
    token = request.cookies.get(_COOKIE, "")
    if not token:
        return None
    return _forms(request).find(token, site.clock.monotonic_s())


def _forms(request: Request) -> Interrupted:
    found: Interrupted = request.app.state.interrupted
    return found
