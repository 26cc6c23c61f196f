"""What travels between a sender (probe, collector) and the gateway: columnar JSON.

A series carries its kind and tags once and then parallel arrays. A record is
one index across them. Its identity is ``(source, spool, seq)``: ``spool`` is a
random name made when the sender's spool file is created, so a probe whose SD
card was replaced starts a new numbering instead of colliding with the old one.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from netmon.model import FailureReason

WIRE_VERSION = 1
MAX_BATCH_RECORDS = 10_000
MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_UNPACKED_BYTES = 16 * 1024 * 1024
MEASUREMENTS_PATH = "/api/v1/measurements"
TAG_VALUE = re.compile(r"^[^\x00-\x1f\x7f]{1,128}$")


class Series(Struct, gc=False):
    """Records of one kind about one thing.

    ``seq``, ``ts`` (milliseconds since 1970, when measured) and every array in
    ``values`` have the same length. A value is None where that number could not
    be had. ``failure`` is None when no record failed, else one entry a record;
    a failed record has no numbers. ``info`` holds words about the thing (model,
    serial, firmware), the newest win.
    """

    kind: str
    tags: dict[str, str]
    seq: Annotated[list[int], Meta(extra_json_schema={"minItems": 1})]
    ts: list[int]
    values: dict[str, list[float | None]]
    failure: list[FailureReason | None] | None = None
    info: dict[str, str] = {}


class Batch(Struct, gc=False):
    """What a sender pushes at once. ``sent_ms`` is its clock at sending."""

    source: str
    spool: Annotated[str, Meta(extra_json_schema={"pattern": "^[0-9a-f]{32}$"})]
    sent_ms: Annotated[int, Meta(extra_json_schema={"minimum": 0})]
    series: list[Series]
    v: Annotated[int, Meta(extra_json_schema={"const": WIRE_VERSION})] = WIRE_VERSION
    agent: str = ""


class Rejected(Struct, frozen=True):
    """A record that can never be taken, with the reason in words."""

    seq: int
    reason: str


class Receipt(Struct, frozen=True):
    """The gateway's answer after its commit; the sender may now forget the batch.

    ``accepted + duplicates + len(quarantined)`` is the number of records sent.
    """

    accepted: int
    duplicates: int
    quarantined: tuple[Rejected, ...] = ()
    received_ms: int = 0


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    """The one error shape of the API, inside ``{"error": ...}``.

    ``retry`` says whether the same request may succeed later.
    """

    code: str
    message: str
    fix: str
    retry: bool = False
    field: str | None = None


class ErrorReply(Struct, frozen=True):
    """Envelope of every error answer."""

    error: ErrorBody


_encode = msgspec.json.Encoder()
_decode_batch = msgspec.json.Decoder(Batch)
_decode_receipt = msgspec.json.Decoder(Receipt)
_decode_error = msgspec.json.Decoder(ErrorReply)


def encode(message: Batch | Receipt | ErrorReply) -> bytes:
    """Return the JSON of a message."""
    return _encode.encode(message)


def decode_batch(body: bytes) -> Batch:
    """Return the batch in a body.

    Raises:
        msgspec.ValidationError: well-formed JSON of the wrong shape; its text
            names the path of the field.
        msgspec.DecodeError: no JSON.
    """
    try:
        return _decode_batch.decode(body)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("text that is not UTF-8") from error


def decode_receipt(body: bytes) -> Receipt:
    """Return the receipt in an answer; raises as `decode_batch`."""
    try:
        return _decode_receipt.decode(body)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("text that is not UTF-8") from error


def decode_error(body: bytes) -> ErrorBody | None:
    """Return the error in an answer; None where the answer is something else."""
    try:
        return _decode_error.decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
