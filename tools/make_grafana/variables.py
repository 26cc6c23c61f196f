"""The choices above each dashboard, and how their lists are asked for.

The lists follow each other: whoever picks a campus district gets its buildings, and
every panel filters by building only. So a label no measurement has still filters them
all, in a language without joins as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as grafana

from make_grafana.model import Language

_TYPES = {Language.PROMQL: "prometheus", Language.INFLUXQL: "influxdb"}
DATASOURCE: Mapping[Language, common.DataSourceRef] = {
    language: common.DataSourceRef(type_val=name, uid="${datasource}")
    for language, name in _TYPES.items()
}
_SHOWN = (("Messwerte", "^$"), ("mit erzeugten Daten", ".*"))
_NO_LABEL_FILTER = ".*"


def _labels(language: Language, label: str, picked: tuple[str, ...]) -> str:
    """Return the query for the values of a label of all buildings that are picked."""
    if language is Language.PROMQL:
        where = ",".join(f'{name}=~"${name}"' for name in (*picked, "generated"))
        return f"label_values(building_standing{{{where}}}, {label})"
    where = " AND ".join(
        [
            *(f'"{name}" =~ /^${name}$/' for name in picked),
            '"generated" =~ /$generated/',
        ]
    )
    return f'SHOW TAG VALUES FROM "building" WITH KEY = "{label}" WHERE {where}'


def _site(language: Language) -> str:
    if language is Language.PROMQL:
        return "label_values(system_open_incidents_count, site)"
    return 'SHOW TAG VALUES FROM "system" WITH KEY = "site"'


def _list(
    language: Language, name: str, label: str, query: str
) -> grafana.VariableModel:
    asked: str | dict[str, object] = query
    if language is Language.PROMQL:
        asked = {"query": query, "refId": name}
    return grafana.VariableModel(
        type_val=grafana.VariableType.QUERY,
        name=name,
        label=label,
        datasource=DATASOURCE[language],
        query=asked,
        definition=query,
        refresh=grafana.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=grafana.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC,
    )


def variables(language: Language, *, one_building: bool) -> list[grafana.VariableModel]:
    """Return the variables in the order in which they depend on each other."""
    district = _list(
        language,
        "campus_district",
        "Campusbezirk",
        _labels(language, "campus_district", ()),
    )
    school_type = _list(
        language,
        "school_type",
        "Schulform",
        _labels(language, "school_type", ("campus_district",)),
    )
    building = _list(
        language,
        "building",
        "Gebäude",
        _labels(language, "building", ("campus_district", "school_type")),
    )
    site = _list(language, "site", "Statusseite", _site(language))
    site.hide = grafana.VariableHide.HIDE_VARIABLE
    for variable in (district, school_type):
        variable.all_value = _NO_LABEL_FILTER
    everything = [district, school_type]
    if not one_building:
        # Without a value for all of them, all stands for the list as it is: that is
        # how the choices above reach the panels.
        everything.append(building)
    for variable in everything:
        variable.multi = variable.include_all = True
        variable.current = grafana.VariableOption(text="All", value="$__all")
    return [
        grafana.VariableModel(
            type_val=grafana.VariableType.DATASOURCE,
            name="datasource",
            label="Datenquelle",
            query=_TYPES[language],
            current=grafana.VariableOption(text="netmon", value="netmon"),
        ),
        grafana.VariableModel(
            type_val=grafana.VariableType.CUSTOM,
            name="generated",
            label="Daten",
            description="Im Vorführbetrieb gibt es auch erzeugte Daten.",
            query=",".join(f"{text} : {value}" for text, value in _SHOWN),
            options=[
                grafana.VariableOption(text=text, value=value, selected=value == "^$")
                for text, value in _SHOWN
            ],
            current=grafana.VariableOption(text="Messwerte", value="^$"),
            multi=False,
            include_all=False,
        ),
        district,
        school_type,
        building,
        site,
    ]
