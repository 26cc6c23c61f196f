"""What people decide about alarms: maintenance, silences, marks.

``windows`` says when a window counts, ``muting`` what waits because of it,
``commands`` checks and writes, ``times`` reads what people type, ``history`` tells
the story of an incident.
"""

from netmon.actions.muting import Muted, MutedBy, Muting, muting

__all__ = ["Muted", "MutedBy", "Muting", "muting"]
