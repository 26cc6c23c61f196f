"""``POST /api/v1/measurements``: where probes and collectors hand over results."""

from __future__ import annotations

import logging
import zlib
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from dashboards.bearer import RefusedError, authenticate, refuse, reply
from dashboards.group_commit import FullError, GroupCommit
from dashboards.openapi import refusal, wire_answer
from netmon.clock import Clock, to_ms
from netmon.errors import StorageError, StorageFullError
from netmon.ingest import (
    ForbiddenTargetError,
    MalformedBatchError,
    check_batch,
    receipt,
)
from netmon.storage.current import CurrentInventory
from netmon.storage.ports import Store
from netmon.wire import (
    MAX_BODY_BYTES,
    MAX_UNPACKED_BYTES,
    MEASUREMENTS_PATH,
    ErrorBody,
    ErrorReply,
    decode_batch,
    encode,
)

_log = logging.getLogger(__name__)


class IngestService:
    """What the route needs: the store, the clock, and the writer thread."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        inventory: CurrentInventory,
        min_free_bytes: int = 0,
    ) -> None:
        self.store = store
        self.clock = clock
        self.inventory = inventory
        self._min_free_bytes = min_free_bytes
        self._had_room = True
        self.commits = GroupCommit(store.measurements.write)

    def start(self) -> None:
        """Start accepting."""
        self.commits.start()

    def stop(self) -> None:
        """Commit what waits and stop."""
        self.commits.stop()

    def has_room(self) -> bool:
        """Say whether the disk has enough left for what arrives and for all others."""
        has_room = self.store.disk_free_bytes() >= self._min_free_bytes
        if has_room != self._had_room:
            self._had_room = has_room
            told = "has room again" if has_room else "is full: nothing is accepted"
            _log.warning("the disk %s (store.min_free_mb)", told)
        return has_room

    def known_building(self, building_id: str) -> bool:
        """Say whether a building may have measurements; before any import, all may."""
        buildings = self.inventory().building_by_id
        return not buildings or building_id in buildings


def _too_large(limit: int) -> RefusedError:
    return refuse(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"the body is larger than {limit} bytes",
        "send fewer records at once",
        field="body",
    )


def _full() -> RefusedError:
    return refuse(
        HTTPStatus.INSUFFICIENT_STORAGE,
        "disk_full",
        "the gateway's disk is full",
        "keep the data; somebody has to make room on the gateway's disk",
        retry=True,
    )


async def _body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        raise _too_large(MAX_BODY_BYTES)
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > MAX_BODY_BYTES:
            raise _too_large(MAX_BODY_BYTES)
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        return bytes(parts)
    if encoding == "gzip":
        return _gunzip(bytes(parts))
    raise refuse(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "bad_encoding",
        f"content encoding {encoding[:32]!r} is not spoken here",
        "send gzip or no encoding",
        field="content-encoding",
    )


def _gunzip(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(packed, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise refuse(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "malformed",
            "the body is no gzip",
            "compress it with gzip or leave content-encoding out",
            field="body",
        ) from error
    if unpacker.unconsumed_tail:
        raise _too_large(MAX_UNPACKED_BYTES)
    if not unpacker.eof:
        raise refuse(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "malformed",
            "the gzip body ends early",
            "send the whole body",
            field="body",
        )
    return body


async def _accept(request: Request, service: IngestService) -> bytes:
    source = authenticate(request, service.store)
    if not service.has_room():
        raise _full()
    body = await _body(request)
    received_ms = to_ms(service.clock.now())
    try:
        batch = decode_batch(body)
        checked = check_batch(batch, source, received_ms, service.known_building)
    except msgspec.DecodeError as error:
        text, _, where = str(error).partition(" - at `")
        raise refuse(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "malformed",
            text,
            "send a batch as /api/v1/openapi.json describes it",
            field=where.rstrip("`").removeprefix("$.") or "body",
        ) from error
    except MalformedBatchError as error:
        raise refuse(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "malformed",
            error.text,
            error.fix,
            field=error.field,
        ) from error
    except ForbiddenTargetError as error:
        raise refuse(
            HTTPStatus.FORBIDDEN,
            "forbidden_building",
            str(error),
            "send with the token of that building's probe",
            field="tags.building",
        ) from error
    written = await service.commits.submit(checked)
    return encode(receipt(checked, written.accepted, written.duplicates))


router = APIRouter(tags=["ingest"])

_RECEIPT_EXAMPLE = {
    "accepted": 1,
    "duplicates": 1,
    "quarantined": [],
    "received_ms": 1_795_200_000_412,
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: wire_answer("Receipt", "committed; forget the records", _RECEIPT_EXAMPLE),
    401: refusal("no, unknown or revoked token"),
    403: refusal("the sender may not speak for that building"),
    413: refusal("too many bytes at once; send fewer records"),
    415: refusal("unknown content encoding"),
    422: refusal("no batch; nothing was stored"),
    429: refusal("the gateway is busy; keep the data and come again"),
    500: refusal("an error of netmon; see its log"),
    503: refusal("the store is busy; keep the data and come again"),
    507: refusal("the gateway's disk is full; keep the data and come again"),
}


@router.post(
    MEASUREMENTS_PATH,
    summary="Hand over measurements",
    description=(
        "Takes one batch in columnar JSON, gzip'd if wanted. The receipt comes "
        "after the commit: only then may the sender forget the records. Sending "
        "again is harmless, records are known by (source, spool, seq). Records "
        "that can never be taken are named in the receipt and kept aside."
    ),
    responses=_ANSWERS,
    openapi_extra={
        "security": [{"senderToken": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Batch"},
                    "example": {
                        "v": 1,
                        "source": "gs-07-p1",
                        "spool": "0123456789abcdef0123456789abcdef",
                        "sent_ms": 1795200000000,
                        "agent": "netmon/0.1.0",
                        "series": [
                            {
                                "kind": "throughput",
                                "tags": {
                                    "building": "gs-07",
                                    "line": "gs-07-main",
                                    "method": "tcp-plain/1",
                                },
                                "seq": [41, 42],
                                "ts": [1795199900000, 1795199960000],
                                "values": {"rate_down_bps": [243500000.0, None]},
                                "failure": [None, "timeout"],
                            }
                        ],
                    },
                }
            },
        },
    },
)
async def measurements(request: Request) -> Response:
    """Take a batch; see the route's description."""
    service: IngestService = request.app.state.ingest
    try:
        return reply(HTTPStatus.OK, await _accept(request, service))
    except RefusedError as error:
        return reply(error.status, encode(ErrorReply(error.body)))
    except FullError:
        body = ErrorBody("busy", "too many batches wait", "come again later", True)
        return reply(HTTPStatus.TOO_MANY_REQUESTS, encode(ErrorReply(body)))
    except StorageFullError:
        _log.exception("a batch found no room on the disk")
        full = _full()
        return reply(full.status, encode(ErrorReply(full.body)))
    except StorageError:
        # The text stays in the log: it may name paths.
        _log.exception("a batch could not be stored")
        body = ErrorBody("store", "the store is not ready", "come again later", True)
        return reply(HTTPStatus.SERVICE_UNAVAILABLE, encode(ErrorReply(body)))
