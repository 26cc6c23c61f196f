"""Devices by SSH, where SNMP is poor or forbidden: netmiko, and nobody else.

What can be sent is fixed: a guard at the channel lets through the platform's commands,
the few lines the driver sends of itself, and nothing else. Keys of hosts are compared
with a file; a device that is not in it, or has another key, is not talked to.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko
from netmiko import ssh_dispatcher
from netmiko.exceptions import (
    NetmikoAuthenticationException,
    NetmikoTimeoutException,
    ReadTimeout,
)
from paramiko.hostkeys import HostKeys, InvalidHostKey
from paramiko.ssh_exception import NoValidConnectionsError

from collectors.base import (
    DeadlineError,
    DeniedError,
    NoReplyError,
    ProtocolError,
    SessionError,
    split_address,
)
from collectors.compare import Before, compare
from collectors.credentials import SshCredential
from collectors.meaning import joined
from collectors.records import DeviceResult
from collectors.resolve import resolve, socket_error
from collectors.ssh_model import PREFIX, SshPlatform, load_ssh_platforms
from collectors.ssh_read import Record, facts_of, parse, tables_of
from netmon.clock import Clock, to_ms
from netmon.model import Device, FailureReason

log = logging.getLogger(__name__)

DEFAULT_PORT = 22
CONNECT_S = 10.0
# A controller of a city needs some seconds for its list of access points.
COMMAND_S = 30.0
BUDGET_S = 90.0
# Threads, not devices: each waits most of its time for a prompt.
MAX_THREADS = 20
# All that one connection may write: a list of a city's access points has a tenth of it.
# Beyond, netmiko would look for the prompt in all of it again with each piece.
MOST_OUTPUT = 8_000_000
_CLOSE_S = 5.0


class UntrustedError(SessionError):
    """The host's key is not known, or is not the one that is known."""

    reason = FailureReason.UNTRUSTED


class BrokenOffError(SessionError):
    """The device closed the connection in the middle."""

    reason = FailureReason.BROKEN_OFF
    retry = True


class ForbiddenCommandError(Exception):
    """Something was to be sent that is not on the platform's list."""


