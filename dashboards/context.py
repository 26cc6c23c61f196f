"""What every request works with; made once per app, never global.

Reading the store blocks, so routes hand their work to a few threads of their
own: they live as long as the app, and so do their database connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ParamSpec, TypeVar

from fastapi import Depends, Request
from jinja2 import Environment

from dashboards.calendars import Calendars
from dashboards.shaping import Moment
from netmon.clock import Clock, to_ms
from netmon.config import Settings
from netmon.storage.current import CurrentInventory
from netmon.storage.ports import Store
from netmon.texts import Texts

READER_THREADS = 4

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Site:
    """The parts of one app."""

    settings: Settings
    store: Store
    clock: Clock
    texts: Texts
    pages: Environment
    readers: ThreadPoolExecutor
    inventory: CurrentInventory
    calendars: Calendars

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


async def _site(request: Request) -> Site:
    found: Site = request.app.state.site
    return found


SiteDep = Annotated[Site, Depends(_site)]
