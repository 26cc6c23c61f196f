"""``netmon gateway``: ingest, status site and JSON API in one process."""

from __future__ import annotations

import argparse
import socket
from typing import TYPE_CHECKING

from netmon.cli.base import LOG_FORMAT, add_config_option, listen, port_of
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands


def add(commands: Commands, texts: Texts) -> None:
    """Add the command."""
    parser = commands.add_parser("gateway", help=texts("gateway.help.about"))
    add_config_option(parser, texts)
    parser.add_argument("--host", help=texts("gateway.help.host"))
    parser.add_argument("--port", type=port_of(texts), help=texts("gateway.help.port"))
    parser.add_argument("--fd", type=int, help=texts("gateway.help.fd"))
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, texts: Texts) -> int:
    import logging

    import uvicorn

    from dashboards.app import create_app
    from netmon.cli.base import open_store
    from netmon.clock import SystemClock
    from netmon.garbage import collect_seldom

    collect_seldom()
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    with open_store(args.config) as (store, settings):
        app = create_app(settings, store, SystemClock())
        host = args.host or settings.gateway.host
        port = settings.gateway.port if args.port is None else args.port
        listening = (
            listen(host, port, texts)
            if args.fd is None
            else socket.socket(fileno=args.fd)
        )
        with listening:
            name, number = listening.getsockname()[:2]
            print(texts("gateway.listens", host=name, port=number), flush=True)
            config = uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,  # probes come back every minute
                timeout_graceful_shutdown=5,
            )
            uvicorn.Server(config).run(sockets=[listening])
    return 0
