"""A VictoriaMetrics of one's own: started, asked and stopped, for demo and tests.

The flags are the ones the relay needs (one point a millisecond, so that what is
sent twice counts once) and those that make new points visible at once.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from netmon.errors import NetmonError

BINARY = "victoria-metrics"
_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 20.0
_HOST = "127.0.0.1"


class VictoriaError(NetmonError):
    """The database did not start, or refused a query."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer: its labels (with ``__name__``) and its value."""

    labels: Mapping[str, str]
    value: float


def is_installed() -> bool:
    """Say whether the binary is on the PATH."""
    return shutil.which(BINARY) is not None


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.create_server((_HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Victoria:
    """One VictoriaMetrics process on loopback, over one data folder.

    Usable as a context manager; ``start`` again after ``stop`` or ``kill``
    takes the same port and the same data.
    """

    def __init__(
        self, data_dir: Path, port: int = 0, flags: Sequence[str] = ()
    ) -> None:
        """Prepare; ``port`` 0 means a free one, chosen at the first start.

        ``flags`` are further arguments of the binary.
        """
        self._data_dir = data_dir
        self._port = port
        self._flags = tuple(flags)
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(timeout=30.0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._http.close()

    @property
    def url(self) -> str:
        """The base address, as `tsdb.url` takes it."""
        return f"http://{_HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id; None while it does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> Self:
        """Start the process and wait until it answers.

        Raises:
            VictoriaError: the binary is missing, or it ended or stayed silent;
                the text holds the end of its log.
        """
        binary = shutil.which(BINARY)
        if binary is None:
            raise VictoriaError(f"{BINARY} is not on the PATH")
        self._port = self._port or free_port()
        self._data_dir.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                [
                    binary,
                    f"-storageDataPath={self._data_dir / 'data'}",
                    f"-httpListenAddr={_HOST}:{self._port}",
                    "-retentionPeriod=13",
                    "-dedup.minScrapeInterval=1ms",
                    "-search.latencyOffset=0s",
                    "-memory.allowedPercent=20",
                    *self._flags,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in the demo's terminal is for the demo, which stops us in turn.
                start_new_session=True,
            )
        self._wait_until_up()
        return self

    def stop(self) -> None:
        """End the process in good order; nothing happens if it does not run."""
        self._end(kill=False)

    def kill(self) -> None:
        """End the process at once, as a power cut would (``kill -9``)."""
        self._end(kill=True)

    def flush(self) -> None:
        """Make everything written so far visible to queries."""
        self._http.get(f"{self.url}/internal/force_flush").raise_for_status()

    def query(self, promql: str, at_s: float | None = None) -> list[Sample]:
        """Return the series of an instant query, in the order of the answer.

        ``at_s`` is the time of evaluation in seconds since 1970; None is now.

        Raises:
            VictoriaError: the query was refused; the text says why.
        """
        params = {"query": promql, "nocache": "1"}
        if at_s is not None:
            params["time"] = f"{at_s:.3f}"
        result = self._ask("/api/v1/query", params)
        return [
            Sample(series["metric"], float(series["value"][1])) for series in result
        ]

    def query_range(
        self, promql: str, first_s: float, last_s: float, step_s: float
    ) -> list[tuple[Mapping[str, str], list[tuple[float, float]]]]:
        """Return labels and (time, value) pairs of a range query's series.

        Raises:
            VictoriaError: as `query`.
        """
        params = {
            "query": promql,
            "start": f"{first_s:.3f}",
            "end": f"{last_s:.3f}",
            "step": f"{step_s:g}s",
            "nocache": "1",
        }
        result = self._ask("/api/v1/query_range", params)
        return [
            (series["metric"], [(at, float(value)) for at, value in series["values"]])
            for series in result
        ]

    def points(self, selector: str) -> int:
        """Return how many points all series of a selector hold, over all time."""
        answer = self._http.get(
            f"{self.url}/api/v1/export",
            params={"match[]": selector},
        )
        answer.raise_for_status()
        lines = answer.text.splitlines()
        return sum(line.split('"timestamps":')[1].count(",") + 1 for line in lines)

    @property
    def _log_path(self) -> Path:
        return self._data_dir / "victoria-metrics.log"

    def _ask(self, path: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        answer = self._http.get(self.url + path, params=dict(params))
        body = answer.json()
        if answer.status_code != 200 or body.get("status") != "success":
            raise VictoriaError(f"{params['query']}: {body.get('error', body)}")
        result: list[dict[str, Any]] = body["data"]["result"]
        return result

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                if self._http.get(f"{self.url}/health").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        self.kill()
        words = self._log_path.read_text(encoding="utf-8", errors="replace")[-500:]
        raise VictoriaError(f"{BINARY} did not come up: {words}")

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
