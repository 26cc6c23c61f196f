"""``sweep``: how many addresses of a test VLAN are in use, and which planned devices?

Of everything that is not planned only the number is kept, and only until it is
printed: MACs are never read, and an address is no more than a bit in a row.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping, Sequence

from msgspec import Struct

from probes.finding import Finding, error, hint, ok
from probes.onsite.frames import split
from probes.onsite.packets import answered, solicit, who_has
from probes.onsite.wire import NotUsableError, Wire, open_wire

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_ADDRESSES = 1024  # a /22, or a /118 of IPv6
MOST_PER_S = 200
_ROUNDS = 2
_WAIT_S = 1.0  # RFC 4861: RETRANS_TIMER
_NO_ADDRESS = "0.0.0.0"  # noqa: S104  not a bind: RFC 5227's sender


class SweepOptions(Struct, frozen=True, kw_only=True):
    """``planned`` are names by address; ``rate_per_s`` is the bound on questions.

    ``vlan`` None asks untagged.
    """

    interface: str
    network: str
    planned: Mapping[Address, str] = {}
    rate_per_s: float = 100.0
    vlan: int | None = None


def run(options: SweepOptions) -> list[Finding]:
    """Ask each address, and once more those that did not answer.

    Raises:
        NotUsableError: the network is none or too large, there is nobody to ask, or
            the interface cannot be used.
    """
    network = parse_network(options.network)
    planned = {each: name for each, name in options.planned.items() if each in network}
    targets = targets_of(network, planned)
    promiscuous = options.vlan is not None
    with open_wire(options.interface, promiscuous=promiscuous) as wire:
        own = {ipaddress.ip_address(each) for each in (*wire.ipv4, *wire.ipv6)}
        targets = [each for each in targets if each not in own]
        if not targets:
            raise NotUsableError("nothing_to_ask", network=str(network))
        source = _source(wire, network)
        has_answered = _ask(wire, source, targets, options)
    found = judge(targets, has_answered, planned, network)
    return [*found, hint("as_probe")] if source == _NO_ADDRESS else found


def parse_network(text: str) -> Network:
    """Return a network of at most 1024 addresses, or any of IPv6.

    Raises:
        NotUsableError: it is none, or an IPv4 network that is too large.
    """
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise NotUsableError("no_network", text=text) from error
    if network.version == 4 and network.num_addresses > MOST_ADDRESSES:
        raise NotUsableError("too_large", network=str(network), most=MOST_ADDRESSES)
    return network


def targets_of(network: Network, planned: Mapping[Address, str]) -> list[Address]:
    """Return whom to ask: all hosts, or the planned ones of a large IPv6 network.

    Raises:
        NotUsableError: a large IPv6 network has none planned, or too many.
    """
    if network.num_addresses <= MOST_ADDRESSES:
        return list(network.hosts())
    if not planned:
        raise NotUsableError("too_large_v6", network=str(network), most=MOST_ADDRESSES)
    if len(planned) > MOST_ADDRESSES:
        raise NotUsableError("too_large", network=str(network), most=MOST_ADDRESSES)
    return sorted(planned, key=int)


def _ask(
    wire: Wire, source: str, targets: Sequence[Address], options: SweepOptions
) -> bytearray:
    """Return one byte for each target: 1 where it answered."""
    question = who_has if targets[0].version == 4 else solicit
    place = {str(each): index for index, each in enumerate(targets)}
    has_answered = bytearray(len(targets))

    def listen(until_s: float) -> None:
        for _, frame in wire.receive(until_s):
            parts = split(frame)
            if parts is None or parts.vlan != options.vlan:
                continue  # of another VLAN
            index = place.get(answered(frame) or "")
            if index is not None:
                has_answered[index] = 1

    step_s = 1 / min(options.rate_per_s, MOST_PER_S)
    for _ in range(_ROUNDS):
        for index, target in enumerate(targets):
            if has_answered[index]:
                continue
            sent_s = wire.send(question(wire.mac, source, str(target), options.vlan))
            listen(sent_s + step_s)
        listen(time.monotonic() + _WAIT_S)
    return has_answered


def _source(wire: Wire, network: Network) -> str:
    """Return the address that asks; 0.0.0.0 where this machine has none in the network.

    Raises:
        NotUsableError: IPv6 is off here; asking as ``::`` would look like an address
            being taken (RFC 4862) and could stop a device that is just starting.
    """
    if network.version == 4:
        inside = (each for each in wire.ipv4 if ipaddress.ip_address(each) in network)
        return next(inside, _NO_ADDRESS)
    for each in wire.ipv6:
        if ipaddress.ip_address(each).is_link_local:
            return each
    raise NotUsableError("no_link_local")


def judge(
    targets: Sequence[Address],
    has_answered: Sequence[int],
    planned: Mapping[Address, str],
    network: Network,
) -> list[Finding]:
    """Return the counts, and a finding for each planned device."""
    answers = dict(zip(targets, has_answered, strict=True))
    there = sum(has_answered)
    known = sum(answers.get(each, 0) for each in planned)
    found = [
        ok(
            "counted",
            network=str(network),
            asked_count=len(targets),
            answered_count=there,
            planned_count=known,
            other_count=there - known,
        )
    ]
    if len(targets) < network.num_addresses and network.num_addresses > MOST_ADDRESSES:
        found.append(hint("planned_only", network=str(network)))
    for address, name in sorted(planned.items(), key=lambda each: int(each[0])):
        if address not in answers:
            continue  # this machine's own
        says = ok if answers[address] else error
        word = "present" if answers[address] else "silent"
        found.append(says(word, name=name, address=str(address)))
    return found
