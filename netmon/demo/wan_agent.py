"""The routers of the played lines: their WAN counters over SNMP, on one UDP port.

One agent answers for all; a line's ifIndex is its number. A real school has a router
of its own, but what a probe asks and hears is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

from netmon.config import Secret
from netmon.demo.snmp_get import ReadPort, Responder

_HOST = "127.0.0.1"


class WanAgent(asyncio.DatagramProtocol):
    """Answers v2c GET for the ports it was given, by ifIndex."""

    def __init__(self, ports: Mapping[int, ReadPort], community: Secret) -> None:
        self._responder = Responder(ports, community.reveal().encode())
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def port(self) -> int:
        """The UDP port it listens on; RuntimeError unless it is started."""
        if self._transport is None:
            raise RuntimeError("the agent is not started")
        return int(self._transport.get_extra_info("sockname")[1])

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, (_HOST, 0))

    def stop(self) -> None:
        """Stop listening."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a GET."""
        response = self._responder.answer(data)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)
