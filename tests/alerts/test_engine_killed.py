"""The engine is killed at any write: nothing is repeated, nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.service import AlertService
from netmon.errors import StorageError
from netmon.model import Inventory
from netmon.storage.records import (
    MailEvent,
)
from netmon.storage.sqlite import SqliteStore
from tests.alerts.site import Site


class KilledError(StorageError):
    """The process dies here."""


class Killing:
    """Lets the n-th writing call die, before or after it took effect."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.calls = 0
        self._at = at
        self._after = after

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            dies = self.calls == self._at
            if dies and not self._after:
                raise KilledError
            done = call(*args, **kwargs)
            if dies:
                raise KilledError
            return done

        return wrapped


def story(site: Site, killing: Killing | None) -> tuple[object, ...]:
    """Play a morning; a killed service is replaced by a new one at once."""
    if killing is not None:
        alarms = site.store.alarms
        alarms.commit = killing.around(alarms.commit)  # type: ignore[method-assign]
        threads = site.store.threads
        threads.tell = killing.around(threads.tell)  # type: ignore[method-assign]
    services: list[AlertService] = [site.service()]

    def evaluate() -> None:
        try:
            services[-1].evaluate()
        except KilledError:
            services.append(site.service())
            services[-1].evaluate()

    for mbits, up in ((240, 1), (10, 0), (10, 0), (10, 1), (240, 1), (240, 1)):
        site.clock.advance(300)
        site.lines(mbits)
        site.aps({"gs-07-ap-1": up, "gs-07-ap-2": up, "gs-07-ap-3": 1.0})
        evaluate()
    site.clock.advance(6 * 3600)
    evaluate()
    site.lines(240)
    evaluate()
    return site.outcome()


@pytest.fixture
def undisturbed(tmp_path: Path, city: Inventory) -> Iterator[tuple[object, ...]]:
    store = SqliteStore(tmp_path / "undisturbed.sqlite3")
    yield story(Site(store, city), None)
    store.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 15))
def test_killed_anywhere_nothing_is_repeated_or_lost(
    site: Site, undisturbed: tuple[object, ...], at: int, after: bool
) -> None:
    killing = Killing(at, after=after)
    outcome = story(site, killing)
    assert outcome == undisturbed
    assert killing.calls >= at, "the kill came too late to matter"


def test_the_story_is_worth_being_killed_for(undisturbed: tuple[object, ...]) -> None:
    _, incidents, mails = undisturbed
    assert isinstance(incidents, list)
    assert isinstance(mails, list)
    assert len(incidents) == 4  # slow line, two access points, silent line
    # Both events to two recipients, twice: what falls together in a building is one.
    assert len(mails) == 2 * 2 * 2
    events = [message_id.split(".")[2] for message_id, _, _ in mails]
    assert events.count(MailEvent.ALARM) == events.count(MailEvent.RECOVERY)
