"""``netmon probe``: the agent in a school, one measurement by hand, and the doctor."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli import probe_lan, probe_uplink
from netmon.cli.base import LOG_FORMAT
from netmon.errors import ConfigError
from netmon.refused import refused
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands
    from probes.base import Emit, Probe, ProbeContext, ProbeResult
    from probes.settings import ProbeSettings

NAMES = ("throughput", "latency", "dns", "link", "path")
NEEDS_SERVER = ("throughput", "latency", "path", "all", *probe_uplink.KINDS)


def add(commands: Commands, texts: Texts) -> None:
    """Add ``probe run``, ``measure``, ``doctor`` and ``lan``."""
    group = commands.add_parser("probe", help=texts("probe.help.about"))
    actions = group.add_subparsers(metavar=texts("cli.command"), required=True)
    run = actions.add_parser("run", help=texts("probe.help.run"))
    run.add_argument(
        "--config", type=Path, required=True, help=texts("probe.help.config")
    )
    run.set_defaults(run=_run)
    measure = actions.add_parser("measure", help=texts("probe.help.measure"))
    measure.add_argument(
        "what",
        nargs="?",
        choices=(*probe_uplink.KINDS, *NAMES, "all"),
        default="all",
        help=texts("probe.help.what"),
    )
    measure.add_argument("--config", type=Path, help=texts("probe.help.config"))
    measure.add_argument("--server", help=texts("probe.help.server"))
    measure.add_argument("--token-file", help=texts("probe.help.token_file"))
    measure.add_argument("--line", default="", help=texts("probe.help.line"))
    probe_uplink.add_options(measure, texts)
    measure.add_argument("--json", action="store_true", help=texts("probe.help.json"))
    measure.add_argument(
        "--explain", action="store_true", help=texts("probe.help.explain")
    )
    measure.set_defaults(run=_measure)
    doctor = actions.add_parser("doctor", help=texts("doctor.about"))
    doctor.add_argument(
        "--config", type=Path, required=True, help=texts("probe.help.config")
    )
    doctor.add_argument("--json", action="store_true", help=texts("probe.help.json"))
    doctor.set_defaults(run=_doctor)
    probe_lan.add(actions, texts)


def _run(args: argparse.Namespace, _texts: Texts) -> int:
    import asyncio
    import logging

    from probes.agent import serve
    from probes.config import load_probe_settings

    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    # One line for each push would bury the lines that matter.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(serve(load_probe_settings(args.config)))
    return 0


def _doctor(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.probe_doctor import run

    return run(args, texts)


def _measure(args: argparse.Namespace, texts: Texts) -> int:
    import asyncio

    return asyncio.run(_measure_all(args, texts))


async def _measure_all(args: argparse.Namespace, texts: Texts) -> int:
    import sys

    from netmon.cli.probe_output import Explainer, as_json, as_text
    from probes.base import say_nothing
    from probes.config import load_probe_settings
    from probes.runner import run_guarded

    settings = None if args.config is None else load_probe_settings(args.config)
    explainer = Explainer(texts, sys.stderr) if args.explain else None
    context = _context(args, settings, explainer or say_nothing)
    if args.what in probe_uplink.KINDS:
        return await _measure_uplink(args, settings, context, texts)
    results: list[tuple[str, ProbeResult]] = []
    for probe in _probes(args.what, settings):
        if explainer is not None:
            explainer.begin(probe)
        result = await run_guarded(probe, context)
        results.append((probe.name, result))
        if not args.json:
            print(as_text(texts, probe, result), flush=True)
    if args.json:
        print(as_json(results))
    return 1 if any(result.failure for _, result in results) else 0


async def _measure_uplink(
    args: argparse.Namespace,
    settings: ProbeSettings | None,
    context: ProbeContext,
    texts: Texts,
) -> int:
    from netmon.cli.probe_output import as_json
    from netmon.cli.uplink_output import uplink_text

    found = await probe_uplink.measure(args, settings, context, texts)
    if args.json:
        print(as_json([(f"{args.what}_{way}", result) for way, result, _ in found]))
    else:
        for way, result, threshold_bps in found:
            print(uplink_text(texts, way, result, threshold_bps))
    return 1 if any(result.failure for _, result, _ in found) else 0


def _probes(what: str, settings: ProbeSettings | None) -> list[Probe]:
    from probes.registry import PROBES
    from probes.settings import MethodSettings

    methods = settings or MethodSettings()
    return [
        entry.make(methods) for name, entry in PROBES.items() if what in (name, "all")
    ]


def _context(
    args: argparse.Namespace, settings: ProbeSettings | None, emit: Emit
) -> ProbeContext:
    """Return what a measurement needs; options count before the file."""
    from netmon.clock import SystemClock
    from netmon.config import Secret, read_secret
    from probes.address import parse_address
    from probes.base import MeasureAddress, ProbeContext

    address = args.server or (settings.server.address if settings else "")
    host, port = "", 0
    if address:
        try:
            host, port = parse_address(address)
        except ValueError as error:
            raise _refused("no_address", value=address) from error
    elif args.what in NEEDS_SERVER:
        raise _refused("server_missing")
    token_file = args.token_file or ""
    # The file's token is for the file's server only.
    if settings and not args.server:
        token_file = token_file or settings.server.token_file
    token = read_secret(token_file, setting="--token-file")
    return ProbeContext(
        building=settings.building if settings else "",
        line=args.line or (settings.line if settings else ""),
        probe=settings.probe if settings else "",
        server=MeasureAddress(host, port, token or Secret("")),
        clock=SystemClock(),
        emit=emit,
    )


def _refused(code: str, **values: object) -> ConfigError:
    return ConfigError([refused("netmon probe measure", "--server", code, **values)])
