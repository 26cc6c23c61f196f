"""The id of an engine is found in a message, whatever else is in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.trap_engine import engine_id


@given(st.binary(max_size=80), st.integers(0, 60))
def test_no_octets_break_the_look_at_an_engine_id(noise: bytes, cut: int) -> None:
    """Random ones, and a message with random octets in the middle."""
    assert engine_id(noise) is None or len(noise) > 5
    parameters = _ber(0x30, _ber(4, b"engine-of-it"))
    message = _ber(
        0x30, b"\x02\x01\x03" + _ber(0x30, b"\x02\x01\x01") + _ber(4, parameters)
    )
    assert engine_id(message) == b"engine-of-it"
    engine_id(message[:cut] + noise + message[cut:])


def test_the_engine_of_a_trap_is_found() -> None:
    engine = bytes.fromhex("80001f8804636f7265")
    parameters = _ber(0x30, _ber(4, engine) + b"\x02\x01\x00\x02\x01\x00")
    message = _ber(
        0x30, b"\x02\x01\x03" + _ber(0x30, b"\x02\x01\x01") + _ber(4, parameters)
    )
    assert engine_id(message) == engine
    assert engine_id(message.replace(b"\x02\x01\x03", b"\x02\x01\x01", 1)) is None
    assert engine_id(message[:-1]) is None
    short = _ber(0x30, _ber(4, b"abcd"))
    assert (
        engine_id(_ber(0x30, b"\x02\x01\x03" + _ber(0x30, b"") + _ber(4, short)))
        is None
    )


def _ber(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content
