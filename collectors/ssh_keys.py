"""Keys of hosts: what a device shows now, beside what is known of it."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import paramiko

from collectors.base import SessionError, split_address
from collectors.ssh import CONNECT_S, DEFAULT_PORT, host_name, load_known, told

KeyState = Literal["known", "unknown", "changed"]


@dataclass(frozen=True, slots=True)
class HostKey:
    """The key a device shows; ``fingerprint`` is as OpenSSH prints it."""

    host: str
    key: paramiko.PKey
    state: KeyState

    @property
    def fingerprint(self) -> str:
        """The key's SHA-256 as OpenSSH prints it, ``SHA256:`` and Base64 without padding."""
        digest = hashlib.sha256(self.key.asbytes()).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def ask_key(address: str, known_hosts: str) -> HostKey:
    """Return the key a device shows; nobody logs in.

    Raises:
        SessionError: it does not answer, or speaks no SSH.
        ValueError: the address is no ``host:port``.
    """
    host, port = split_address(address, DEFAULT_PORT)
    name = host_name(host, port)
    known = load_known(known_hosts).lookup(name)
    try:
        with socket.create_connection((host, port), CONNECT_S) as connected:
            transport = paramiko.Transport(connected)
            try:
                transport.banner_timeout = int(CONNECT_S)
                _prefer_known(transport, () if known is None else list(known))
                transport.start_client(timeout=CONNECT_S)
                key = transport.get_remote_server_key()
            finally:
                transport.close()
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise _session_error(error) from error
    if known is None:
        return HostKey(name, key, "unknown")
    same = known.get(key.get_name())
    return HostKey(name, key, "known" if same == key else "changed")


def accept(found: HostKey, known_hosts: str) -> None:
    """Write a key to the file, instead of all that were known of the host.

    Raises:
        OSError: the file cannot be written.
    """
    keys = load_known(known_hosts)
    if keys.lookup(found.host) is not None:
        del keys[found.host]
    keys.add(found.host, found.key.get_name(), found.key)
    path = Path(known_hosts)
    fresh = path.with_name(f"{path.name}.new")
    keys.save(str(fresh))
    os.replace(fresh, path)  # noqa: PTH105 - the name says what it does: at once


def _prefer_known(transport: paramiko.Transport, names: Collection[str]) -> None:
    """Ask for the types of key that are known, as a login would."""
    options = transport.get_security_options()
    first = [name for name in options.key_types if name in names]
    options.key_types = (*first, *(n for n in options.key_types if n not in first))


def _session_error(error: Exception) -> SessionError:
    return told(error, known=False)
