"""ETag and 304: what a browser or program has already is not sent, or even made, again.

Pages and answers are about now, so nobody may show a copy without asking:
``Cache-Control: private, no-cache``. Asked again with ``If-None-Match``, there are two
ways to a 304 (RFC 9110, 13.1.2, weak comparison):

* The answer was made, and is what it was. Its tag is a hash of its bytes, but for the
  moment of the answer itself (a leading ``at``): that saves the way, not the work.
* Nothing can have changed since the same answer was made for the same visitor: the
  positions of all that the address shows are the same (`shown_key`). That saves both.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from fastapi import Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.context import Site
from dashboards.health import read_health

ASK_AGAIN = "private, no-cache"
# Ages under a minute are shown in seconds: none shall seem younger by more than this.
SLOT_MS = 10_000
_REMEMBERED = 512
# The addresses that show nothing but what `shown_key` counts; others are made anew.
# Senders and netmon's own health have no position to count, so their pages are not here.
KEYED = frozenset(
    {
        "/",
        "/gebaeude.csv",
        "/gebaeude/{building_id}",
        "/stoerungen",
        "/api/v1/buildings",
        "/api/v1/buildings/{building_id}",
        "/api/v1/buildings/{building_id}/history",
        "/api/v1/incidents",
    }
)
_KEPT_TYPES = ("application/json", "text/html", "text/csv")
_MOMENT = re.compile(rb'^\{"at":"[^"]*",')
# What a 304 says again of the answer it stands for (RFC 9110, 15.4.5).
_SAID_AGAIN = ("cache-control", "content-location", "etag", "expires", "vary")


class NotModifiedError(Exception):
    """The asker has the answer already; ``tag`` is its ETag."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


class Memory:
    """The tags of the answers made last, by what they were made of."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._tags: OrderedDict[str, str] = OrderedDict()

    def tag(self, key: str) -> str | None:
        """Return the tag of an answer; None where none is remembered."""
        with self._lock:
            return self._tags.get(key)

    def remember(self, key: str, tag: str) -> None:
        """Keep a tag, and forget the oldest."""
        with self._lock:
            self._tags[key] = tag
            while len(self._tags) > self._most:
                self._tags.popitem(last=False)


def tag_of(body: bytes) -> str:
    """Return the tag of a body: weak, for on its way it may be compressed."""
    shown = _MOMENT.sub(b"{", body, count=1)
    return f'W/"{hashlib.blake2b(shown, digest_size=12).hexdigest()}"'


def knows(headers: Iterable[str], tag: str) -> bool:
    """Say whether ``If-None-Match`` names a tag."""
    tags = {one.strip().removeprefix("W/") for one in ",".join(headers).split(",")}
    return "*" in tags or tag.removeprefix("W/") in tags


def not_modified(tag: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a 304."""
    said = {"ETag": tag, "Cache-Control": ASK_AGAIN, **(headers or {})}
    return Response(status_code=int(HTTPStatus.NOT_MODIFIED), headers=said)


def shown_key(site: Site, address: str, now_ms: int) -> str:
    """Return what an answer of the addresses `KEYED` is made of; blocks.

    It is read before the answer is made: what comes between is in the answer, but
    not in the key, which then fits nothing any more.

    Raises:
        StorageError: the store does not answer.
    """
    store, visitor = site.store, site.visitor
    newest = store.actions.audit(limit=1)
    # Senders have no position to count; of these pages only a building's shows them.
    senders = store.sources.all() if address.startswith("/gebaeude/") else []
    parts = (
        address,
        visitor,
        now_ms // SLOT_MS,
        store.measurements.last_position(),
        store.alarms.last_transition(),
        store.inventories.current_id(),
        newest[0].id if newest else 0,
        tuple(part.ok for part in read_health(site)),
        tuple((s.name, s.last_seen_ms, s.clock_offset_ms, s.agent) for s in senders),
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


async def keep(request: Request, site: Site) -> None:
    """Let the answer to a visitor be kept, and end here where it is known already.

    ``site`` is as that visitor sees it.

    Raises:
        NotModifiedError: nothing can have changed.
        StorageError: the store does not answer.
    """
    if request.method != "GET":
        return
    state = request.scope["state"]
    state["kept"] = True
    if getattr(request.scope.get("route"), "path", "") not in KEYED:
        return
    address = f"{request.url.path}?{request.url.query}"
    now_ms = site.moment().now_ms
    key = await site.in_thread(shown_key, site, address, now_ms)
    tag = memory_of(request).tag(key)
    if tag is not None and knows(request.headers.getlist("if-none-match"), tag):
        raise NotModifiedError(tag)
    state["key"] = key


def memory_of(request: Request) -> Memory:
    """Return the app's memory."""
    found: Memory = request.app.state.memory
    return found


class Conditional:
    """ASGI middleware that tags what `keep` let be kept, and answers 304."""

    def __init__(self, app: ASGIApp, memory: Memory) -> None:
        self._app = app
        self._memory = memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the answer back until its bytes are known."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        held: list[Message] = []

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                if _is_kept(state, message):
                    held.append(message)
                    return
            elif held:
                held.append(message)
                if not message.get("more_body", False):
                    for each in self._answer(scope, state, held):
                        await send(each)
                return
            await send(message)

        await self._app(scope, receive, hold)

    def _answer(
        self, scope: Scope, state: Mapping[str, object], held: list[Message]
    ) -> list[Message]:
        start, *parts = held
        headers = MutableHeaders(scope=start)
        tag = headers.get("etag") or tag_of(b"".join(x.get("body", b"") for x in parts))
        headers["ETag"] = tag
        headers.setdefault("Cache-Control", ASK_AGAIN)
        headers.add_vary_header("Cookie")
        headers.add_vary_header("Authorization")
        key = state.get("key")
        if isinstance(key, str):
            self._memory.remember(key, tag)
        if not knows(Headers(scope=scope).getlist("if-none-match"), tag):
            return held
        start["status"] = int(HTTPStatus.NOT_MODIFIED)
        start["headers"] = [
            (name, value)
            for name, value in start["headers"]
            if name.decode("latin-1").lower() in _SAID_AGAIN
        ]
        return [start, {"type": "http.response.body", "body": b""}]


def _is_kept(state: Mapping[str, object], start: Message) -> bool:
    if start["status"] != HTTPStatus.OK or not state.get("kept"):
        return False
    media_type = Headers(raw=start["headers"]).get("content-type", "")
    return media_type.partition(";")[0] in _KEPT_TYPES
