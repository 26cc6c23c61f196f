"""Was it the line, or one of its ends? What the sender's kernel says; pure.

Linux tells for how long a connection had something to send and what held it back
(TCP_INFO: busy, rwnd_limited, sndbuf_limited; tcp_chrono_stats in net/ipv4/tcp.c). What
is neither of these is the network: congestion control waited for the path.
"""

from __future__ import annotations

from typing import Literal

from probes.machine import Health, weakness
from probes.measure_protocol import Direction, Side, Stat

LimitedBy = Literal["", "probe", "server"]
# From which share of a test's time on an end was what held it back.
LIMIT_SHARE = 0.30
RETRANS_SHARE = 0.0005


def since(after: Side, before: Side) -> Side:
    """Return what happened between two answers."""
    names = [n for n in Side.__struct_fields__ if n != "streams"]
    changed = {n: getattr(after, n) - getattr(before, n) for n in names}
    return Side(streams=after.streams, **changed)


def retransmitted_ratio(side: Side) -> float | None:
    """Return retransmitted of delivered segments; None before any was delivered."""
    return side.retransmitted / side.delivered if side.delivered > 0 else None


def holding_end(side: Side, direction: Direction) -> LimitedBy:
    """Return which end the sender's kernel names; empty: none, it was the path.

    A full window means that the receiver read too slowly or its buffer is too
    small; a full send buffer or nothing to send is the sender's.
    """
    if side.stream_s <= 0:
        return ""
    sender: LimitedBy = "server" if direction == "down" else "probe"
    receiver: LimitedBy = "probe" if direction == "down" else "server"
    if side.rwnd_limited_s > LIMIT_SHARE * side.stream_s:
        return receiver
    idle_s = side.stream_s - side.busy_s
    if side.sndbuf_limited_s + max(0.0, idle_s) > LIMIT_SHARE * side.stream_s:
        return sender
    return ""


def spoilt_by(probe: Health, server: Stat | None) -> tuple[LimitedBy, str]:
    """Return which machine was too weak for the test and why; both empty: none."""
    why = weakness(probe)
    if why:
        return "probe", why
    if server is None:
        return "", ""
    why = weakness(
        Health(
            late_s=server.late_s,
            steal_ratio=server.cpu_steal_ratio,
            thread_ratio=server.cpu_busy_ratio,
        )
    )
    if not why and (server.port_use_ratio or 0.0) > SERVER_PORT_RATIO:
        why = "port"
    return ("server", why) if why else ("", "")


# A server whose own port is so full may be what bounds a test.
SERVER_PORT_RATIO = 0.90
