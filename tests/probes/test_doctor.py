"""The doctor's checks, each against a real file, port or server; and its words."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import ssl
import subprocess
from collections import Counter
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from msgspec.structs import replace

from netmon.cli import probe
from netmon.cli.probe_doctor import line_of, said, verdict
from netmon.clock import ManualClock, SystemClock
from netmon.errors import Problem
from netmon.texts import LANGUAGES, Texts, catalogue
from netmon.wire import ErrorBody, ErrorReply, encode
from probes.certificate import PAYLOAD_SHARE
from probes.client import open_client
from probes.counters import Reading
from probes.dns import DnsSettings
from probes.doctor import CHECKS, Finding, Grade, Place, files, gateway, machine, router
from probes.doctor import server as server_checks
from probes.link import LinkSettings
from probes.path import PathSettings
from probes.settings import GatewayLink, ProbeSettings, ServerLink
from probes.wan import WanSettings

NOW = datetime(2026, 11, 26, 8, 0, 0, tzinfo=UTC)


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


# --- words -------------------------------------------------------------------


def findings_in_code(repo_dir) -> set[tuple[str, str, str]]:
    """(grade, check, says) of every finding a check can make, read from its text."""
    modules = {"files": files, "gateway": gateway, "machine": machine}
    modules |= {"router": router, "server": server_checks}
    by_module: dict[str, set[str]] = {}
    for check, function in CHECKS.items():
        by_module.setdefault(function.__module__, set()).add(check)
    found = set()
    for module in modules.values():
        text = (repo_dir / f"{module.__name__.replace('.', '/')}.py").read_text()
        checks = by_module[module.__name__]
        for grade, says in re.findall(r'\b(ok|hint|error)\(\s*"(\w+)"', text):
            named = [
                check for check in checks if f"doctor.{check}.{says}" in catalogue("de")
            ]
            assert named, f"doctor.?.{says} of {module.__name__} has no words"
            found |= {(grade, check, says) for check in named}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_finding_has_words_and_what_is_not_well_a_remedy(repo_dir, language):
    texts = Texts(language)
    found = findings_in_code(repo_dir)
    assert len(found) > 50
    for grade, check, says in found:
        assert texts.has(f"doctor.{check}.{says}")
        if grade != "ok":
            assert texts.has(f"doctor.{check}.{says}_fix"), f"{check}.{says}"
    for check in CHECKS:
        assert texts.has(f"doctor.name.{check}")
    for each in Grade:
        assert texts.has(f"doctor.grade.{each.value}")


def test_no_words_are_left_over(repo_dir):
    used = {f"doctor.{check}.{says}" for _, check, says in findings_in_code(repo_dir)}
    # Names made of two parts, chosen by a condition.
    used |= {
        f"doctor.{name}"
        for name in (
            "port.unknown",
            "port.none",
            "counters.edges",
            "counters.rare",
            "server.token",
            "server.unreached",
        )
    }
    for key in catalogue("de"):
        room, _, rest = key.removeprefix("doctor.").partition(".")
        if key.startswith("doctor.") and rest and room not in {"grade", "name"}:
            assert key.removesuffix("_fix") in used, key


def test_a_line_shows_grade_finding_and_remedy_in_german():
    slow = Finding(
        Grade.ERROR,
        "slow",
        {
            "interface": "eth0",
            "speed_bps": 1e8,
            "limit_bps": 94.15e6,
            "target_bps": 1e8,
        },
    )
    first, second = line_of(Texts("de"), "port", slow).splitlines()
    assert first.startswith("Fehler   Netzwerkanschluss: eth0 läuft mit 100 Mbit/s")
    assert "höchstens 94,2 Mbit/s Nutzdaten: 100 Mbit/s lassen sich" in first
    assert second.startswith("         → Kabel")


def test_a_fine_line_needs_no_remedy_and_numbers_read_well():
    edges = Finding(Grade.OK, "edges", {"line": "l1", "refresh_s": 3.0})
    assert line_of(Texts("de"), "counters", edges) == (
        "OK       Zähler des Routers: l1: lesbar, alle 3,0 s neu"
    )
    broken = Finding(Grade.ERROR, "broken", {"segment": "provider", "fault": "silent"})
    assert said(Texts("de"), "path", broken) == "Netz des Providers antwortet nicht"
    room = Finding(Grade.OK, "room", {"folder": "/var", "free_bytes": 12.34e9})
    assert said(Texts("de"), "spool", room) == "/var ist beschreibbar, 12,3 GB frei"


@pytest.mark.parametrize(
    ("grades", "text"),
    [
        ([Grade.OK], "Keine Beanstandung: Die Sonde kann messen."),
        ([Grade.OK, Grade.HINT], "Die Sonde kann messen. Hinweise: 1."),
        ([Grade.ERROR, Grade.HINT], "So kann die Sonde nicht zuverlässig messen."),
    ],
)
def test_the_last_line_is_the_verdict(grades, text):
    assert verdict(Texts("de"), Counter(grades)).startswith(text)


# --- files -------------------------------------------------------------------


async def test_refused_settings_are_told_with_field_and_fix(tmp_path):
    problem = Problem("sonde.toml", None, "dns.port", "0 is outside", "choose another")
    place = Place(tmp_path / "sonde.toml", SystemClock(), None, (problem,))
    (found,) = await files.settings(place)
    assert found.grade is Grade.ERROR
    assert found.fields == {
        "where": "dns.port",
        "text": "0 is outside",
        "fix": "choose another",
    }
    # All others can do without settings, or say nothing.
    for name, check in CHECKS.items():
        if name not in {"settings", "processor"}:
            for finding in await check(place):
                assert name in {"port", "clock", "kernel"}, (name, finding)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0o600, "ok closed"),
        (0o640, "ok closed"),
        (0o644, "hint open"),
        (0o646, "error writable"),
    ],
)
async def test_a_secret_is_for_its_account_only(
    settings, make_place, token_file, mode, expected
):
    token_file.chmod(mode)
    findings = await files.secrets(make_place(settings))
    assert told(findings) == [expected, expected]
    assert "right-token" not in repr(findings)


async def test_each_secret_that_cannot_be_read_is_named(settings, make_place, tmp_path):
    (tmp_path / "empty").write_text("")
    wan = WanSettings(
        line="l1",
        address="127.0.0.1:161",
        if_index=1,
        community_file=str(tmp_path / "none"),
    )
    changed = replace(
        settings,
        wan=(wan,),
        server=replace(settings.server, token_file=str(tmp_path / "empty")),
    )
    findings = await files.secrets(make_place(changed))
    assert told(findings) == ["ok closed", "error unreadable", "error unreadable"]
    assert findings[1].fields["name"] == "server.token_file"
    assert findings[2].fields["name"] == "wan[0].community_file"


async def test_the_spools_folder_takes_data_and_nothing_is_left_there(
    settings, make_place, tmp_path
):
    before = set(tmp_path.iterdir())
    (found,) = await files.spool(make_place(settings))
    assert found.grade in {Grade.OK, Grade.HINT, Grade.ERROR}
    assert found.says in {"room", "little", "full"}
    assert found.fields["free_bytes"] > 0
    assert set(tmp_path.iterdir()) == before


async def test_a_folder_that_is_not_there_is_an_error(settings, make_place, tmp_path):
    gone = replace(settings, spool=str(tmp_path / "gone" / "spool.sqlite3"))
    assert told(await files.spool(make_place(gone))) == ["error not_writable"]


@pytest.mark.parametrize(
    ("free_bytes", "expected"),
    [(1e6, "error full"), (100e6, "hint little"), (5e9, "ok room")],
)
async def test_a_full_disk_is_told(
    settings, make_place, monkeypatch, free_bytes, expected
):
    class Usage:
        free = free_bytes

    monkeypatch.setattr(files.shutil, "disk_usage", lambda folder: Usage)
    assert told(await files.spool(make_place(settings))) == [expected]


# --- machine -----------------------------------------------------------------


@pytest.fixture
def make_port(tmp_path):
    def make(speed: str, duplex: str):
        folder = tmp_path / "sys/class/net/eth0"
        (folder / "device").mkdir(parents=True)
        (folder / "speed").write_text(speed)
        (folder / "duplex").write_text(duplex)

    return make


@pytest.mark.parametrize(
    ("speed", "duplex", "expected"),
    [
        ("1000", "full", "ok fast"),
        ("2500", "unknown", "ok fast"),
        ("100", "full", "error slow"),
        ("1000", "half", "error half"),
        ("-1", "full", "hint unknown"),
    ],
)
async def test_what_the_port_can_show(
    settings, make_place, make_port, speed, duplex, expected
):
    make_port(speed, duplex)
    (found,) = await machine.port(make_place(settings))
    assert told([found]) == [expected]
    if found.says == "slow":
        assert found.fields["limit_bps"] == pytest.approx(PAYLOAD_SHARE * 1e8)


async def test_without_a_route_there_is_no_port(settings, make_place):
    anywhere = replace(settings, link=LinkSettings())
    assert told(await machine.port(make_place(anywhere))) == ["error none"]


@pytest.mark.parametrize(
    ("ceiling_bps", "expected"),
    [(90e6, "error weak"), (500e6, "hint below_port"), (5e9, "ok strong")],
)
async def test_what_the_machine_moves_without_a_line(
    settings, make_place, monkeypatch, ceiling_bps, expected
):
    monkeypatch.setattr(machine, "measure_ceiling", lambda: ceiling_bps)
    assert told(await machine.processor(make_place(settings))) == [expected]


async def test_this_machines_processor_clock_and_kernel_answer(settings, make_place):
    place = make_place(settings)
    (processor,) = await machine.processor(place)
    assert processor.fields["ceiling_bps"] > 0
    assert len(await machine.clock(place)) == 1
    says = {finding.says for finding in await machine.kernel(place)}
    assert says >= {"tcp_info", "error_queue"}


@pytest.mark.parametrize(
    ("known", "expected"), [("reno cubic bbr\n", "ok bbr"), ("cubic\n", "hint no_bbr")]
)
async def test_bbr_is_looked_for(settings, make_place, tmp_path, known, expected):
    file = tmp_path / machine._CONGESTION
    file.parent.mkdir(parents=True)
    file.write_text(known)
    assert expected in told(await machine.kernel(make_place(settings)))


# --- centre ------------------------------------------------------------------


@asynccontextmanager
async def answering(status: str, body: bytes, date: datetime | None = None, **options):
    """A web server that gives this answer to everything."""

    async def serve(reader, writer):
        with closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n"
            if date is not None:
                head += f"date: {format_datetime(date, usegmt=True)}\r\n"
            writer.write(head.encode() + b"connection: close\r\n\r\n" + body)
            await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, **options)
    async with server:
        yield server.sockets[0].getsockname()[1]


def at(settings, port, scheme="http", **changes):
    link = replace(settings.gateway, url=f"{scheme}://127.0.0.1:{port}", **changes)
    return replace(settings, gateway=link)


def refusal(code: str) -> bytes:
    return encode(ErrorReply(ErrorBody(code, "went wrong", "mend it")))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        ("401 Unauthorized", refusal("bad_token"), "error token"),
        ("403 Forbidden", refusal("no_probe"), "error refused"),
        ("404 Not Found", refusal("not_found"), "hint older"),
        ("404 Not Found", b"<html>nginx</html>", "error stranger"),
        ("200 OK", b"<html>Bitte anmelden</html>", "error stranger"),
        ("502 Bad Gateway", b"", "error refused"),
    ],
)
async def test_what_the_gateway_answers_is_told(
    settings, make_place, status, body, expected
):
    async with answering(status, body) as port:
        findings = await gateway.gateway(make_place(at(settings, port)))
    assert told(findings) == [expected]
    assert "right-token" not in repr(findings)


async def test_a_gateway_that_is_not_there_is_unreached(settings, make_place):
    place = make_place(settings)
    assert told(await gateway.gateway(place)) == ["error unreached"]
    assert await gateway.gateway_clock(place) == []


async def test_a_gateway_without_encryption_is_a_hint(settings, make_place):
    away = GatewayLink("http://no-such-host.invalid", settings.gateway.token_file)
    findings = await gateway.gateway(make_place(replace(settings, gateway=away)))
    assert told(findings) == ["hint plain", "error unreached"]


@pytest.fixture
def certificate(tmp_path):
    """A certificate that nobody has signed but itself."""
    key, file = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    command += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(file)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("the program openssl is missing (apt-get install openssl)")
    return file, key


async def test_a_strange_certificate_is_told_and_accepted_once_it_is_named(
    settings, make_place, certificate
):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    body = refusal("bad_token")
    async with answering("401 Unauthorized", body, ssl=context) as port:
        strange = at(settings, port, "https")
        (found,) = await gateway.gateway(make_place(strange))
        known = at(settings, port, "https", ca_file=str(certificate[0]))
        findings = await gateway.gateway(make_place(known))
    assert told([found]) == ["error tls"]
    assert "self-signed" in found.fields["text"]
    assert told(findings) == ["error token"]


@pytest.mark.parametrize(
    ("ahead_s", "expected"),
    [(0, "ok agrees"), (2, "ok agrees"), (30, "error off"), (-3600, "error off")],
)
async def test_the_clocks_are_compared_by_the_date_of_the_answer(
    settings, make_place, ahead_s, expected
):
    clock = ManualClock(NOW)
    clock.advance(ahead_s)
    async with answering("503 Unwell", b"", NOW) as port:
        place = make_place(at(settings, port), clock=clock)
        (found,) = await gateway.gateway_clock(place)
    assert told([found]) == [expected]
    assert found.fields["offset_s"] == pytest.approx(ahead_s, abs=0.6)


async def test_an_answer_without_date_says_nothing_of_the_clock(settings, make_place):
    async with answering("200 OK", b"") as port:
        findings = await gateway.gateway_clock(make_place(at(settings, port)))
    assert told(findings) == ["hint no_time"]


@pytest.mark.parametrize("header", [None, "", "gestern", "Thu, 26 Nov 2026 08:00:00"])
def test_a_date_that_cannot_be_read_is_none(header):
    assert gateway.date_offset(0, 0, header) is None


async def test_dns_that_answers_nothing_is_an_error(settings, make_place):
    mute = DnsSettings(server="127.0.0.1", port=1, timeout_s=0.05)
    findings = await gateway.dns(make_place(replace(settings, dns=mute)))
    assert told(findings) == ["error failed"]


# --- measurement server, way, counters ---------------------------------------


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


# --- the command -------------------------------------------------------------


def run(*argv: str) -> int:
    texts = Texts("de")
    parser = argparse.ArgumentParser()
    probe.add(parser.add_subparsers(), texts)
    args = parser.parse_args(["probe", "doctor", *argv])
    status: int = args.run(args, texts)
    return status


def test_json_names_each_check_with_values_text_and_remedy(tmp_path, capsys):
    file = tmp_path / "sonde.toml"
    file.write_text("probe = 1\n")
    assert run("--config", str(file), "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    first = answer["findings"][0]
    assert (first["check"], first["grade"]) == ("settings", "error")
    assert first["text"]
    assert first["fix"]


def test_a_wrong_certificate_file_is_a_wrong_setting(tmp_path, capsys):
    file = tmp_path / "sonde.toml"
    file.write_text(
        'probe = "p"\nbuilding = "b"\nline = "l"\n[gateway]\nurl = "https://x"\n'
        'token_file = "t"\nca_file = "none.pem"\n'
        '[server]\naddress = "x:1"\ntoken_file = "t"\n'
    )
    assert run("--config", str(file)) == 1
    assert "Einstellungen: gateway.ca_file" in capsys.readouterr().out
