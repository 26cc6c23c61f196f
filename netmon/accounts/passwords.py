"""Passwords: refused where weak, hashed with Argon2id, checked in constant time."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from netmon.errors import InputError
from netmon.refused import refused

# NIST SP 800-63B asks for 8, BSI's IT-Grundschutz (ORP.4.A22) for long ones without
# forced changes and compositions.
MIN_CHARS = 12
MAX_CHARS = 256
# argon2-cffi's defaults are RFC 9106's second recommendation (64 MB, 3 passes).
_hasher = PasswordHasher()
# What is checked where there is no such account: an answer takes as long as any.
_NOBODY = _hasher.hash("nobody")


def hash_password(password: str, name: str) -> str:
    """Return an Argon2 string.

    Raises:
        InputError: too short, too long, or the account's own name.
    """
    code = ""
    if len(password) < MIN_CHARS:
        code = "password_short"
    elif len(password) > MAX_CHARS:
        code = "password_long"
    elif name.casefold() in password.casefold():
        code = "password_has_name"
    elif len(set(password)) < MIN_CHARS // 2:
        code = "password_monotonous"
    if code:
        told = {"least": MIN_CHARS, "most": MAX_CHARS}
        raise InputError([refused("--password-file", None, code, **told)])
    return _hasher.hash(password)


def check_password(password_hash: str | None, password: str) -> bool:
    """Say whether a password is right; None stands for an account that is not there.

    Takes as long either way.
    """
    try:
        _hasher.verify(password_hash or _NOBODY, password[: MAX_CHARS + 1])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Say whether the hash was made with weaker settings than today's."""
    return _hasher.check_needs_rehash(password_hash)
