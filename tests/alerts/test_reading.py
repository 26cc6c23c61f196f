"""What the line's rule takes from stored records: only what may decide."""

from __future__ import annotations

import pytest

from alerts.reading import results
from alerts.rules import RULES
from alerts.watched import Seen
from netmon.model import FailureReason
from netmon.storage.records import Chunk, Points, SeriesRef

LINE, SILENCE = RULES["line_below_target"], RULES["no_data"]


def chunk(values, failure=None, **tags):
    everything = {"building": "gs-07", "line": "gs-07-l1", "method": "m", **tags}
    series = SeriesRef(
        id=1,
        source="p",
        generated=False,
        kind="throughput",
        building_id="gs-07",
        tags=everything,
    )
    columns = {name: [value] for name, value in values.items()}
    points = Points([1], [1000], columns, None if failure is None else [failure])
    return Chunk(id=1, received_ms=2000, series=series, points=points)


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        (
            {"rate_down_bps": 95e6, "rate_down_high_bps": 96e6},
            Seen(1000, 2000, 95e6, high=96e6),
        ),
        ({"at_least_down_bps": 104e6}, Seen(1000, 2000, 104e6, at_least=True)),
        # A range: its lower end can be good, its upper end bad.
        (
            {"rate_down_low_bps": 60e6, "rate_down_high_bps": 98e6},
            Seen(1000, 2000, 60e6, high=98e6),
        ),
        # A measured rate outweighs the bound beside it.
        (
            {"rate_down_bps": 95e6, "at_least_down_bps": 90e6},
            Seen(1000, 2000, 95e6),
        ),
    ],
)
def test_the_line_rule_sees_rates_and_lower_bounds(values, seen):
    assert list(results(LINE, chunk(values))) == [seen]


@pytest.mark.parametrize(
    "values",
    [
        {"rate_up_bps": 5e6},
        {"demand_down_bps": 3e6},
    ],
)
def test_other_numbers_say_nothing_of_the_download_but_are_a_sign_of_life(values):
    assert list(results(LINE, chunk(values))) == []
    assert [seen.value for seen in results(SILENCE, chunk(values))] == [1.0]


def test_a_failed_upload_is_no_failed_download():
    failed = chunk({}, FailureReason.UNSETTLED, direction="up")
    assert list(results(LINE, failed)) == []
    failed = chunk({}, FailureReason.UNSETTLED, direction="down")
    assert [s.failure for s in results(LINE, failed)] == [FailureReason.UNSETTLED]
