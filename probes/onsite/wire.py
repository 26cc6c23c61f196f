"""The wire: raw frames of one interface, by scapy's packet socket.

Frames come as bytes with their VLAN tag back in place, and none that this machine
sent. What is wrong with the interface or the rights is said before anything is sent.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scapy.arch.linux import L2Socket
from scapy.config import conf
from scapy.interfaces import NetworkInterface

from netmon.errors import NetmonError

# linux/if_arp.h
ETHERNET = (1,)
MONITOR = (801, 803)
# linux/if_packet.h: option and kind of struct packet_mreq; Python names none of it.
_SOL_PACKET, _ADD_MEMBERSHIP, _MR_MULTICAST = 263, 1, 0
_IFF_UP = 1
_LONGEST = 65536


class NotUsableError(NetmonError):
    """The tool cannot work here; ``says`` is the key, ``fields`` its values."""

    def __init__(self, says: str, **fields: float | str) -> None:
        super().__init__(says)
        self.says = says
        self.fields = fields


def check_interface(
    interface: str, kinds: Sequence[int] = ETHERNET, root: Path = Path("/")
) -> None:
    """Say whether an interface is there, up, has a carrier, and is of a kind.

    Raises:
        NotUsableError: it is not.
    """
    folder = root / "sys/class/net"
    known = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    if interface not in known:
        there = ", ".join(name for name in known if name != "lo") or "–"
        raise NotUsableError("no_interface", interface=interface, there=there)
    place = folder / interface
    if int(_read(place / "type") or 0) not in kinds:
        says = "no_monitor" if kinds == MONITOR else "no_ethernet"
        raise NotUsableError(says, interface=interface)
    if not int(_read(place / "flags") or "0", 16) & _IFF_UP:
        raise NotUsableError("down", interface=interface)
    if _read(place / "carrier") == "0":
        raise NotUsableError("no_carrier", interface=interface)


def own_speed_bps(interface: str, root: Path = Path("/")) -> float | None:
    """Return the speed of the own end of the cable; None where it is not known."""
    told = _read(root / "sys/class/net" / interface / "speed")
    return int(told) * 1e6 if told.isdigit() and int(told) else None


def _read(file: Path) -> str:
    """Return a file of ``/sys``; empty where the driver has no answer."""
    try:
        return file.read_text("ascii").strip()
    except OSError:
        return ""


class Wire:
    """One interface, open for sending and receiving; ``open_wire`` makes it."""

    def __init__(self, sock: L2Socket, interface: NetworkInterface) -> None:
        self._sock = sock
        self.link: int = sock.ins.getsockname()[3]  # linux/if_arp.h
        self.mac = interface.mac or "00:00:00:00:00:00"
        self.ipv4 = tuple(interface.ips.get(4, ()))
        self.ipv6 = tuple(interface.ips.get(6, ()))

    def send(self, frame: bytes) -> float:
        """Send a frame and return the moment (monotonic seconds).

        Raises:
            NotUsableError: the interface went down.
        """
        sent_s = time.monotonic()
        try:
            self._sock.outs.send(frame)
        except OSError as error:
            raise NotUsableError("went_down", text=error.strerror or "") from error
        return sent_s

    def receive(self, until_s: float) -> Iterator[tuple[float, bytes]]:
        """Give frames and their moments until ``until_s`` (monotonic seconds).

        Raises:
            NotUsableError: the interface went down.
        """
        while (left_s := until_s - time.monotonic()) > 0:
            if not select.select([self._sock.ins], [], [], left_s)[0]:
                return
            try:
                _, frame, _ = self._sock.recv_raw(_LONGEST)
            except OSError as error:
                raise NotUsableError("went_down", text=error.strerror or "") from error
            if frame:
                yield time.monotonic(), frame


@contextmanager
def open_wire(
    interface: str,
    *,
    kinds: Sequence[int] = ETHERNET,
    groups: Sequence[str] = (),
    promiscuous: bool = False,
) -> Iterator[Wire]:
    """Open an interface.

    Args:
        interface: its name.
        kinds: the link types the tool can read (linux/if_arp.h).
        groups: multicast MACs to hear; a card drops those nobody asked for.
        promiscuous: needed for tagged frames: a card drops tags of unknown VLANs.

    Raises:
        NotUsableError: there is none, it is down, or the rights are missing.
    """
    check_interface(interface, kinds)
    try:
        sock = L2Socket(iface=interface, promisc=promiscuous, nofilter=1)
    except PermissionError as error:
        raise NotUsableError("no_rights") from error
    except OSError as error:
        raise NotUsableError("went_down", text=error.strerror or "") from error
    try:
        index = socket.if_nametoindex(interface)
        for group in groups:
            address = bytes.fromhex(group.replace(":", ""))
            wish = struct.pack("iHH8s", index, _MR_MULTICAST, len(address), address)
            sock.ins.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, wish)
        yield Wire(sock, conf.ifaces.dev_from_name(interface))
    finally:
        sock.close()
