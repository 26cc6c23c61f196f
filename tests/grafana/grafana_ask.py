"""Two databases that are asked what Grafana would ask, at the time of the city."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from netmon.demo.victoria import Victoria
from netmon.errors import SendError
from netmon.metrics import KINDS
from netmon.own_metrics import OWN_KINDS
from netmon.storage.tsdb import SinkHealth

Answer = dict[tuple[str, ...], float]


def _variables(query: str, **picked: str) -> str:
    everything = {
        "generated": "^$",
        "building": ".*",
        "campus_district": ".*",
        "school_type": ".*",
        **picked,
    }
    for name, value in everything.items():
        query = query.replace(f"${name}", value)
    return query


class PromQL:
    def __init__(self, victoria: Victoria, now_ms: int) -> None:
        self._victoria = victoria
        self._now_s = now_ms / 1000

    def ask(self, panel: Mapping[str, Any], **picked: str) -> dict[str, Answer]:
        """Return the last values of each legend by the values of its labels."""
        return {
            target["legendFormat"]: self._one(target, **picked)
            for target in panel["targets"]
        }

    def _one(self, target: Mapping[str, Any], **picked: str) -> Answer:
        query = _variables(target["expr"], **picked)
        assert re.search(r"\$\w", query) is None
        found: Answer = {}
        if target["range"]:
            series = self._victoria.query_range(
                query, self._now_s - 600, self._now_s, 60
            )
            samples = [(k, v[-1][1]) for k, v in series if v[-1][0] > self._now_s - 60]
        else:
            instant = self._victoria.query(query, self._now_s)
            samples = [(sample.labels, sample.value) for sample in instant]
        for labels, value in samples:
            key = tuple(labels[n] for n in sorted(labels) if n != "__name__")
            assert key not in found
            found[key] = value
        return found

    def values(self, definition: str, **picked: str) -> set[str]:
        """Return the values of a variable, as ``label_values()`` lists them."""
        selector, label = re.fullmatch(
            r"label_values\((.+), (\w+)\)", definition
        ).groups()  # type: ignore[union-attr]
        query = (
            f"count by ({label}) (last_over_time({_variables(selector, **picked)}[1h]))"
        )
        return {s.labels[label] for s in self._victoria.query(query, self._now_s)}


class FirstInflux:
    """The relay's sink for InfluxDB 1.x before 1.8, which has no v2 write API."""

    def __init__(self, url: str) -> None:
        self._url = url

    def write(self, body: bytes) -> None:
        answer = httpx.post(f"{self._url}/write", params={"db": "netmon"}, content=body)
        if answer.status_code != 204:
            raise SendError(answer.text, permanent=True)

    def health(self) -> SinkHealth:
        return SinkHealth(None, {})

    def close(self) -> None:
        """Nothing is kept open."""


_INFLUX_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
"""


def _free_ports(count: int) -> list[int]:
    found = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in found]
    for server in found:
        server.close()
    return ports


class InfluxQL:
    def __init__(self, url: str, now_ms: int) -> None:
        # One for all questions: each new one would read the machine's certificates.
        self._http = httpx.Client(base_url=url)
        self._now_ms = now_ms

    def close(self) -> None:
        self._http.close()

    def query(self, text: str) -> list[dict[str, Any]]:
        answer = self._http.get("/query", params={"db": "netmon", "q": text})
        (result,) = answer.json()["results"]
        assert "error" not in result, (text, result)
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def ask(self, panel: Mapping[str, Any], **picked: str) -> dict[str, Answer]:
        """Return the last values of each legend by the values of tags and columns."""
        found: dict[str, Answer] = {}
        for target in panel["targets"]:
            query = self._at(panel, target["query"], **picked)
            assert re.search(r"\$\w", query) is None, query
            alias = re.sub(r"\$tag_(\w+)", r"{{\1}}", target["alias"])
            is_table = target["resultFormat"] == "table"
            for column, key, value in self._rows(query):
                # Rows come in order of time: the last one counts.
                found.setdefault(column if is_table else alias, {})[key] = value
            if not is_table:
                found.setdefault(alias, {})
        return found

    def _rows(self, query: str) -> Iterator[tuple[str, tuple[str, ...], float]]:
        for series in self.query(query):
            for row in series["values"]:
                named = dict(zip(series["columns"], row, strict=True))
                named.pop("time")
                words = {k: v for k, v in named.items() if isinstance(v, str)}
                labels = {k: v for k, v in series.get("tags", {}).items() if v} | words
                key = tuple(labels[name] for name in sorted(labels))
                for name, value in named.items():
                    if isinstance(value, int | float):
                        yield name, key, float(value)

    def _at(self, panel: Mapping[str, Any], query: str, **picked: str) -> str:
        """Return the query as Grafana would send it at the time of the city."""
        (kind,) = set(re.findall(r'FROM "(\w+)"', query))
        valid_s = round({**KINDS, **OWN_KINDS}[kind].stale_after_s)
        begin, now = (
            datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            for ms in (self._now_ms - valid_s * 1000, self._now_ms)
        )
        query = query.replace(
            "time($__interval, now())", f"time({panel['interval']}, {self._now_ms}ms)"
        )
        query = query.replace("now()", f"'{now}'")
        span = f"time >= '{begin}' AND time <= '{now}'"
        return _variables(query.replace("$timeFilter", span), **picked)

    def values(self, definition: str, **picked: str) -> set[str]:
        """Return the values of a variable."""
        return {
            value
            for series in self.query(_variables(definition, **picked))
            for _, value in series["values"]
        }


def influxd() -> str | None:
    """Return the program; None where it is missing."""
    return shutil.which("influxd")


@contextmanager
def running_influx(folder: Path) -> Iterator[str]:
    """Run an InfluxDB 1.x on loopback with an empty database; its address."""
    rpc, port = _free_ports(2)
    config = folder / "influxdb.conf"
    config.write_text(_INFLUX_CONFIG.format(rpc=rpc, http=port, folder=folder))
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(influxd()), "-config", str(config)], stdout=log, stderr=log
        )
    try:
        _wait_for(f"{url}/ping", process, folder / "log")
        httpx.post(f"{url}/query", params={"q": "CREATE DATABASE netmon"})
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url).status_code == 204:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    words = log.read_text(errors="replace")[-800:]
    raise AssertionError(f"influxd did not come up: {words}")
