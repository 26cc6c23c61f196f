"""Who asks a router: SNMPv3 by default, a community only where that is said."""

from __future__ import annotations

import asyncio

import pytest

from collectors.credentials import Credential
from netmon.config import Secret
from netmon.demo.agents import SnmpAgent
from netmon.demo.switch_model import SwitchModel
from netmon.errors import ConfigError
from probes.config import load_probe_settings
from probes.wan import WanSettings, open_ports

BASE = """
probe = "p1"
building = "b1"
line = "l1"
[gateway]
url = "https://netmon.example"
token_file = "t"
[server]
address = "m:5201"
token_file = "t"
[[wan]]
line = "l1"
address = "127.0.0.1:{port}"
if_index = 1
"""


def load(tmp_path, more, port=161):
    (tmp_path / "probe.toml").write_text(BASE.format(port=port) + more)
    return load_probe_settings(tmp_path / "probe.toml")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ("", "wan[0].user"),
        ('user = "u"\nauth_file = "a"\n', "wan[0].priv_file"),
        (
            'user = "u"\nauth_file = "a"\npriv_file = "p"\ncommunity_file = "c"\n',
            "wan[0].community_file",
        ),
    ],
)
def test_an_incomplete_access_is_refused_with_its_field(tmp_path, more, field):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, more)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_secrets_are_meant_from_the_settings_folder(tmp_path):
    more = 'user = "u"\nauth_file = "a"\npriv_file = "p"\n'
    (port,) = load(tmp_path, more).wan
    assert port.auth_file == str(tmp_path / "a")
    assert port.priv_file == str(tmp_path / "p")


async def test_counters_are_read_by_v3_and_a_wrong_secret_is_named(tmp_path):
    credential = Credential(
        name="v3",
        version="v3",
        user="netmon",
        auth_protocol="sha256",
        auth_secret=Secret("auth-secret-1"),
        priv_protocol="aes128",
        priv_secret=Secret("priv-secret-1"),
    )
    agent = SnmpAgent(SwitchModel("rt1", 4, "rt1"), credential)
    address = await agent.start()
    (tmp_path / "auth").write_text("auth-secret-1")
    (tmp_path / "priv").write_text("priv-secret-1")
    (tmp_path / "wrong").write_text("another-secret")

    def settings(auth):
        return WanSettings(
            line="l1",
            address=address,
            if_index=1,
            user="netmon",
            auth_file=str(tmp_path / auth),
            priv_file=str(tmp_path / "priv"),
        )

    try:
        ports = await asyncio.to_thread(open_ports, [settings("auth")])
        assert set(await asyncio.to_thread(ports.read)) == {"l1"}
        assert await asyncio.to_thread(ports.trouble, "l1") == ""
        wrong = await asyncio.to_thread(open_ports, [settings("wrong")])
        assert await asyncio.to_thread(wrong.read) == {}
        assert "cannot be read" in await asyncio.to_thread(wrong.trouble, "l1")
    finally:
        await agent.stop()
