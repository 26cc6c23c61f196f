"""The shipped city: 178 buildings whose report is that of 2025.

``tools/make_demo_city.py`` generates the files beside this one; every name is
made up and says "(Demo)".
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from netmon.inventory import load_folder

if TYPE_CHECKING:
    from netmon.model import Inventory
    from netmon.report.snapshot import FrozenYear

PREVIOUS_YEAR_FILE = "report_2024.json"


def load() -> Inventory:
    """Return the shipped inventory, checked like any other."""
    with as_file(files(__name__)) as folder:
        return load_folder(folder)


def load_previous_year() -> FrozenYear:
    """Return the totals of 2024, verified by their seal."""
    from netmon.report.snapshot import decode_year

    return decode_year(files(__name__).joinpath(PREVIOUS_YEAR_FILE).read_bytes())
