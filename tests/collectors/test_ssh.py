"""Devices by SSH: real connections to a simulated device of each family."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest
from netmiko.exceptions import NetmikoTimeoutException

from collectors.base import DeadlineError
from collectors.credentials import SshCredential
from collectors.records import DeviceResult, Known, to_records
from collectors.ssh import ForbiddenCommandError, SshCollector, Talk, told
from collectors.ssh_model import load_ssh_platforms
from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.model import AccessPoint, Device, DeviceKind, FailureReason
from tests.collectors.ssh_device import (
    PASSWORD,
    USER,
    SshDevice,
    known_hosts,
    outputs,
    running,
)

CREDENTIAL = SshCredential(name="ssh", user=USER, password=Secret(PASSWORD))
HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[SshCollector]:
    made = SshCollector(known_hosts=str(tmp_path / "known_hosts"), clock=SystemClock())
    yield made
    made.close()


def inventory_device(ssh: SshDevice, kind: DeviceKind = DeviceKind.SWITCH) -> Device:
    return Device(
        id="dev",
        building_id="b1",
        kind=kind,
        name="dev",
        address=ssh.address,
        platform=f"ssh:{ssh.platform}",
        credential="ssh",
    )


async def ask(
    collector: SshCollector, ssh: SshDevice, credential: SshCredential = CREDENTIAL
) -> DeviceResult:
    async with asyncio.timeout(60):
        return await collector.ask(inventory_device(ssh), credential)


@pytest.mark.parametrize("platform", sorted(load_ssh_platforms()))
async def test_each_family_is_read_whole_and_sent_nothing_else(
    platform: str, collector: SshCollector, tmp_path: Path
) -> None:
    ssh = SshDevice(platform, outputs(platform))
    async with running(ssh, HOST_KEY):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        result = await ask(collector, ssh)
    assert (result.failure, result.reason) == (None, "")
    assert all(table.complete for table in result.tables)
    assert all(table.rows for table in result.tables)
    assert result.platform == f"ssh:{platform}"
    wanted = load_ssh_platforms()[platform]
    logs_in = {USER, PASSWORD} if wanted.logs_in else set()
    sent = set(ssh.lines)
    assert set(wanted.commands) <= sent
    assert sent <= {*wanted.commands, *wanted.prepares, *logs_in}
    assert ssh.logins == 1


async def test_a_switch_gives_the_model_that_snmp_gives(
    collector: SshCollector, tmp_path: Path
) -> None:
    ssh = SshDevice("cisco_ios", outputs("cisco_ios"))
    async with running(ssh, HOST_KEY):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        result = await ask(collector, ssh)
        ssh.shows = {
            **ssh.shows,
            "show_interfaces": ssh.shows["show_interfaces"].replace(
                "GigabitEthernet1/0/1 is up, line protocol is up (connected)",
                "GigabitEthernet1/0/1 is down, line protocol is down (notconnect)",
            ),
        }
        later = await ask(collector, ssh)
    assert result.words == {
        "name": "GS07-SW1",
        "model": "WS-C2960X-48FPS-L",
        "serial": "FCW0000T001",
        "firmware": "15.2(7)E4",
    }
    assert result.uptime_s == ((2 * 7 + 3) * 24 + 4) * 3600 + 5 * 60
    records, _ = to_records(inventory_device(ssh), [], result, Known())
    ports = {r.tags["port"]: r for r in records if r.kind == "lan_port"}
    assert set(ports) == {
        *(f"GigabitEthernet1/0/{n}" for n in (1, 2, 3)),
        "TenGigabitEthernet1/0/1",
    }
    first = ports["GigabitEthernet1/0/1"]
    assert first.values["oper_up"] == 1.0
    assert first.values["speed_bps"] == 1e9
    assert first.values["in_errors_total"] == 7.0
    assert first.info["alias"] == "Raum 101"
    assert ports["GigabitEthernet1/0/2"].values["speed_bps"] is None
    assert ports["GigabitEthernet1/0/3"].values["admin_up"] == 0.0
    records, _ = to_records(inventory_device(ssh), [], later, Known())
    ports = {r.tags["port"]: r for r in records if r.kind == "lan_port"}
    assert ports["GigabitEthernet1/0/1"].values["oper_up"] == 0.0
    assert ports["GigabitEthernet1/0/1"].values["oper_changes_total"] == 1.0


async def test_a_controller_gives_access_points_with_counts_only(
    collector: SshCollector, tmp_path: Path
) -> None:
    ssh = SshDevice("aruba_os", outputs("aruba_os"))
    planned = [
        AccessPoint(
            id=f"ap{n}",
            building_id="b1",
            name=f"GS07-AP{n}",
            controller_id="dev",
            serial=f"CNTEST000{n}",
        )
        for n in range(1, 5)
    ]
    async with running(ssh, HOST_KEY):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        result = await ask(collector, ssh)
    records, _ = to_records(inventory_device(ssh), planned, result, Known())
    points = {r.tags["ap"]: r for r in records if r.kind == "wlan_ap"}
    assert [points[f"ap{n}"].values["up"] for n in range(1, 5)] == [1.0, 1.0, 0.0, 0.0]
    assert [points[f"ap{n}"].values["clients_count"] for n in (1, 2)] == [15.0, 0.0]
    assert points["ap1"].info["model"] == "515"
    # Addresses are shown by the device and go no further.
    assert "02:00:5e" not in str(records)


async def test_a_list_that_is_not_whole_makes_nobody_a_failure(
    collector: SshCollector, tmp_path: Path
) -> None:
    shows = outputs("cisco_aireos")
    short = shows["show_ap_summary"].splitlines(keepends=True)[:-1]
    ssh = SshDevice("cisco_aireos", {**shows, "show_ap_summary": "".join(short)})
    planned = [
        AccessPoint(id="ap2", building_id="b1", name="GS07-AP2", controller_id="dev")
    ]
    async with running(ssh, HOST_KEY):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        result = await ask(collector, ssh)
    records, _ = to_records(inventory_device(ssh), planned, result, Known())
    (point,) = [r for r in records if r.tags.get("ap") == "ap2"]
    assert point.failure is FailureReason.PARTIAL


@pytest.mark.parametrize(
    "odd",
    [
        "% Invalid input detected at '^' marker.\n",
        "",
        "Interface Foo\n  what is this\n",
    ],
)
async def test_what_is_not_understood_is_said_of_the_table(
    collector: SshCollector, tmp_path: Path, odd: str
) -> None:
    """TextFSM's own error, no match, and a text for which there is no template."""
    ssh = SshDevice("cisco_ios", {**outputs("cisco_ios"), "show_interfaces": odd})
    async with running(ssh, HOST_KEY):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        result = await ask(collector, ssh)
        ssh.shows = {}
        nothing = await ask(collector, ssh)
    assert result.failure is None
    assert result.words["name"] == "GS07-SW1"
    (table,) = result.tables
    assert (table.rows, table.complete) == ((), False)
    assert [remark.key for remark in table.remarks] == ["unparsed"]
    assert nothing.failure is FailureReason.PROTOCOL


