"""What every command group shares: common options and opening the store."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.config import Settings
    from netmon.storage.ports import Store

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

_MAX_PORT = 65535
# Of every process; the journal adds the time.
LOG_FORMAT = "%(levelname)s %(name)s %(message)s"


def add_config_option(parser: argparse.ArgumentParser, texts: Texts) -> None:
    """Add ``--config FILE``; without it the defaults and the environment count."""
    parser.add_argument(
        "--config", type=Path, default=None, help=texts("cli.help.config")
    )


def port_of(texts: Texts) -> Callable[[str], int]:
    """Return what reads a port for argparse, which tells what is wrong with it."""

    def port(text: str) -> int:
        if not text.isdecimal() or int(text) > _MAX_PORT:
            raise argparse.ArgumentTypeError(texts("cli.no_port", value=text))
        return int(text)

    return port


def listen(host: str, port: int, texts: Texts) -> socket.socket:
    """Return a listening socket, so that port 0 is known before anyone is told.

    Raises:
        InputError: the port is taken, or the address is not this machine's.
    """
    from netmon.errors import InputError
    from netmon.refused import refused

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        wrong = refused(f"{host}:{port}", None, "cannot_listen", why=error)
        raise InputError([wrong]) from error


def write_token(file: Path, token: str) -> None:
    """Write a token to a file that only its owner may read.

    Raises:
        InputError: the file cannot be written.
    """
    from netmon.errors import InputError
    from netmon.refused import refused

    try:
        file.touch(mode=0o600)
        # It may have been there, open to others.
        file.chmod(0o600)
        file.write_text(token + "\n", encoding="utf-8")
    except OSError as error:
        wrong = refused(str(file), None, "unwritable", why=error)
        raise InputError([wrong]) from error


@contextmanager
def open_store(config: Path | None) -> Iterator[tuple[Store, Settings]]:
    """Give the state store and the settings; the store is closed afterwards.

    Raises:
        ConfigError: the settings were refused, or the folder cannot be had.
        StorageError: the store cannot be opened.
    """
    from netmon.config import load_settings
    from netmon.errors import ConfigError
    from netmon.refused import refused
    from netmon.storage.sqlite import SqliteStore

    settings = load_settings(config)
    try:
        store = SqliteStore(settings.state_path)
    except OSError as error:
        wrong = refused(settings.data_dir, "data_dir", "data_dir", why=error)
        raise ConfigError([wrong]) from error
    try:
        yield store, settings
    finally:
        store.close()
