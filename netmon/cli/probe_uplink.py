"""``netmon probe measure capacity|floor``: a test of the line, by hand and explained."""

from __future__ import annotations

import argparse
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.errors import ConfigError, WrongValueError
from netmon.refused import refused
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.assignment_wire import Assignment, LineAssignment
    from probes.base import ProbeContext, ProbeResult
    from probes.lease_client import LeaseClient
    from probes.settings import ProbeSettings

KINDS = ("capacity", "floor")
_PATIENCE_S = 120.0


def add_options(parser: argparse.ArgumentParser, texts: Texts) -> None:
    """Add what a test of the line needs without a settings file."""
    parser.add_argument("--force", action="store_true", help=texts("probe.help.force"))
    parser.add_argument("--interface", default="", help=texts("probe.help.interface"))
    rate = "'250 Mbit/s'"
    parser.add_argument(
        "--contract-down", metavar=rate, help=texts("probe.help.contract_down")
    )
    parser.add_argument(
        "--contract-up", metavar=rate, help=texts("probe.help.contract_up")
    )


async def measure(
    args: argparse.Namespace,
    settings: ProbeSettings | None,
    context: ProbeContext,
    texts: Texts,
) -> list[tuple[str, ProbeResult, float]]:
    """Run the test both ways; return direction, result and threshold of each.

    Raises:
        ConfigError: contract or port are not known, or a file cannot be read.
    """
    import asyncio

    from msgspec.structs import replace

    from netmon.lease_wire import Purpose
    from probes.certificate import attach
    from probes.uplink_run import Bench, Job, varies
    from probes.uplink_tester import Tester
    from probes.wan import open_ports

    async with AsyncExitStack() as stack:
        leases, line = await _told(args, settings, context, stack)
        bench = Bench(
            interface=_interface(args, settings),
            wan=open_ports(settings.wan if settings else ()),
        )
        tester = Tester(bench, context.server, leases, asyncio.Lock(), context.clock)
        found = []
        for direction in ("down", "up"):
            job = Job(
                kind="full" if args.what == "capacity" else "floor",
                direction="down" if direction == "down" else "up",
                purpose=Purpose.ON_SITE,
                line=line,
                in_lessons=True,  # by hand it is daytime: politely
                varies=varies(line.technology),
            )
            context.emit("direction", {"way": texts(f"probe.way.{direction}")})
            # Without ``anew`` there is nothing that could call it off.
            result = await tester.measure(job, _PATIENCE_S, context.emit)
            if result is None:
                continue
            if result.failure is None:
                values = attach(result.values, context.certify())
                result = replace(result, values=values)
            found.append((direction, result, job.threshold_bps))
        return found


async def _told(
    args: argparse.Namespace,
    settings: ProbeSettings | None,
    context: ProbeContext,
    stack: AsyncExitStack,
) -> tuple[LeaseClient | None, LineAssignment]:
    """Return who gives slots, and the line: as the centre or the options say."""
    if settings is None or args.contract_down:
        return None, _by_hand(args, context)
    from netmon.clock import to_ms
    from probes.assignment import AssignmentDesk
    from probes.client import open_client
    from probes.config import gateway_token
    from probes.lease_client import LeaseClient
    from probes.uplink import ASSIGNMENT_FILE

    client = await stack.enter_async_context(open_client(settings))
    token, url = gateway_token(settings), settings.gateway.url
    path = Path(settings.spool).parent / ASSIGNMENT_FILE
    desk = AssignmentDesk(client, url, token, path)
    desk.load()
    await desk.refresh()
    told = desk.current
    if told is not None and not args.force:
        _refuse_if_protected(told, to_ms(context.clock.now()))
    lines = told.lines if told else ()
    line = next((each for each in lines if each.id == context.line), None)
    if line is None:
        raise _refused("--contract-down", "contract_not_told")
    return LeaseClient(client, url, token), line


def _refuse_if_protected(told: Assignment, now_ms: int) -> None:
    from netmon.clock import BERLIN, berlin_day, from_ms
    from netmon.school_calendar import protected_time

    for span in protected_time(told.calendar, berlin_day(now_ms)):
        if span.holds(now_ms):
            until = f"{from_ms(span.end_ms).astimezone(BERLIN):%H:%M}"
            wrong = refused("netmon probe measure", None, "protected", until=until)
            raise ConfigError([wrong])


def _by_hand(args: argparse.Namespace, context: ProbeContext) -> LineAssignment:
    from netmon.assignment_wire import LineAssignment
    from netmon.model import (
        Line,
        LineRole,
        Technology,
        clear_down_bps,
        expected_down_bps,
        threshold_up_bps,
    )
    from netmon.units import parse_rate_bps

    down = args.contract_down
    if not down:
        raise _refused("--contract-down", "contract_missing")
    try:
        down_bps = parse_rate_bps(down)
        up_bps = parse_rate_bps(args.contract_up or down)
    except WrongValueError as error:
        raise _refused("--contract-down", error.code, **error.values) from error
    line = Line(
        id=context.line,
        building_id=context.building,
        role=LineRole.MAIN,
        technology=Technology.FIBRE,
        contracted_down_bps=down_bps,
        contracted_up_bps=up_bps,
        provider="",
    )
    return LineAssignment(
        id=line.id,
        role=line.role,
        technology=line.technology,
        contracted_down_bps=down_bps,
        contracted_up_bps=up_bps,
        threshold_down_bps=expected_down_bps(line),
        clear_down_bps=clear_down_bps(line),
        threshold_up_bps=threshold_up_bps(line),
    )


def _interface(args: argparse.Namespace, settings: ProbeSettings | None) -> str:
    from probes.link import default_interface

    named = args.interface
    if not named and settings is not None:
        named = settings.uplink.interface or settings.link.interface
    found: str | None = named or default_interface(Path("/"))
    if found is None:
        raise _refused("--interface", "no_default_route")
    return found


def _refused(option: str, code: str, **values: object) -> ConfigError:
    return ConfigError([refused("netmon probe measure", option, code, **values)])
