"""How to get into devices: a TOML file that only netmon may read.

```toml
[default]                      # the name the inventory refers to
version = "v3"
user = "netmon"
auth_protocol = "sha256"
auth_secret_file = "/etc/netmon/snmp-auth"
priv_protocol = "aes128"
priv_secret_file = "/etc/netmon/snmp-priv"

[old-switches]
version = "v2c"
community = "..."
driver = "pysnmp"              # where gufo-snmp does not get on with a device
```
"""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from netmon.config import Secret, read_secret
from netmon.errors import ConfigError, Problem

AuthProtocol = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
PrivProtocol = Literal["aes128", "aes192", "aes256"]
Driver = Literal["gufo", "pysnmp"]
MIN_SECRET_LENGTH = 8


class Credential(Struct, frozen=True, kw_only=True):
    """What one group of devices wants to hear.

    ``community`` is set for v2c; ``user`` and both secrets for v3, which always
    authenticates and encrypts.
    """

    name: str
    version: Literal["v2c", "v3"]
    driver: Driver = "gufo"
    community: Secret | None = None
    user: str = ""
    auth_protocol: AuthProtocol = "sha256"
    auth_secret: Secret | None = None
    priv_protocol: PrivProtocol = "aes128"
    priv_secret: Secret | None = None


class _Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry as written; every secret may stand in a file of its own."""

    version: Literal["v2c", "v3"]
    driver: Driver = "gufo"
    community: str = ""
    community_file: str = ""
    user: str = ""
    auth_protocol: AuthProtocol = "sha256"
    auth_secret: str = ""
    auth_secret_file: str = ""
    priv_protocol: PrivProtocol = "aes128"
    priv_secret: str = ""
    priv_secret_file: str = ""


class Credentials:
    """All entries of a file, asked by name."""

    def __init__(self, source: str, entries: Mapping[str, Credential]) -> None:
        self._source = source
        self._entries = dict(entries)

    @property
    def names(self) -> list[str]:
        """The names of all entries."""
        return sorted(self._entries)

    def get(self, name: str) -> Credential:
        """Return the entry of a name.

        Raises:
            ConfigError: there is none; the problem names it.
        """
        found = self._entries.get(name)
        if found is None:
            raise ConfigError([self._missing(name)])
        return found

    def require(self, names: set[str]) -> None:
        """Check that all names have an entry.

        Raises:
            ConfigError: with one problem for each name that has none.
        """
        missing = sorted(names - self._entries.keys())
        if missing:
            raise ConfigError([self._missing(name) for name in missing])

    def _missing(self, name: str) -> Problem:
        return Problem(
            self._source,
            None,
            name,
            f"there is no credential called {name!r}",
            f"add a table [{name}] or correct the device's 'credential'",
        )


def load_credentials(path: Path) -> Credentials:
    """Return the credentials of a TOML file.

    Raises:
        ConfigError: the file cannot be read, others may read it, a key or value
            is wrong, or an entry lacks what its version needs. No problem ever
            quotes a value.
    """
    source = str(path)
    raw = _read(path)
    problems: list[Problem] = []
    entries: dict[str, Credential] = {}
    for name, table in raw.items():
        try:
            entries[name] = _credential(source, name, table)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    return Credentials(source, entries)


def _read(path: Path) -> dict[str, Any]:
    source = str(path)
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        why = error.strerror or "cannot be read"
        raise ConfigError(
            [Problem(source, None, None, why, "name a file netmon may read")]
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP:
        raise ConfigError(
            [
                Problem(
                    source,
                    None,
                    None,
                    "holds secrets and is open to others",
                    "chmod 600, or 640 with a group of its own",
                )
            ]
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The parser's text may quote the line with the secret.
        raise ConfigError(
            [Problem(source, None, None, "is no TOML", "mend the syntax")]
        ) from error


def _credential(source: str, name: str, table: object) -> Credential:
    try:
        entry = msgspec.convert(table, _Entry)
    except msgspec.ValidationError as error:
        field, text = _without_value(str(error))
        raise ConfigError(
            [
                Problem(
                    source,
                    None,
                    f"{name}.{field}" if field else name,
                    text,
                    "see the head of collectors/credentials.py for keys and values",
                )
            ]
        ) from None
    problems: list[Problem] = []

    def secret(key: str, text: str, file: str) -> Secret | None:
        if text and file:
            problems.append(
                Problem(source, None, f"{name}.{key}", "is given twice", "keep one")
            )
        found = (
            Secret(text) if text else read_secret(file, setting=f"{name}.{key}_file")
        )
        if found is None:
            problems.append(
                Problem(
                    source,
                    None,
                    f"{name}.{key}",
                    f"is missing, {entry.version} needs it",
                    f"add {key} or {key}_file",
                )
            )
        return found

    community = auth = priv = None
    if entry.version == "v2c":
        community = secret("community", entry.community, entry.community_file)
    else:
        auth = secret("auth_secret", entry.auth_secret, entry.auth_secret_file)
        priv = secret("priv_secret", entry.priv_secret, entry.priv_secret_file)
        problems.extend(_weak(source, name, auth_secret=auth, priv_secret=priv))
        if not entry.user:
            problems.append(
                Problem(source, None, f"{name}.user", "is missing", "add the v3 user")
            )
    if problems:
        raise ConfigError(problems)
    return Credential(
        name=name,
        version=entry.version,
        driver=entry.driver,
        community=community,
        user=entry.user,
        auth_protocol=entry.auth_protocol,
        auth_secret=auth,
        priv_protocol=entry.priv_protocol,
        priv_secret=priv,
    )


def _weak(source: str, name: str, **secrets: Secret | None) -> list[Problem]:
    """RFC 3414 wants at least eight characters; devices refuse shorter ones."""
    return [
        Problem(
            source,
            None,
            f"{name}.{key}",
            f"has under {MIN_SECRET_LENGTH} characters",
            "use the secret that is set on the device",
        )
        for key, value in secrets.items()
        if value is not None and len(value.reveal()) < MIN_SECRET_LENGTH
    ]


def _without_value(message: str) -> tuple[str, str]:
    """Return field and text of a validation error; the text quotes no value."""
    text, _, where = message.partition(" - at `")
    if text.startswith("Invalid enum value"):
        text = "is none of the values that can be chosen"
    return where.rstrip("`").removeprefix("$").removeprefix("."), text
