"""At which controller each planned access point is: one collector sees all of them.

Controllers stand in for each other: when one fails or is taken out of service, its
access points join another one. It is the same access point by its serial number, else
by its own hardware address, else by a name that nobody else bears; two of one name are
never taken for one.

One controller at a time speaks of an access point: the one that had it up last, the
planned one before that. Only it may say that it is gone. So a planned controller that
comes back without its access points raises nothing, and one that dies at a standby is
missed there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from collectors.decode import Row
from collectors.values import clean_text
from netmon.model import AccessPoint, Device, DeviceKind, Inventory

# A controller notices within minutes that an access point has left it. What two show up
# for longer than this are two of one name, or one that the second lists as its standby.
TWO_AFTER_MS = 15 * 60_000

Index = Mapping[str, Sequence[AccessPoint]]


def folded(text: str) -> str:
    """Return a name or serial number as it is compared."""
    return clean_text(text.encode()).casefold()


def dotted(mac: str) -> str:
    """Return a hardware address as the index of a table writes it; empty for none."""
    return ".".join(str(int(pair, 16)) for pair in mac.split(":")) if mac else ""


@dataclass(frozen=True, slots=True)
class Roster:
    """What a controller may say of planned access points beside its own.

    ``guests`` are planned at others and were up here last, ``away`` those planned here
    that were up elsewhere last, or may be. ``elsewhere`` are those that others show up
    now, ``two`` those that this one shows up beside others for long. ``plans`` are those
    that may come, the indexes all there are by what they are known by.
    """

    guests: tuple[AccessPoint, ...] = ()
    away: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    two: frozenset[str] = frozenset()
    building_id: str | None = None
    plans: Mapping[str, AccessPoint] = field(default_factory=dict, repr=False)
    by_serial: Index = field(default_factory=dict, repr=False)
    by_mac: Index = field(default_factory=dict, repr=False)
    by_name: Index = field(default_factory=dict, repr=False)

    def _only(self, index: Index, word: str) -> AccessPoint | None:
        found = [
            plan
            for plan in (index.get(word, ()) if word else ())
            if self.building_id in {None, plan.building_id}
        ]
        return found[0] if len(found) == 1 and found[0].id in self.plans else None

    def visitor(self, row: Row, word: str) -> AccessPoint | None:
        """Return the one planned access point that a row is by a word; None for none.

        ``word`` is ``serial``, ``mac`` or ``name``. Whatever has another serial
        number is another one.
        """
        match word:
            case "serial":
                return self._only(self.by_serial, folded(row.words.get("serial", "")))
            case "mac":
                plan = self._only(self.by_mac, row.parts.get("mac", ""))
            case _:
                plan = self._only(self.by_name, folded(row.words.get("name", "")))
        return None if plan is None or contradicts(row, plan) else plan

    def is_twice(self, row: Row, plan: AccessPoint) -> bool:
        """Say whether a row shows one up that others do as well, now or for long.

        One that is not up here is what is left of a visit, or waits for one.
        """
        is_now = plan.id in self.elsewhere and row.numbers.get("up") == 1
        return is_now or plan.id in self.two

    def speaks_of(self, row: Row, plan: AccessPoint) -> bool:
        """Say whether a visitor is here, and not known to be elsewhere.

        A name alone proves nothing as long as the other one shows it up.
        """
        if plan.id not in self.elsewhere:
            return True
        is_sure = plan in (self.visitor(row, "serial"), self.visitor(row, "mac"))
        return is_sure and plan.id not in self.two


ALONE = Roster()


def contradicts(row: Row, plan: AccessPoint) -> bool:
    """Say whether a row's serial number is another one than planned."""
    told, planned = folded(row.words.get("serial", "")), folded(plan.serial)
    return bool(told and planned and told != planned)


