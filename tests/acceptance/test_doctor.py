"""The doctor at a probe whose gateway and measurement server are real ones."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from netmon.clock import SystemClock
from netmon.config import Secret
from probes.client import open_client
from probes.doctor import Grade, Place, examine
from probes.measure_server import MeasureServer
from probes.path import PathSettings
from probes.settings import GatewayLink, ProbeSettings, ServerLink
from tests.acceptance.conftest import BUILDING, LINE, PROBE


@pytest.fixture
async def measure_server():
    server = MeasureServer(Secret("measure"))
    await server.start("127.0.0.1", 0)
    async with server:
        yield server


@pytest.fixture
def settings_for(tmp_path, measure_server):
    def make(centre, **changes):
        for name, text in (("token", centre.token.reveal()), ("measure", "measure")):
            file = tmp_path / name
            file.touch(mode=0o600)
            file.write_text(text)
        address = f"127.0.0.1:{measure_server.port}"
        settings = ProbeSettings(
            probe=PROBE,
            building=BUILDING,
            line=LINE,
            gateway=GatewayLink(centre.url, str(tmp_path / "token")),
            server=ServerLink(address, str(tmp_path / "measure")),
            spool=str(tmp_path / "spool.sqlite3"),
            path=PathSettings(anchors=(address,)),
        )
        return replace(settings, **changes)

    return make


async def examined(settings, tmp_path):
    async with open_client(settings) as client:
        place = Place(tmp_path / "sonde.toml", SystemClock(), settings, client=client)
        async with asyncio.timeout(60):
            return [each async for each in examine(place)]


async def test_centre_and_server_are_found_well(start_centre, settings_for, tmp_path):
    async with start_centre() as centre:
        found = await examined(settings_for(centre), tmp_path)
    by_check = {}
    for check, finding in found:
        by_check.setdefault(check, []).append((finding.grade, finding.says))
    assert by_check["settings"] == [(Grade.OK, "taken")]
    assert by_check["gateway"] == [(Grade.OK, "reached")]
    assert by_check["gateway_clock"] == [(Grade.OK, "agrees")]
    assert by_check["server"] == [(Grade.OK, "reached")]
    assert by_check["echo"][0][1] in {"answers", "loses"}
    # Nobody has routers on the way to itself.
    assert (Grade.HINT, "mute") in by_check["path"]
    assert by_check["counters"] == [(Grade.HINT, "none_set")]


async def test_a_probe_that_takes_itself_for_another_is_told(
    start_centre, settings_for, tmp_path
):
    async with start_centre() as centre:
        mixed = settings_for(centre, probe="gs-08-p1", line="gs-08-l1")
        found = await examined(mixed, tmp_path)
    said = {
        (finding.says, finding.fields.get("there") or finding.fields.get("lines"))
        for check, finding in found
        if check == "gateway"
    }
    assert said == {("reached", None), ("mixed_up", PROBE), ("no_line", LINE)}


async def test_a_revoked_token_is_told(start_centre, settings_for, tmp_path):
    async with start_centre() as centre:
        settings = settings_for(centre)
        centre.store.sources.revoke(PROBE)
        found = await examined(settings, tmp_path)
    assert [f.says for check, f in found if check == "gateway"] == ["token"]
