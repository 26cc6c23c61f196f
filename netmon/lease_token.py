"""The signed token of a lease: what the gateway promises to a measurement server.

``nml1.<claims>.<signature>``: the claims are JSON, the signature is HMAC-SHA256 with
a key that gateway and measurement servers share; both parts in base64url. The
token travels in the clear, but it is good for one test of one line, for seconds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import msgspec
from msgspec import Struct

from netmon.config import Secret
from netmon.errors import NetmonError
from netmon.lease_wire import Direction

PREFIX = "nml1."
MIN_KEY_CHARS = 32
MAX_TOKEN_CHARS = 2048


class LeaseClaims(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the bearer may do. ``bytes`` and ``seconds`` bound each direction.

    ``streams_count`` is how many connections share the bytes; ``expires_ms`` is UTC
    milliseconds by the gateway's clock.
    """

    id: str
    server: str
    line: str
    directions: tuple[Direction, ...]
    rate_cap_bps: int
    bytes: int
    seconds: float
    streams_count: int
    expires_ms: int


class TokenError(NetmonError):
    """The token gives no right; the text says why and holds nothing of it."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LeaseClaims).decode


def check_key(key: Secret) -> Secret:
    """Return the key if it is long enough to sign with.

    Raises:
        ValueError: fewer than 32 characters.
    """
    if len(key.reveal()) < MIN_KEY_CHARS:
        raise ValueError(f"the key needs at least {MIN_KEY_CHARS} characters")
    return key


def looks_like_lease(token: str) -> bool:
    """Say whether a token claims to be one of a lease."""
    return token.startswith(PREFIX)


def sign(claims: LeaseClaims, key: Secret) -> str:
    """Return the token of the claims; the same claims give the same token."""
    body = _to_text(_encode(claims))
    return f"{PREFIX}{body}.{_to_text(_digest(body, key))}"


def verify(token: str, key: Secret, *, server: str, now_ms: int) -> LeaseClaims:
    """Return the claims of a good token.

    Raises:
        TokenError: not signed with this key, for another server, or expired.
    """
    body, dot, signature = token.removeprefix(PREFIX).partition(".")
    if not looks_like_lease(token) or not dot or len(token) > MAX_TOKEN_CHARS:
        raise TokenError("this is no token of a lease")
    # Bytes, because compare_digest refuses texts that are not ASCII.
    right = _to_text(_digest(body, key)).encode()
    if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), right):
        raise TokenError("the lease is not signed with this server's key")
    try:
        claims = _decode(_from_text(body))
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error) as error:
        raise TokenError("the lease is of another version") from error
    if claims.server != server:
        raise TokenError("the lease is for another measurement server")
    if claims.expires_ms <= now_ms:
        raise TokenError("the lease has expired")
    return claims


def _digest(body: str, key: Secret) -> bytes:
    message = (PREFIX + body).encode("utf-8", "surrogatepass")
    return hmac.new(key.reveal().encode(), message, hashlib.sha256).digest()


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _from_text(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
