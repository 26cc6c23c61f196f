"""What a collector counts of its own doings; it ends in `/metrics`."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Tally:
    """Totals since the collector's start, shared by all its sessions.

    ``requests`` are questions sent, retries among them (what proves the end of a
    table or renews the time of SNMPv3 is not counted); ``timeouts`` those without
    an answer, ``unreadable`` those with one that could not be read, ``refused``
    those that SNMPv3 turned down. ``splits`` are requests a device could not answer
    as a whole. ``walk_rows`` count all walks, ``longest_walk_rows`` is the longest.
    ``structures`` are polls that read a device's structure, ``skipped`` turns that a
    silent device was spared, ``overdue`` turns missed because the poll before lasted.
    ``traps`` are datagrams that came as traps or informs: of them ``traps_strange`` from
    addresses of no device, ``traps_limited`` over the limit, ``traps_refused`` with
    another community, user, key or level, ``traps_unreadable`` no notification,
    ``traps_unknown`` of a name no platform knows. ``trap_polls`` were started by traps.
    """

    requests: int = 0
    retries: int = 0
    timeouts: int = 0
    unreadable: int = 0
    refused: int = 0
    splits: int = 0
    walks: int = 0
    walk_rows: int = 0
    longest_walk_rows: int = 0
    polls: int = 0
    failed_polls: int = 0
    structures: int = 0
    skipped: int = 0
    overdue: int = 0
    sessions_opened: int = 0
    traps: int = 0
    traps_strange: int = 0
    traps_limited: int = 0
    traps_refused: int = 0
    traps_unreadable: int = 0
    traps_unknown: int = 0
    trap_polls: int = 0

    def walked(self, rows: int) -> None:
        """Count a walk that came to its end."""
        self.walks += 1
        self.walk_rows += rows
        self.longest_walk_rows = max(self.longest_walk_rows, rows)

    def figures(self) -> dict[str, float]:
        """Return the totals by the names of kind ``collector_health``."""
        counted: dict[str, int] = asdict(self)
        longest = counted.pop("longest_walk_rows")
        return {
            **{f"{name}_total": float(n) for name, n in counted.items()},
            "longest_walk_rows_count": float(longest),
        }
