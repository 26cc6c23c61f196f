"""What every derived rule is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from alerts.board import Speaker
from alerts.gate import Key
from alerts.held import Held
from alerts.rule_settings import EffectiveRules
from alerts.rules import RULES
from alerts.watched import Seen
from netmon.config import AlertSettings
from netmon.model import Inventory, Line
from netmon.school_calendar import SchoolCalendar
from netmon.storage.ports import Store
from netmon.wlan_verdict import ApVerdict


def no_calendar(_: str) -> None:
    """Know of no lessons: nothing is said of access points without clients."""


@dataclass(frozen=True, slots=True)
class View:
    """What a derivation may look at; ``now_ms`` is the moment it judges.

    ``life`` is when something in a building was last proven to work, ``speakers``
    when its probes were last heard, ``heard_ms`` when anybody was, a probe or a collector, ``seeing_since_ms`` when netmon was last blind no
    more: silence before that is nobody's. ``witnesses`` are, by building, the keys of the
    devices and of the access points that are asked from outside. ``calendar_of`` is
    a building's calendar, None where nobody knows it.
    """

    store: Store
    inventory: Inventory
    settings: AlertSettings
    rules: EffectiveRules
    held: Mapping[Key, Held]
    life: Mapping[str, int]
    speakers: Mapping[str, Speaker]
    witnesses: Mapping[str, tuple[tuple[Key, ...], ...]]
    now_ms: int
    calendar_of: Callable[[str], SchoolCalendar | None] = no_calendar
    seeing_since_ms: int = 0
    heard_ms: int = 0

    def after_ms(
        self, rule: str, building_id: str = "", line: Line | None = None
    ) -> int:
        """Return how long silence must last for a rule there."""
        after_s = self.rules.of(RULES[rule], building_id, line).after_s
        return round((after_s or 0.0) * 1000)


@dataclass(frozen=True, slots=True)
class Finding:
    """A result for one target of the rule: 1 is good, 0 is bad.

    Without ``seen`` only ``wake_ms`` counts: when to ask again about this building
    (`Derivation.every_s` is 0); ``flapping`` that it comes and goes. A good result of a target that has no state yet
    is not stored: most things are in order. ``silent_count`` of ``speaking_count``
    and ``ap`` are for the evidence, as are the devices and access points of the building
    that do not answer.
    """

    target: str
    building_id: str
    seen: Seen | None = None
    wake_ms: int | None = None
    silent_count: int | None = None
    speaking_count: int | None = None
    ap: ApVerdict | None = None
    flapping: bool = False
    devices_gone_count: int | None = None
    points_gone_count: int | None = None


@dataclass(frozen=True, slots=True)
class Derivation:
    """How the results of a derived rule come about.

    ``results`` gets the buildings of which something was heard, or whose time has
    come; None for all of them. With ``every_s`` 0 it is asked for whatever happened,
    at the moment it happened, be that an hour ago because the engine was stopped: it
    must not look into the store, which knows the present only. With ``every_s`` it is
    asked of all that often, by the clock, and whenever the inventory is new.
    ``patient``: what is heard can only put off its time, so until then it is not asked.
    """

    rule: str
    every_s: float
    results: Callable[[View, Collection[str] | None], Iterator[Finding]]
    patient: bool = False
