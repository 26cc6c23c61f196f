"""What the centre tells this probe: fetched, kept on disk, and good without a network.

While the gateway is away the probe knows its lines and its day by what it was told
last (tests need a slot, so only the counters speak then); a
confirmation that was asked for long ago is no longer wanted.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from pathlib import Path

import httpx
import msgspec
from msgspec.structs import replace

from netmon.assignment_wire import (
    ASSIGNMENT_PATH,
    Assignment,
    decode_assignment,
    encode_assignment,
)
from netmon.config import Secret
from netmon.model import FailureReason

log = logging.getLogger(__name__)

_REASONS: dict[int, FailureReason] = {
    HTTPStatus.UNAUTHORIZED: FailureReason.DENIED,
    HTTPStatus.FORBIDDEN: FailureReason.DENIED,
    HTTPStatus.NOT_FOUND: FailureReason.UNSUPPORTED,
}


class AssignmentDesk:
    """Asks one gateway for the assignment and remembers the answer."""

    def __init__(
        self, client: httpx.AsyncClient, url: str, token: Secret, path: Path
    ) -> None:
        self._client = client
        self._url = url.rstrip("/") + ASSIGNMENT_PATH
        self._headers = {"Authorization": f"Bearer {token.reveal()}"}
        self._path = path
        self._etag = ""
        self.current: Assignment | None = None
        # Why there was no answer the last time, None if there was one.
        self.trouble: FailureReason | None = None

    def load(self) -> None:
        """Take what was told before a restart; nothing if that can't be read."""
        try:
            told = decode_assignment(self._path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError) as error:
            log.warning("%s cannot be used: %s", self._path, type(error).__name__)
            return
        self.current = replace(told, confirm=False)

    async def refresh(self) -> bool:
        """Ask again; False where there was no new answer, and the old one holds."""
        headers = {**self._headers, "If-None-Match": self._etag}
        try:
            answer = await self._client.get(self._url, headers=headers)
        except httpx.HTTPError as error:
            self._is_away(FailureReason.UNREACHABLE, type(error).__name__)
            return False
        if answer.status_code == HTTPStatus.NOT_MODIFIED:
            self.trouble = None
            return True
        if answer.status_code != HTTPStatus.OK:
            reason = _REASONS.get(answer.status_code, FailureReason.PROTOCOL)
            self._is_away(reason, f"status {answer.status_code}")
            return False
        try:
            told = decode_assignment(answer.content)
        except msgspec.DecodeError as error:
            self._is_away(FailureReason.PROTOCOL, str(error))
            return False
        self._etag = answer.headers.get("etag", "")
        self.current, self.trouble = told, None
        self._keep(told)
        return True

    def _is_away(self, reason: FailureReason, why: str) -> None:
        if self.trouble is not reason:
            log.warning("no assignment from the gateway: %s (%s)", reason, why)
        self.trouble = reason
        if self.current is not None and self.current.confirm:
            self.current = replace(self.current, confirm=False)
            self._etag = ""

    def _keep(self, told: Assignment) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(encode_assignment(told))
            fresh.replace(self._path)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error.strerror)
