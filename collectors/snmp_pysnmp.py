"""The fallback driver: pysnmp, for devices gufo-snmp does not get on with.

Slower by two orders of magnitude, but it checks the authentication of SNMPv3
replies and takes datagrams of any length. One engine a device, so that closing
the link forgets a replaced device's engine id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyasn1.type import univ
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch.asyncio import (
    USM_AUTH_HMAC96_MD5,
    USM_AUTH_HMAC96_SHA,
    USM_AUTH_HMAC128_SHA224,
    USM_AUTH_HMAC192_SHA256,
    USM_AUTH_HMAC256_SHA384,
    USM_AUTH_HMAC384_SHA512,
    USM_PRIV_CFB128_AES,
    USM_PRIV_CFB192_AES_BLUMENTHAL,
    USM_PRIV_CFB256_AES_BLUMENTHAL,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    Udp6TransportTarget,
    UdpTransportTarget,
    bulk_cmd,
    get_cmd,
)
from pysnmp.hlapi.v3arch.asyncio.auth import CommunityData, UsmUserData
from pysnmp.proto import errind, rfc1902, rfc1905

from collectors.base import (
    DeniedError,
    ErrorStatusError,
    NoReplyError,
    ProtocolError,
    SessionError,
    Value,
    oid_key,
)
from collectors.credentials import Credential
from collectors.pysnmp_engine import new_engine
from collectors.resolve import resolve, socket_error
from netmon.config import Secret
from netmon.snmp_user import AuthProtocol, PrivProtocol

AUTH_PROTOCOLS: dict[AuthProtocol, tuple[int, ...]] = {
    "md5": USM_AUTH_HMAC96_MD5,
    "sha1": USM_AUTH_HMAC96_SHA,
    "sha224": USM_AUTH_HMAC128_SHA224,
    "sha256": USM_AUTH_HMAC192_SHA256,
    "sha384": USM_AUTH_HMAC256_SHA384,
    "sha512": USM_AUTH_HMAC384_SHA512,
}
PRIV_PROTOCOLS: dict[PrivProtocol, tuple[int, ...]] = {
    "aes128": USM_PRIV_CFB128_AES,
    "aes192": USM_PRIV_CFB192_AES_BLUMENTHAL,
    "aes256": USM_PRIV_CFB256_AES_BLUMENTHAL,
}
_MISSING = (
    rfc1905.NoSuchObject,
    rfc1905.NoSuchInstance,
    rfc1905.EndOfMibView,
    rfc1902.Null,
)
_DENIALS = (
    errind.AuthenticationError,
    errind.AuthenticationFailure,
    errind.UnknownUserName,
    errind.WrongDigest,
    errind.UnsupportedSecurityLevel,
    errind.NotInTimeWindow,
    errind.DecryptionError,
)


class PysnmpLink:
    """One device by pysnmp; the engine is made with the first request."""

    def __init__(
        self, host: str, port: int, credential: Credential, *, timeout_s: float
    ) -> None:
        self._host = host
        self._port = port
        self._auth = _auth(credential)
        self._timeout_s = timeout_s
        self._engine: SnmpEngine | None = None
        self._target: Any = None

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """Ask once."""
        answer = await self._ask(get_cmd, oids)
        return {oid: value for oid, value in answer if value is not None}

    def rows(self, root: str, max_repetitions: int) -> PysnmpRows:
        """Return a walk below ``root``."""
        return PysnmpRows(self, root, max_repetitions)

    async def bulk(
        self, after: str, max_repetitions: int
    ) -> list[tuple[str, Value | None]]:
        """Return what one GETBULK gives; None marks the end of the MIB.

        Raises:
            SessionError: the agent did not answer, or by an error.
        """
        return await self._ask(bulk_cmd, [after], 0, max_repetitions)

    async def refresh(self) -> None:
        """Do nothing: pysnmp follows a device's restarts itself."""

    async def aclose(self) -> None:
        """Close the engine's socket and stop its timer."""
        if self._engine is not None:
            self._engine.close_dispatcher()
            self._engine = None

    async def _ask(
        self, command: Any, oids: Sequence[str], *numbers: int
    ) -> list[tuple[str, Value | None]]:
        if self._engine is None:
            address = await resolve(self._host, self._port)
            kind = Udp6TransportTarget if ":" in address else UdpTransportTarget
            self._target = await kind.create(
                (address, self._port), timeout=self._timeout_s, retries=0
            )
            self._target.PROTO_TRANSPORT = _hears_only(
                self._target.transport_address, kind.PROTO_TRANSPORT
            )
            self._engine = new_engine()
        objects = [ObjectType(ObjectIdentity(oid)) for oid in oids]
        try:
            indication, status, index, rows = await command(
                self._engine,
                self._auth,
                self._target,
                ContextData(),
                *numbers,
                *objects,
                lookupMib=False,
            )
        except OSError as error:
            raise socket_error(error) from error
        except PySnmpError as error:
            raise ProtocolError(type(error).__name__) from error
        if indication:
            raise _told(indication)
        if status:
            raise ErrorStatusError(f"error status {int(status)} at {int(index)}")
        return [(str(name), _value(value)) for name, value in rows]