class SshCollector:
    """Asks devices by SSH, a connection for each poll, in threads of its own."""

    def __init__(self, *, known_hosts: str, clock: Clock) -> None:
        self._known_hosts = known_hosts
        self._clock = clock
        self._threads = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="ssh")
        self._before: dict[str, Before] = {}

    async def ask(self, device: Device, credential: SshCredential) -> DeviceResult:
        """Return what a device shows; no `SessionError` leaves this function.

        The caller sees to it that a device is asked once at a time.
        """
        platform = load_ssh_platforms()[device.platform.removeprefix(PREFIX)]
        at_ms, start_s = to_ms(self._clock.now()), self._clock.monotonic_s()
        try:
            host, port = split_address(device.address, DEFAULT_PORT)
            await resolve(host, port)
            talk = Talk(platform, host, port, credential, self._known_hosts)
            texts = await self._in_thread(talk)
        except SessionError as error:
            spent_s = self._clock.monotonic_s() - start_s
            return DeviceResult(at_ms, spent_s, error.reason, str(error))
        spent_s = self._clock.monotonic_s() - start_s
        # Templates are read anew for each command: a tenth of a second in all.
        parsed = await asyncio.to_thread(_parse_all, platform, texts)
        words, uptime_s = facts_of(platform, parsed)
        tables = tables_of(platform, parsed, texts)
        if all(records is None for records in parsed.values()):
            why = "nothing the device showed was understood"
            return DeviceResult(at_ms, spent_s, FailureReason.PROTOCOL, why)
        before = self._before.get(device.id)
        ticks = None if uptime_s is None else round(uptime_s * 100)
        # Uptime by SSH counts minutes or days: no restart can be told by it.
        found = compare(tables, (), {}, before, start_s, None)
        self._before[device.id] = replace(found.now, uptime_ticks=ticks)
        return DeviceResult(
            at_ms=at_ms,
            duration_s=spent_s,
            platform=device.platform,
            uptime_s=uptime_s,
            words=words,
            tables=joined(found.tables),
        )

    def forget(self, device_id: str) -> None:
        """Know nothing of a device any more."""
        self._before.pop(device_id, None)

    def close(self) -> None:
        """Start nothing new; what runs ends by itself within its limits."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, talk: Talk) -> dict[str, str]:
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, talk.run)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            # The thread must not go on with a device somebody else may ask next.
            talk.stop()
            await asyncio.wait([running], timeout=_CLOSE_S)
            if running.done():
                # Nobody waits for what it says; asked, so that nobody warns of it.
                running.exception()
            raise


class Talk:
    """One connection: log in, send the platform's commands, leave."""

    def __init__(
        self,
        platform: SshPlatform,
        host: str,
        port: int,
        credential: SshCredential,
        known_hosts: str,
        budget_s: float = BUDGET_S,
    ) -> None:
        self._platform = platform
        self._host = host
        self._port = port
        self._credential = credential
        self._known_hosts = known_hosts
        self._budget_s = budget_s
        # Monotonic seconds, from when a thread is free.
        self._stop_s = math.inf
        self._client: paramiko.SSHClient | None = None
        self._output = 0
        self._has_logged_in = False
        self.is_stopped = False

    def check(self, line: str) -> None:
        """Look at a line before it is sent.

        Raises:
            DeniedError: the device asks for the password again. Some drivers would
                answer for ever, and an account that fails too often is locked.
        """
        password = self._credential.password
        if not self._platform.logs_in or password is None:
            return
        if line == password.reveal():
            if self._has_logged_in:
                raise DeniedError("user, password or key not accepted")
            self._has_logged_in = True

    def check_time(self) -> None:
        """Say whether there is time to go on reading, whatever the driver waits for.

        Raises:
            DeadlineError: there is none, or somebody stopped it from outside.
        """
        if self.is_stopped:
            raise DeadlineError("stopped")
        if time.monotonic() > self._stop_s:
            raise DeadlineError("no prompt came in time")

    def count(self, said: str) -> None:
        """Count what the device writes.

        Raises:
            ProtocolError: that is more than any device has to say.
        """
        self._output += len(said)
        if self._output > MOST_OUTPUT:
            raise ProtocolError("more output than any device has for these commands")

    def run(self) -> dict[str, str]:
        """Return the output of each command.

        Raises:
            SessionError: the device could not be asked to the end.
        """
        self._stop_s = time.monotonic() + self._budget_s
        try:
            return self._talk()
        except ForbiddenCommandError:
            raise
        except Exception as error:
            raise told(error, known=self._is_known()) from error
        finally:
            self.stop()

    def stop(self) -> None:
        """Close the connection, from any thread."""
        self.is_stopped = True
        if self._client is not None:
            self._client.close()

    def _talk(self) -> dict[str, str]:
        connection = self._connect()
        try:
            texts: dict[str, str] = {}
            for command in self._platform.commands:
                left_s = min(COMMAND_S, self._stop_s - time.monotonic())
                if left_s <= 0 or self.is_stopped:
                    raise DeadlineError("no time left for all commands")
                said = connection.send_command(command, read_timeout=left_s)
                texts[command] = str(said)
            return texts
        finally:
            connection.disconnect()

    def _connect(self) -> Any:
        credential = self._credential
        password = credential.password.reveal() if credential.password else ""
        enable = credential.enable_secret
        secret = enable.reveal() if enable else password
        logs_in = (credential.user, password) if self._platform.logs_in else ()
        allowed = {
            "",
            *self._platform.commands,
            *self._platform.prepares,
            *logs_in,
            # Asked after "enable", by the driver.
            secret,
        }
        driver = _guarded(self._platform.driver, frozenset(allowed), self)
        return driver(
            device_type=self._platform.driver,
            host=self._host,
            port=self._port,
            username=credential.user,
            password=password,
            secret=secret,
            use_keys=bool(credential.key_file),
            key_file=credential.key_file or None,
            allow_agent=False,
            ssh_strict=True,
            system_host_keys=False,
            alt_host_keys=True,
            alt_key_file=self._known_hosts,
            conn_timeout=CONNECT_S,
            auth_timeout=CONNECT_S,
            banner_timeout=CONNECT_S,
            fast_cli=True,
        )

    def take(self, client: paramiko.SSHClient) -> paramiko.SSHClient:
        """Keep the client, to be closed from outside; it refuses unknown keys."""
        client.set_missing_host_key_policy(_Refuse())
        self._client = client
        if self.is_stopped:
            raise DeadlineError("stopped")
        return client

    def _is_known(self) -> bool:
        try:
            keys = load_known(self._known_hosts)
        except (OSError, InvalidHostKey):
            return False
        return keys.lookup(host_name(self._host, self._port)) is not None


