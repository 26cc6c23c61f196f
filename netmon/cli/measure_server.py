"""``netmon measure-server``: the peer that probes measure against."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from netmon.cli.base import LOG_FORMAT, port_of
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands
    from netmon.config import Secret
    from probes.lease_token import LeaseGate

DEFAULT_PORT = 5201


def add(commands: Commands, texts: Texts) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "measure-server", help=texts("measure_server.help.about")
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help=texts("measure_server.help.host")
    )
    parser.add_argument(
        "--port",
        type=port_of(texts),
        default=DEFAULT_PORT,
        help=texts("measure_server.help.port", port=DEFAULT_PORT),
    )
    parser.add_argument(
        "--token-file", required=True, help=texts("measure_server.help.token_file")
    )
    parser.add_argument(
        "--max-tests",
        type=int,
        default=8,
        help=texts("measure_server.help.max_tests", n=8),
    )
    parser.add_argument("--lease-key-file", help=texts("lease.help.key_file"))
    parser.add_argument("--id", help=texts("lease.help.server_id"))
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, texts: Texts) -> int:
    import asyncio
    import logging
    import sys

    from netmon.config import read_secret
    from netmon.lease_token import MIN_KEY_CHARS
    from probes.lease_token import LeaseGate

    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    token = read_secret(args.token_file, setting="--token-file")
    if token is None:
        return 2
    lease_key = read_secret(args.lease_key_file or "", setting="--lease-key-file")
    gate: LeaseGate | None = None
    if lease_key is not None:
        if not args.id:
            print(texts("lease.refused.no_id"), file=sys.stderr)
            return 2
        try:
            gate = LeaseGate(lease_key, args.id)
        except ValueError:
            file, n = args.lease_key_file, MIN_KEY_CHARS
            print(texts("lease.refused.bad_key", file=file, n=n), file=sys.stderr)
            return 2
    return asyncio.run(_serve(args, token, gate, texts))


async def _serve(
    args: argparse.Namespace, token: Secret, gate: LeaseGate | None, texts: Texts
) -> int:
    from netmon.errors import InputError
    from netmon.refused import refused
    from netmon.running import told_to_stop
    from probes.measure_server import Limits, MeasureServer

    server = MeasureServer(token, limits=Limits(max_tests=args.max_tests), leases=gate)
    try:
        await server.start(args.host, args.port)
    except OSError as error:
        wrong = refused(f"{args.host}:{args.port}", None, "cannot_listen", why=error)
        raise InputError([wrong]) from error
    stop = told_to_stop()
    # Whoever reads this may tell us to stop at once.
    print(texts("measure_server.ready", host=server.host, port=server.port), flush=True)
    async with server:
        await stop.wait()
    return 0
