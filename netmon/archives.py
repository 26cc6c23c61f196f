"""Archives that office programs read, the same bytes for the same content."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def with_fixed_times(
    archive: bytes, change: Callable[[str, bytes], bytes] = lambda _, body: body
) -> bytes:
    """Return a ZIP archive with fixed times, stored without compression.

    ``change`` gets each member's name and body and returns its body. Compressed
    bytes depend on the zlib at hand; the files are small anyway.
    """
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target,
    ):
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.create_system = 0
            target.writestr(entry, change(name, source.read(name)))
    return out.getvalue()
