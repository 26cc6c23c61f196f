"""What every command group shares: common options and opening the store."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.config import Settings
    from netmon.storage.ports import Store

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001


def add_config_option(parser: argparse.ArgumentParser, texts: Texts) -> None:
    """Add ``--config FILE``; without it the defaults and the environment count."""
    parser.add_argument(
        "--config", type=Path, default=None, help=texts("cli.help.config")
    )


@contextmanager
def open_store(config: Path | None) -> Iterator[tuple[Store, Settings]]:
    """Give the state store and the settings; the store is closed afterwards.

    Raises:
        ConfigError: the settings were refused.
        StorageError: the store cannot be opened.
    """
    from netmon.config import load_settings
    from netmon.storage.sqlite import SqliteStore

    settings = load_settings(config)
    store = SqliteStore(settings.state_path)
    try:
        yield store, settings
    finally:
        store.close()
