"""``vlan``: which of the expected VLANs reach this socket with their tag?

Each is asked within its tag: its gateway by ARP where one is named, else any DHCP
server (nothing is accepted). Of other tagged frames only the VLAN's number is read.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from probes.finding import Finding, error, hint, ok
from probes.onsite.frames import split
from probes.onsite.packets import answered, discover, offer_in, who_has
from probes.onsite.wire import NotUsableError, Wire, open_wire

MOST_VLANS = 64
_ROUNDS = 2
_SPACING_S = 0.02
_NO_ADDRESS = "0.0.0.0"  # noqa: S104  not a bind: RFC 5227's sender


class Expected(Struct, frozen=True):
    """A VLAN that shall be here; ``gateway`` is empty where DHCP is to answer."""

    vlan: int
    gateway: str = ""


class VlanOptions(Struct, frozen=True, kw_only=True):
    """``listen_s`` is the time for all answers, both rounds of questions included."""

    interface: str
    expected: tuple[Expected, ...]
    listen_s: float = 6.0


class Heard(Struct, frozen=True, kw_only=True):
    """What came: answer times by VLAN, answers in another tag, all tags seen.

    ``strayed`` maps a VLAN asked to the tag its answer had; 0 is untagged.
    """

    answer_s: Mapping[int, float]
    strayed: Mapping[int, int] = {}
    seen: AbstractSet[int] = frozenset()


def run(options: VlanOptions) -> list[Finding]:
    """Ask in each VLAN, twice where the first question was lost.

    Raises:
        NotUsableError: there are too many, or the interface cannot be used.
    """
    if len(options.expected) > MOST_VLANS:
        raise NotUsableError("too_many", most=MOST_VLANS)
    with open_wire(options.interface, promiscuous=True) as wire:
        return judge(options.expected, _Round(wire, options).ask())


class _Round:
    """One run: what was asked when, and what came back."""

    def __init__(self, wire: Wire, options: VlanOptions) -> None:
        self._wire = wire
        self._options = options
        self._by_gateway: dict[str, list[int]] = {}
        for each in options.expected:
            if each.gateway:
                self._by_gateway.setdefault(each.gateway, []).append(each.vlan)
        # A late answer belongs to the first question; by its number, or as the worst.
        self._by_xid: dict[int, tuple[int, float]] = {}
        self._asked_s: dict[int, float] = {}
        self._answer_s: dict[int, float] = {}
        self._strayed: dict[int, int] = {}
        self._seen: set[int] = set()

    def ask(self) -> Heard:
        expected, listen_s = self._options.expected, self._options.listen_s
        began_s = time.monotonic()
        for turn in range(1, _ROUNDS + 1):
            until_s = began_s + listen_s * turn / _ROUNDS
            for each in expected:
                if each.vlan not in self._answer_s:
                    self._send(each)
                    self._listen(time.monotonic() + _SPACING_S)
            self._listen(until_s)
        return Heard(answer_s=self._answer_s, strayed=self._strayed, seen=self._seen)

    def _send(self, wish: Expected) -> None:
        mac = self._wire.mac
        if wish.gateway:
            frame = who_has(mac, _NO_ADDRESS, wish.gateway, wish.vlan)
            self._asked_s.setdefault(wish.vlan, self._wire.send(frame))
        else:
            xid = secrets.randbits(32)
            sent_s = self._wire.send(discover(mac, xid, wish.vlan))
            self._by_xid[xid] = (wish.vlan, sent_s)

    def _listen(self, until_s: float) -> None:
        for at_s, frame in self._wire.receive(until_s):
            parts = split(frame)
            if parts is None:
                continue
            if parts.vlan is not None:
                self._seen.add(parts.vlan)
            question = self._asked_by(frame, parts.vlan)
            if question is None:
                continue
            vlan, sent_s = question
            if parts.vlan == vlan:
                self._answer_s.setdefault(vlan, at_s - sent_s)
            else:
                self._strayed.setdefault(vlan, parts.vlan or 0)

    def _asked_by(self, frame: bytes, tag: int | None) -> tuple[int, float] | None:
        """Return VLAN and moment of the question that a frame answers.

        Two VLANs may have gateways of one address; that of the frame's tag comes first.
        """
        offer = offer_in(frame, self._by_xid)
        if offer is not None:
            return self._by_xid[offer[0]]
        vlans = self._by_gateway.get(answered(frame) or "", [])
        asked = [each for each in vlans if each in self._asked_s]
        vlan = tag if tag in asked else next(iter(asked), None)
        return None if vlan is None else (vlan, self._asked_s[vlan])


def judge(expected: Sequence[Expected], heard: Heard) -> list[Finding]:
    """Return a finding for each expected VLAN, and one for each other that was seen."""
    found = []
    for each in expected:
        if each.vlan in heard.answer_s:
            says = "gateway_answers" if each.gateway else "dhcp_answers"
            answer_s = heard.answer_s[each.vlan]
            fields: dict[str, float | str] = {"vlan": each.vlan, "answer_s": answer_s}
            if each.gateway:
                fields["gateway"] = each.gateway
            found.append(ok(says, **fields))
        elif each.vlan in heard.strayed:
            tag = heard.strayed[each.vlan]
            says = "other_tag" if tag else "untagged"
            more: dict[str, float | str] = {"found_vlan": tag} if tag else {}
            found.append(error(says, vlan=each.vlan, **more))
        elif each.vlan in heard.seen:
            # Its frames come, but who shall answer does not.
            found.append(error("silent", vlan=each.vlan))
        else:
            found.append(error("absent", vlan=each.vlan))
    planned = {each.vlan for each in expected}
    found += [hint("unexpected", vlan=vlan) for vlan in sorted(heard.seen - planned)]
    return found
