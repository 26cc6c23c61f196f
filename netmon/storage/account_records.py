"""What goes into and comes out of the room of accounts; times are UTC milliseconds."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    """What somebody may do, each more than the one before; ``role.<role>`` names it."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"


class Account(Struct, frozen=True, kw_only=True):
    """Somebody with a password here.

    ``campus_district`` limits what is shown to one Campusbezirk, None to none.
    ``disabled_ms`` is None while the account may log in. ``password_hash`` is an
    Argon2 string and never shown.
    """

    id: int
    name: str
    role: Role
    campus_district: str | None
    password_hash: str
    created_ms: int
    disabled_ms: int | None = None

    def __repr__(self) -> str:
        """Return the account without its hash."""
        return f"Account({self.name!r}, {self.role!s})"


class Session(Struct, frozen=True, kw_only=True):
    """Somebody who is logged in.

    ``account_id`` is None for one who came from the city's own login. ``csrf`` is
    what every form of this session carries.
    """

    name: str
    role: Role
    campus_district: str | None
    account_id: int | None
    csrf: str
    created_ms: int
    used_ms: int
