"""The demo's mail server: SMTP with STARTTLS and AUTH, keeps what it gets."""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "localhost"
# aiosmtpd warns of a deprecated attribute that only it sets, at every login.
logging.getLogger("mail.log").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail as it came over the wire. ``at`` is UTC."""

    at: datetime
    recipients: tuple[str, ...]
    subject: str
    message_id: str
    in_reply_to: str
    text: str
    html: str

    @property
    def is_recovery(self) -> bool:
        """Say whether it tells of an end: of the answers in a thread, the last."""
        return ".recovery." in self.message_id


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a key and a self-signed certificate for localhost, good for a day.

    Returns the paths of certificate and key; the key is readable by us only.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "smtp-cert.pem", folder / "smtp-key.pem"
    key_path.touch(mode=0o600)
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate_path, key_path


class Mailbox:
    """Receives mails on a free port of localhost."""

    def __init__(self, folder: Path, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._mails: list[ReceivedMail] = []
        self.certificate_path, key_path = make_certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate_path, key_path)
        self._context = context
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on; RuntimeError unless it is started."""
        if self._server is None:
            raise RuntimeError("the mailbox is not started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Start listening on a free port, in the running loop."""
        loop = asyncio.get_running_loop()
        # aiosmtpd's Controller can't take port 0, so its protocol is served here.
        self._server = await loop.create_server(self._protocol, "127.0.0.1", 0)

    def _protocol(self) -> SMTP:
        return SMTP(
            self,
            hostname=HOST,
            tls_context=self._context,
            require_starttls=True,
            authenticator=self._authenticate,
            auth_required=True,
            # Its LOGIN prompt breaks some clients (aiosmtpd issue 566).
            auth_exclude_mechanism=["LOGIN"],
            loop=asyncio.get_running_loop(),
        )

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def mails(self) -> list[ReceivedMail]:
        """Return what came in so far, oldest first."""
        return list(self._mails)

    def _authenticate(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        mech: str,
        data: object,
    ) -> AuthResult:
        good = (
            isinstance(data, LoginPassword)
            and data.login == self._user.encode()
            and data.password == self._password.encode()
        )
        return AuthResult(success=good, handled=False)

    async def handle_DATA(  # noqa: N802 - aiosmtpd finds the handler by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content).encode()
        self._mails.append(_read(raw, tuple(envelope.rcpt_tos)))
        return "250 OK"


def _read(raw: bytes, recipients: tuple[str, ...]) -> ReceivedMail:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what policy.default makes
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    return ReceivedMail(
        at=datetime.now(UTC),
        recipients=recipients,
        subject=str(message["Subject"]),
        # Long ids travel on a line of their own: the fold is not part of them.
        message_id=str(message["Message-ID"]).strip(),
        in_reply_to=str(message["In-Reply-To"] or "").strip(),
        text="" if plain is None else plain.get_content(),
        html="" if rich is None else rich.get_content(),
    )
