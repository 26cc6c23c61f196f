"""The dashboards as shipped, and two real databases that the relay has filled.

One VictoriaMetrics and one InfluxDB a session, filled once from one store.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from grafana_ask import FirstInflux, InfluxQL, PromQL, influxd, running_influx
from grafana_city import Known, build

from netmon.clock import SystemClock, to_ms
from netmon.config import TsdbSettings
from netmon.demo.victoria import Victoria, is_installed
from netmon.storage.sqlite import SqliteStore
from netmon.storage.tsdb import InfluxSink


@pytest.fixture(scope="session")
def boards(repo_dir: Path) -> dict[str, dict[str, Any]]:
    """The dashboards as they are shipped, by language and name."""
    return {
        language: {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((repo_dir / "grafana" / language).glob("*.json"))
        }
        for language in ("promql", "influxql")
    }


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """Measured and made-up results, alarms, coverage and signs of life."""
    store = SqliteStore(tmp_path_factory.mktemp("city") / "state.sqlite3")
    yield build(store, to_ms(SystemClock().now()))
    store.close()


def _missing(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing in CI: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def promql(known: Known, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PromQL]:
    """A VictoriaMetrics with the city in it."""
    if not is_installed():
        _missing("no victoria-metrics on the PATH (Debian package victoria-metrics)")
    with Victoria(tmp_path_factory.mktemp("victoria")) as victoria:
        sink = InfluxSink(TsdbSettings(url=victoria.url), None)
        known.relay(sink)
        sink.close()
        victoria.flush()
        yield PromQL(victoria, known.now_ms)


@pytest.fixture(scope="session")
def influxql(
    known: Known, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InfluxQL]:
    """An InfluxDB 1.x with the city in it; InfluxDB 2 answers the same InfluxQL."""
    if influxd() is None:
        _missing("no influxd on the PATH (Debian package influxdb)")
    with running_influx(tmp_path_factory.mktemp("influx")) as url:
        known.relay(FirstInflux(url))
        with closing(InfluxQL(url, known.now_ms)) as asked:
            yield asked
