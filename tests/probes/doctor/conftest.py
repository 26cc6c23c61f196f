"""A probe's settings and place for the doctor; nothing it names is there."""

from __future__ import annotations

import pytest

from netmon.clock import SystemClock
from probes.client import open_client
from probes.doctor import Finding, Place
from probes.link import LinkSettings
from probes.settings import GatewayLink, ProbeSettings, ServerLink


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text("right-token\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def settings(tmp_path, token_file, closed_port):
    """Settings of a probe whose gateway and server are not there."""
    return ProbeSettings(
        probe="p1",
        building="b1",
        line="l1",
        gateway=GatewayLink(f"http://127.0.0.1:{closed_port}", str(token_file)),
        server=ServerLink(f"127.0.0.1:{closed_port}", str(token_file)),
        spool=str(tmp_path / "spool.sqlite3"),
        link=LinkSettings(interface="eth0"),
    )


@pytest.fixture
async def make_place(tmp_path):
    clients = []

    def make(settings, *, clock=None, **options):
        client = open_client(settings, 5.0)
        clients.append(client)
        found = {"client": client, "root": tmp_path, **options}
        return Place(tmp_path / "sonde.toml", clock or SystemClock(), settings, **found)

    yield make
    for client in clients:
        await client.aclose()


def told(findings: list[Finding]) -> list[str]:
    return [f"{finding.grade} {finding.says}" for finding in findings]
