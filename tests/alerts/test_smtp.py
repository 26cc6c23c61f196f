"""SMTP against a real server: what is taken, what is refused, what errors say."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alerts.smtp import (
    ServerUnavailableError,
    SmtpMailer,
    build_message,
    mailer_from,
)
from netmon.config import MailSettings, Secret
from netmon.errors import ConfigError, SendError
from netmon.storage.records import Mail, MailEvent

USER, PASSWORD = "netmon", "gehe1m-und-lang"
SENDER = "netmon <netmon@dortmund.example>"
Serve = Callable[..., Any]


def a_mail(**changes: Any) -> Mail:
    fields: dict[str, Any] = {
        "id": 1,
        "incident_id": 12,
        "event": MailEvent.ALARM,
        "recipient": "service@dortmund.example",
        "message_id": "<netmon.12.alarm@dortmund.example>",
        "in_reply_to": "",
        "subject": "[Störung] Grundschule 07 – Anbindung unter Soll seit 08:12 Uhr",
        "text": "Größe: 43,0 Mbit/s\n",
        "html": "<p>Größe: 43,0&nbsp;Mbit/s</p>",
        "created_ms": 1_795_158_720_000,
        "attempts": 0,
        "next_try_ms": 0,
        "sent_ms": None,
        "last_error": "",
    }
    return Mail(**(fields | changes))


def mailer(port: int, ca_file: Path | None, **changes: Any) -> SmtpMailer:
    password = changes.pop("password", PASSWORD)
    fields: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "user": USER,
        "ca_file": "" if ca_file is None else str(ca_file),
        "sender": SENDER,
    }
    settings = MailSettings(**(fields | changes))
    return SmtpMailer(settings, Secret(password), timeout_s=5)


def test_starttls_and_login_deliver(serve: Serve, certificates: Any) -> None:
    server = serve(tls=certificates.context)
    mail = a_mail(in_reply_to="<first@dortmund.example>")
    mailer(server.port, certificates.ca_file).send(build_message(mail, SENDER))
    ((sender, recipients, message),) = server.mails
    assert sender == "netmon@dortmund.example"
    assert recipients == ["service@dortmund.example"]
    assert message["Subject"] == mail.subject
    assert message["Message-ID"] == mail.message_id
    assert message["In-Reply-To"] == message["References"] == mail.in_reply_to
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_body(("plain",)).get_content().splitlines() == [
        "Größe: 43,0 Mbit/s"
    ]
    assert "Größe" in message.get_body(("html",)).get_content()


def test_tls_from_the_start_delivers(serve: Serve, certificates: Any) -> None:
    server = serve(implicit=certificates.context)
    to = mailer(server.port, certificates.ca_file, security="tls")
    to.send(build_message(a_mail(), SENDER))
    assert len(server.mails) == 1


def test_a_certificate_of_another_authority_is_refused(
    serve: Serve, certificates: Any
) -> None:
    server = serve(tls=certificates.context)
    with pytest.raises(ServerUnavailableError, match="certificate refused") as caught:
        mailer(server.port, certificates.other_ca_file).send(
            build_message(a_mail(), SENDER)
        )
    assert caught.value.permanent
    assert server.mails == []


@pytest.mark.parametrize("how", ["tls", "implicit"])
def test_a_certificate_for_another_host_is_refused(
    serve: Serve, certificates: Any, how: str
) -> None:
    server = serve(**{how: certificates.misnamed})
    security = {"tls": "starttls", "implicit": "tls"}[how]
    with pytest.raises(ServerUnavailableError, match="certificate refused"):
        mailer(server.port, certificates.ca_file, security=security).send(
            build_message(a_mail(), SENDER)
        )
    assert server.mails == []


def test_no_starttls_means_no_mail(serve: Serve, certificates: Any) -> None:
    server = serve()
    with pytest.raises(ServerUnavailableError, match="no STARTTLS") as caught:
        mailer(server.port, certificates.ca_file).send(build_message(a_mail(), SENDER))
    assert caught.value.permanent
    assert server.mails == []


def test_a_wrong_password_is_refused_and_not_told(
    serve: Serve, certificates: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(tls=certificates.context)
    wrong = "falsch-und-geheim"
    with pytest.raises(ServerUnavailableError, match="login refused: 535") as caught:
        mailer(server.port, certificates.ca_file, password=wrong).send(
            build_message(a_mail(), SENDER)
        )
    assert caught.value.permanent
    assert caught.value.__cause__ is None
    assert wrong not in f"{caught.value!r} {caplog.text}"
    assert server.mails == []


def test_a_server_that_repeats_the_password_is_not_quoted() -> None:
    to = mailer(25, None)
    assert PASSWORD not in to._hide(f"no such user {PASSWORD}")
    assert PASSWORD not in repr(vars(to))


def test_nobody_listens(free_port: int) -> None:
    with pytest.raises(ServerUnavailableError, match="no connection") as caught:
        mailer(free_port, None).send(build_message(a_mail(), SENDER))
    assert caught.value.retry


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [("451 4.7.1 greylisted", False), ("550 5.1.1 no such user", True)],
)
def test_a_refused_mail_says_whether_to_try_again(
    serve: Serve, answer: str, permanent: bool
) -> None:
    server = serve()
    server.answers.append(answer)
    to = mailer(server.port, None, security="none", user="")
    with pytest.raises(SendError, match=answer) as caught:
        to.send(build_message(a_mail(), SENDER))
    assert caught.value.permanent is permanent
    assert not isinstance(caught.value, ServerUnavailableError)


def test_without_a_host_there_is_no_mailer() -> None:
    assert mailer_from(MailSettings()) is None


def test_no_password_in_the_clear_over_a_network(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    there = MailSettings(
        host="mail.example", security="none", user=USER, password_file=str(file)
    )
    with pytest.raises(ConfigError, match=r"mail\.security"):
        mailer_from(there)
    here = MailSettings(
        host="127.0.0.1", security="none", user=USER, password_file=str(file)
    )
    assert mailer_from(here) is not None


@pytest.mark.parametrize(
    "settings",
    [
        MailSettings(host="mail.example", user=USER),
        MailSettings(host="mail.example", user=USER, password_file="/no/such/file"),
        MailSettings(host="mail.example", ca_file="/no/such/file"),
    ],
    ids=["no password", "no password file", "no ca file"],
)
def test_settings_that_cannot_work_are_refused(settings: MailSettings) -> None:
    with pytest.raises(ConfigError):
        mailer_from(settings)


def test_the_same_row_is_the_same_mail() -> None:
    first, second = (build_message(a_mail(), SENDER) for _ in range(2))
    for name in ("Message-ID", "Date", "Subject"):
        assert first[name] == second[name]
