"""How queries are put together, in PromQL and InfluxQL side by side.

PromQL is plain, so VictoriaMetrics, Prometheus and Mimir all answer it. Each query
says how long a value counts (the kind's own ``stale_after_s``) and over which labels
it is gathered: a series that ended must not linger, and one thing measured by two
senders must not count twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from make_grafana.model import Query
from netmon.metrics import KINDS, METRICS
from netmon.own_metrics import OWN_KINDS, OWN_METRICS
from netmon.quantities import Kind

ALL_KINDS: Mapping[str, Kind] = {**KINDS, **OWN_KINDS}
ALL_METRICS = {**METRICS, **OWN_METRICS}
# What was measured only, or the demo's made-up history as well: the reader's choice.
_SHOWN = 'generated=~"$generated"'
_PICKED = f'building=~"$building",{_SHOWN}'
_I_SHOWN = '"generated" =~ /$generated/'
_I_PICKED = f'"building" =~ /^$building$/ AND {_I_SHOWN}'


@dataclass(frozen=True)
class Values:
    """The newest value of each thing: an expression, and a subquery over ``v``."""

    metric: str
    by: tuple[str, ...]
    promql: str
    where: str

    @property
    def kind(self) -> Kind:
        """The kind of the metric."""
        return kind_of(self.metric)


def kind_of(metric: str) -> Kind:
    """Return the kind of a metric as the database names it."""
    found = [kind for name, kind in ALL_KINDS.items() if metric.startswith(f"{name}_")]
    return max(found, key=lambda kind: len(kind.name))


def field_of(metric: str) -> str:
    """Return the metric's own name, which is InfluxQL's field."""
    return metric.removeprefix(f"{kind_of(metric).name}_")


def minutes(metric: str) -> str:
    """Return how long a value of the metric counts."""
    return f"{round(kind_of(metric).stale_after_s / 60)}m"


def fresh(metric: str, where: Mapping[str, str] | None = None) -> str:
    """Return the last value of each series while it still counts, in PromQL."""
    return f"last_over_time({selector(metric, where)}[{minutes(metric)}])"


def selector(metric: str, where: Mapping[str, str] | None = None) -> str:
    """Return the picked series of a metric, in PromQL."""
    more = "".join(f',{name}="{value}"' for name, value in (where or {}).items())
    return f"{metric}{{{_PICKED if _has_building(metric) else _SHOWN}{more}}}"


def _has_building(metric: str) -> bool:
    kind = kind_of(metric)
    return "building" in {*kind.tags, *kind.optional_tags}


def newest(metric: str, *by: str, where: Mapping[str, str] | None = None) -> Values:
    """Return the newest value of a metric for each combination of labels."""
    more = "".join(f" AND \"{n}\" = '{value}'" for n, value in (where or {}).items())
    picked = _I_PICKED if _has_building(metric) else _I_SHOWN
    return Values(
        metric=metric,
        by=by,
        promql=f"max by ({', '.join(by)}) ({fresh(metric, where)})",
        where=picked + more,
    )


def rows_i(
    columns: Mapping[str, str], of: Values, *, course: bool = False, last: str = "last"
) -> str:
    """Return an InfluxQL query of several fields of one kind; {name: field}."""
    fields = ", ".join(
        f'{last}("{name}") AS "{alias}"' for alias, name in columns.items()
    )
    return f"SELECT {fields} {_from_i(of, course=course)}"


def _from_i(of: Values, *, course: bool) -> str:
    groups = [f'"{name}"' for name in of.by]
    if course:
        groups.insert(0, "time($__interval, now())")
        when = "$timeFilter"
    else:
        when = f"time > now() - {minutes(of.metric)}"
    end = " fill(none)" if course else ""
    grouped = f" GROUP BY {', '.join(groups)}{end}" if groups else ""
    return f'FROM "{of.kind.name}" WHERE {when} AND {of.where}{grouped}'


def each(legend: str, of: Values, *, course: bool = False) -> Query:
    """Return the newest value of each thing."""
    alias = legend if not course else "v"
    return Query(
        legend, of.promql, rows_i({alias: field_of(of.metric)}, of, course=course)
    )


def over(
    legend: str,
    function: str,
    of: Values,
    *by: str,
    course: bool = False,
    inverted: bool = False,
    promql: str = "",
    influxql: str = "",
) -> Query:
    """Return a figure over all things, or over those of each label ``by``.

    ``inverted`` takes 1 minus the value, which counts the flags that are 0: a sum
    of flags is 0 where none is set and nothing where nothing is known. ``promql``
    and ``influxql`` are the function's calls where they differ from its name, with
    a ``%s`` for the values.
    """
    value = f"(1 - {of.promql})" if inverted else of.promql
    grouped = f" by ({', '.join(by)})" if by else ""
    asked = promql % value if promql else f"{function}{grouped} ({value})"
    named = field_of(of.metric)
    what = f'last("{named}")'
    # Not through rows_i: the expression stands around the field.
    inner = (
        f'SELECT {"1 - " if inverted else ""}{what} AS "v" {_from_i(of, course=course)}'
    )
    outer = influxql % '"v"' if influxql else f'{function}("v")'
    groups = [f'"{name}"' for name in by]
    end = ""
    when = ""
    if course:
        groups.insert(0, "time($__interval, now())")
        when, end = " WHERE $timeFilter", " fill(none)"
    group = f" GROUP BY {', '.join(groups)}{end}" if groups else ""
    return Query(
        legend,
        asked,
        f'SELECT {outer} AS "{legend if not course else "v"}" FROM ({inner}){when}{group}',
    )


def lowest_i(
    columns: Mapping[str, str], count: int, of: Values, tags: Sequence[str]
) -> str:
    """Return the rows with the lowest value of the first column, in InfluxQL."""
    return _ends_i("bottom", columns, count, of, tags)


def highest_i(
    columns: Mapping[str, str], count: int, of: Values, tags: Sequence[str]
) -> str:
    """Return the rows with the highest value of the first column, in InfluxQL."""
    return _ends_i("top", columns, count, of, tags)


def _ends_i(
    function: str,
    columns: Mapping[str, str],
    count: int,
    of: Values,
    tags: Sequence[str],
) -> str:
    short = {f"c{i}": name for i, name in enumerate(columns.values())}
    quoted = ", ".join(f'"{tag}"' for tag in tags)
    first, *others = columns
    more = "".join(f', "c{i}" AS "{name}"' for i, name in enumerate(others, 1))
    inner = rows_i(short, of)
    return (
        f'SELECT {function}("c0", {quoted}, {count}) AS "{first}"{more} FROM ({inner})'
    )


def kept_i(
    columns: Mapping[str, str],
    of: Values,
    tags: Sequence[str],
    keep: str,
    more: Mapping[str, str] | None = None,
) -> str:
    """Return the rows for which ``keep`` holds, over the columns' fields; InfluxQL."""
    inner = rows_i(
        {name: name for name in {**dict.fromkeys(columns.values()), **(more or {})}}, of
    )
    shown = [
        *(f'"{tag}"' for tag in tags),
        *(f'"{f}" AS "{a}"' for a, f in columns.items()),
    ]
    return f"SELECT {', '.join(shown)} FROM ({inner}) WHERE {keep}"
