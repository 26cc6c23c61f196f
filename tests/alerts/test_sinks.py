"""Incidents at a real Alertmanager, and at a ticket system that checks signatures."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from alerts.classes import Severity
from alerts.evidence import Cause, Evidence, encode
from alerts.notify.facts import ThreadMemory
from alerts.rules import LINE_BELOW_TARGET, MONITOR, NO_DATA
from alerts.service import AlertService
from alerts.sinks import Context, Posted, sinks_from
from netmon.clock import ManualClock, SystemClock, to_ms
from netmon.config import AlertSettings, GatewaySettings, Settings, load_settings
from netmon.errors import ConfigError
from netmon.model import Inventory, LineRole
from netmon.rule_overrides import RuleOverride
from netmon.sink_settings import AlertmanagerSettings, SinkSettings, WebhookSettings
from netmon.storage.alarms import OPEN_INCIDENT
from netmon.storage.records import (
    AlarmState,
    MailEvent,
    StateRow,
    Thread,
    ThreadLevel,
    ThreadNews,
    Transition,
)
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts

START = datetime(2026, 11, 20, 7, 12, tzinfo=UTC)
SECRET = "unter-uns-gesagt"
LINE = "line:gs-07-main"


class City:
    """Opens and ends incidents as the engine does, told as the planner does."""

    def __init__(self, store: SqliteStore, clock: Any) -> None:
        self._store = store
        self._clock = clock

    def _change(
        self,
        rule: str,
        to_state: AlarmState,
        incident_id: int,
        *,
        target: str = LINE,
        building: str = "gs-07",
    ) -> int:
        now_ms = to_ms(self._clock.now())
        is_open = to_state is AlarmState.BAD
        evidence = Evidence(
            cause=Cause.BELOW_TARGET, since_ms=now_ms - 60_000, role=LineRole.MAIN
        )
        transition = Transition(
            id=0,
            rule=rule,
            target=target,
            building_id=building,
            from_state=AlarmState.OK if is_open else AlarmState.BAD,
            to_state=to_state,
            at_ms=now_ms,
            incident_id=incident_id,
            evidence=encode(evidence),
        )
        row = StateRow(
            rule=rule,
            target=target,
            building_id=building,
            state=to_state,
            since_ms=now_ms,
            updated_ms=now_ms,
            incident_id=incident_id if is_open else None,
            memory=b"{}",
        )
        (stored,) = self._store.alarms.commit(
            [row], [transition], reader="alerts", position=0, now_ms=now_ms
        )
        assert stored.incident_id is not None
        return stored.incident_id

    def falls(
        self, rule: str = LINE_BELOW_TARGET, *, told: bool = True, **where: str
    ) -> int:
        number = self._change(rule, AlarmState.BAD, OPEN_INCIDENT, **where)
        if told:
            self.is_told(number)
        return number

    def is_told(self, number: int) -> None:
        now_ms = to_ms(self._clock.now())
        memory = ThreadMemory(severity=Severity.MAJOR, joined_ms=now_ms, told={})
        thread = Thread(
            id=0,
            level=ThreadLevel.BUILDING,
            key="gs-07",
            opened_ms=now_ms,
            memory=msgspec.json.encode(memory).decode(),
        )
        self._store.threads.tell(
            [ThreadNews(thread=thread, joined=(number,))],
            reader="mail",
            position=0,
            now_ms=now_ms,
            memory="",
        )

    def is_well(self, number: int, rule: str = LINE_BELOW_TARGET) -> None:
        self._change(rule, AlarmState.OK, number)


def context(
    store: SqliteStore,
    city: Inventory,
    clock: Any,
    sinks: SinkSettings,
    *rules: RuleOverride,
) -> Context:
    gateway = GatewaySettings(public_url="https://netz.dortmund.example")
    alerts = AlertSettings(rules=rules)
    settings = Settings(gateway=gateway, sinks=sinks, alerts=alerts)
    return Context(store, lambda: city, settings, Texts("de"), clock)


# --- Alertmanager ------------------------------------------------------------


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start Debian's, with nobody to send to."""
    binary = shutil.which("prometheus-alertmanager")
    if binary is None:
        reason = "no prometheus-alertmanager on the PATH (Debian package of that name)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing in CI: {reason}")
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("alertmanager")
    file = folder / "alertmanager.yml"
    file.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={file}",
                f"--storage.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until(lambda: _is_ready(url), process)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=2).is_success
    except httpx.TransportError:
        return False


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    # It tells nobody when it listens.
    deadline = time.monotonic() + 20
    while not ready():
        assert process.poll() is None, "Alertmanager ended"
        assert time.monotonic() < deadline, "Alertmanager does not answer"
        time.sleep(0.05)


