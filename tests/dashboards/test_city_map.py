"""The drawing of the city: hulls hold their places, marks lie in the frame."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.city_map import WIDTH, Frame, hull

GRID = st.tuples(st.integers(-9, 9), st.integers(-9, 9))


def turns_left(a, b, p) -> bool:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) >= 0


@given(st.lists(GRID, max_size=20))
def test_every_place_lies_inside_its_hull(places):
    corners = hull(places)
    assert set(corners) <= set(places)
    for a, b in itertools.pairwise((*corners, *corners[:1])):
        assert all(turns_left(a, b, place) for place in places)


@pytest.mark.parametrize(
    ("places", "corners"),
    [
        ([], 0),
        ([(1, 1)], 0),
        ([(1, 1), (1, 1), (2, 2)], 0),
        ([(0, 0), (1, 1), (2, 2), (3, 3)], 0),
        ([(0, 0), (4, 0), (4, 4), (0, 4), (2, 2), (2, 0)], 4),
    ],
)
def test_what_encloses_nothing_has_no_hull(places, corners):
    assert len(hull(places)) == corners


@pytest.mark.parametrize(
    "places", [[(7.45, 51.5)], [(7.3, 51.4), (7.6, 51.6)], [(7.3, 51.5), (7.6, 51.5)]]
)
def test_every_place_lies_in_the_frame_with_north_above(places):
    frame = Frame(places)
    drawn = [frame.at(place) for place in places]
    assert all(0 < x < WIDTH and 0 < y < frame.height for x, y in drawn)
    if places[0][1] < places[-1][1]:
        assert drawn[0][1] > drawn[-1][1]
