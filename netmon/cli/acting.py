"""What the commands share that act on alarms: who acts, and refusals by option."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.base import open_store
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.model import Inventory
    from netmon.storage.action_records import Actor
    from netmon.storage.ports import Store

# What the API calls a field -> what it is on the command line.
_OPTIONS = {
    "value": "--building/--district/--provider",
    "reason": "--reason",
    "note": "--note",
    "name": "NAME",
    "starts_at": "--from",
    "ends_at": "--until",
    "when": "--weekly",
    "when.starts_at": "--from",
    "when.ends_at": "--until",
    "when.days": "--weekly",
    "when.start": "--hours",
    "when.end": "--hours",
    "when.first": "--first",
    "when.last": "--last",
    "when.excluded": "--except",
}


@dataclass(frozen=True)
class Desk:
    """The store with what an action needs to know."""

    store: Store
    inventory: Inventory
    actor: Actor
    now: datetime
    now_ms: int

    def since_ms(self, everything: bool) -> int | None:
        """Return since when something must count to be listed; None for ever."""
        return None if everything else self.now_ms


def shell_actor() -> Actor:
    """Return who acts on this command line."""
    from netmon.storage.action_records import Actor, Via

    return Actor(shell_user(), Via.SHELL)


def shell_user() -> str:
    """Return whose shell this is; under sudo who called it."""
    import pwd

    number = os.getuid()
    if number == 0 and (caller := os.environ.get("SUDO_USER")):
        return caller
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        # A container often has no name for its user.
        return f"uid {number}"


@contextmanager
def acting(config: Path | None, texts: Texts) -> Iterator[Desk]:
    """Give the desk; what an action refuses comes out as the input's problems.

    Raises:
        InputError: an action was refused.
        StorageError: the store cannot be opened, or did not do it.
    """
    from netmon.actions.errors import ActionError
    from netmon.clock import SystemClock, to_ms
    from netmon.errors import InputError, Problem
    from netmon.storage.current import CurrentInventory

    now = SystemClock().now()
    with open_store(config) as (store, _):
        inventory = CurrentInventory(store.inventories)()
        actor = shell_actor()
        try:
            yield Desk(store, inventory, actor, now, to_ms(now))
        except ActionError as error:
            problems = [
                Problem(_option(one.field), None, None, one.text(texts), one.fix(texts))
                for one in error.faults
            ]
            raise InputError(problems) from error


def _option(field: str | None) -> str:
    if field is None:
        return "netmon alerts"
    if field.startswith("matchers"):
        return "FELD=WERT"
    return _OPTIONS.get(field, field)


@contextmanager
def time_text(text: str, field: str) -> Iterator[None]:
    """Name the field in the refusal of a text that is no time."""
    from netmon.actions.errors import ActionError, Refusal, fault
    from netmon.actions.times import TimeTextError

    try:
        yield
    except TimeTextError as error:
        found = fault(error.code, field, value=text)
        raise ActionError(Refusal.INVALID, [found]) from error


def parse_time(
    text: str, base: datetime, field: str, *, latest: bool = False
) -> datetime:
    """Return the time a text means; see `netmon.actions.times.parse_moment`."""
    from netmon.actions.times import parse_moment

    with time_text(text, field):
        return parse_moment(text, base, latest=latest)


def parse_day(text: str, field: str) -> date:
    """Return the day of ``2026-12-24`` or ``24.12.2026``."""
    from netmon.actions.times import parse_date

    with time_text(text, field):
        return parse_date(text)