def firing(url: str) -> dict[str, dict[str, Any]]:
    answer = httpx.get(f"{url}/api/v2/alerts", timeout=5).raise_for_status().json()
    return {alert["labels"]["incident"]: alert for alert in answer}


def test_alertmanager_shows_what_people_were_told_of_until_it_is_over(
    store: SqliteStore, city: Inventory, alertmanager: str
) -> None:
    clock = SystemClock()
    sinks = SinkSettings(
        alertmanager=AlertmanagerSettings(url=f"{alertmanager}/", labels={"city": "do"})
    )
    (sink,) = sinks_from(context(store, city, clock, sinks))
    here = City(store, clock)
    slow = here.falls()
    muted = here.falls(NO_DATA, told=False)
    assert sink.run_once() == Posted(1)
    shown = firing(alertmanager)
    assert str(muted) not in shown
    alert = shown[str(slow)]
    assert alert["labels"] == {
        "alertname": "line_below_target",
        "building": "gs-07",
        "campus_district": "Campusbezirk 3",
        "city": "do",
        "incident": str(slow),
        "school_type": "Grundschule",
        "severity": "major",
        "target": LINE,
    }
    assert alert["annotations"]["summary"].startswith("Grundschule 07 (Demo): ")
    assert alert["generatorURL"] == "https://netz.dortmund.example/gebaeude/gs-07"
    ends = datetime.fromisoformat(alert["endsAt"])
    assert 180 < (ends - clock.now()).total_seconds() <= 240

    here.is_told(muted)
    here.is_well(slow)
    assert sink.run_once() == Posted(2)
    assert set(firing(alertmanager)) == {str(muted)}
    assert sink.run_once() == Posted(1)
    here.is_well(muted, NO_DATA)
    sink.run_once()
    assert firing(alertmanager) == {}
    sink.close()


def test_an_end_that_was_not_taken_is_posted_when_it_answers_again(
    store: SqliteStore, city: Inventory, receive: Receive
) -> None:
    clock = ManualClock(START)
    server = receive()
    settings = AlertmanagerSettings(url=server.url)
    (sink,) = sinks_from(
        context(store, city, clock, SinkSettings(alertmanager=settings))
    )
    here = City(store, clock)
    number = here.falls()
    assert sink.run_once() == Posted(1)
    here.is_well(number)
    server.answers.append((503, b"not now"))
    assert sink.run_once() == Posted(0, 1, "refused: 503 not now")
    clock.advance(60)
    assert sink.run_once() == Posted(1)
    (last,) = json.loads(server.calls[-1].body)
    assert last["endsAt"] == START.isoformat(timespec="milliseconds")
    assert sink.run_once() == Posted(0)
    sink.close()


# --- the ticket system -------------------------------------------------------


class Call(msgspec.Struct):
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Takes calls; ``answers`` are given, in order, before it says yes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[Call] = []
        self.answers: list[tuple[int, bytes]] = []
        self.on_call: Callable[[], None] = bool
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append(Call(self.path, dict(self.headers), body))
        code, answer = self.server.answers.pop(0) if self.server.answers else (200, b"")
        self.send_response(code)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.server.on_call()

    def log_message(self, *args: object) -> None:
        pass


Receive = Callable[[], Receiver]


@pytest.fixture
def receive() -> Iterator[Receive]:
    started: list[tuple[Receiver, threading.Thread]] = []

    def start() -> Receiver:
        server = Receiver()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        started.append((server, thread))
        return server

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()