class PysnmpRows:
    """A walk by GETBULK."""

    def __init__(self, link: PysnmpLink, root: str, max_repetitions: int) -> None:
        self._link = link
        self._top = oid_key(root)
        self._after = root
        self._max_repetitions = max_repetitions
        self._ended = False

    async def next_page(self) -> list[tuple[str, Value]]:
        """Return the rows of one reply that lie below the root; none at the end.

        Raises:
            ProtocolError: the agent answered without any row.
            SessionError: it did not answer, or by an error.
        """
        if self._ended:
            return []
        reply = await self._link.bulk(self._after, self._max_repetitions)
        if not reply:
            raise ProtocolError("an answer without any row")
        page: list[tuple[str, Value]] = []
        for oid, value in reply:
            if value is None or oid_key(oid)[: len(self._top)] != self._top:
                self._ended = True
                break
            page.append((oid, value))
            self._after = oid
        return page


def _hears_only(device: tuple[Any, ...], kind: Any) -> type:
    """Return pysnmp's transport that drops what does not come from the device.

    pysnmp itself takes an answer from whoever knows the number of the question.
    """

    class Heard(kind):  # type: ignore[misc]
        def datagram_received(self, datagram: bytes, sender: tuple[Any, ...]) -> None:
            """Pass a datagram on if host and port are those that were asked."""
            if sender[:2] == device[:2]:
                super().datagram_received(datagram, sender)

    return Heard


def _auth(credential: Credential) -> CommunityData | UsmUserData:
    if credential.version == "v2c":
        return CommunityData(_text(credential.community), mpModel=1)  # noqa: S508 - old devices speak nothing else
    return UsmUserData(
        credential.user,
        authKey=_text(credential.auth_secret),
        privKey=_text(credential.priv_secret),
        authProtocol=AUTH_PROTOCOLS[credential.auth_protocol],
        privProtocol=PRIV_PROTOCOLS[credential.priv_protocol],
    )


def _text(secret: Secret | None) -> str:
    return "" if secret is None else secret.reveal()


def _value(value: Any) -> Value | None:
    """Return a number, bytes, or None for what the device does not have."""
    if isinstance(value, _MISSING):
        return None
    if isinstance(value, univ.Integer):
        return int(value)
    if isinstance(value, rfc1902.IpAddress | univ.ObjectIdentifier):
        return str(value.prettyPrint()).encode()  # type: ignore[no-untyped-call]
    return bytes(value.asOctets())


def _told(indication: Any) -> SessionError:
    if isinstance(indication, errind.RequestTimedOut):
        return NoReplyError("no reply")
    if isinstance(indication, _DENIALS):
        return DeniedError("user, key or time window not accepted")
    return ProtocolError(str(indication))
