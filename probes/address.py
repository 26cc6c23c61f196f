"""Addresses as people write them: ``host:port`` and ``[v6]:port``."""

from __future__ import annotations


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of ``host:port`` or ``[v6]:port``.

    Raises:
        ValueError: there is no host, or no port from 1 to 65535.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValueError(f"{text!r} is no address; write it like 'messserver:5201'")
    return host, int(port)
