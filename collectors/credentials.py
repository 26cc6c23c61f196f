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

[ssh-switches]                 # for devices with a platform "ssh:..."
kind = "ssh"
user = "netmon"
password_file = "/etc/netmon/ssh-password"   # or key_file = "/etc/netmon/ssh-key"
```

Each secret can stand in the file (``community``), in one of its own
(``community_file``) or in the environment (``community_env``, the variable's name).
All these files may be read by netmon only, or by a group of its own.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from msgspec import Struct

from netmon.config import Secret, read_secret
from netmon.errors import ConfigError, Problem
from netmon.refused import refused
from netmon.snmp_user import AuthProtocol, PrivProtocol
from netmon.strict_files import as_struct

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


class SshCredential(Struct, frozen=True, kw_only=True):
    """How to log in by SSH: a password, or the file of a private key.

    ``enable_secret`` is asked for by devices that show little without more rights;
    None where it is the password or nobody asks.
    """

    name: str
    user: str
    password: Secret | None = None
    key_file: str = ""
    enable_secret: Secret | None = None


class _SshEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry for SSH as written."""

    kind: Literal["ssh"]
    user: str
    password: str = ""
    password_file: str = ""
    password_env: str = ""
    key_file: str = ""
    enable_secret: str = ""
    enable_secret_file: str = ""
    enable_secret_env: str = ""


class _Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry for SNMP as written."""

    version: Literal["v2c", "v3"]
    driver: Driver = "gufo"
    community: str = ""
    community_file: str = ""
    community_env: str = ""
    user: str = ""
    auth_protocol: AuthProtocol = "sha256"
    auth_secret: str = ""
    auth_secret_file: str = ""
    auth_secret_env: str = ""
    priv_protocol: PrivProtocol = "aes128"
    priv_secret: str = ""
    priv_secret_file: str = ""
    priv_secret_env: str = ""
    kind: Literal["snmp"] = "snmp"


class Credentials:
    """All entries of a file, asked by name."""

    def __init__(
        self,
        source: str,
        entries: Mapping[str, Credential],
        ssh: Mapping[str, SshCredential] | None = None,
    ) -> None:
        self._source = source
        self._entries = dict(entries)
        self._ssh = dict(ssh or {})

    @property
    def names(self) -> list[str]:
        """The names of all entries."""
        return sorted({*self._entries, *self._ssh})

    def get(self, name: str) -> Credential:
        """Return the entry for SNMP of a name.

        Raises:
            ConfigError: there is none; the problem names it.
        """
        found = self._entries.get(name)
        if found is None:
            raise ConfigError([self._missing(name)])
        return found

    def get_ssh(self, name: str) -> SshCredential:
        """Return the entry for SSH of a name.

        Raises:
            ConfigError: there is none; the problem names it.
        """
        found = self._ssh.get(name)
        if found is None:
            raise ConfigError([self._missing(name)])
        return found

    def require(self, names: set[str], *, ssh: bool = False) -> None:
        """Check that all names have an entry, for SNMP or for SSH.

        Raises:
            ConfigError: with one problem for each name that has none.
        """
        missing = sorted(names - (self._ssh if ssh else self._entries).keys())
        if missing:
            raise ConfigError([self._missing(name) for name in missing])

    def _missing(self, name: str) -> Problem:
        if name in self._ssh or name in self._entries:
            kind, other = ("SSH", "SNMP") if name in self._ssh else ("SNMP", "SSH")
            told = {"kind": kind, "other": other}
            return refused(self._source, name, "credential_of_other_kind", **told)
        return refused(self._source, name, "no_credential", name=name)


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
    ssh: dict[str, SshCredential] = {}
    for name, table in raw.items():
        try:
            if isinstance(table, dict) and table.get("kind") == "ssh":
                ssh[name] = _ssh_credential(source, name, table)
            else:
                entries[name] = _credential(source, name, table)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    return Credentials(source, entries, ssh)


def _read(path: Path) -> dict[str, Any]:
    source = str(path)
    try:
        is_open = _is_open(path)
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([refused(source, None, "unreadable", why=error)]) from error
    except UnicodeDecodeError:
        # Its text and its object quote the secrets.
        raise ConfigError([refused(source, None, "no_utf8")]) from None
    if is_open:
        raise ConfigError([refused(source, None, "open_to_others")])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The parser's text may quote the line with the secret.
        raise ConfigError([refused(source, None, "no_toml_secret")]) from error


def _is_open(path: Path) -> bool:
    """Say whether others than the owner and a group that may only read get at a file.

    Raises:
        OSError: it is not there.
    """
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP)


_Written = TypeVar("_Written", _Entry, _SshEntry)


def _as_written(
    source: str, name: str, table: object, kind: type[_Written]
) -> _Written:
    see = "docs/betrieb/sammler.md"
    return as_struct(table, kind, source=source, see=see, within=name)


def _given(
    source: str, name: str, key: str, entry: _Entry | _SshEntry
) -> tuple[Secret | None, list[Problem]]:
    """Return a secret from wherever the entry says it is, None if it does not say."""
    text, file, env = (getattr(entry, key + end) for end in ("", "_file", "_env"))
    where = f"{name}.{key}"
    if sum(map(bool, (text, file, env))) > 1:
        return None, [refused(source, where, "secret_twice", name=key)]
    if env:
        found = os.environ.get(env)
        if not found:
            return None, [refused(source, f"{where}_env", "no_variable", name=env)]
        return Secret(found), []
    if text:
        return Secret(text), []
    secret = read_secret(file, setting=f"{where}_file")
    if secret is not None and _is_open(Path(file)):
        return None, [refused(file, f"{where}_file", "open_to_others")]
    return secret, []


def _ssh_credential(source: str, name: str, table: object) -> SshCredential:
    entry = _as_written(source, name, table, _SshEntry)
    password, problems = _given(source, name, "password", entry)
    enable, more = _given(source, name, "enable_secret", entry)
    problems += more
    if not entry.user:
        problems.append(refused(source, f"{name}.user", "user_missing"))
    if not problems and (password is None) == (not entry.key_file):
        problems.append(refused(source, name, "password_or_key"))
    if entry.key_file and not Path(entry.key_file).is_file():
        problems.append(refused(source, f"{name}.key_file", "no_key_file"))
    elif entry.key_file and _is_open(Path(entry.key_file)):
        where = f"{name}.key_file"
        problems.append(refused(entry.key_file, where, "open_to_others"))
    if problems:
        raise ConfigError(problems)
    return SshCredential(
        name=name,
        user=entry.user,
        password=password,
        key_file=entry.key_file,
        enable_secret=enable,
    )


def _credential(source: str, name: str, table: object) -> Credential:
    entry = _as_written(source, name, table, _Entry)
    problems: list[Problem] = []

    def secret(key: str) -> Secret | None:
        found, wrong = _given(source, name, key, entry)
        problems.extend(wrong)
        if found is None and not wrong:
            told = {"name": key, "version": entry.version}
            problems.append(refused(source, f"{name}.{key}", "secret_missing", **told))
        return found

    community = auth = priv = None
    if entry.version == "v2c":
        community = secret("community")
    else:
        auth = secret("auth_secret")
        priv = secret("priv_secret")
        problems.extend(_weak(source, name, auth_secret=auth, priv_secret=priv))
        if not entry.user:
            problems.append(refused(source, f"{name}.user", "user_missing"))
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
        refused(source, f"{name}.{key}", "secret_short", least=MIN_SECRET_LENGTH)
        for key, value in secrets.items()
        if value is not None and len(value.reveal()) < MIN_SECRET_LENGTH
    ]