def webhook(folder: Path, url: str) -> SinkSettings:
    file = folder / "secret"
    file.write_text(SECRET)
    return SinkSettings(webhook=WebhookSettings(url=url, secret_file=str(file)))


def is_signed(call: Call, secret: str = SECRET) -> bool:
    """Check as a receiver would."""
    parts = dict(
        part.split("=") for part in call.headers["Netmon-Signature"].split(",")
    )
    mine = hmac.new(
        secret.encode(), f"{parts['t']}.".encode() + call.body, hashlib.sha256
    )
    return hmac.compare_digest(parts["v1"], mine.hexdigest())


def test_a_ticket_is_opened_once_and_closed_once(
    store: SqliteStore, city: Inventory, receive: Receive, tmp_path: Path
) -> None:
    clock = ManualClock(START)
    server = receive()
    server.answers.append((201, b'{"reference": "INC-4711"}'))
    (sink,) = sinks_from(context(store, city, clock, webhook(tmp_path, server.url)))
    here = City(store, clock)
    number = here.falls()
    here.falls(NO_DATA, told=False)
    assert sink.run_once() == Posted(1)
    assert sink.run_once() == Posted()
    assert store.deliveries.reference_of(number) == "INC-4711"
    clock.advance(3600)
    here.is_well(number)
    assert sink.run_once() == Posted(1)
    opened, closed = server.calls
    assert is_signed(opened)
    assert is_signed(closed)
    assert not is_signed(opened, "another secret")
    assert opened.headers["Idempotency-Key"] != closed.headers["Idempotency-Key"]
    said = json.loads(opened.body)
    assert (said["event"], said["rule"], said["ended"]) == (
        "alarm",
        "line_below_target",
        None,
    )
    assert said["building"]["street"] == "Demostraße 7"
    said = json.loads(closed.body)
    assert (said["event"], said["reference"]) == ("recovery", "INC-4711")
    assert said["ended"] == "2026-11-20T08:12:00+00:00"
    sink.close()


def test_a_ticket_says_how_bad_it_is_in_its_place_and_links_to_a_page(
    store: SqliteStore, city: Inventory, receive: Receive, tmp_path: Path
) -> None:
    clock = ManualClock(START)
    server = receive()
    milder = RuleOverride(
        rule=LINE_BELOW_TARGET, building="gs-07", severity=Severity.MINOR
    )
    (sink,) = sinks_from(
        context(store, city, clock, webhook(tmp_path, server.url), milder)
    )
    here = City(store, clock)
    here.falls()
    here.falls(MONITOR, target="netmon:self", building="")
    assert sink.run_once() == Posted(2)
    line, centre = (json.loads(call.body) for call in server.calls)
    assert line["severity"] == "minor"
    assert line["link"].endswith("/gebaeude/gs-07")
    assert centre["severity"] == "critical"
    assert centre["link"] == "https://netz.dortmund.example/"
    sink.close()


def test_what_was_not_answered_is_repeated_with_the_same_key_and_in_order(
    store: SqliteStore, city: Inventory, receive: Receive, tmp_path: Path
) -> None:
    clock = ManualClock(START)
    server = receive()
    server.answers += [(500, b"broken"), (400, b"no such queue")]
    (sink,) = sinks_from(context(store, city, clock, webhook(tmp_path, server.url)))
    here = City(store, clock)
    number = here.falls()
    assert sink.run_once() == Posted(0, 1, "refused: 500 broken")
    here.is_well(number)
    # The end waits for its beginning, which is not due yet.
    assert sink.run_once() == Posted()
    clock.advance(30)
    assert sink.run_once() == Posted(0, 1, "refused: 400 no such queue")
    clock.advance(3600)
    assert sink.run_once() == Posted(1)
    assert sink.run_once() == Posted(1)
    keys = [call.headers["Idempotency-Key"] for call in server.calls]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    events = [json.loads(call.body)["event"] for call in server.calls]
    assert events == [MailEvent.ALARM] * 3 + [MailEvent.RECOVERY]
    sink.close()


