"""How long a session lasts and what a role may do; pure."""

from __future__ import annotations

from netmon.storage.account_records import Role, Session

# A working day, and a break in which somebody else may sit down.
LONGEST_MS = 12 * 3_600_000
IDLE_MS = 2 * 3_600_000
# How often use is written down: a page is not a write.
TOUCH_EVERY_MS = 60_000

_RANK = {role: rank for rank, role in enumerate(Role)}


def is_over(session: Session, now_ms: int) -> bool:
    """Say whether a session ended: by its age, or because nobody used it."""
    too_old = now_ms - session.created_ms >= LONGEST_MS
    return too_old or now_ms - session.used_ms >= IDLE_MS


def may(role: Role, needed: Role) -> bool:
    """Say whether a role includes another."""
    return _RANK[role] >= _RANK[needed]
