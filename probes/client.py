"""The HTTP client of a probe: one authority's certificate, one time limit."""

from __future__ import annotations

import ssl

import httpx

from netmon.errors import ConfigError
from netmon.refused import refused
from probes.settings import ProbeSettings

HTTP_TIMEOUT_S = 20.0


def open_client(
    settings: ProbeSettings, timeout_s: float = HTTP_TIMEOUT_S
) -> httpx.AsyncClient:
    """Return a client for the gateway; the caller closes it.

    Raises:
        ConfigError: the certificate file is missing or holds none.
    """
    verify: ssl.SSLContext | bool = True
    file = settings.gateway.ca_file
    if file:
        try:
            verify = ssl.create_default_context(cafile=file)
        except OSError as error:  # ssl.SSLError is one too
            wrong = refused(file, "gateway.ca_file", "no_certificates", why=error)
            raise ConfigError([wrong]) from error
    return httpx.AsyncClient(timeout=timeout_s, verify=verify)