async def test_an_unknown_and_a_changed_key_are_refused_before_the_password(
    collector: SshCollector, tmp_path: Path
) -> None:
    ssh = SshDevice("cisco_ios", outputs("cisco_ios"))
    other = asyncssh.generate_private_key("ssh-ed25519")
    async with running(ssh, HOST_KEY):
        unknown = await ask(collector, ssh)
        known_hosts(tmp_path / "known_hosts", ssh, other)
        changed = await ask(collector, ssh)
    assert unknown.failure is FailureReason.UNTRUSTED
    assert unknown.reason == "the host key is not in known_hosts"
    assert changed.failure is FailureReason.UNTRUSTED
    assert changed.reason == "the host key is not the one in known_hosts"
    assert ssh.logins == 0
    assert ssh.lines == []


async def test_a_damaged_known_hosts_trusts_nobody(
    collector: SshCollector, tmp_path: Path
) -> None:
    ssh = SshDevice("cisco_ios", outputs("cisco_ios"))
    async with running(ssh, HOST_KEY):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY, damaged=True)
        result = await ask(collector, ssh)
    assert result.failure is FailureReason.UNTRUSTED
    assert ssh.logins == 0


async def test_a_key_instead_of_a_password(
    collector: SshCollector, tmp_path: Path
) -> None:
    mine = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "key").write_bytes(mine.export_private_key("openssh"))
    ssh = SshDevice("cisco_ios", outputs("cisco_ios"))
    public = mine.export_public_key().decode()
    async with running(ssh, HOST_KEY, public_key=public):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        by_key = SshCredential(name="k", user=USER, key_file=str(tmp_path / "key"))
        result = await ask(collector, ssh, by_key)
    assert result.failure is None
    assert ssh.logins == 1


