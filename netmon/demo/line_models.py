"""What the devices say that end the demo's lines: a modem, a radio, an optical module.

Each is whole or broken; broken it tells why the line is slow, in the figures of
the fault that the demo's pacing plays (`netmon.demo.plan.broken_rates`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from netmon.demo.agent_data import (
    IF_ENTRY,
    Cell,
    Key,
    Port,
    Row,
    port_rows,
    system_rows,
    wave,
)
from netmon.demo.plan import broken_rates
from netmon.model import Line, Technology
from netmon.units import GBIT, KBIT

_VDSL2: Key = (1, 3, 6, 1, 2, 1, 10, 251, 1)
# ADSL-LINE-MIB has a table for what the exchange receives and one for the modem.
_ADSL: Key = (1, 3, 6, 1, 2, 1, 10, 94, 1, 1)
_ATUC, _ATUR = 2, 3
_AIRFIBER: Key = (1, 3, 6, 1, 4, 1, 41112, 1, 3)
_TRANSCEIVER: Key = (1, 3, 6, 1, 4, 1, 11, 2, 14, 11, 5, 1, 82, 1, 1, 1, 1)
_VDSL2_TYPE, _ETHERNET_TYPE = 251, 6
_XTUC, _XTUR = 1, 2
# A line in sync carries a little more than its contract, for the framing.
_SYNC_SHARE = 1.09


@dataclass(slots=True)
class _LineModel:
    """A device that ends a line; ``set_broken`` changes what it says of it."""

    name: str
    line: Line
    seed: str
    broken: bool = False
    version: int = 0

    def set_broken(self, broken: bool) -> None:
        """Fall ill, or be well again."""
        self.broken = broken
        self.version += 1

    def _dice(self) -> random.Random:
        return random.Random(f"{self.seed}/{self.broken}")

    def _system(self, descr: str, object_id: str) -> list[Row]:
        uptime_s = random.Random(self.seed).uniform(1e5, 4e6)
        return system_rows(descr, object_id, self.name, uptime_s)


@dataclass(slots=True)
class ModemModel(_LineModel):
    """A VDSL2 modem in the manner of DrayTek: margins are whole dB in ADSL-LINE-MIB."""

    def rows(self) -> list[Row]:
        """Return the modem's objects."""
        dice, line = self._dice(), self.line
        down, up = float(line.contracted_down_bps), float(line.contracted_up_bps)
        if self.broken:
            down, up = broken_rates(line)
        rates = {_XTUC: _kbits(down * _SYNC_SHARE), _XTUR: _kbits(up * _SYNC_SHARE)}
        reserve = 1.06 if self.broken else 1.22
        rows = self._system(
            "DrayTek Corporation, Router Model: Vigor167 (Demo), Version: 5.0",
            "1.3.6.1.4.1.7367",
        )
        rows += port_rows([Port(1, "LAN", "", GBIT, 20e6, 5e6)], if_type=_ETHERNET_TYPE)
        cells: list[Cell] = [
            (2, "octets", "VDSL"),
            (3, "integer", _VDSL2_TYPE),
            (5, "gauge", rates[_XTUC]),
            (7, "integer", 1),
            (8, "integer", 1),
        ]
        rows += [((*IF_ENTRY, n, 4), kind, value) for n, kind, value in cells]
        for unit, rate in rates.items():
            rows.append(((*_VDSL2, 2, 2, 1, 2, 4, unit), "gauge", rate))
        for column, unit in ((20, _XTUC), (21, _XTUR)):
            attainable = _kbits(rates[unit] * reserve)
            rows.append(((*_VDSL2, 1, 1, 1, column, 4), "gauge", attainable))
        # Whole dB.
        margin = (1, 2) if self.broken else (8, 10)
        for unit, attenuation in ((_ATUR, 11), (_ATUC, 4)):
            rows.append(((*_ADSL, unit, 1, 4, 4), "integer", wave(dice, *margin)))
            rows.append(((*_ADSL, unit, 1, 5, 4), "gauge", attenuation))
        rows.append(((*_VDSL2, 4, 1, 2, 1, 11, 4), "gauge", 4 if self.broken else 0))
        errored = (31, 58) if self.broken else (0, 2)
        rows.append(((*_VDSL2, 4, 1, 1, 1, 6, 4, _XTUR), "gauge", wave(dice, *errored)))
        severe = 3 if self.broken else 0
        rows.append(((*_VDSL2, 4, 1, 1, 1, 7, 4, _XTUR), "gauge", severe))
        return rows


