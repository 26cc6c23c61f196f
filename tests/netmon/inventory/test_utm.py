"""The Krüger series against PROJ and against known schools."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pyproj import Transformer

from netmon.inventory.utm import utm32_to_degrees


@pytest.mark.parametrize("east_m", [270_000, 390_000, 393_117, 500_000, 532_000])
@pytest.mark.parametrize("north_m", [5_575_000, 5_709_627, 5_830_000])
def test_the_series_agrees_with_proj(east_m: int, north_m: int) -> None:
    """1e-8 degrees are about a millimetre."""
    transformer = Transformer.from_crs(25832, 4258, always_xy=False)
    expected = transformer.transform(east_m, north_m)
    assert utm32_to_degrees(east_m, north_m) == pytest.approx(expected, abs=1e-8)


def test_known_schools_lie_where_they_should(shared_dir: Path) -> None:
    path = shared_dir / "data" / "dortmund_schulen.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 156
    for row in rows:
        found = utm32_to_degrees(float(row["utm32_ost"]), float(row["utm32_nord"]))
        assert found == pytest.approx(
            (float(row["lat"]), float(row["lon"])), abs=1e-5
        ), row["name"]
