"""From the definition to Grafana's own model, by the models of its SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common, geomap, prometheus, stat, table
from grafana_foundation_sdk.models import dashboard as grafana
from grafana_foundation_sdk.models import timeseries as series

from make_grafana.model import Board, Language, Look, Panel, Query, Steps
from make_grafana.variables import DATASOURCE, variables

_VERSION = 42
# The number or word itself is coloured: never colour alone.
_COLORED = common.TableColorTextCellOptions()


class InfluxQuery(Dataquery):
    """A raw InfluxQL query; the SDK has no model of it."""

    def __init__(self, **keys: Any) -> None:
        self._keys = keys

    def to_json(self) -> dict[str, object]:
        """Return the keys as Grafana reads them."""
        return self._keys


def build(board: Board, language: Language) -> grafana.Dashboard:
    """Return the dashboard in one query language."""
    return grafana.Dashboard(
        uid=board.uid,
        title=board.title,
        description=board.description,
        tags=["netmon"],
        schema_version=_VERSION,
        version=1,
        editable=True,
        timezone="Europe/Berlin",
        refresh="1m",
        time=grafana.DashboardDashboardTime(from_val="now-24h", to="now"),
        templating=grafana.DashboardDashboardTemplating(
            list_val=variables(language, one_building=board.one_building)
        ),
        annotations=grafana.AnnotationContainer(list_val=[]),
        links=_links(board),
        panels=_panels(board, language),
    )


def _links(board: Board) -> list[grafana.DashboardLink]:
    page = "/gebaeude/${building}" if board.one_building else "/"
    return [
        grafana.DashboardLink(
            title="Dashboards",
            type_val=grafana.DashboardLinkType.DASHBOARDS,
            tags=["netmon"],
            as_dropdown=True,
            include_vars=True,
            keep_time=True,
        ),
        grafana.DashboardLink(
            title="Statusseite",
            type_val=grafana.DashboardLinkType.LINK,
            icon="external link",
            tooltip="Dasselbe auf der Statusseite von netmon",
            url="${site}" + page,
            target_blank=True,
        ),
    ]


def _panels(board: Board, language: Language) -> list[grafana.Panel | grafana.RowPanel]:
    placed: list[grafana.Panel | grafana.RowPanel] = []
    y = 0
    for row in board.rows:
        x = 0
        for panel in row:
            place = grafana.GridPos(h=panel.height, w=panel.width, x=x, y=y)
            placed.append(_panel(panel, language, len(placed) + 1, place))
            x += panel.width
        y += max(panel.height for panel in row)
    return placed


def _panel(
    panel: Panel, language: Language, number: int, place: grafana.GridPos
) -> grafana.Panel:
    is_influx = language is Language.INFLUXQL
    return grafana.Panel(
        id_val=number,
        type_val=panel.look.value,
        title=panel.title,
        description=panel.description,
        datasource=DATASOURCE[language],
        grid_pos=place,
        # InfluxQL counts within steps: one shorter than a value's life would miss some.
        interval=f"{panel.step_s:.0f}s" if is_influx else None,
        targets=_targets(panel, language),
        field_config=grafana.FieldConfigSource(
            defaults=_defaults(panel), overrides=_overrides(panel)
        ),
        options=_options(panel),
        transformations=_transformations(panel, language),
    )


def _targets(panel: Panel, language: Language) -> list[Dataquery]:
    if language is Language.PROMQL:
        return [_prometheus(panel, i, q) for i, q in enumerate(panel.queries)]
    if panel.influxql:
        return [_influx(panel, 0, "", panel.influxql)]
    return [
        _influx(panel, i, q.legend, q.influxql) for i, q in enumerate(panel.queries)
    ]


def _prometheus(panel: Panel, index: int, query: Query) -> Dataquery:
    is_table = panel.look in {Look.TABLE, Look.MAP}
    return prometheus.Dataquery(
        ref_id=_ref(index),
        datasource=DATASOURCE[Language.PROMQL],
        expr=query.promql,
        legend_format=query.legend,
        instant=panel.look is not Look.SERIES,
        range_val=panel.look is Look.SERIES,
        format_val=prometheus.PromQueryFormat.TABLE
        if is_table
        else prometheus.PromQueryFormat.TIME_SERIES,
    )


def _influx(panel: Panel, index: int, legend: str, query: str) -> Dataquery:
    is_table = panel.look in {Look.TABLE, Look.MAP}
    return InfluxQuery(
        refId=_ref(index),
        datasource=DATASOURCE[Language.INFLUXQL].to_json(),
        query=query,
        rawQuery=True,
        resultFormat="table" if is_table else "time_series",
        alias=legend.replace("{{", "$tag_").replace("}}", ""),
    )


def _ref(index: int) -> str:
    return chr(ord("A") + index)


def _thresholds(steps: Steps) -> grafana.ThresholdsConfig:
    return grafana.ThresholdsConfig(
        mode=grafana.ThresholdsMode.ABSOLUTE,
        steps=[grafana.Threshold(value=value, color=color) for value, color in steps],
    )


def _mappings(words: Mapping[int, str]) -> list[grafana.ValueMapping]:
    options = {
        str(value): grafana.ValueMappingResult(text=text, index=index)
        for index, (value, text) in enumerate(words.items())
    }
    return [grafana.ValueMap(options=options)]


def _defaults(panel: Panel) -> grafana.FieldConfig:
    is_series = panel.look is Look.SERIES
    return grafana.FieldConfig(
        unit=panel.unit,
        decimals=panel.decimals,
        # The axis begins at 0, since a cut axis makes small changes look large.
        min_val=0 if is_series else None,
        max_val=panel.high,
        mappings=_mappings(panel.words) if panel.words else None,
        thresholds=_thresholds(panel.steps),
        no_value="keine Daten",
        color=grafana.FieldColor(
            mode=grafana.FieldColorModeId.PALETTE_CLASSIC
            if is_series
            else grafana.FieldColorModeId.THRESHOLDS
        ),
        custom=_custom(panel),
    )


def _custom(panel: Panel) -> object | None:
    if panel.look is Look.SERIES:
        return _series_look(panel)
    if panel.look is Look.TABLE:
        return common.TableFieldOptions(
            align=common.FieldTextAlignment.AUTO,
            cell_options=_COLORED if len(panel.steps) > 1 else None,
        )
    return None


def _series_look(panel: Panel) -> series.FieldConfig:
    has_line = len(panel.steps) > 1
    return series.FieldConfig(
        line_width=1,
        fill_opacity=0,
        span_nulls=False,
        show_points=common.VisibilityMode.AUTO,
        thresholds_style=common.GraphThresholdsStyleConfig(
            mode=common.GraphThresholdsStyleMode.DASHED
        )
        if has_line
        else None,
    )


def _overrides(panel: Panel) -> list[Any]:
    """Return what differs for single legends."""
    found: dict[str, list[grafana.DynamicConfigValue]] = {}
    for legend, unit in panel.units.items():
        found.setdefault(legend, []).append(
            grafana.DynamicConfigValue(id_val="unit", value=unit)
        )
    for legend, steps in panel.colors.items():
        found.setdefault(legend, []).append(
            grafana.DynamicConfigValue(id_val="thresholds", value=_thresholds(steps))
        )
        if panel.look is Look.TABLE:
            found[legend].append(
                grafana.DynamicConfigValue(id_val="custom.cellOptions", value=_COLORED)
            )
    for legend, words in panel.texts.items():
        found.setdefault(legend, []).append(
            grafana.DynamicConfigValue(id_val="mappings", value=_mappings(words))
        )
    for legend, steps in panel.colors.items():
        if panel.look is Look.SERIES:
            fixed = {"mode": "fixed", "fixedColor": steps[-1][1]}
            found[legend] = [grafana.DynamicConfigValue(id_val="color", value=fixed)]
    if panel.look is Look.TABLE and "building" in panel.headings:
        link = {
            "title": "Gebäude auf der Statusseite",
            "url": "${site}/gebaeude/${__value.raw}",
            "targetBlank": True,
        }
        found[panel.headings["building"]] = [
            grafana.DynamicConfigValue(id_val="links", value=[link])
        ]
    return [
        grafana.DashboardFieldConfigSourceOverrides(
            matcher=grafana.MatcherConfig(id_val="byName", options=legend),
            properties=properties,
        )
        for legend, properties in found.items()
    ]


def _options(panel: Panel) -> object:
    if panel.look is Look.STAT:
        return stat.Options(
            color_mode=common.BigValueColorMode.VALUE,
            graph_mode=common.BigValueGraphMode.NONE,
            text_mode=common.BigValueTextMode.VALUE_AND_NAME
            if len(panel.queries) > 1
            else common.BigValueTextMode.VALUE,
            reduce_options=common.ReduceDataOptions(
                calcs=["lastNotNull"], values=False
            ),
        )
    if panel.look is Look.TABLE:
        first = panel.queries[0].legend
        return table.Options(
            show_header=True,
            sort_by=[common.TableSortByFieldState(display_name=first, desc=False)],
        )
    if panel.look is Look.MAP:
        return _map(panel.queries)
    return series.Options(
        legend=common.VizLegendOptions(
            display_mode=common.LegendDisplayMode.LIST,
            placement=common.LegendPlacement.BOTTOM,
            show_legend=True,
        ),
        tooltip=common.VizTooltipOptions(
            mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.ASCENDING
        ),
    )


def _map(queries: Sequence[Query]) -> geomap.Options:
    """Return a map of one point a row: the queries are colour, latitude, longitude."""
    color, latitude, longitude = (query.legend for query in queries)
    style = {
        "color": {"field": color, "fixed": "text"},
        "size": {"fixed": 6, "min": 2, "max": 15},
        "opacity": 0.8,
        "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
    }
    return geomap.Options(
        # Fitted to the points; the middle of the city until there are any. The SDK
        # takes degrees for whole numbers.
        view=geomap.MapViewConfig(
            id_val="fit",
            lat=51.5136,  # type: ignore[arg-type]
            lon=7.4653,  # type: ignore[arg-type]
            zoom=11,
        ),
        controls=geomap.ControlsOptions(
            show_zoom=True, mouse_wheel_zoom=False, show_attribution=True
        ),
        basemap=common.MapLayerOptions(type_val="default", name="Karte"),
        layers=[
            common.MapLayerOptions(
                type_val="markers",
                name="Gebäude",
                config={"style": style, "showLegend": True},
                location=common.FrameGeometrySource(
                    mode=common.FrameGeometrySourceMode.COORDS,
                    latitude=latitude,
                    longitude=longitude,
                ),
                tooltip=True,
            )
        ],
        tooltip=geomap.TooltipOptions(mode=geomap.TooltipMode.DETAILS),
    )


def _transformations(
    panel: Panel, language: Language
) -> list[grafana.DataTransformerConfig] | None:
    """Make one table of what was asked: labels first, then the values by name."""
    if panel.look not in {Look.TABLE, Look.MAP}:
        return None
    legends = [query.legend for query in panel.queries]
    if language is Language.INFLUXQL:
        values = legends
    elif len(legends) == 1:
        values = ["Value"]
    else:
        # Grafana's names of the values of several queries.
        values = [f"Value #{_ref(index)}" for index in range(len(legends))]
    order = [*panel.headings, *values]
    organize = grafana.DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": {"Time": True},
            "indexByName": {name: index for index, name in enumerate(order)},
            "renameByName": {
                **panel.headings,
                **dict(zip(values, legends, strict=True)),
            },
        },
    )
    is_one = len(legends) == 1 or language is Language.INFLUXQL
    merge = grafana.DataTransformerConfig(id_val="merge", options={})
    return [organize] if is_one else [merge, organize]
