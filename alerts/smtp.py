"""Handing a mail to a server: the port, and SMTP behind it.

TLS is checked against the certificate authorities always; the password reaches
neither a log nor an error.
"""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from ipaddress import ip_address
from typing import Protocol

from netmon.clock import from_ms
from netmon.config import MailSettings, Secret, read_secret
from netmon.errors import ConfigError, SendError
from netmon.refused import failed, refused
from netmon.storage.records import Mail

TIMEOUT_S = 20.0
_MAX_ERROR_CHARS = 300


class ServerUnavailableError(SendError):
    """The server itself could not be used: other mails will fare no better now."""


class Mailer(Protocol):
    """Where mails go."""

    def send(self, message: EmailMessage) -> None:
        """Return after the server took the mail.

        Raises:
            ServerUnavailableError: no connection, no TLS, or no login.
            SendError: the server refused this mail.
        """


def build_message(mail: Mail, sender: str) -> EmailMessage:
    """Return the mail as it goes over the wire; the same row gives the same one."""
    message = EmailMessage()
    message["Subject"] = mail.subject
    message["From"] = sender
    message["To"] = mail.recipient
    message["Date"] = format_datetime(from_ms(mail.created_ms))
    message["Message-ID"] = mail.message_id
    if mail.in_reply_to:
        message["In-Reply-To"] = mail.in_reply_to
        message["References"] = mail.in_reply_to
    # Keeps holiday notices from answering.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message


_LASTING = partial(ServerUnavailableError, permanent=True)
_PASSING = partial(ServerUnavailableError, permanent=False)


class SmtpMailer:
    """SMTP with STARTTLS, TLS or (on this machine only) neither; blocking."""

    def __init__(
        self,
        settings: MailSettings,
        password: Secret | None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._settings = settings
        self._password = password
        self._timeout_s = timeout_s
        self._tls = (
            None if settings.security == "none" else _tls_context(settings.ca_file)
        )

    def send(self, message: EmailMessage) -> None:
        """Send over a connection of its own; see the port."""
        try:
            with self._connect() as server:
                self._send(server, message)
        except SendError:
            raise
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message
            raise failed(_LASTING, "mail_certificate", why=why) from None
        except smtplib.SMTPException as error:
            raise self._refused(error) from None
        except OSError as error:
            raise failed(_PASSING, "mail_connection", why=error) from None

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        name = _own_name()
        if settings.security == "tls":
            return smtplib.SMTP_SSL(
                settings.host,
                settings.port,
                local_hostname=name,
                timeout=self._timeout_s,
                context=self._tls,
            )
        return smtplib.SMTP(
            settings.host,
            settings.port,
            local_hostname=name,
            timeout=self._timeout_s,
        )

    def _send(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        settings = self._settings
        if settings.security == "starttls":
            try:
                server.starttls(context=self._tls)
            except (smtplib.SMTPNotSupportedError, smtplib.SMTPResponseException):
                raise failed(_LASTING, "mail_no_starttls") from None
        if settings.user and self._password is not None:
            try:
                server.login(settings.user, self._password.reveal())
            except smtplib.SMTPResponseException as error:
                kind = _LASTING if error.smtp_code >= 500 else _PASSING
                why = self._hide(_reply(error))
                raise failed(kind, "mail_login", why=why) from None
        try:
            server.send_message(message)
        except (smtplib.SMTPNotSupportedError, ValueError) as error:
            # Of this mail alone, e.g. an address that the server cannot take.
            this_mail = partial(SendError, permanent=True)
            why = self._hide(str(error))
            raise failed(this_mail, "mail_cannot", why=why) from None

    def _refused(self, error: smtplib.SMTPException) -> SendError:
        match error:
            case smtplib.SMTPRecipientsRefused():
                code, words = next(iter(error.recipients.values()))
                kind = partial(SendError, permanent=code >= 500)
                why = self._hide(f"{code} {_words(words)}")
                return failed(kind, "mail_recipient", why=why)
            case smtplib.SMTPConnectError() | smtplib.SMTPHeloError():
                why = self._hide(_reply(error))
                return failed(_PASSING, "mail_hello", why=why)
            case smtplib.SMTPResponseException():
                kind = partial(SendError, permanent=error.smtp_code >= 500)
                return failed(kind, "mail_refused", why=self._hide(_reply(error)))
            case smtplib.SMTPNotSupportedError():
                return failed(_LASTING, "mail_cannot", why=self._hide(str(error)))
            case _:
                return failed(_PASSING, "mail_lost", why=self._hide(str(error)))

    def _hide(self, text: str) -> str:
        """Return the text without the password, in case the server repeats it."""
        if self._password is not None:
            secret = self._password.reveal()
            user = self._settings.user
            for plain in (f"\0{user}\0{secret}", secret):
                coded = base64.b64encode(plain.encode()).decode()
                text = text.replace(coded, "***").replace(plain, "***")
        return text[:_MAX_ERROR_CHARS]


# What the settings say as a whole is named by the part that reads it.
_WHERE = "netmon alerts"


def mailer_from(settings: MailSettings) -> SmtpMailer | None:
    """Return the mailer of the settings; None while no host is set.

    Raises:
        ConfigError: a file cannot be read, or a password would travel in the
            clear over a network.
    """
    if not settings.host:
        return None
    in_clear = settings.security == "none" and bool(settings.user)
    if in_clear and not _is_here(settings.host):
        raise ConfigError([refused(_WHERE, "mail.security", "password_in_clear")])
    password = read_secret(settings.password_file, setting="mail.password_file")
    if settings.user and password is None:
        told = {"name": "mail.password_file", "other": "mail.user"}
        raise ConfigError([refused(_WHERE, told["name"], "needed_with", **told)])
    return SmtpMailer(settings, password)


def _tls_context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        wrong = refused(ca_file, "mail.ca_file", "no_certificates", why=error)
        raise ConfigError([wrong]) from error


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _own_name() -> str:
    # Not getfqdn, which asks the DNS and may wait for it.
    return socket.gethostname() or "localhost"


def _reply(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_words(error.smtp_error)}"


def _words(raw: bytes | str) -> str:
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return " ".join(text.split())
