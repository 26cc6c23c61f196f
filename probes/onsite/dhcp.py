"""``dhcp``: who gives addresses here, and how fast?

It asks (discover) and never accepts: no lease is taken.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from msgspec import Struct

from probes.finding import Finding, error, hint, ok
from probes.onsite.packets import Offer, discover, offer_in
from probes.onsite.wire import open_wire

# A client waits 4 s before it asks again (RFC 2131 4.1); a question can be lost.
_AGAIN_S = 3.0
_SLOW_S = 2.0


class DhcpOptions(Struct, frozen=True, kw_only=True):
    """``expected`` are the servers' planned addresses; empty: not known."""

    interface: str
    listen_s: float = 6.0
    expected: tuple[str, ...] = ()


def run(options: DhcpOptions) -> list[Finding]:
    """Ask, and listen the whole time: the second server may be the slower one."""
    sent_s: dict[int, float] = {}
    found: dict[str, tuple[float, Offer]] = {}
    with open_wire(options.interface) as wire:
        began_s = time.monotonic()
        end_s = began_s + options.listen_s
        for ask_s in (began_s, began_s + _AGAIN_S):
            if ask_s >= end_s:
                break
            if not found:
                xid = secrets.randbits(32)
                sent_s[xid] = wire.send(discover(wire.mac, xid))
            until_s = end_s if ask_s > began_s else min(end_s, ask_s + _AGAIN_S)
            for at_s, frame in wire.receive(until_s):
                offer = offer_in(frame, sent_s)
                if offer is not None:
                    took_s = at_s - sent_s[offer[0]]
                    found.setdefault(offer[1].server, (took_s, offer[1]))
    return judge(list(found.values()), options.expected, options.listen_s)


def judge(
    offers: Sequence[tuple[float, Offer]], expected: Sequence[str], waited_s: float
) -> list[Finding]:
    """Return one finding for each server, fastest first, and what that means.

    Without ``expected`` a second server is a warning: two may be meant to be there.
    With it, one that is not expected is an error, also when it is the only one.
    """
    if not offers:
        return [error("silence", waited_s=waited_s)]
    found = []
    for took_s, offer in sorted(offers, key=lambda each: each[0]):
        fields: dict[str, float | str] = {
            "server": offer.server,
            "answer_s": took_s,
            "network": offer.network or "?",
            "gateway": offer.gateway or "?",
        }
        if offer.lease_s is not None:
            fields["lease_s"] = offer.lease_s
        if expected and offer.server not in expected:
            found.append(error("rogue", **fields))
        elif took_s > _SLOW_S:
            found.append(hint("slow", **fields))
        else:
            found.append(ok("offer", **fields))
    if len(offers) > 1 and not expected:
        found.append(hint("second", servers_count=len(offers)))
    answered = {offer.server for _, offer in offers}
    found += [hint("missing", server=each) for each in expected if each not in answered]
    return found
