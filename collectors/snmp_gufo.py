"""The default driver: gufo-snmp (Rust), v2c and v3, asyncio.

What 0.13 leaves to us is in `collectors.guards`, and in `GufoRows` here.
"""

from __future__ import annotations

from collections.abc import Sequence

from gufo.snmp import SnmpAuthError, SnmpDecodeError, SnmpError, SnmpVersion, ValueType
from gufo.snmp._fast import GetIter
from gufo.snmp.aio import SnmpSession

from collectors.base import (
    SYS_UPTIME,
    DeniedError,
    ErrorStatusError,
    GarbledError,
    ProtocolError,
    SessionError,
    Value,
    oid_key,
)
from collectors.credentials import Credential
from collectors.resolve import resolve, socket_error
from netmon.config import Secret
from netmon.snmp_user import snmp_user

_PLAIN = frozenset((int, bytes))
# Of the scalar sysUpTime.0 the name without the instance.
_SYS_UPTIME = SYS_UPTIME.removesuffix(".0")


class GufoLink:
    """One device by gufo-snmp; the socket is opened with the first request."""

    def __init__(
        self, host: str, port: int, credential: Credential, *, timeout_s: float
    ) -> None:
        self._host = host
        self._port = port
        self._credential = credential
        self._timeout_s = timeout_s
        self._session: SnmpSession | None = None

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """Ask once; an error status comes back as an empty answer."""
        session = await self.opened()
        try:
            answer = await session.get_many(oids)
        except (OSError, SnmpError) as error:
            raise _told(error) from error
        if _PLAIN.issuperset(map(type, answer.values())):
            return answer  # type: ignore[return-value]
        return {
            oid: _value(value) for oid, value in answer.items() if value is not None
        }

    def rows(self, root: str, max_repetitions: int) -> GufoRows:
        """Return a walk below ``root``."""
        return GufoRows(self, root, max_repetitions)

    async def refresh(self) -> None:
        """Renew engine boots and time; nothing to do for v2c."""
        session = await self.opened()
        try:
            await session.refresh()
        except (OSError, SnmpError) as error:
            raise _told(error) from error

    async def aclose(self) -> None:
        """Drop the session; its socket closes with it."""
        self._session = None

    async def opened(self) -> SnmpSession:
        """Return the session, made with the first call."""
        if self._session is not None:
            return self._session
        address = await resolve(self._host, self._port)
        session = self._make(address)
        try:
            # SNMPv3 learns the engine id here; for v2c it sends nothing.
            await session.refresh()
        except (OSError, SnmpError) as error:
            raise _told(error) from error
        self._session = session
        return session

    def _make(self, address: str) -> SnmpSession:
        credential = self._credential
        try:
            if credential.version == "v2c":
                return SnmpSession(
                    address,
                    self._port,
                    community=_text(credential.community),
                    version=SnmpVersion.v2c,
                    timeout=self._timeout_s,
                )
            user = snmp_user(
                credential.user,
                (credential.auth_protocol, _text(credential.auth_secret)),
                (credential.priv_protocol, _text(credential.priv_secret)),
            )
            return SnmpSession(
                address,
                self._port,
                user=user,
                version=SnmpVersion.v3,
                timeout=self._timeout_s,
            )
        except OSError as error:
            raise socket_error(error) from error


class GufoRows:
    """A walk by GETBULK; a call that failed goes on where it stopped.

    The public iterator ends in the same way for "the next object lies outside",
    "end of the MIB" and "error status". Only the first is sure to be an end, and
    a table taken for whole when it is not would call access points down. So the
    socket is asked itself: it ends its page with None in the first case and
    raises StopAsyncIteration in the other two, which `_prove_end` tells apart.
    """

    def __init__(self, link: GufoLink, root: str, max_repetitions: int) -> None:
        self._link = link
        self._root = root
        self._max_repetitions = max_repetitions
        self._asked = GetIter(root, max_repetitions)
        self._ended = False

    async def next_page(self) -> list[tuple[str, Value]]:
        """Return the rows of one reply; empty after the last one.

        Raises:
            ErrorStatusError: the device broke the walk off.
        """
        session = await self._link.opened()
        rows: list[tuple[str, Value]] = []
        while not rows and not self._ended:
            try:
                found = await self._page(session)
            except (OSError, SnmpError) as error:
                raise _told(error) from error
            self._ended = not found or found[-1] is None
            rows = [
                (row[0], _value(row[1]))
                for row in found
                if row is not None and row[1] is not None
            ]
        return rows

    async def _page(self, session: SnmpSession) -> list[tuple[str, ValueType] | None]:
        try:
            return await self._ask(session, self._asked)
        except StopAsyncIteration:
            await self._prove_end(session)
            return []

    async def _ask(
        self, session: SnmpSession, asked: GetIter
    ) -> list[tuple[str, ValueType] | None]:
        # Private parts of a version that is pinned; the contract suite holds them.
        link = session._sock  # noqa: SLF001
        await session._send(lambda: link.send_get_bulk(asked))  # noqa: SLF001
        return await session._recv(lambda: link.recv_get_bulk(asked))  # noqa: SLF001

    async def _prove_end(self, session: SnmpSession) -> None:
        """Raise if the walk did not end because nothing is left.

        That is so if the device has anything behind the root, or if it has nothing
        to say even where every device has something.
        """
        *above, last = oid_key(self._root)
        behind = GetIter(".".join(map(str, (*above, last + 1))), 1)
        if not await self._is_end(session, behind):
            raise ErrorStatusError(f"the device broke off below {self._root}")
        if await self._is_end(session, GetIter(_SYS_UPTIME, 1)):
            raise ErrorStatusError("the device answers without any row")

    async def _is_end(self, session: SnmpSession, asked: GetIter) -> bool:
        try:
            await self._ask(session, asked)
        except StopAsyncIteration:
            return True
        return False


def _text(secret: Secret | None) -> str:
    return "" if secret is None else secret.reveal()


def _value(value: ValueType) -> Value:
    """Object ids, addresses and the rare float come as text."""
    if isinstance(value, int | bytes):
        return value
    return str(value).encode()


def _told(error: Exception) -> SessionError:
    if isinstance(error, OSError):
        return socket_error(error)
    if isinstance(error, SnmpAuthError):
        return DeniedError("user, key or time window not accepted")
    if isinstance(error, SnmpDecodeError):
        return GarbledError(f"unreadable answer: {error}")
    return ProtocolError(str(error) or type(error).__name__)
