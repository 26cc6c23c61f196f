"""One alarm process a store: two would raise every alarm twice."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netmon.errors import NetmonError


class AlreadyRunningError(NetmonError):
    """Another alarm process works on the same store."""


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the right to evaluate the store in a folder.

    The kernel gives the lock back when the process ends, however it ends.

    Raises:
        AlreadyRunningError: somebody else holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "alerts.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(str(data_dir)) from None
        yield
