"""Which plots a line has: one line each, and what is drawn across them; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboards import chart
from dashboards.history import HISTORY_METRICS, History, HistoryMetric
from dashboards.tables import Plot, history_rows, shortened
from netmon.metrics import MEDIUM_KINDS
from netmon.model import TARGET_DOWN_BPS, Line
from netmon.storage.records import Latest

_FULL_WIDTH = (chart.WIDE, chart.MEDIUM, chart.NARROW)
_HALF_WIDTH = (chart.MEDIUM, chart.NARROW)
# Levels and margins may be negative, and nothing begins at their zero.
_LEVELS = ("db", "dbm")
# What a transceiver says of itself, as marks across its light: metric and mark.
_LIMITS = {
    "rx_low_warn_dbm": "rx_low_warn",
    "rx_low_alarm_dbm": "rx_low_alarm",
    "rx_high_alarm_dbm": "rx_high_alarm",
}


class PlotName(StrEnum):
    """The plots, in the order they are shown."""

    RATES = "rates"
    DELAYS = "delays"
    LOSS = "loss"
    LIGHT = "light"
    RADIO_LEVEL = "radio_level"
    RADIO_RATE = "radio_rate"
    DSL_RATE = "dsl_rate"
    DSL_MARGIN = "dsl_margin"


M = HistoryMetric

PLOT_METRICS: Mapping[PlotName, tuple[HistoryMetric, ...]] = {
    PlotName.RATES: (M.RATE_DOWN, M.RATE_UP),
    PlotName.DELAYS: (M.RTT, M.RTT_IDLE, M.RTT_LOADED, M.JITTER),
    PlotName.LOSS: (M.LOSS,),
    PlotName.LIGHT: (M.OPTICS_RX, M.OPTICS_TX),
    PlotName.RADIO_LEVEL: (M.RADIO_RX, M.RADIO_RX_FAR),
    PlotName.RADIO_RATE: (M.RADIO_CAPACITY_DOWN, M.RADIO_CAPACITY_UP),
    PlotName.DSL_RATE: (M.DSL_DOWN, M.DSL_UP),
    PlotName.DSL_MARGIN: (M.DSL_MARGIN_DOWN, M.DSL_MARGIN_UP),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A value across a plot, in the plot's unit."""

    name: str
    value: float


def unit_of(name: PlotName) -> str:
    """Return the unit that ends the names of a plot's metrics."""
    return PLOT_METRICS[name][0].rpartition("_")[2]


def kind_of(name: PlotName) -> str:
    """Return the kind of the first metric of a plot."""
    return HISTORY_METRICS[PLOT_METRICS[name][0]][0]


def plots_of(line: Line, latest: Iterable[Latest]) -> list[PlotName]:
    """Return a line's plots; those of its medium only where a device tells of it."""
    told = {
        item.series.kind for item in latest if item.series.tags.get("line") == line.id
    }
    return [
        name
        for name in PlotName
        if (kind := kind_of(name)) not in MEDIUM_KINDS or kind in told
    ]


def marks_of(name: PlotName, line: Line, latest: Iterable[Latest]) -> list[Mark]:
    """Return what is drawn across a plot: contract and target, limits of the module.

    Of two modules that tell different limits none is drawn.
    """
    if unit_of(name) == "bps":
        down_bps, up_bps = line.contracted_down_bps, line.contracted_up_bps
        marks = [Mark("contract", float(down_bps))]
        if up_bps != down_bps:
            marks.append(Mark("contract_up", float(up_bps)))
        if TARGET_DOWN_BPS not in {down_bps, up_bps}:
            marks.append(Mark("target", float(TARGET_DOWN_BPS)))
        return marks
    if name is not PlotName.LIGHT:
        return []
    told = [
        item.values
        for item in latest
        if item.series.kind == "line_optics" and item.series.tags.get("line") == line.id
    ]
    found = {
        mark: {values[metric] for values in told if values.get(metric) is not None}
        for metric, mark in _LIMITS.items()
    }
    return [
        Mark(mark, value)
        for mark, values in found.items()
        if len(values) == 1 and (value := values.pop()) is not None
    ]


def build_plot(
    name: PlotName, history: History, marks: Sequence[Mark], *, complete: bool = False
) -> Plot:
    """Return a plot ready to be drawn, with the same numbers as rows.

    They are put together if there are many, unless ``complete``.
    """
    metrics, unit = PLOT_METRICS[name], unit_of(name)
    rows = history_rows(history, metrics)
    runs = chart.runs_of(history, metrics)
    drawn = [(mark.name, mark.value) for mark in marks]
    return Plot(
        name=name,
        kind=kind_of(name),
        unit=unit,
        metrics=metrics,
        grain=history.grain,
        generated=history.generated,
        rows=tuple(rows) if complete else shortened(rows, history.span),
        complete_count=len(rows),
        charts=tuple(
            found
            for size in (_FULL_WIDTH if name is PlotName.RATES else _HALF_WIDTH)
            if (
                found := chart.build(
                    history,
                    metrics,
                    drawn,
                    size,
                    from_zero=unit not in _LEVELS,
                    runs=runs,
                )
            )
            is not None
        ),
    )
