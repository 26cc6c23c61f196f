"""What people decide about alarms: maintenance, silences, marks.

``windows`` says when a window counts, ``muting`` what waits because of it,
``standing`` all that counts now,
``commands`` checks and writes, ``times`` reads what people type, ``history`` tells
the story of an incident.
"""

from netmon.actions.muting import Muted, MutedBy, Muting, muting
from netmon.actions.standing import Decided, Standing, read_standing

__all__ = [
    "Decided",
    "Muted",
    "MutedBy",
    "Muting",
    "Standing",
    "muting",
    "read_standing",
]
