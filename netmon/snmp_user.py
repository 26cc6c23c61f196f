"""SNMPv3 users as gufo-snmp wants them; probes and collectors both ask with it."""

from __future__ import annotations

from typing import Literal

from gufo.snmp import (
    Aes128Key,
    Aes192Key,
    Aes256Key,
    BaseAuthKey,
    BasePrivKey,
    Md5Key,
    Sha1Key,
    Sha224Key,
    Sha256Key,
    Sha384Key,
    Sha512Key,
    User,
)

AuthProtocol = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
PrivProtocol = Literal["aes128", "aes192", "aes256"]
_AUTH: dict[AuthProtocol, type[BaseAuthKey]] = {
    "md5": Md5Key,
    "sha1": Sha1Key,
    "sha224": Sha224Key,
    "sha256": Sha256Key,
    "sha384": Sha384Key,
    "sha512": Sha512Key,
}
_PRIV: dict[PrivProtocol, type[BasePrivKey]] = {
    "aes128": Aes128Key,
    "aes192": Aes192Key,
    "aes256": Aes256Key,
}


def snmp_user(
    name: str, auth: tuple[AuthProtocol, str], priv: tuple[PrivProtocol, str]
) -> User:
    """Return a user with authentication and privacy, each a protocol and its secret."""
    auth_protocol, auth_secret = auth
    priv_protocol, priv_secret = priv
    return User(
        name,
        auth_key=_AUTH[auth_protocol](auth_secret.encode()),
        priv_key=_PRIV[priv_protocol](priv_secret.encode()),
    )
