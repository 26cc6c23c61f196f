"""Tokens of leases: what was signed comes back, and nothing else is believed."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from netmon.config import Secret
from netmon.lease_token import (
    MAX_TOKEN_CHARS,
    LeaseClaims,
    TokenError,
    check_key,
    looks_like_lease,
    sign,
    verify,
)
from netmon.lease_wire import Direction

NOW_MS = 1_795_162_320_000
KEY = Secret("k" * 32)
CLAIMS = LeaseClaims(
    id="9f2c",
    server="m1",
    line="gs-07-main",
    directions=(Direction.DOWN, Direction.UP),
    rate_cap_bps=800_000_000,
    bytes=400_000_000,
    seconds=4.0,
    streams_count=3,
    expires_ms=NOW_MS + 9_000,
)


def _verify(token: str, key: Secret = KEY, **more: Any) -> LeaseClaims:
    return verify(token, key, **{"server": "m1", "now_ms": NOW_MS, **more})


def _signed_text(body: bytes) -> str:
    """A token over any bytes, signed with the right key."""
    text = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    digest = hmac.digest(KEY.reveal().encode(), f"nml1.{text}".encode(), "sha256")
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f"nml1.{text}.{signature}"


def test_the_claims_come_back():
    token = sign(CLAIMS, KEY)
    assert looks_like_lease(token)
    assert _verify(token) == CLAIMS
    assert len(token) < 1024  # a request line has 4096 bytes
    assert sign(CLAIMS, KEY) == token


def test_the_signature_is_plain_hmac_sha256():
    """Another implementation can check it with any library."""
    body = json.dumps(
        {
            "id": "9f2c",
            "server": "m1",
            "line": "gs-07-main",
            "directions": ["down", "up"],
            "rate_cap_bps": 800_000_000,
            "bytes": 400_000_000,
            "seconds": 4.0,
            "streams_count": 3,
            "expires_ms": NOW_MS + 9_000,
        },
        separators=(",", ":"),
    )
    assert sign(CLAIMS, KEY) == _signed_text(body.encode())


@given(at=st.integers(0, 10**6), character=st.characters())
def test_any_other_character_makes_it_worthless(at, character):
    token = sign(CLAIMS, KEY)
    at %= len(token)
    if character == token[at]:
        return
    with pytest.raises(TokenError):
        _verify(token[:at] + character + token[at + 1 :])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"key": Secret("l" * 32)}, "not signed"),
        ({"server": "m2"}, "another measurement server"),
        ({"now_ms": NOW_MS + 9_000}, "expired"),
    ],
)
def test_another_key_server_or_time_is_refused(change, text):
    with pytest.raises(TokenError, match=text):
        _verify(sign(CLAIMS, KEY), **change)


def test_it_is_good_until_it_expires():
    assert _verify(sign(CLAIMS, KEY), now_ms=NOW_MS + 8_999) == CLAIMS


@pytest.mark.parametrize(
    "token",
    ["", "nml1.", "nml1..", "nml1.e30", "nml2.e30.e30", "nml1.\ud800.\ud800", "right"],
)
def test_no_token_is_no_lease(token):
    with pytest.raises(TokenError):
        _verify(token)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id":"\xff"}', b"\xff\xfe"])
def test_signed_nonsense_is_of_another_version(body):
    with pytest.raises(TokenError, match="another version"):
        _verify(_signed_text(body))


def test_a_huge_token_is_not_looked_at():
    huge = replace(CLAIMS, line="x" * MAX_TOKEN_CHARS)
    with pytest.raises(TokenError, match="no token"):
        _verify(sign(huge, KEY))


def test_a_refusal_shows_neither_key_nor_token():
    token = sign(CLAIMS, KEY)
    with pytest.raises(TokenError) as caught:
        _verify(token, Secret("l" * 32))
    assert token.split(".")[2] not in str(caught.value)
    assert "llll" not in repr(caught.value)


def test_a_short_key_is_refused():
    assert check_key(KEY) is KEY
    with pytest.raises(ValueError, match="at least 32") as caught:
        check_key(Secret("k" * 31))
    assert "kkkk" not in str(caught.value)
