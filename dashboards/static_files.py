"""Style sheets, scripts and pictures: kept for long where their address changes."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_FOR_A_YEAR = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


@cache
def static_version() -> str:
    """Return a short hash of our own files, so that new ones are fetched."""
    found = hashlib.sha256()
    folder = Path(str(files("dashboards").joinpath("static")))
    for path in sorted(folder.glob("*.*")):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


class LastingFiles(StaticFiles):
    """Files whose address names their version are asked for once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with how long the file may be kept."""
        response = await super().get_response(path, scope)
        versioned = path.startswith("vendor/") or (
            scope["query_string"] == f"v={static_version()}".encode()
        )
        response.headers["Cache-Control"] = _FOR_A_YEAR if versioned else _ASK_AGAIN
        return response
