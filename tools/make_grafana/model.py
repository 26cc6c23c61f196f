"""What a dashboard is made of, in either query language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from netmon.own_metrics import STANDINGS
from netmon.texts import Texts

GREY, RED, ORANGE, YELLOW = "#808080", "red", "orange", "yellow"
GREEN, BLUE, PURPLE = "green", "blue", "purple"

# A colour from a value on. The first has no value: it is what is shown of nothing,
# and nothing is never green.
Steps = Sequence[tuple[float | None, str]]

_STANDING_COLORS = {
    "bad": RED,
    "never_seen": GREY,
    "degraded": ORANGE,
    "suspect": ORANGE,
    "stale": GREY,
    "probe_limited": PURPLE,
    "unknown": GREY,
    "saturated": BLUE,
    "below_contract": YELLOW,
    "ok": GREEN,
}
_texts = Texts("de")
# The words of the status site.
STANDING_WORDS: Mapping[str, str] = {
    word: _texts(f"state.{word}") for word in STANDINGS
}
STANDING_STEPS: Steps = (
    (None, GREY),
    *((code, _STANDING_COLORS[word]) for word, code in STANDINGS.items()),
)
STANDING_TEXTS: Mapping[int, str] = {
    code: STANDING_WORDS[word] for word, code in STANDINGS.items()
}
PLAIN: Steps = ((None, BLUE),)


def standing_color(word: str) -> str:
    """Return the colour of a standing."""
    return _STANDING_COLORS[word]


class Language(StrEnum):
    """The languages of queries; the value names the folder."""

    PROMQL = "promql"
    INFLUXQL = "influxql"


class Look(StrEnum):
    """Grafana's panel types that are used."""

    STAT = "stat"
    TABLE = "table"
    SERIES = "timeseries"
    MAP = "geomap"


@dataclass(frozen=True)
class Query:
    """One query in both languages.

    ``legend`` names the value; in a panel over time it may take labels, as
    ``{{building}}``. The one value of the InfluxQL query has the legend's name where
    it becomes a column. ``influxql`` is empty in a panel that has one for all.
    """

    legend: str
    promql: str
    influxql: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel: what it asks, how it is written, how large it is."""

    title: str
    description: str
    queries: Sequence[Query]
    look: Look = Look.SERIES
    unit: str = "none"
    width: int = 12
    height: int = 8
    steps: Steps = PLAIN
    # Of a table: label to heading. Others are dropped.
    headings: Mapping[str, str] = field(default_factory=dict)
    decimals: int | None = None
    high: float | None = None
    # Words to show instead of values.
    words: Mapping[int, str] = field(default_factory=dict)
    # By legend, where it differs from the panel's.
    units: Mapping[str, str] = field(default_factory=dict)
    colors: Mapping[str, Steps] = field(default_factory=dict)
    texts: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    # One InfluxQL query whose columns are all legends, in place of one a legend.
    influxql: str = ""
    # The shortest step over time in InfluxQL: how long a value counts.
    step_s: float = 60.0


@dataclass(frozen=True)
class Board:
    """One dashboard. ``one_building`` makes the choice of a building a single one."""

    uid: str
    title: str
    description: str
    rows: Sequence[Sequence[Panel]]
    one_building: bool = False