class _Refuse(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Refuse whoever is not in the file."""
        raise _UnknownKeyError(hostname)


class _UnknownKeyError(paramiko.SSHException):
    """No key of the host is in the file."""


def _guarded(driver: str, allowed: frozenset[str], talk: Talk) -> type:
    """Return netmiko's class of a driver that sends nothing but what is allowed."""
    base: Any = ssh_dispatcher(driver)

    class Guarded(base):  # type: ignore[misc]
        def write_channel(self, out_data: str) -> None:
            """Send a line if it is on the list."""
            line = out_data.rstrip("\r\n")
            if line not in allowed:
                raise ForbiddenCommandError("this line is not on the list")
            talk.check(line)
            super().write_channel(out_data)

        def read_channel(self) -> str:
            """Read, while there is time and nobody has closed the connection."""
            talk.check_time()
            said = str(super().read_channel())
            talk.count(said)
            return said

        def _build_ssh_client(self) -> paramiko.SSHClient:
            return talk.take(super()._build_ssh_client())

    return Guarded


def told(error: BaseException, *, known: bool) -> SessionError:
    """Return what an error of netmiko or paramiko means for the device.

    Texts of the libraries may quote what the device wrote: none is passed on.
    """
    for kinds, meaning in _MEANINGS:
        for one in _chain(error):
            if isinstance(one, kinds):
                found = meaning(one)
                if isinstance(found, UntrustedError) and known:
                    return UntrustedError("the host key is not the one in known_hosts")
                return found
    return ProtocolError(type(error).__name__)


def _first_of(error: Any) -> SessionError:
    return socket_error(next(iter(error.errors.values())))


def _value(error: BaseException) -> SessionError:
    if "enable" in str(error):
        return DeniedError("the commands need more rights than the user has")
    return ProtocolError("the prompt is not the one of the platform")


# In this order: what stands first is the more certain.
_MEANINGS: tuple[
    tuple[tuple[type[BaseException], ...], Callable[[Any], SessionError]], ...
] = (
    ((SessionError,), lambda error: error),
    (
        (paramiko.BadHostKeyException, _UnknownKeyError),
        lambda _: UntrustedError("the host key is not in known_hosts"),
    ),
    ((NoValidConnectionsError,), _first_of),
    (
        (paramiko.AuthenticationException, NetmikoAuthenticationException),
        lambda _: DeniedError("user, password or key not accepted"),
    ),
    ((ReadTimeout,), lambda _: DeadlineError("no prompt came in time")),
    (
        (paramiko.ssh_exception.IncompatiblePeer,),
        lambda _: ProtocolError("no algorithm in common: the device's SSH is too old"),
    ),
    (
        (InvalidHostKey, PermissionError),
        lambda _: UntrustedError("known_hosts or the key file cannot be read"),
    ),
    ((TimeoutError,), lambda _: NoReplyError("no answer in time")),
    (
        (EOFError, ConnectionResetError, BrokenPipeError),
        lambda _: BrokenOffError("the device closed the connection"),
    ),
    ((OSError,), socket_error),
    ((ValueError,), _value),
    ((NetmikoTimeoutException,), lambda _: NoReplyError("no SSH in time")),
)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def host_name(host: str, port: int) -> str:
    """Return how OpenSSH's known_hosts calls a host at a port."""
    return host if port == DEFAULT_PORT else f"[{host}]:{port}"


def load_known(path: str) -> HostKeys:
    """Return the keys of a file; none where there is no file yet."""
    keys = HostKeys()
    if path and Path(path).is_file():
        keys.load(path)
    return keys


def _parse_all(
    platform: SshPlatform, texts: dict[str, str]
) -> dict[str, Sequence[Record] | None]:
    return {command: parse(platform, command, texts[command]) for command in texts}
