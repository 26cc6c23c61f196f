"""``netmon gateway``: ingest, status site and JSON API in one process."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from netmon.cli.base import add_config_option
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands


def add(commands: Commands, texts: Texts) -> None:
    """Add the command."""
    parser = commands.add_parser("gateway", help=texts("gateway.help.about"))
    add_config_option(parser, texts)
    parser.add_argument("--host", help=texts("gateway.help.host"))
    parser.add_argument("--port", type=int, help=texts("gateway.help.port"))
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, texts: Texts) -> int:
    import logging

    import uvicorn
    from dashboards.app import create_app

    from netmon.cli.base import open_store
    from netmon.clock import SystemClock

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    with open_store(args.config) as (store, settings):
        host = args.host or settings.gateway.host
        port = settings.gateway.port if args.port is None else args.port
        print(texts("gateway.listens", host=host, port=port), flush=True)
        uvicorn.run(
            create_app(settings, store, SystemClock()),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    return 0
