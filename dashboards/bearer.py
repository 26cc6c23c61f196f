"""Senders and operators at the API: their bearer token, and refusals."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request, Response

from netmon.ingest import token_hash
from netmon.storage.action_records import Actor, Via
from netmon.storage.ports import Store
from netmon.storage.records import Source
from netmon.wire import ErrorBody

RETRY_AFTER_S = 5


class RefusedError(Exception):
    """A request that gets an error answer."""

    def __init__(self, status: HTTPStatus, body: ErrorBody) -> None:
        super().__init__(body.message)
        self.status = status
        self.body = body


def refuse(
    status: HTTPStatus,
    code: str,
    message: str,
    fix: str,
    *,
    retry: bool = False,
    field: str | None = None,
) -> RefusedError:
    """Return the error to raise; ``fix`` says what helps."""
    return RefusedError(status, ErrorBody(code, message, fix, retry, field))


def reply(status: HTTPStatus, body: bytes) -> Response:
    """Return a JSON answer with the headers its status asks for."""
    headers = {}
    if status in {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.INSUFFICIENT_STORAGE,
    }:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body, int(status), headers, "application/json")


def bearer_token(request: Request, whose: str) -> str:
    """Return the token that came with a request.

    Raises:
        RefusedError: none came.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise refuse(
            HTTPStatus.UNAUTHORIZED,
            "no_token",
            "no bearer token was sent",
            f"send 'Authorization: Bearer <token>' with the token of {whose}",
        )
    return token.strip()


def authenticate_operator(request: Request, store: Store) -> Actor:
    """Return the operator whose token came with a request.

    Raises:
        RefusedError: no token, or one that is unknown, revoked, or a sender's.
        StorageError: the store could not be asked.
    """
    token = bearer_token(request, "an operator")
    operator = store.actions.operator_by_token(token_hash(token))
    if operator is None:
        raise refuse(
            HTTPStatus.UNAUTHORIZED,
            "bad_token",
            "the token is unknown, was revoked, or is none of an operator",
            "make a new one with 'netmon alerts operators add'",
        )
    return Actor(operator.name, Via.API)


def authenticate(request: Request, store: Store) -> Source:
    """Return the sender whose token came with a request.

    Raises:
        RefusedError: no token, or one that is unknown or was revoked.
        StorageError: the store could not be asked.
    """
    token = bearer_token(request, "this sender")
    source = store.sources.by_token(token_hash(token))
    if source is None:
        raise refuse(
            HTTPStatus.UNAUTHORIZED,
            "bad_token",
            "the token is unknown or was revoked",
            "make a new one with 'netmon sources add' and store it on the sender",
        )
    return source
