"""What the demo's devices say: models in memory, a little different each second.

A model gives rows ``(object id, kind, value)``; a value that moves is a function
of the seconds since the start, so that nothing has to run between two polls and
the same seed tells the same story. Only what must never fall back remembers:
counters, and how long something has been up.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from netmon.units import GBIT, MBIT

Key = tuple[int, ...]
ValueKind = Literal[
    "integer", "counter32", "counter64", "gauge", "ticks", "octets", "oid", "ip"
]
Plain = int | str | bytes
Said = Plain | Callable[[float], Plain]
Row = tuple[Key, ValueKind, Said]
# Column number, kind, value.
Cell = tuple[int, ValueKind, Said]

_SYSTEM: Key = (1, 3, 6, 1, 2, 1, 1)
IF_ENTRY: Key = (1, 3, 6, 1, 2, 1, 2, 2, 1)
_IFX: Key = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
_ARUBA: Key = (1, 3, 6, 1, 4, 1, 14823, 2, 3, 3, 1)
_AP: Key = (*_ARUBA, 2, 1, 1)
_RADIO: Key = (*_ARUBA, 2, 2, 1)
_SSID: Key = (*_ARUBA, 1, 7, 1)
_CENTIS = 100
_BITS = 8


class Model(Protocol):
    """A device's answers. ``version`` changes whenever `rows` must be asked anew."""

    version: int

    def rows(self) -> Sequence[Row]:
        """Return all objects, in any order."""


@dataclass(frozen=True, slots=True)
class ApSpec:
    """An access point of a controller. ``id`` is the inventory's."""

    id: str
    building_id: str
    name: str
    serial: str
    model: str = "515"


class _Uptime:
    """Hundredths of a second since a start that may be told anew."""

    def __init__(self, before_s: float) -> None:
        self._before_s: float | None = before_s

    def restart(self) -> None:
        """Begin at 0 with the next question."""
        self._before_s = None

    def __call__(self, elapsed_s: float) -> int:
        if self._before_s is None:
            self._before_s = -elapsed_s
        return int((self._before_s + elapsed_s) * _CENTIS) % 2**32


class _Meter:
    """A counter that only rises, whatever happens to its rate."""

    def __init__(self, total: float) -> None:
        self._total = total
        self._at_s = 0.0
        self.rate_bps = 0.0

    def __call__(self, elapsed_s: float) -> int:
        self._total += self.rate_bps * max(0.0, elapsed_s - self._at_s) / _BITS
        self._at_s = max(self._at_s, elapsed_s)
        return int(self._total) % 2**64


@dataclass(slots=True)
class _Ap:
    spec: ApSpec
    uptime: _Uptime
    up: bool = True
    present: bool = True
    clients_count: int | None = None
    radios_on: bool = True
    serial: str = ""


@dataclass(slots=True)
class Port:
    """A port with counters that rise at its mean rates while it is up."""

    index: int
    name: str
    alias: str
    speed_bps: int
    mean_in_bps: float
    mean_out_bps: float
    admin_up: bool = True
    oper_up: bool = True
    received: _Meter = field(init=False)
    sent: _Meter = field(init=False)

    def __post_init__(self) -> None:
        busy = self.mean_in_bps + self.mean_out_bps
        self.received = _Meter(self.mean_in_bps * 2000 + busy)
        self.sent = _Meter(self.mean_out_bps * 2000 + busy)


def wave(dice: random.Random, low: float, high: float) -> Callable[[float], int]:
    """Return a slow swing between two numbers, with a faster one on top."""
    slow_s, fast_s = dice.uniform(200, 600), dice.uniform(15, 45)
    start, middle, half = dice.uniform(0, 2 * math.pi), (low + high) / 2, high - low

    def value(elapsed_s: float) -> int:
        swing = 0.35 * math.sin(start + 2 * math.pi * elapsed_s / slow_s)
        swing += 0.15 * math.sin(start + 2 * math.pi * elapsed_s / fast_s)
        return round(min(high, max(low, middle + half * swing)))

    return value


def system_rows(descr: str, object_id: str, name: str, uptime_s: float) -> list[Row]:
    """Return the system group of a device that has run for a while."""
    return [
        ((*_SYSTEM, 1, 0), "octets", descr),
        ((*_SYSTEM, 2, 0), "oid", object_id),
        ((*_SYSTEM, 3, 0), "ticks", _Uptime(uptime_s)),
        ((*_SYSTEM, 5, 0), "octets", name),
    ]


