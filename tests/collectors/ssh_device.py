"""A device that speaks SSH: asyncssh, a prompt, and what its commands show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

DATA = Path(__file__).parent / "data/ssh"
USER, PASSWORD = "netmon", "geheimes-wort"
PROMPTS = {
    "aruba_os": "(MC-NORD) #",
    "cisco_ios": "GS07-SW1#",
    "cisco_9800": "WLC-9800#",
    "cisco_aireos": "(Cisco Controller) >",
    "hp_procurve": "GS07-SW2# ",
    "mikrotik_routeros": "[netmon@GS07-RB1] > ",
    "ubiquiti_edgeswitch": "(UBNT EdgeSwitch) #",
}
_LEAVES = {"exit", "logout", "quit"}


def outputs(platform: str) -> dict[str, str]:
    """Return what a family's device shows, by the name of the file of a command."""
    return {
        path.stem: path.read_text(encoding="utf-8")
        for path in (DATA / platform).glob("*.txt")
    }


@dataclass
class SshDevice:
    """What it shows, and which lines it was sent. ``mute`` takes and says nothing."""

    platform: str
    shows: Mapping[str, str]
    port: int = 0
    lines: list[str] = field(default_factory=list)
    logins: int = 0
    talking: int = 0
    most_talking: int = 0
    mute: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def prompt(self) -> str:
        return PROMPTS[self.platform]

    async def serve(self, process: asyncssh.SSHServerProcess[str]) -> None:
        self.talking += 1
        self.most_talking = max(self.most_talking, self.talking)
        try:
            await self._serve(process)
        except (asyncssh.Error, ConnectionError, asyncssh.TerminalSizeChanged):
            pass
        finally:
            self.talking -= 1
            process.exit(0)

    async def _serve(self, process: asyncssh.SSHServerProcess[str]) -> None:
        if self.platform == "cisco_aireos":
            process.stdout.write("\r\n(Cisco Controller)\r\nUser: ")
            user = await self._line(process)
            process.stdout.write(f"{user}\r\nPassword:")
            await self._line(process)
            process.stdout.write("\r\n")
        if self.platform == "hp_procurve":
            process.stdout.write(
                "HP J9773A\r\nCopyright (C)\r\nPress any key to continue"
            )
            await self._line(process)
        process.stdout.write(self.prompt)
        while True:
            line = await self._line(process)
            if self.mute:
                continue
            process.stdout.write(line + "\r\n")
            if line in _LEAVES:
                return
            text = self.shows.get(line.strip("/").replace(" ", "_"), "")
            process.stdout.write(text.replace("\n", "\r\n") + self.prompt)

    async def _line(self, process: asyncssh.SSHServerProcess[str]) -> str:
        """Return a line, ended by CR, LF or both."""
        line = ""
        while True:
            letter = await process.stdin.read(1)
            if not letter:
                raise ConnectionError("the client has left")
            if letter == "\n" and not line and self._after_return:
                self._after_return = False
                continue
            self._after_return = letter == "\r"
            if letter in "\r\n":
                if line:
                    self.lines.append(line)
                    self.asked.set()
                return line
            line += letter

    _after_return = False


class _Server(asyncssh.SSHServer):
    def __init__(self, device: SshDevice, public_key: str | None) -> None:
        self._device = device
        self._public_key = public_key

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._device.connections.append(conn)

    def password_auth_supported(self) -> bool:
        return self._public_key is None

    def validate_password(self, username: str, password: str) -> bool:
        good = (username.partition("+")[0], password) == (USER, PASSWORD)
        self._device.logins += good
        return good

    def public_key_auth_supported(self) -> bool:
        return self._public_key is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        good = (
            key.export_public_key().decode().split()[1]
            == ((self._public_key or " x").split()[1])
        )
        self._device.logins += good
        return good


@asynccontextmanager
async def running(
    device: SshDevice, host_key: asyncssh.SSHKey, *, public_key: str | None = None
) -> AsyncIterator[SshDevice]:
    """Let a device answer at a free port of 127.0.0.1."""
    server = await asyncssh.create_server(
        lambda: _Server(device, public_key),
        "127.0.0.1",
        device.port,
        server_host_keys=[host_key],
        process_factory=device.serve,
        line_editor=False,
    )
    device.port = server.sockets[0].getsockname()[1]
    try:
        yield device
    finally:
        server.close()
        await server.wait_closed()
        for connection in device.connections:
            connection.abort()
            await connection.wait_closed()


def known_hosts(
    path: Path, device: SshDevice, key: asyncssh.SSHKey, *, damaged: bool = False
) -> str:
    """Write a file that knows the device by a key; return its name."""
    public = key.export_public_key().decode().strip()
    if damaged:
        public = public.replace("AAAA", "A!AA")
    path.write_text(f"[127.0.0.1]:{device.port} {public}\n")
    return str(path)
