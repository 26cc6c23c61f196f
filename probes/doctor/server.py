"""The measurement server: TCP with the token, and the echo over UDP."""

from __future__ import annotations

import asyncio
import time

import msgspec

from netmon.errors import ConfigError
from netmon.model import FailureReason
from probes.config import measure_address
from probes.doctor.base import Finding, Place, error, hint, ok
from probes.doctor.context import context_of
from probes.failures import ProbeFailedError, classify
from probes.latency import LatencyProbe, LatencySettings
from probes.measure_protocol import Request, decode_reply, encode_line, read_line
from probes.sockets import connected

_ANSWER_S = 5.0
_TRAIN = LatencySettings(count=10, spacing_s=0.05, wait_s=1.0)


async def server(place: Place) -> list[Finding]:
    """Say whether the measurement server takes our token."""
    if place.settings is None:
        return []
    address = place.settings.server.address
    try:
        target = measure_address(place.settings)
    except ConfigError:
        return []  # the secrets' check has said it
    asked_s = time.monotonic()
    try:
        async with connected(target) as sock, asyncio.timeout(_ANSWER_S):
            request = Request(op="ping", token=target.token.reveal())
            await asyncio.get_running_loop().sock_sendall(sock, encode_line(request))
            decode_reply(await read_line(sock))
    except (OSError, EOFError, msgspec.DecodeError, ProbeFailedError) as problem:
        reason, text = classify(problem)
        says = "token" if reason is FailureReason.DENIED else "unreached"
        return [error(says, address=address, reason=reason.value, text=text)]
    return [ok("reached", address=address, answer_s=time.monotonic() - asked_s)]


async def echo(place: Place) -> list[Finding]:
    """Say whether UDP comes back, whole and without a clock gone missing."""
    if place.settings is None:
        return []
    found = await LatencyProbe(_TRAIN).run(context_of(place.settings, place))
    if found.failure is not None:
        return [error("silent", reason=found.failure.value, text=found.detail)]
    loss_ratio, rtt_s = found.values["loss_ratio"] or 0.0, found.values["rtt_s"] or 0.0
    fields = {"rtt_s": rtt_s, "loss_ratio": loss_ratio}
    if loss_ratio > 0:
        return [hint("loses", **fields)]
    if found.values["spread_down_s"] is None:
        return [hint("old_server", **fields)]
    return [ok("answers", **fields)]
