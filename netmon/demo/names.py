"""The demo's name server: one address for every name, over real UDP."""

from __future__ import annotations

import asyncio

import dns.exception
import dns.flags
import dns.message
import dns.rrset

_TTL_S = 60
_ADDRESS = "127.0.0.1"


class NameServer(asyncio.DatagramProtocol):
    """Answers every A question with loopback; anything else gets no answer."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def port(self) -> int:
        """The port it listens on; RuntimeError unless it is started."""
        if self._transport is None:
            raise RuntimeError("the name server is not started")
        return int(self._transport.get_extra_info("sockname")[1])

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, (_ADDRESS, 0))

    def stop(self) -> None:
        """Stop listening."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question."""
        try:
            question = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        name = question.question[0].name
        answer.answer.append(dns.rrset.from_text(name, _TTL_S, "IN", "A", _ADDRESS))
        if self._transport is not None:
            self._transport.sendto(answer.to_wire(), addr)
