"""What every probe of the registry must do, the next one included."""

from __future__ import annotations

import asyncio
import socket

import pytest

from netmon.cli.probe import NAMES
from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.metrics import KINDS
from netmon.texts import LANGUAGES, Texts
from probes.base import MeasureAddress, ProbeContext
from probes.dns import DnsSettings
from probes.latency import LatencySettings
from probes.measure_server import MeasureServer
from probes.path import PathSettings
from probes.registry import PROBES
from probes.runner import to_record
from probes.settings import MethodSettings
from probes.throughput import ThroughputSettings

SETTINGS = MethodSettings(
    throughput=ThroughputSettings(warmup_s=0.1, window_s=0.2, max_bytes=50_000_000),
    latency=LatencySettings(count=5, spacing_s=0.001, wait_s=0.2),
    dns=DnsSettings(server="127.0.0.1", timeout_s=0.2),
    path=PathSettings(count=2, spacing_s=0.01, wait_s=0.2, anchors=("127.0.0.1:1",)),
)


def _context(port: int) -> ProbeContext:
    return ProbeContext(
        building="b",
        line="l",
        probe="p",
        server=MeasureAddress("127.0.0.1", port, Secret("t")),
        clock=SystemClock(),
    )


@pytest.fixture(params=PROBES)
def name(request):
    return request.param


@pytest.fixture
def probe(name):
    return PROBES[name].make(SETTINGS)


def test_is_known_by_its_name(name, probe):
    assert probe.name == name


def test_writes_a_kind_of_the_catalogue_with_its_tags(probe):
    kind = KINDS[probe.kind]
    tags = set(probe.tags(_context(1)))
    assert set(kind.tags) <= tags <= {*kind.tags, *kind.optional_tags}


def test_has_an_interval_before_its_value_is_stale(name, probe):
    interval_s = PROBES[name].interval_s(MethodSettings())
    # Two instants of neighbouring slots may lie almost two slots apart.
    assert 0 < 2 * interval_s + probe.limit_s < KINDS[probe.kind].stale_after_s


def test_ends_by_itself_before_the_runner_ends_it(probe):
    assert 0 < probe.limit_s < 120


async def test_without_a_peer_answers_a_failure_without_numbers(probe):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, but nobody listens
        context = _context(held.getsockname()[1])
        result = await asyncio.wait_for(probe.run(context), probe.limit_s)
    for each in result.all:
        if each.failure is None:
            # The probe's own port needs no peer.
            assert probe.name == "link" or each.tags == {"segment": "port"}
            continue
        assert each.values == {}
        assert each.detail
        assert "127.0.0.1" not in each.detail


async def test_values_are_metrics_of_the_kind_in_their_range(probe):
    server = MeasureServer(Secret("t"), rates={"l": (20e6, 20e6)})
    await server.start("127.0.0.1", 0)
    async with server:
        context = _context(server.port)
        result = await probe.run(context)
    metrics = {metric.name: metric for metric in KINDS[probe.kind].metrics}
    for part in result.all:
        assert set(part.values) <= set(metrics)
        for each, value in part.values.items():
            assert value is None or metrics[each].low <= value <= metrics[each].high
        assert bool(part.values) is (part.failure is None)
        record = to_record(probe, context, part, 1)
        assert record.failure is part.failure
        assert set(record.tags) >= set(KINDS[probe.kind].tags)


@pytest.mark.parametrize("language", LANGUAGES)
def test_has_its_words_in_each_language(name, language):
    texts = Texts(language)
    assert texts.has(f"probe.name.{name}")
    assert texts.has(f"probe.result.{name}")


def test_command_line_offers_all():
    assert set(NAMES) == set(PROBES)
