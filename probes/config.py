"""Reading a probe's settings and the secrets they name.

Relative paths are meant from the settings file's folder.
"""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from netmon.config import Secret, read_secret
from netmon.errors import ConfigError
from netmon.refused import refused
from netmon.strict_files import as_struct, read_toml
from probes.address import parse_address
from probes.base import MeasureAddress
from probes.config_checks import wrong
from probes.settings import ProbeSettings


def load_probe_settings(path: Path) -> ProbeSettings:
    """Return the checked settings of a file, all paths made absolute.

    Raises:
        ConfigError: the file is missing, no TOML, or keys or values are wrong.
    """
    settings = as_struct(
        read_toml(path),
        ProbeSettings,
        source=str(path),
        see="docs/betrieb/sonde.md",
    )
    problems = [
        refused(str(path), field, code, **values)
        for field, code, values in wrong(settings)
    ]
    if problems:
        raise ConfigError(problems)
    return _absolute(settings, path.absolute().parent)


def measure_address(settings: ProbeSettings) -> MeasureAddress:
    """Return where the measurement server is, with its token.

    Raises:
        ConfigError: the token's file cannot be read.
    """
    host, port = parse_address(settings.server.address)
    token = _needed(settings.server.token_file, "server.token_file")
    return MeasureAddress(host, port, token)


def gateway_token(settings: ProbeSettings) -> Secret:
    """Return the token for the gateway.

    Raises:
        ConfigError: the token's file cannot be read.
    """
    return _needed(settings.gateway.token_file, "gateway.token_file")


def _needed(file: str, setting: str) -> Secret:
    secret = read_secret(file, setting=setting)
    if secret is None:
        raise ConfigError([refused("netmon probe", setting, "token_file_empty")])
    return secret


def _absolute(settings: ProbeSettings, folder: Path) -> ProbeSettings:
    def full(file: str) -> str:
        return str(folder / file) if file else ""

    return replace(
        settings,
        spool=full(settings.spool),
        gateway=replace(
            settings.gateway,
            token_file=full(settings.gateway.token_file),
            ca_file=full(settings.gateway.ca_file),
        ),
        server=replace(settings.server, token_file=full(settings.server.token_file)),
        wan=tuple(
            replace(
                each,
                community_file=full(each.community_file),
                auth_file=full(each.auth_file),
                priv_file=full(each.priv_file),
            )
            for each in settings.wan
        ),
    )
