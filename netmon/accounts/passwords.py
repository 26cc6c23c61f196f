"""Passwords: refused where weak, hashed with Argon2id, checked in constant time."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from netmon.errors import InputError, Problem

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
    text = ""
    if len(password) < MIN_CHARS:
        text = f"is shorter than {MIN_CHARS} characters"
    elif len(password) > MAX_CHARS:
        text = f"is longer than {MAX_CHARS} characters"
    elif name.casefold() in password.casefold():
        text = "contains the account's name"
    elif len(set(password)) < MIN_CHARS // 2:
        text = "repeats too few characters"
    if text:
        fix = "choose a longer one, such as four words that do not belong together"
        raise InputError([Problem("password", None, None, text, fix)])
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
