"""``netmon collect`` with devices by SSH, and its checks, as a person types them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh
import pytest
from msgspec.structs import replace

from collectors.credentials import Credentials, SshCredential
from collectors.platforms import load_platforms
from collectors.poll import Poller
from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.demo.agents import DEMO_CREDENTIAL
from netmon.errors import ConfigError
from netmon.inventory import write_folder
from netmon.model import Device, DeviceKind, FailureReason, Inventory
from netmon.spool import Spool
from netmon.texts import Texts
from tests.collectors.ssh_device import (
    PASSWORD,
    USER,
    SshDevice,
    known_hosts,
    outputs,
    running,
)
from tests.command import run_command

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
Run = Callable[..., Awaitable[int]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in a thread of its own: devices live in this loop."""
    monkeypatch.setenv("NETMON_DATA", str(tmp_path))
    monkeypatch.setenv("TEST_SSH_PASSWORD", PASSWORD)
    ways = tmp_path / "ways.toml"
    ways.write_text(
        '[default]\nversion = "v2c"\ncommunity = "netmon-demo"\n'
        f'[ssh]\nkind = "ssh"\nuser = "{USER}"\npassword_env = "TEST_SSH_PASSWORD"\n'
    )
    ways.chmod(0o600)
    config = tmp_path / "netmon.toml"
    config.write_text(
        f'[collector]\ncredentials_file = "{ways}"\n'
        f'known_hosts_file = "{tmp_path / "known_hosts"}"\n'
    )

    async def called(*words: str) -> int:
        options = ("--config", config, "--inventory", tmp_path / "inventory")
        return await asyncio.to_thread(run_command, "collect", *words, *options)

    return called


def with_ssh(city: Inventory, ssh: SshDevice, folder: Path) -> Inventory:
    """Return the city with a switch by SSH, written into a folder."""
    switch = Device(
        id="sw9",
        building_id="b1",
        kind=DeviceKind.SWITCH,
        name="sw9",
        address=ssh.address,
        platform="ssh:cisco_ios",
        credential="ssh",
        ports=4,
    )
    made = replace(city, devices=(*city.devices, switch))
    write_folder(made, folder / "inventory")
    return made


async def test_keys_are_shown_accepted_and_guarded_against_change(
    run: Run, city: Inventory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ssh = SshDevice("cisco_ios", outputs("cisco_ios"))
    async with running(ssh, HOST_KEY):
        with_ssh(city, ssh, tmp_path)
        assert await run("hostkeys") == 1
        shown = capsys.readouterr().out
        assert HOST_KEY.get_fingerprint() in shown
        assert "UNBEKANNT" in shown
        assert not (tmp_path / "known_hosts").exists()

        assert await run("once", "sw9") == 1
        assert "Hostschlüssel unbekannt oder geändert" in capsys.readouterr().out

        assert await run("hostkeys", "--accept") == 0
        assert "übernommen" in capsys.readouterr().out
        assert await run("hostkeys") == 0
        assert "  bekannt" in capsys.readouterr().out
        assert await run("once", "sw9") == 0
        assert "GigabitEthernet1/0/1  verbunden" in capsys.readouterr().out

        other = asyncssh.generate_private_key("ssh-ed25519")
        known_hosts(tmp_path / "known_hosts", ssh, other)
        assert await run("hostkeys", "--accept") == 1
        assert "GEÄNDERT" in capsys.readouterr().out
        assert await run("hostkeys", "sw9", "--accept") == 0
        capsys.readouterr()
        assert await run("once", "sw9", "--json", "--explain") == 0
        said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["platform"] == "ssh:cisco_ios"
    assert {record["kind"] for record in told["records"]} == {"device", "lan_port"}
    assert f"per SSH als {USER}" in said.err
    assert PASSWORD not in said.out + said.err
    assert await run("hostkeys") == 1
    assert "Verbindung abgelehnt" in capsys.readouterr().out


async def test_check_warns_of_open_versions_and_missing_keys(
    run: Run, city: Inventory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ssh = SshDevice("cisco_ios", {}, port=2222)
    with_ssh(city, ssh, tmp_path)
    config = tmp_path / "netmon.toml"
    written = config.read_text()
    assert await run("check") == 0
    shown = capsys.readouterr().out
    assert "3 Geräte, alle Zugänge und Plattformen vorhanden" in shown
    assert "„default“ spricht SNMPv2c" in shown
    assert "1 Geräte mit SSH ohne bekannten Hostschlüssel" in shown
    config.write_text(written + 'management_nets = ["10.0.0.0/8"]\n')
    assert await run("check") == 0
    assert "außerhalb der Management-Netze stehen 2" in capsys.readouterr().out
    config.write_text(written + 'management_nets = ["127.0.0.0/8"]\n')
    known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
    assert await run("check") == 0
    assert "Warnung" not in capsys.readouterr().out
    config.write_text(written + 'management_nets = ["Keller"]\n')
    with pytest.raises(ConfigError, match="Keller"):
        await run("check")


async def test_the_poller_polls_both_kinds(city: Inventory, tmp_path: Path) -> None:
    """SNMP and SSH side by side, each device once at a time."""
    ssh = SshDevice("cisco_ios", outputs("cisco_ios"))
    async with running(ssh, HOST_KEY):
        city = with_ssh(city, ssh, tmp_path)
        path = known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        way = SshCredential(name="ssh", user=USER, password=Secret(PASSWORD))
        with Spool(tmp_path / "spool.sqlite3") as spool:
            poller = Poller(
                platforms=load_platforms(),
                credentials=Credentials(
                    "test", {"default": DEMO_CREDENTIAL}, {"ssh": way}
                ),
                spool=spool,
                clock=SystemClock(),
                wake=asyncio.Event(),
                interval_s=300.0,
                concurrency=10,
                known_hosts=path,
            )
            try:
                switch = city.device_by_id["sw9"]
                records = await asyncio.gather(
                    poller.poll(switch, []),
                    poller.poll(switch, []),
                    poller.poll(city.device_by_id["sw1"], []),
                )
            finally:
                await poller.aclose()
    assert ssh.most_talking == 1
    assert ssh.logins == 2
    for found in records:
        assert {r.kind for r in found} == {"device", "lan_port"}
        assert not [r for r in found if r.failure]


@pytest.mark.parametrize(
    ("platform", "credential", "wrong"),
    [
        ("ssh:cisco_ios", "default", "is a credential for SNMP"),
        ("if_mib", "ssh", "is a credential for SSH"),
        ("ssh:cisco", "ssh", "'ssh:cisco' is no platform"),
        ("ssh:cisco_ios", "nobody", "there is no credential called 'nobody'"),
    ],
)
async def test_ways_and_platforms_must_fit(
    city: Inventory, tmp_path: Path, platform: str, credential: str, wrong: str
) -> None:
    switch = replace(city.device_by_id["sw1"], platform=platform, credential=credential)
    way = SshCredential(name="ssh", user=USER, password=Secret(PASSWORD))
    with Spool(tmp_path / "spool.sqlite3") as spool:
        poller = Poller(
            platforms=load_platforms(),
            credentials=Credentials("test", {"default": DEMO_CREDENTIAL}, {"ssh": way}),
            spool=spool,
            clock=SystemClock(),
            wake=asyncio.Event(),
            interval_s=300.0,
            concurrency=10,
        )
        with pytest.raises(ConfigError, match=wrong):
            poller.check([switch])


def test_the_reason_has_a_text() -> None:
    assert "Hostschlüssel" in Texts("de")(f"failure.{FailureReason.UNTRUSTED}")
