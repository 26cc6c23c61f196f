"""The measurement server, the way to it and the router's counters."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from probes.counters import Reading
from probes.doctor import router
from probes.doctor import server as server_checks
from probes.link import LinkSettings
from probes.path import PathSettings
from probes.wan import WanSettings
from tests.probes.doctor.conftest import told


async def test_server_and_echo_answer(settings, make_place, measure_server):
    address = f"127.0.0.1:{measure_server.port}"
    there = replace(settings, server=replace(settings.server, address=address))
    place = make_place(there)
    assert told(await server_checks.server(place)) == ["ok reached"]
    (found,) = await server_checks.echo(place)
    assert found.says in {"answers", "loses"}


async def test_a_wrong_token_for_the_server_is_told(
    settings, make_place, measure_server, token_file
):
    token_file.write_text("wrong-token")
    address = f"127.0.0.1:{measure_server.port}"
    there = replace(settings, server=replace(settings.server, address=address))
    (found,) = await server_checks.server(make_place(there))
    assert told([found]) == ["error token"]
    assert "wrong-token" not in repr(found)


async def test_a_server_that_is_not_there_is_told_twice(settings, make_place):
    place = make_place(settings)
    assert told(await server_checks.server(place)) == ["error unreached"]
    assert told(await server_checks.echo(place)) == ["error silent"]


async def test_the_segment_that_is_broken_is_named(settings, make_place, tmp_path):
    counters = tmp_path / "sys/class/net/eth0/statistics"
    counters.mkdir(parents=True)
    for name in ("rx_packets", "tx_packets", "rx_errors", "tx_errors"):
        (counters / name).write_text("0\n")
    quick = PathSettings(count=2, spacing_s=0.01, wait_s=0.2, anchors=())
    (found,) = await router.path(make_place(replace(settings, path=quick)))
    assert told([found]) == ["error broken"]
    assert found.fields == {"segment": "data_centre", "fault": "silent"}


async def test_without_internet_the_probe_can_measure_all_the_same(
    settings, make_place, measure_server, closed_port
):
    address = f"127.0.0.1:{measure_server.port}"
    quick = PathSettings(
        count=2, spacing_s=0.01, wait_s=0.5, anchors=(f"127.0.0.1:{closed_port}",)
    )
    there = replace(settings, server=replace(settings.server, address=address))
    there = replace(there, path=quick, link=LinkSettings(interface="none"))
    (found,) = await router.path(make_place(there))
    assert told([found]) == ["hint no_internet"]


class _Router:
    """Counters that are refreshed every so many questions; 0: never, None: mute."""

    def __init__(self, every: int | None, step_s: float) -> None:
        self._every = every
        self._step_s = step_s
        self._asked = 0

    def read(self):
        if self._every is None:
            return None
        self._asked += 1
        refreshed = self._asked // self._every if self._every else 0
        return Reading(self._asked * self._step_s, 0.0, 0, 100 * refreshed)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, "hint none_set"),
        (_Router(None, 1.0), "error silent"),
        (_Router(0, 1.0), "hint resting"),
        (_Router(1, 0.02), "ok live"),
        (_Router(3, 1.0), "ok edges"),
        (_Router(3, 5.0), "hint rare"),
    ],
)
def test_how_fresh_the_counters_are(source, expected):
    found = router.judge_counters(source, "l1", limit_s=0.5)
    assert told([found]) == [expected]
    assert found.fields["line"] == "l1"


async def test_counters_of_a_router_that_does_not_answer_or_cannot_be_found(
    settings, make_place, token_file, closed_port
):
    def wan(host, line="l1"):
        return WanSettings(
            line=line,
            address=f"{host}:{closed_port}",
            if_index=1,
            community_file=str(token_file),
        )

    mute = replace(settings, wan=(wan("127.0.0.1", "l2"),))
    findings = await router.counters(make_place(mute))
    assert told(findings) == ["error silent", "hint other_line"]
