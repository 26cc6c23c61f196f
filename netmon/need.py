"""What a building needs downwards, by the rule that public funding goes by.

One function for page, CSV and annual report, so that they never differ.
"""

from __future__ import annotations

from netmon.model import Building
from netmon.units import MBIT

# Federal funding of school lines ("Aufgreifschwelle"): each class and the school's
# office have 30 Mbit/s at the building's line (gigabit.nrw.de).
NEED_PER_CLASS_BPS = 30 * MBIT


def needed_down_bps(building: Building) -> int | None:
    """Return ``30 Mbit/s x (classes + 1)``; None where nobody stated the classes."""
    if building.classes is None:
        return None
    return NEED_PER_CLASS_BPS * (building.classes + 1)
