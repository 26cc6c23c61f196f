"""The agent in a school: measures, spools and sends until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import httpx

from netmon import __version__
from netmon.clock import Clock, SystemClock
from netmon.config import Secret
from netmon.errors import ConfigError
from netmon.model import TARGET_DOWN_BPS
from netmon.push import Pusher
from netmon.refused import refused
from netmon.running import told_to_stop, until_one_ends
from netmon.spool import Spool
from netmon.units import to_mbits
from probes.assignment import AssignmentDesk
from probes.base import ProbeContext
from probes.certificate import Certificate, can_prove, limiting_part, limits_of
from probes.certifier import Certifier
from probes.client import open_client
from probes.config import gateway_token, measure_address
from probes.lease_client import LeaseClient
from probes.link import LinkSettings, default_interface
from probes.registry import PROBES
from probes.runner import Planned, Runner
from probes.settings import ProbeSettings
from probes.uplink import ASSIGNMENT_FILE, Uplink
from probes.uplink_base import Carrier
from probes.uplink_run import Bench
from probes.uplink_tester import Tester
from probes.wan import open_ports

log = logging.getLogger(__name__)


async def run_agent(
    settings: ProbeSettings, stop: asyncio.Event, *, clock: Clock | None = None
) -> None:
    """Measure and send until ``stop`` is set; then end at once.

    A measurement that runs at that moment is dropped, spooled ones are kept.

    Raises:
        ConfigError: a token's file cannot be read or a certificate file is wrong.
        StorageError: the spool cannot be opened.
    """
    clock = clock or SystemClock()
    server = measure_address(settings)
    token = gateway_token(settings)
    wake = asyncio.Event()
    spool = await asyncio.to_thread(
        Spool, Path(settings.spool), max_records=settings.spool_max_records
    )
    with spool:
        async with open_client(settings) as client:
            pusher = Pusher(
                spool,
                settings.gateway.url,
                token,
                settings.probe,
                client,
                clock,
                agent=f"netmon/{__version__}",
            )
            certifier = Certifier(
                Path(settings.spool).parent,
                clock,
                link=LinkSettings(
                    interface=settings.uplink.interface or settings.link.interface
                ),
                offset=lambda: pusher.status.clock,
            )
            warn_if_weak(await asyncio.to_thread(certifier.renew))
            carrier = Carrier()
            context = ProbeContext(
                building=settings.building,
                line=settings.line,
                probe=settings.probe,
                server=server,
                clock=clock,
                certify=certifier.read,
                carrier=carrier,
            )
            plan = [
                Planned(entry.make(settings), entry.interval_s(settings))
                for entry in PROBES.values()
            ]
            lock = asyncio.Lock()
            runner = Runner(
                plan,
                context,
                spool,
                wake,
                health_interval_s=settings.health.interval_s,
                lock=lock,
            )
            work = [runner.run(stop), pusher.run(stop, wake)]
            if settings.uplink.enabled:
                uplink = await _uplink(settings, context, client, token, lock, runner)
                runner.saw, uplink.carrier = uplink.saw, carrier
                work.append(uplink.run(stop))
            await until_one_ends(stop.wait(), *work)


async def _uplink(
    settings: ProbeSettings,
    context: ProbeContext,
    client: httpx.AsyncClient,
    token: Secret,
    lock: asyncio.Lock,
    runner: Runner,
) -> Uplink:
    """Put together what measures the uplink.

    Raises:
        ConfigError: there is no port to measure with, or a community's file cannot
            be read.
    """
    folder, url = Path(settings.spool).parent, settings.gateway.url
    interface = port_of(settings)
    ports = await asyncio.to_thread(open_ports, settings.wan)
    tester = Tester(
        Bench(interface=interface, wan=ports),
        context.server,
        LeaseClient(client, url, token),
        lock,
        context.clock,
    )
    desk = AssignmentDesk(client, url, token, folder / ASSIGNMENT_FILE)
    return Uplink(settings.uplink, context, desk, tester, folder, runner.save)


def port_of(settings: ProbeSettings) -> str:
    """Return the port that tests go through.

    Raises:
        ConfigError: none is set, and this machine has no default route.
    """
    named = settings.uplink.interface or settings.link.interface
    found = named or default_interface(Path("/"))
    if found is None:
        field = "uplink.interface"
        raise ConfigError([refused(settings.probe, field, "no_default_route")])
    return found


def warn_if_weak(certificate: Certificate) -> None:
    """Log it if this machine can't prove the city's target, whatever the line does."""
    if can_prove(TARGET_DOWN_BPS, certificate):
        return
    log.warning(
        "this probe can prove %.0f Mbit/s at most (limited by its %s), the target is"
        " %.0f Mbit/s: see 'netmon probe doctor'",
        to_mbits(limits_of(certificate)),
        limiting_part(certificate),
        to_mbits(TARGET_DOWN_BPS),
    )


async def serve(settings: ProbeSettings) -> None:
    """Run the agent until SIGTERM or SIGINT; raises as `run_agent`."""
    await run_agent(settings, told_to_stop())
