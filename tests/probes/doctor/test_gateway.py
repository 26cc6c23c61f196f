"""The gateway, its clock and DNS, each a real server that answers oddly."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from msgspec.structs import replace

from netmon.clock import ManualClock
from netmon.wire import ErrorBody, ErrorReply, encode
from probes.dns import DnsSettings
from probes.doctor import gateway
from probes.settings import GatewayLink
from tests.probes.doctor.conftest import told

NOW = datetime(2026, 11, 26, 8, 0, 0, tzinfo=UTC)


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
