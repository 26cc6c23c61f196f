"""Access points by floor and room, and radios in words; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dashboards.building_views import ApFinding, ApView, RadioView
from dashboards.views import Verdict, rank
from netmon.model import Room
from netmon.texts import Texts

# A building with so few is read at one glance; more are folded by floor.
FEW_ACCESS_POINTS = 12
FEW_DEVICES = 6


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor's access points in the order of its rooms; ``name`` may be empty.

    ``looks`` counts them by what is worst of the alarms' word and the finding.
    """

    name: str
    access_points: tuple[ApView, ...]
    looks: Mapping[Verdict, int]


def floors(
    access_points: Sequence[ApView],
    rooms: Sequence[Room],
    findings: Mapping[str, ApFinding],
) -> tuple[Floor, ...]:
    """Return the floors in the inventory's order; those of no known room come last."""
    places = {room.id: (index, room.floor) for index, room in enumerate(rooms)}
    nowhere = (len(rooms), "")
    by_floor: dict[str, list[tuple[int, str, ApView]]] = {}
    for ap in access_points:
        room_id = ap.planned.room_id if ap.planned else ""
        index, floor = places.get(room_id, nowhere)
        by_floor.setdefault(floor, []).append((index, ap.name, ap))
    found = []
    for name, entries in by_floor.items():
        entries.sort(key=lambda entry: entry[:2])
        points = tuple(ap for _, _, ap in entries)
        looks = [_look(ap, findings.get(ap.id)) for ap in points]
        counts = {v: n for v in Verdict if (n := looks.count(v))}
        found.append((entries[0][0], Floor(name, points, counts)))
    found.sort(key=lambda each: (each[1].name == "", each[0]))
    return tuple(floor for _, floor in found)


def _look(ap: ApView, finding: ApFinding | None) -> Verdict:
    """Return the worse of two opinions; a finding alone makes nothing bad."""
    if finding is None or rank(finding.look) >= rank(ap.verdict):
        return ap.verdict
    return Verdict.SUSPECT if finding.look is Verdict.BAD else finding.look


def radio_text(radio: RadioView, texts: Texts) -> str:
    """Return a radio in words: only what its controller tells."""
    told = {
        "band": radio.band,
        "channel": radio.channel,
        "power": radio.power,
        "utilisation": radio.utilisation,
        "clients": radio.clients,
        "retries": radio.retries,
        "noise": radio.noise,
    }
    words = [] if radio.is_on is not False else [texts("building.radio.off")]
    for name, reading in told.items():
        if reading.value is not None:
            words.append(_part(name, reading.value, radio.width.value, texts))
    return ", ".join(words)


@lru_cache(4096)
def _part(name: str, value: float, width_hz: float | None, texts: Texts) -> str:
    """Return one number of a radio; the channel has its width beside it."""
    if name == "band":
        ghz = value / 1e9
        return texts("building.radio.band", n=texts.number(ghz, 0 if ghz >= 5 else 1))
    if name in {"utilisation", "retries"}:
        return texts(f"building.radio.{name}", n=texts.percent(value, 0))
    if name == "channel" and width_hz is not None:
        width = texts.number(width_hz / 1e6)
        return texts("building.radio.channel_width", n=round(value), width=width)
    return texts(f"building.radio.{name}", n=texts.number(value))
