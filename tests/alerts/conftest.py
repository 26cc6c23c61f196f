"""Fixtures of the alarm tests: a small city, a store, golden files, mail servers."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from netmon.model import (
    AccessPoint,
    Device,
    DeviceKind,
    Inventory,
    Line,
    LineRole,
    Room,
    Technology,
)
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts
from tests.alerts.site import Site
from tests.city import a_building, a_line

with warnings.catch_warnings():
    # It tells of its own use of names that a later Python will drop.
    warnings.simplefilter("ignore")
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword

GOLDEN = Path(__file__).parent / "golden"
USER, PASSWORD = "netmon", "gehe1m-und-lang"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        default=False,
        help="write the golden files of the alarm mails anew",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with its golden file; ``--update-golden`` writes it."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        # Unknown when the whole suite runs: then this file is read too late.
        if request.config.getoption("update_golden", default=False):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} differs"

    return compare


@pytest.fixture
def texts() -> Texts:
    return Texts("de")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "state.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def site(store: SqliteStore, city: Inventory) -> Site:
    return Site(store, city)


@pytest.fixture(scope="session")
def city() -> Inventory:
    """One building with a fibre line, a radio backup, a controller, three APs."""
    return Inventory(
        buildings=(
            a_building("gs-07", street="Demostraße 7", rack_room="Verteilerraum, KG"),
        ),
        lines=(
            a_line("gs-07", 250, 50, Technology.FIBRE, contract_number="DO-4711-07"),
            _line("gs-07-backup", LineRole.BACKUP, Technology.RADIO, 100),
        ),
        devices=(
            Device(
                id="wlc-07",
                building_id="gs-07",
                kind=DeviceKind.CONTROLLER,
                name="wlc-gs-07",
                address="192.0.2.7:161",
            ),
        ),
        rooms=(
            Room(
                id="r112",
                building_id="gs-07",
                name="1.12",
                floor="1. OG",
                teaching=True,
            ),
        ),
        access_points=tuple(
            AccessPoint(
                id=f"gs-07-ap-{n}",
                building_id="gs-07",
                name=f"AP-0{n}",
                controller_id="wlc-07",
                serial=f"CN{n}",
                room_id="r112" if n == 1 else "",
            )
            for n in (1, 2, 3)
        ),
    )


def _line(id_: str, role: LineRole, technology: Technology, mbits: int) -> Line:
    return a_line("gs-07", mbits, mbits // 5, technology, id=id_, role=role)


class Certificates:
    """A certificate authority made for the test, and a server certificate of it."""

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "ca.pem"
        self.other_ca_file = folder / "other-ca.pem"
        ca_key, ca = _authority("netmon test CA")
        _, other = _authority("another CA")
        self.ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        self.other_ca_file.write_bytes(other.public_bytes(serialization.Encoding.PEM))
        self.context = self._server("127.0.0.1", folder / "server.pem", ca_key, ca)
        self.misnamed = self._server("192.0.2.1", folder / "misnamed.pem", ca_key, ca)

    @staticmethod
    def _server(
        address: str,
        file: Path,
        ca_key: ec.EllipticCurvePrivateKey,
        ca: x509.Certificate,
    ) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        certificate = (
            _builder("mail server", ca.subject, key.public_key())
            .add_extension(names, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
                critical=False,
            )
            .sign(ca_key, hashes.SHA256())
        )
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _authority(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _builder(
    name: str, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


class MailServer(Controller):  # type: ignore[misc]
    """A real SMTP server on a free port that keeps what it takes.

    ``answers`` are given, in order, to the next mails instead of taking them.
    """

    def __init__(self, *, port: int = 0, **options: Any) -> None:
        self.mails: list[Any] = []
        self.answers: list[str] = []
        super().__init__(self, hostname="127.0.0.1", port=port, **options)

    async def handle_DATA(  # noqa: N802
        self, server: object, session: object, envelope: Any
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        message = message_from_bytes(envelope.content, policy=default)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def _authenticate(
    server: object, session: object, envelope: object, mechanism: str, auth: object
) -> AuthResult:
    assert isinstance(auth, LoginPassword)
    good = (auth.login, auth.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., MailServer]]:
    """Start a mail server; ``tls`` asks for STARTTLS and login as real ones do."""
    with ExitStack() as stack:

        def start(
            *,
            port: int = 0,
            tls: ssl.SSLContext | None = None,
            implicit: ssl.SSLContext | None = None,
        ) -> MailServer:
            options: dict[str, Any] = {}
            if tls is not None:
                options = {
                    "tls_context": tls,
                    "require_starttls": True,
                    "auth_required": True,
                }
            if implicit is not None:
                options = {"ssl_context": implicit, "auth_require_tls": False}
            server = MailServer(
                port=port,
                authenticator=_authenticate,
                # Its LOGIN prompt breaks other clients, so it is off as in production.
                auth_exclude_mechanism=["LOGIN"],
                **options,
            )
            with warnings.catch_warnings():
                # Login over TLS from the start is fine; it only knows STARTTLS.
                warnings.simplefilter("ignore")
                server.start()
            stack.callback(server.stop, no_assert=True)
            return server

        yield start


@pytest.fixture
def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