class Hosts:
    """Remembers which controller had each planned access point up last."""

    def __init__(self) -> None:
        self._plans: dict[str, AccessPoint] = {}
        self._controllers: dict[str, Device] = {}
        self._own: dict[str, list[AccessPoint]] = {}
        self._indexes: tuple[Index, Index, Index] = ({}, {}, {})
        # Planned id -> controller, where that is not the planned one.
        self._host: dict[str, str] = {}
        # What each controller showed up when it was asked last; nothing if silent.
        self._up: dict[str, frozenset[str]] = {}
        # Since when a controller shows one up that is up elsewhere as well.
        self._twice_ms: dict[tuple[str, str], int] = {}

    def know(self, inventory: Inventory) -> None:
        """Take over an inventory; what was seen of what is still in it stays."""
        self._controllers = {
            device.id: device
            for device in inventory.devices
            if device.kind is DeviceKind.CONTROLLER and device.address
        }
        plans = inventory.access_points
        controllers = {
            device.id
            for device in inventory.devices
            if device.kind is DeviceKind.CONTROLLER
        }
        self._plans = {
            plan.id: plan for plan in plans if plan.controller_id in controllers
        }
        self._own = defaultdict(list)
        for plan in self._plans.values():
            self._own[plan.controller_id].append(plan)
        # Of those that stand alone too: whoever bears the word of two may be either.
        self._indexes = (
            _index((folded(plan.serial), plan) for plan in plans),
            _index((dotted(plan.mac), plan) for plan in plans),
            _index((folded(plan.name), plan) for plan in plans),
        )
        self._host = {
            ap: device
            for ap, device in self._host.items()
            if device in self._controllers
            and ap in self._plans
            and _may_join(self._plans[ap], self._controllers[device])
            and self._plans[ap].controller_id != device
        }
        self._up = {d: up for d, up in self._up.items() if d in self._controllers}

    def roster(self, device: Device, at_ms: int) -> Roster:
        """Return what a controller may say at this poll beside what is planned."""
        if device.id not in self._controllers:
            return ALONE
        unasked = [
            other
            for other in self._controllers.values()
            if other.id != device.id and other.id not in self._up
        ]
        others = (up for name, up in self._up.items() if name != device.id)
        serials, macs, names = self._indexes
        return Roster(
            guests=tuple(
                self._plans[ap] for ap, host in self._host.items() if host == device.id
            ),
            away=frozenset(
                plan.id
                for plan in self._own.get(device.id, ())
                # Just started: one that was not asked yet may have it.
                if plan.id in self._host or any(_may_join(plan, d) for d in unasked)
            ),
            elsewhere=frozenset().union(*others),
            two=frozenset(
                ap
                for (name, ap), since_ms in self._twice_ms.items()
                if name == device.id and at_ms - since_ms > TWO_AFTER_MS
            ),
            building_id=device.building_id,
            plans=self._plans,
            by_serial=serials,
            by_mac=macs,
            by_name=names,
        )

    def note(
        self,
        device: Device,
        at_ms: int,
        up: Collection[str] | None,
        twice: Collection[str] = (),
    ) -> None:
        """Remember what a poll showed up; None for a controller that did not answer.

        ``twice`` are those of others that it shows up, be it by name, while others do.
        """
        if device.id not in self._controllers:
            return
        self._up[device.id] = frozenset(up or ())
        if up is None:
            return
        for ap in up:
            plan = self._plans.get(ap)
            if plan is None or plan.controller_id == device.id:
                self._host.pop(ap, None)
            else:
                self._host[ap] = device.id
        known = {ap: self._twice_ms.get((device.id, ap), at_ms) for ap in twice}
        kept = {k: ms for k, ms in self._twice_ms.items() if k[0] != device.id}
        self._twice_ms = kept | {(device.id, ap): ms for ap, ms in known.items()}


def _index(words: Iterable[tuple[str, AccessPoint]]) -> Index:
    found: dict[str, list[AccessPoint]] = {}
    for word, plan in words:
        if word:
            found.setdefault(word, []).append(plan)
    return found


def _may_join(plan: AccessPoint, device: Device) -> bool:
    """Say whether the inventory would allow an access point to be planned there."""
    return device.building_id in {None, plan.building_id}
