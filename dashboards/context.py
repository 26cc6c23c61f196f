"""What every request works with; made once per app, never global.

Reading the store blocks, so routes hand their work to a few threads of their
own: they live as long as the app, and so do their database connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, ParamSpec, TypeVar

from fastapi import Depends, Request
from jinja2 import Environment

from dashboards.facts import Moment
from dashboards.kept import Kept
from dashboards.limited import LimitedInventories
from netmon.accounts.sessions import may
from netmon.calendars import Calendars
from netmon.clock import Clock, to_ms
from netmon.config import Settings
from netmon.model import Inventory
from netmon.storage.account_records import Role
from netmon.storage.action_records import Actor, Via
from netmon.storage.ports import Store
from netmon.texts import Texts

READER_THREADS = 4

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks; without a name anybody, where no login is required.

    ``role`` is None for who may not even read. ``campus_district`` limits what is
    shown, None to nothing. ``csrf`` is what this session's forms carry;
    empty for a program, whose way is the API.
    """

    name: str = ""
    role: Role | None = Role.READ
    campus_district: str | None = None
    csrf: str = ""
    via: Via = Via.SITE

    @property
    def actor(self) -> Actor:
        """Who the audit trail names."""
        return Actor(self.name, self.via)

    def may(self, needed: Role) -> bool:
        """Say whether the visitor's role includes another."""
        return self.role is not None and may(self.role, needed)


@dataclass(frozen=True)
class Site:
    """The parts of one app, as one visitor sees them."""

    settings: Settings
    store: Store
    clock: Clock
    texts: Texts
    pages: Environment
    readers: ThreadPoolExecutor
    inventory: Callable[[], Inventory]
    limited: LimitedInventories
    calendars: Calendars
    kept: Kept
    visitor: Visitor = Visitor()

    def seen_by(self, visitor: Visitor) -> Site:
        """Return the site as a visitor sees it."""
        district = visitor.campus_district
        if district is None:
            return replace(self, visitor=visitor)
        inventory = partial(self.limited.of, district)
        return replace(self, visitor=visitor, inventory=inventory)

    def shows(self, building_id: str | None) -> bool:
        """Say whether the visitor may see what belongs to a building; None: to none."""
        if self.visitor.campus_district is None:
            return True
        return building_id in self.inventory().building_by_id

    def moment(self) -> Moment:
        """Return now, with the age from which the alerts call a line silent."""
        return Moment(
            now_ms=to_ms(self.clock.now()),
            no_data_after_s=self.settings.alerts.no_data_after_s,
        )

    async def in_thread(
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run blocking work on one of the reader threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.readers, partial(work, *args, **kwargs))


def site_of(request: Request) -> Site:
    """Return the app's site, as nobody in particular sees it."""
    found: Site = request.app.state.site
    return found


async def _site(request: Request) -> Site:
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    site = site_of(request)
    return site if visitor is None else site.seen_by(visitor)


SiteDep = Annotated[Site, Depends(_site)]