def test_what_was_told_long_before_the_webhook_is_not_sent(
    store: SqliteStore, city: Inventory, receive: Receive, tmp_path: Path
) -> None:
    clock = ManualClock(START)
    number = City(store, clock).falls()
    clock.advance(25 * 3600)
    server = receive()
    (sink,) = sinks_from(context(store, city, clock, webhook(tmp_path, server.url)))
    assert sink.run_once() == Posted()
    City(store, clock).is_well(number)
    assert sink.run_once() == Posted()
    sink.close()


# --- settings ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        (
            '[sinks.webhook]\nurl = "https://x"\n',
            "sinks.webhook.secret_file",
            "is missing",
        ),
        ('[sinks.alertmanager]\nurl = "x:9093"\n', "sinks.alertmanager", "address"),
        (
            '[sinks.alertmanager]\nurl = "https://me:geheim@x"\n',
            "sinks.alertmanager.url",
            "holds a password",
        ),
        (
            '[sinks.alertmanager]\nurl = "https://x"\nrepeat_s = 300.0\n',
            "sinks.alertmanager.resolve_after_s",
            "more than repeat_s",
        ),
        (
            '[sinks.alertmanger]\nurl = "https://x"\n',
            "sinks.alertmanger",
            "no such key",
        ),
    ],
)
def test_wrong_settings_name_the_field(
    tmp_path: Path, text: str, field: str, says: str
) -> None:
    file = tmp_path / "netmon.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    (problem,) = caught.value.problems
    assert (problem.field or "").startswith(field)
    assert says in problem.text
    assert "geheim" not in str(caught.value)


def test_a_missing_secret_is_told_at_the_start(
    store: SqliteStore, city: Inventory, tmp_path: Path
) -> None:
    settings = WebhookSettings(url="https://x", secret_file=str(tmp_path / "nothing"))
    with pytest.raises(ConfigError, match=r"sinks\.webhook\.secret_file"):
        sinks_from(context(store, city, SystemClock(), SinkSettings(webhook=settings)))


@pytest.mark.parametrize("name", ["alertmanager", "webhook"])
def test_an_incident_nobody_can_read_keeps_no_other_one(
    store: SqliteStore, city: Inventory, receive: Receive, tmp_path: Path, name: str
) -> None:
    clock = ManualClock(START)
    server = receive()
    settings = {
        "alertmanager": SinkSettings(alertmanager=AlertmanagerSettings(url=server.url)),
        "webhook": webhook(tmp_path, server.url),
    }[name]
    (sink,) = sinks_from(context(store, city, clock, settings))
    here = City(store, clock)
    broken, whole = here.falls(), here.falls(NO_DATA)
    connection = sqlite3.connect(tmp_path / "state.sqlite3")
    with connection:
        connection.execute(
            "UPDATE incidents SET evidence = x'7b' WHERE id = ?", (broken,)
        )
    connection.close()
    done = sink.run_once()
    assert (done.posted, done.failed) == (1, 1)
    assert "DecodeError" in done.error
    (call,) = server.calls
    assert str(whole) in call.body.decode()
    sink.close()


def test_what_a_ticket_system_refused_is_tried_again_by_whoever_starts_anew(
    store: SqliteStore, city: Inventory, receive: Receive, tmp_path: Path
) -> None:
    """Nobody who mended the address waits for an hour; until then the page says why."""
    server = receive()
    server.answers.append((404, b"no such queue"))
    clock = SystemClock()
    City(store, clock).falls()
    settings = Settings(sinks=webhook(tmp_path, server.url))
    service = AlertService(store, settings, clock, None, Texts("de"))
    (sink,) = service.sinks
    for _ in range(2):
        # The second round has nothing to do, and is no better news.
        service.post(sink)
        (beat,) = [b for b in store.heartbeats.all() if b.process == "sink-webhook"]
        assert beat.note == "refused: 404 no such queue"
        assert beat.figures["events_waiting_count"] == 1
    taken = threading.Event()
    server.on_call = taken.set
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        assert taken.wait(60)
    finally:
        service.stop()
        thread.join(60)
    assert store.deliveries.waiting_count("webhook") == 0
    assert store.deliveries.last_error("webhook") == ""