async def test_a_wrong_password_is_denied_and_never_told(
    collector: SshCollector, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ssh = SshDevice("cisco_ios", outputs("cisco_ios"))
    async with running(ssh, HOST_KEY):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        wrong = SshCredential(name="x", user=USER, password=Secret("falsches-wort"))
        result = await ask(collector, ssh, wrong)
    assert result.failure is FailureReason.DENIED
    assert "falsches-wort" not in result.reason + caplog.text


class AsksAgain(SshDevice):
    """Takes no password of those typed into the session."""

    async def _serve(self, process: asyncssh.SSHServerProcess[str]) -> None:
        while True:
            process.stdout.write("\r\n(Cisco Controller)\r\nUser: ")
            user = await self._line(process)
            process.stdout.write(f"{user}\r\nPassword:")
            await self._line(process)


async def test_a_password_is_typed_into_a_session_once(
    collector: SshCollector, tmp_path: Path
) -> None:
    """The driver would go on for ever, and lock the account at the device."""
    ssh = AsksAgain("cisco_aireos", {})
    async with running(ssh, HOST_KEY):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        result = await ask(collector, ssh)
    assert result.failure is FailureReason.DENIED
    assert ssh.lines.count(PASSWORD) == 1


class AsksWho(SshDevice):
    """Asks for the user and for nothing else."""

    async def _serve(self, process: asyncssh.SSHServerProcess[str]) -> None:
        while True:
            process.stdout.write("\r\nUser: ")
            await self._line(process)


async def test_a_driver_that_never_gives_up_meets_the_budget(tmp_path: Path) -> None:
    ssh = AsksWho("cisco_aireos", {})
    async with running(ssh, HOST_KEY):
        path = known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        platform = load_ssh_platforms()["cisco_aireos"]
        talk = Talk(platform, "127.0.0.1", ssh.port, CREDENTIAL, path, budget_s=1.0)
        with pytest.raises(DeadlineError):
            async with asyncio.timeout(60):
                await asyncio.to_thread(talk.run)


async def test_nobody_there_and_no_ssh_there(collector: SshCollector) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    gone = await ask(collector, SshDevice("cisco_ios", {}, port=port))
    assert gone.failure is FailureReason.REFUSED

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        other = await ask(collector, SshDevice("cisco_ios", {}, port=port))
    assert other.failure in {FailureReason.BROKEN_OFF, FailureReason.NO_REPLY}


async def test_a_poll_that_is_dropped_closes_its_connection(
    collector: SshCollector, tmp_path: Path
) -> None:
    ssh = SshDevice("cisco_ios", outputs("cisco_ios"), mute=True)
    async with running(ssh, HOST_KEY):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        asking = asyncio.create_task(ask(collector, ssh))
        async with asyncio.timeout(30):
            await ssh.asked.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            for connection in ssh.connections:
                await connection.wait_closed()


async def test_a_device_that_never_stops_writing_is_left(
    collector: SshCollector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.ssh.MOST_OUTPUT", 100_000)
    shows = outputs("cisco_ios")
    ssh = SshDevice("cisco_ios", {})
    command = load_ssh_platforms()["cisco_ios"].commands[0].replace(" ", "_")
    ssh.shows = {**shows, command: ("x" * 79 + "\n") * 2_000}
    async with running(ssh, HOST_KEY):
        known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        result = await ask(collector, ssh)
    assert result.failure is FailureReason.PROTOCOL
    assert "more output" in result.reason


async def test_only_lines_of_the_list_can_be_sent(tmp_path: Path) -> None:
    """Whoever calls netmiko's own methods is stopped at the channel."""
    ssh = SshDevice("cisco_ios", outputs("cisco_ios"))
    async with running(ssh, HOST_KEY):
        path = known_hosts(tmp_path / "known_hosts", ssh, HOST_KEY)
        platform = load_ssh_platforms()["cisco_ios"]
        talk = Talk(platform, "127.0.0.1", ssh.port, CREDENTIAL, path)

        def try_all() -> None:
            connection = talk._connect()
            try:
                for line in (
                    "reload",
                    "configure terminal",
                    "show interfaces\nreload",
                    "show interfaces ; reload",
                    "show running-config",
                    "show version | append flash:x",
                ):
                    with pytest.raises(ForbiddenCommandError):
                        connection.send_command(line, read_timeout=2)
                with pytest.raises(ForbiddenCommandError):
                    connection.send_config_set(["hostname x"])
                with pytest.raises(ForbiddenCommandError):
                    connection.save_config()
            finally:
                talk.stop()

        await asyncio.to_thread(try_all)
    assert set(ssh.lines) <= {*platform.prepares}


def test_an_error_never_quotes_what_a_device_wrote() -> None:
    error = NetmikoTimeoutException("output: secret words of a device")
    assert "secret" not in str(told(error, known=True))
