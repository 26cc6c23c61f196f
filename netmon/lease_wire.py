"""What a probe and the gateway say about slots: who may measure when, and how much.

A probe asks before it loads a line; the answer is a lease with a signed token
for one measurement server, or when to ask again. Its place in the queue is kept
while it waits.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from netmon.units import MAX_RATE_BPS

LEASES_PATH = "/api/v1/leases"
MAX_LENGTH_S = 60.0
MAX_STREAMS = 16
# What a test takes if its probe does not say. Too short a guess costs some questions
# more, too long a one leaves slots empty.
TYPICAL_S = 1.0
MAX_ASK_BYTES = 8 * 1024
_MOST_NAMES = 16


def _shown(**bounds: float) -> Meta:
    """Return bounds for the API's description; the Struct itself holds them."""
    return Meta(extra_json_schema=bounds)


class Purpose(StrEnum):
    """Why a probe measures, in the order of who goes first."""

    CONFIRMATION = "confirmation"
    ON_SITE = "on_site"
    FLOOR = "floor"
    ROUTINE = "routine"
    CAMPAIGN = "campaign"


class Direction(StrEnum):
    """Which way the data of a test goes, seen from the school."""

    DOWN = "down"
    UP = "up"


class WaitReason(StrEnum):
    """Why a probe has to wait: a closed list, with a text in each catalogue."""

    SERVER_FULL = "server_full"
    SEGMENT_FULL = "segment_full"
    RADIO_HOP_BUSY = "radio_hop_busy"
    LINE_BUSY = "line_busy"
    QUEUE = "queue"
    NO_SERVER = "no_server"


class LeaseAsk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A probe's wish; who asks is told by its bearer token.

    ``rate_cap_bps`` bounds the test; 0 takes the contract and a tenth. With less
    than ``least_bps`` the test makes no sense. ``length_s`` is a hard bound,
    ``expected_s`` (0: the same) what it will probably take. ``latest_start_ms``
    moves a place in the queue forward within the purpose's patience. ``nearest`` names
    servers by the probe's own round trips, shortest first; those it does not know come
    after them in the gateway's order. ``avoid``
    names servers that the probe cannot reach.
    """

    line: str
    purpose: Purpose
    directions: Annotated[
        tuple[Direction, ...], _shown(minItems=1, maxItems=2, uniqueItems=True)
    ]
    length_s: Annotated[float, _shown(exclusiveMinimum=0, maximum=MAX_LENGTH_S)]
    expected_s: Annotated[float, _shown(minimum=0, maximum=MAX_LENGTH_S)] = 0.0
    rate_cap_bps: Annotated[int, _shown(minimum=0, maximum=MAX_RATE_BPS)] = 0
    least_bps: Annotated[int, _shown(minimum=0, maximum=MAX_RATE_BPS)] = 0
    streams_count: Annotated[int, _shown(minimum=1, maximum=MAX_STREAMS)] = 1
    latest_start_ms: int | None = None
    avoid: Annotated[tuple[str, ...], _shown(maxItems=_MOST_NAMES)] = ()
    nearest: Annotated[tuple[str, ...], _shown(maxItems=_MOST_NAMES)] = ()

    def __post_init__(self) -> None:
        """Refuse what makes no sense; msgspec names the field's path."""
        if not self.directions or len(set(self.directions)) != len(self.directions):
            raise ValueError("directions names 'down', 'up' or both, each once")
        if not 0 < self.length_s <= MAX_LENGTH_S:
            raise ValueError(f"length_s is above 0 and at most {MAX_LENGTH_S:g}")
        if not 0 <= self.expected_s <= self.length_s:
            raise ValueError("expected_s is from 0 to length_s")
        if not 0 <= self.least_bps <= MAX_RATE_BPS:
            raise ValueError("least_bps is from 0 to 100 Gbit/s")
        if not 0 <= self.rate_cap_bps <= MAX_RATE_BPS:
            raise ValueError("rate_cap_bps is from 0 to 100 Gbit/s")
        if self.rate_cap_bps and self.least_bps > self.rate_cap_bps:
            raise ValueError("least_bps is at most rate_cap_bps")
        if not 1 <= self.streams_count <= MAX_STREAMS:
            raise ValueError(f"streams_count is from 1 to {MAX_STREAMS}")
        for field, names in (("avoid", self.avoid), ("nearest", self.nearest)):
            if len(names) > _MOST_NAMES or any(len(name) > 64 for name in names):
                raise ValueError(f"{field} names at most {_MOST_NAMES} servers")


class ServerAddress(Struct, frozen=True, kw_only=True):
    """A measurement server as ``host:port``; ``healthy`` as the gateway sees it."""

    id: str
    address: str
    healthy: bool


class LeaseGranted(Struct, frozen=True, kw_only=True, tag="granted", tag_field="state"):
    """Go ahead, at the first of ``servers``, before ``expires_ms``.

    ``rate_cap_bps`` may be less than asked: 80 % of the smallest shared thing on
    the way. ``token`` is good for this one test. Times are UTC milliseconds.
    """

    id: str
    token: str
    line: str
    directions: tuple[Direction, ...]
    rate_cap_bps: int
    bytes: int
    length_s: float
    streams_count: int
    expires_ms: int
    servers: tuple[ServerAddress, ...]


class LeaseWait(Struct, frozen=True, kw_only=True, tag="waiting", tag_field="state"):
    """Not yet: ask again after ``retry_after_s``; the place in the queue is kept.

    ``resource`` is the id of what is taken, empty where it is no single thing.
    ``ahead_count`` is how many wait with a better place.
    """

    retry_after_s: float
    why: WaitReason
    message: str
    resource: str = ""
    ahead_count: int = 0


_encode = msgspec.json.Encoder()
_decode_ask = msgspec.json.Decoder(LeaseAsk)
_decode_reply: msgspec.json.Decoder[LeaseGranted | LeaseWait] = msgspec.json.Decoder(
    LeaseGranted | LeaseWait
)


def encode_lease_message(message: LeaseAsk | LeaseGranted | LeaseWait) -> bytes:
    """Return the JSON of a message."""
    return _encode.encode(message)


def decode_ask(body: bytes) -> LeaseAsk:
    """Return the wish in a body.

    Raises:
        msgspec.ValidationError: JSON of the wrong shape or a senseless wish.
        msgspec.DecodeError: no JSON.
    """
    try:
        return _decode_ask.decode(body)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("text that is not UTF-8") from error


def decode_lease_reply(body: bytes) -> LeaseGranted | LeaseWait:
    """Return the gateway's answer; raises as `decode_ask`."""
    try:
        return _decode_reply.decode(body)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("text that is not UTF-8") from error
