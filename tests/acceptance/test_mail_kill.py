"""kill -9 of the alarm process: no mail is lost, each repeat is the same mail."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from collections import Counter
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from netmon.clock import SystemClock, to_ms
from netmon.storage.records import Mail, MailEvent, ThreadNews
from netmon.storage.sqlite import SqliteStore

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from aiosmtpd.controller import Controller

MAILS = 60
# Killed when the server has so many mails: the very moment between taking and marking.
KILLED_AT = (1, 9, 20, 41)
RANDOM_KILLS = 3


class Server(Controller):  # type: ignore[misc]
    """Takes mails, and kills their sender before it answers at the chosen ones."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.sender: subprocess.Popen[bytes] | None = None
        self.kill_at = list(KILLED_AT)
        self.changed = threading.Condition()
        super().__init__(self, hostname="127.0.0.1", port=0)

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=default)
        with self.changed:
            self.ids.append(message["Message-ID"])
            if self.kill_at and len(self.ids) >= self.kill_at[0]:
                del self.kill_at[0]
                assert self.sender is not None
                self.sender.send_signal(signal.SIGKILL)
            self.changed.notify_all()
        return "250 OK"

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.mark.slow
def test_kill_9_while_mails_go_out_loses_none_and_repeats_only_what_was_in_hand(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "state.sqlite3")
    now_ms = to_ms(SystemClock().now())
    events = (MailEvent.ALARM, MailEvent.RECOVERY)
    mails = [
        Mail(
            id=0,
            incident_id=number,
            event=event,
            recipient="service@dortmund.example",
            message_id=f"<{number}.{event}@dortmund.example>",
            in_reply_to="",
            subject=f"{event} {number}",
            text="text",
            html="<p>text</p>",
            created_ms=now_ms,
            attempts=0,
            next_try_ms=now_ms,
            sent_ms=None,
            last_error="",
        )
        for number in range(1, MAILS // 2 + 1)
        for event in events
    ]
    store.threads.tell(
        [ThreadNews(thread=None, mails=tuple(mails))],
        reader="mail",
        position=0,
        now_ms=now_ms,
        memory="",
    )
    server = Server()
    server.start()
    settings = tmp_path / "netmon.toml"
    settings.write_text(
        f'data_dir = "{tmp_path}"\n[alerts]\ninterval_s = 0.2\n'
        f'[mail]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
        'sender = "netmon@dortmund.example"\nrecipients = ["service@dortmund.example"]\n'
    )
    command = [
        sys.executable,
        "-m",
        "netmon",
        "alerts",
        "run",
        "--config",
        str(settings),
    ]
    dice = random.Random()
    kills = 0
    try:
        for turn in range(len(KILLED_AT) + RANDOM_KILLS + 1):
            with (tmp_path / "log").open("ab") as log:
                server.sender = subprocess.Popen(
                    command, stdout=log, stderr=log, env=os.environ
                )
            if turn < len(KILLED_AT):
                server.sender.wait(60)
                kills += 1
                continue
            if turn < len(KILLED_AT) + RANDOM_KILLS:
                # A random moment is what is tested, but not before the mail that was
                # in hand the last time is through: it would be in hand again.
                with server.changed:
                    enough = len(server.ids) + dice.randint(2, 5)
                    server.changed.wait_for(
                        lambda enough=enough: len(server.ids) >= enough, timeout=30
                    )
                server.sender.kill()
                server.sender.wait()
                kills += 1
                continue
            with server.changed:
                done = server.changed.wait_for(
                    lambda: set(server.ids) == {mail.message_id for mail in mails}, 60
                )
            assert done, (tmp_path / "log").read_text()
            server.sender.terminate()
            assert server.sender.wait(30) == 0
    finally:
        if server.sender is not None:
            server.sender.kill()
            server.sender.wait()
        server.stop()
    assert store.outbox.counts() == {(event, True): MAILS // 2 for event in events}
    store.close()
    repeats = Counter(server.ids)
    assert max(repeats.values()) <= 2
    assert sum(repeats.values()) - MAILS <= kills
    # At the chosen moments the mail was taken and its sender gone before it knew.
    assert sum(repeats.values()) - MAILS >= len(KILLED_AT)
    for number in range(1, MAILS // 2 + 1):
        first = [server.ids.index(f"<{number}.{e}@dortmund.example>") for e in events]
        assert first == sorted(first), "a recovery overtook its alarm"