@dataclass(slots=True)
class RadioModel(_LineModel):
    """A radio unit in the manner of Ubiquiti's airFiber."""

    def rows(self) -> list[Row]:
        """Return the unit's objects."""
        dice, line = self._dice(), self.line
        down, up = 2.1 * line.contracted_down_bps, 2.1 * line.contracted_up_bps
        if self.broken:
            down, up = (1.06 * rate for rate in broken_rates(line))
        # 8 is 256-QAM, 4 is 16-QAM.
        modulation = 4 if self.broken else 8
        level = (-73, -70) if self.broken else (-53, -51)
        rows = self._system("Linux 2.6.33 (Demo)", "1.3.6.1.4.1.10002.1")
        rows += port_rows(
            [Port(1, "eth0", "", GBIT, 30e6, 9e6)], if_type=_ETHERNET_TYPE
        )
        cells: list[Cell] = [
            (2, "integer", modulation),
            (5, "integer", _kbits(down)),
            (6, "integer", _kbits(up)),
            (11, "integer", wave(dice, *level)),
            (14, "integer", wave(dice, *level)),
            (18, "integer", modulation),
            (19, "integer", wave(dice, *level)),
            (26, "integer", 1),
            (40, "octets", "v4.1.0 (Demo)"),
        ]
        rows += [((*_AIRFIBER, 2, 1, n, 1), kind, value) for n, kind, value in cells]
        rows.append(((*_AIRFIBER, 1, 1, 9, 1), "integer", 38))
        return rows


@dataclass(slots=True)
class OpticsModel(_LineModel):
    """A router with an optical module that tells its own limits (1000BASE-LX).

    The demo's fault of a fibre lies behind it: its light stays as it is.
    """

    def rows(self) -> list[Row]:
        """Return the router's objects."""
        dice = random.Random(self.seed)
        rows = self._system("HP Router (Demo), revision 1.0", "1.3.6.1.4.1.11.2.3.7.11")
        ports = [
            Port(1, "1", "LAN", GBIT, 5e6, 40e6),
            Port(25, "25", "WAN", GBIT, 4e7, 5e6),
        ]
        rows += port_rows(ports, if_type=_ETHERNET_TYPE)
        cells: list[Cell] = [
            # It measures.
            (9, "integer", 1),
            (14, "integer", wave(dice, -6100, -5900)),
            (15, "integer", wave(dice, -9300, -9000)),
            # Limits in 0.1 uW: sending, then receiving; alarm and warning.
            (30, "gauge", 6310),
            (31, "gauge", 1000),
            (32, "gauge", 5012),
            (33, "gauge", 1259),
            (34, "gauge", 10000),
            (35, "gauge", 40),
            (36, "gauge", 7943),
            (37, "gauge", 50),
        ]
        rows += [((*_TRANSCEIVER, n, 25), kind, value) for n, kind, value in cells]
        return rows


LineModel = ModemModel | RadioModel | OpticsModel

_MODELS: dict[Technology, type[LineModel]] = {
    Technology.VDSL: ModemModel,
    Technology.RADIO: RadioModel,
    Technology.FIBRE: OpticsModel,
}


def line_model(name: str, line: Line, seed: str) -> LineModel:
    """Return the device that ends a line of its technology."""
    return _MODELS[line.technology](name, line, seed)


def _kbits(rate_bps: float) -> int:
    """Return a rate as devices know it: in whole kbit/s."""
    return round(rate_bps / KBIT) * KBIT
