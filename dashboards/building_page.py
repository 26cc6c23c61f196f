"""What only the page of a building shows, beside what the API tells too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards.building_probes import ProbeView, probe_views
from dashboards.building_views import BuildingPage
from dashboards.context import Site
from dashboards.floors import Floor, floors
from dashboards.history import Span
from dashboards.plots import (
    PLOT_METRICS,
    PlotName,
    build_plot,
    marks_of,
    plots_of,
)
from dashboards.ports import PortView, known_names, ports_of
from dashboards.queries import history_reader
from dashboards.tables import Plot
from netmon.model import Line
from netmon.storage.records import Latest


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of the page: plots by line, ports by device."""

    plots: Mapping[str, Sequence[Plot]]
    floors: tuple[Floor, ...]
    ports: Mapping[str, tuple[PortView, ...]]
    probes: tuple[ProbeView, ...]


def read_parts(site: Site, page: BuildingPage, span: Span) -> Parts:
    """Return the parts of a page that was read."""
    inventory, moment = site.inventory(), site.moment()
    building_id = page.row.building.id
    lan_ports = [item for item in page.latest if item.series.kind == "lan_port"]
    seen = [ap.seen for ap in page.access_points if ap.seen is not None]
    return Parts(
        plots={
            view.line.id: _plots(site, view.line, page.latest, span)
            for view in page.row.lines
            if view.watched or view is page.row.main
        },
        floors=floors(
            page.access_points, inventory.rooms_of[building_id], page.findings
        ),
        ports=ports_of(lan_ports, known_names(inventory, building_id, seen), moment),
        probes=probe_views(site.store.sources.all(), building_id, page.latest, moment),
    )


def _plots(site: Site, line: Line, latest: Sequence[Latest], span: Span) -> list[Plot]:
    reader = history_reader(site, line, span, latest, site.moment().now_ms)
    return [
        build_plot(name, reader.read(PLOT_METRICS[name]), marks_of(name, line, latest))
        for name in plots_of(line, latest)
    ]


def read_plot(site: Site, line: Line, name: PlotName, span: Span) -> Plot:
    """Return one plot of a line with all its rows."""
    latest = site.store.measurements.latest(building_id=line.building_id)
    reader = history_reader(site, line, span, latest, site.moment().now_ms)
    marks = marks_of(name, line, latest)
    return build_plot(name, reader.read(PLOT_METRICS[name]), marks, complete=True)
