"""Counting: each building once in each group of columns, whatever it has."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.model import (
    ConnectionClass,
    Coverage,
    Inventory,
    SchoolType,
    Technology,
)
from netmon.report import CountingError, annual_report, count
from netmon.report.counting import GROUPS, SUM, TABLE_NAMES, check_totals
from netmon.texts import Texts

MakeCity = Callable[..., Inventory]

SITES = st.lists(
    st.tuples(
        st.sampled_from(SchoolType),
        st.sampled_from([*Technology, None]),
        st.sampled_from([1, 16, 24, 25, 50, 51, 99, 100, 250, 1000]),
        st.sampled_from(Coverage),
        st.sampled_from(Coverage),
    ),
    max_size=40,
)


@given(sites=SITES)
@settings(deadline=None)
def test_totals_always_match_the_number_of_buildings(
    make_city: MakeCity, sites: list[object]
) -> None:
    """Whatever lines and coverage there are, every group adds up, also in print."""
    counts = count(make_city(sites))
    assert counts.buildings == len(sites)
    for name in TABLE_NAMES:
        for group in GROUPS[name]:
            total = sum(counts.table(name)[SUM][column] for column in group)
            assert total == len(sites)
    report = annual_report(counts, 2025, None, Texts())
    for table in report.tables:
        shown = next(row for row in table.rows if row.kind == "sum")
        cells = dict(zip(table.columns, shown.cells, strict=True))
        groups = GROUPS[table.name]
        for group in groups:
            assert sum(cells.get(column) or 0 for column in group) == len(sites)
    assert report.tables[0].rows[-2].cells[-1] == len(sites)


def test_a_building_counts_under_its_reporting_type(make_city: MakeCity) -> None:
    counts = count(
        make_city(
            [
                (
                    SchoolType.GYMNASIUM,
                    Technology.VDSL,
                    75,
                    Coverage.FULL,
                    Coverage.UNKNOWN,
                )
            ]
        )
    )
    row = counts.connection["Gymnasium"]
    assert row[ConnectionClass.BETWEEN_50_AND_100] == 1
    assert sum(row.values()) == 1
    assert counts.coverage["Gymnasium"]["WLAN keine Angabe"] == 1
    assert sum(counts.coverage["Realschule"].values()) == 0


@pytest.mark.parametrize("delta", [-1, 1])
def test_a_total_that_does_not_match_is_refused(
    make_city: MakeCity, delta: int
) -> None:
    site = (SchoolType.GYMNASIUM, Technology.FIBRE, 1000, Coverage.FULL, Coverage.FULL)
    counts = count(make_city([site] * 3))
    expected = dict.fromkeys([kind.value for kind in SchoolType], 0)
    expected |= {"Gymnasium": 3, SUM: 3}
    check_totals(counts, expected)
    with pytest.raises(CountingError, match="Gymnasium"):
        check_totals(counts, {**expected, "Gymnasium": 3 + delta})
    wrong = {**counts.coverage, SUM: {**counts.coverage[SUM], "LAN partiell": delta}}
    with pytest.raises(CountingError, match="coverage, Summe"):
        check_totals(msgspec.structs.replace(counts, coverage=wrong), expected)


def test_a_missing_row_is_refused(make_city: MakeCity) -> None:
    counts = count(make_city([]))
    rows = {key: row for key, row in counts.connection.items() if key != "Gymnasium"}
    with pytest.raises(CountingError, match="rows"):
        check_totals(
            msgspec.structs.replace(counts, connection=rows),
            dict.fromkeys([*(kind.value for kind in SchoolType), SUM], 0),
        )
