"""From the sensors and modules of a device to the light at its ports: pure.

ENTITY-SENSOR-MIB tells values without saying of what; ENTITY-MIB tells inside
of what a sensor sits, and which interface that is. A table that did not come
whole makes no port: a value under a wrong name would be worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from collectors.decode import Row, TableResult
from collectors.values import dbm_of_milliwatt
from netmon.metrics import KINDS

TABLE = "sensor_optics"
_WATTS, _DBM = 6, 14
_UNITS = 9
# EntitySensorDataScale from yocto to yotta, and EntitySensorPrecision (RFC 3433).
_SCALES, _PRECISIONS = range(1, 18), range(-8, 10)
_OK = 1
_PORT_CLASS = 10
_MAX_DEPTH = 12
_MW_PER_WATT = 1000
_MOST_HUNDREDTHS_DBM = 600
# Not "input" and "output": power supplies have those.
_WAYS = {
    "rx_dbm": re.compile(r"(?<![a-z])(rx|receive)", re.IGNORECASE),
    "tx_dbm": re.compile(r"(?<![a-z])(tx|transmit)", re.IGNORECASE),
}
_LIMITS = {metric.name: metric for metric in KINDS["line_optics"].metrics}


def optics_of(tables: Sequence[TableResult]) -> list[TableResult]:
    """Return the optics that a device tells by entity; none if it tells of none.

    Its sensors count one power each, its modules both and their limits.
    """
    found = []
    for source, decode in (("sensor", _of_sensors), ("module", _of_modules)):
        told = next((t for t in tables if t.result == source), None)
        if told is None:
            continue
        helpers = [t for t in tables if t.result in {"entity", "alias"}]
        if all(t.complete for t in helpers):
            rows = tuple(decode(told.rows, _Places(tables)))
            found.append(TableResult(TABLE, "optics", rows, told.complete))
        else:
            found.append(TableResult(TABLE, "optics"))
    return found


def _of_sensors(rows: Sequence[Row], place: _Places) -> Iterable[Row]:
    ports: dict[str, dict[str, float | None]] = {}
    for row in rows:
        way, power_dbm = _way(row), sensor_dbm(row)
        if way is None or power_dbm is None:
            continue
        metric = _LIMITS[way]
        if not metric.low <= power_dbm <= metric.high:
            continue
        values = ports.setdefault(place.port(row.parts["entity"]), {})
        before = values.get(way)
        # A module with several lanes is as good as its weakest one.
        values[way] = power_dbm if before is None else min(before, power_dbm)
    for port, values in ports.items():
        yield Row({"port": port}, values, {"name": place.name(port)})


def _of_modules(rows: Sequence[Row], place: _Places) -> Iterable[Row]:
    for row in rows:
        numbers = {**row.numbers, **_settled(row.numbers)}
        # Copper ports and empty cages are in the table too.
        if any(numbers.get(way) is not None for way in _WAYS):
            port = place.port(row.parts["entity"])
            name = place.name(port) or row.words.get("name", "")
            yield Row({"port": port}, numbers, {"name": name})


def _settled(numbers: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the powers of a module that tells them in 0.01 dBm or in uW.

    What is negative is in 0.01 dBm; more than 6 dBm no module here sends, so that is in
    uW. In between the other power tells, which is in the same unit, else the module's
    own limits: what is above them, or beside none in dBm, is in uW. What stays open is
    left out.
    """
    raws = {way: raw for way in ("rx", "tx") if (raw := numbers.get(f"{way}_raw"))}
    units = {_in_micro(raw) for raw in raws.values()} - {None}
    if not units:
        highs = {way: numbers.get(f"{way}_high_alarm_dbm") for way in raws}
        above = [
            raws[way] / 100 > high for way, high in highs.items() if high is not None
        ]
        limits = [value for name, value in numbers.items() if name.count("_") == 3]
        if any(above) or all(value is None for value in limits):
            units = {True}
    if len(units) != 1:
        return {}
    return {
        f"{way}_dbm": dbm_of_milliwatt(raw / 1000) if True in units else raw / 100
        for way, raw in raws.items()
    }


def _in_micro(raw: float | None) -> bool | None:
    """Say whether a power is in uW; None if it could be in 0.01 dBm as well."""
    if raw is None or 0 <= raw <= _MOST_HUNDREDTHS_DBM:
        return None
    return raw > 0


def sensor_dbm(row: Row) -> float | None:
    """Return a sensor's power in dBm; None if it measures or says something else."""
    numbers = row.numbers
    value, kind = numbers.get("value"), numbers.get("type")
    if value is None or kind not in {_WATTS, _DBM}:
        return None
    if numbers.get("status") not in {None, _OK}:
        return None
    scale, precision = numbers.get("scale"), numbers.get("precision") or 0
    scale = _UNITS if scale is None else scale
    if scale not in _SCALES or precision not in _PRECISIONS:
        return None
    # yocto is 1, then three powers of ten a step: units is 9.
    power = 3 * (scale - _UNITS) - precision
    # Dividing keeps -64 at a precision of 1 from becoming -6.4000000000000004.
    told = value / 10.0**-power if power < 0 else value * 10.0**power
    return round(told, 6) if kind == _DBM else dbm_of_milliwatt(told * _MW_PER_WATT)


def _way(row: Row) -> str | None:
    text = f"{row.words.get('name', '')} {row.words.get('descr', '')}"
    found = [way for way, pattern in _WAYS.items() if pattern.search(text)]
    return found[0] if len(found) == 1 else None


class _Places:
    """Where things sit: from an entity up to the interface it belongs to."""

    def __init__(self, tables: Sequence[TableResult]) -> None:
        self._within: dict[str, str] = {}
        self._classes: dict[str, float | None] = {}
        self._names: dict[str, str] = {}
        self._interfaces: dict[str, str] = {}
        for table in tables:
            for row in table.rows:
                self._take(table.result, row)

    def _take(self, result: str, row: Row) -> None:
        if result == "port":
            self._names[row.parts["port"]] = row.words.get("name", "")
        elif result == "entity":
            entity, within = row.parts["entity"], row.numbers.get("within")
            self._classes[entity] = row.numbers.get("class")
            self._names[_entity(entity)] = row.words.get("name", "")
            if within:
                self._within[entity] = f"{within:.0f}"
        elif result == "alias":
            if_index = row.numbers.get("if_index")
            if if_index is not None:
                self._interfaces.setdefault(row.parts["entity"], f"{if_index:.0f}")

    def port(self, sensor: str) -> str:
        """Return the ifIndex of a sensor's port, else a name for what it sits in."""
        entity, fallback = sensor, self._within.get(sensor, sensor)
        for _ in range(_MAX_DEPTH):
            if entity in self._interfaces:
                return self._interfaces[entity]
            if self._classes.get(entity) == _PORT_CLASS:
                fallback = entity
            if entity not in self._within:
                break
            entity = self._within[entity]
        return _entity(fallback)

    def name(self, port: str) -> str:
        """Return how the device calls a port; empty if it does not."""
        return self._names.get(port, "")


def _entity(number: str) -> str:
    return f"entity {number}"