@dataclass(slots=True)
class ControllerModel:
    """A virtual controller in the manner of Aruba Instant (AI-AP-MIB)."""

    name: str
    aps: Sequence[ApSpec]
    seed: str
    radios: int = 2
    version: int = 0
    _aps: dict[str, _Ap] = field(init=False)
    _uplink: Port = field(init=False)

    def __post_init__(self) -> None:
        self._aps = {}
        for spec in self.aps:
            dice = random.Random(f"{self.seed}/{spec.id}/uptime")
            self._aps[spec.id] = _Ap(spec, _Uptime(dice.uniform(1e4, 3e6)))
        self._uplink = Port(1, "eth0", "", GBIT, 30 * MBIT, 90 * MBIT)

    def find(self, building_id: str, ap: str) -> str | None:
        """Return the id of an access point given by id or name; None if not here."""
        for state in self._aps.values():
            spec = state.spec
            if spec.building_id == building_id and ap in {spec.id, spec.name}:
                return spec.id
        return None

    def set_ap(
        self,
        ap_id: str,
        *,
        up: bool | None = None,
        present: bool | None = None,
        clients_count: int | None = None,
        radios_on: bool | None = None,
        serial: str | None = None,
    ) -> None:
        """Change an access point; None leaves a property as it is.

        An access point that is not ``present`` is missing in the table, as one
        that the controller has forgotten. ``clients_count`` is for each radio.
        Another ``serial`` is another device under the same name, "" its own again.
        """
        state = self._aps[ap_id]
        if up and not state.up:
            state.uptime.restart()
        state.up = state.up if up is None else up
        state.present = state.present if present is None else present
        if clients_count is not None:
            state.clients_count = clients_count
        state.radios_on = state.radios_on if radios_on is None else radios_on
        state.serial = state.serial if serial is None else serial
        self.version += 1

    def add_ap(self, spec: ApSpec) -> None:
        """Let another access point join, as one that somebody plugged in."""
        self._aps[spec.id] = _Ap(spec, _Uptime(0.0))
        self.version += 1

    def rows(self) -> list[Row]:
        """Return the controller's objects; a radio of a dead point has none."""
        dice = random.Random(self.seed)
        rows: list[Row] = system_rows(
            "ArubaOS (MODEL: 515), Version 8.10.0.9-8.10.0.9",
            "1.3.6.1.4.1.14823.1.2.59",
            self.name,
            dice.uniform(1e5, 4e6),
        )
        rows += [
            ((*_ARUBA, 1, 2, 0), "octets", self.name),
            ((*_ARUBA, 1, 4, 0), "octets", "8.10.0.9-8.10.0.9_88493"),
        ]
        radio_clients: list[Callable[[float], int]] = []
        for state in self._aps.values():
            radio_clients += self._ap_rows(state, rows)

        def all_clients(elapsed_s: float) -> int:
            return sum(clients(elapsed_s) for clients in radio_clients)

        rows += [
            ((*_SSID, 1, 0), "integer", 0),
            ((*_SSID, 2, 0), "octets", "Schule-Demo"),
            ((*_SSID, 3, 0), "integer", 0),
            ((*_SSID, 4, 0), "integer", all_clients),
        ]
        rows += port_rows([self._uplink], if_type=6)
        return rows

    def _ap_rows(self, state: _Ap, rows: list[Row]) -> list[Callable[[float], int]]:
        """Add the rows of a point and its radios; return its clients a radio."""
        spec = state.spec
        # One dice a point: what happens to a neighbour must not change it.
        dice = random.Random(f"{self.seed}/{spec.id}")
        if not state.present:
            return []
        index = mac_of(spec.id)
        columns: list[Cell] = [
            (1, "octets", bytes(index)),
            (2, "octets", spec.name),
            (3, "ip", f"127.0.{index[4]}.{index[5] or 1}"),
            (4, "octets", state.serial or spec.serial),
            (6, "octets", spec.model),
            (7, "integer", wave(dice, 4, 35)),
            (9, "ticks", state.uptime if state.up else 0),
            (11, "integer", 1 if state.up else 2),
            (13, "octets", "cluster member"),
        ]
        rows += [((*_AP, number, *index), kind, v) for number, kind, v in columns]
        clients = []
        for radio in range(self.radios):
            crowd = wave(dice, 0, dice.randint(4, 26))
            channel = dice.choice(
                ("36E", "52E", "100E", "116E") if radio == 0 else ("1", "6", "11")
            )
            power = dice.randint(15, 21) if radio == 0 else dice.randint(9, 15)
            noise, busy = wave(dice, 88, 96), wave(dice, 2, 55)
            if not state.up:
                continue
            fixed = state.clients_count if state.radios_on else 0
            count = crowd if fixed is None else _always(fixed)
            clients.append(count)
            cells: list[Cell] = [
                (1, "octets", bytes(index)),
                (2, "integer", radio),
                (4, "octets", channel),
                (5, "integer", power),
                (6, "integer", noise),
                (8, "integer", busy),
                (20, "integer", 1 if state.radios_on else 2),
                (21, "integer", count),
            ]
            rows += [((*_RADIO, n, *index, radio), kind, v) for n, kind, v in cells]
        return clients


def port_rows(ports: Sequence[Port], *, if_type: int) -> list[Row]:
    """Return ports in the manner of IF-MIB; their rates change with their state."""
    rows: list[Row] = []
    for port in ports:
        admin, up = port.admin_up, port.oper_up and port.admin_up
        port.received.rate_bps = port.mean_in_bps if up else 0.0
        port.sent.rate_bps = port.mean_out_bps if up else 0.0
        state = 1 if up else 2
        if_cells: list[Cell] = [
            (2, "octets", port.name),
            (3, "integer", if_type),
            (5, "gauge", min(port.speed_bps, 2**32 - 1)),
            (7, "integer", 1 if admin else 2),
            (8, "integer", state),
            (10, "counter32", _wrapped(port.received)),
            (14, "counter32", 0),
            (16, "counter32", _wrapped(port.sent)),
            (20, "counter32", 0),
        ]
        x_cells: list[Cell] = [
            (1, "octets", port.name),
            (6, "counter64", port.received),
            (10, "counter64", port.sent),
            (15, "gauge", port.speed_bps // MBIT),
            (18, "octets", port.alias),
        ]
        rows += [((*IF_ENTRY, n, port.index), kind, v) for n, kind, v in if_cells]
        rows += [((*_IFX, n, port.index), kind, v) for n, kind, v in x_cells]
    return rows


def _wrapped(counter: Callable[[float], int]) -> Callable[[float], int]:
    return lambda elapsed_s: counter(elapsed_s) % 2**32


def _always(number: int) -> Callable[[float], int]:
    return lambda _elapsed_s: number


def mac_of(name: str) -> Key:
    """Return a locally administered address that nobody's device can have."""
    digest = hashlib.sha256(name.encode()).digest()
    return (2, *digest[:5])
