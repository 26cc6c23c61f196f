"""The whole process: threads, heartbeats, stopping; and the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alerts.lock import AlreadyRunningError, only_one
from alerts.service import AlertService
from alerts.smtp import mailer_from
from netmon.cli import main
from netmon.clock import SystemClock, to_ms
from netmon.config import AlertSettings, MailSettings, Settings
from netmon.errors import StorageBusyError
from netmon.inventory import content_hash, encode
from netmon.model import Inventory
from netmon.notify_settings import NotifySettings
from netmon.storage.records import (
    AlarmState,
    CheckedBatch,
    CheckedSeries,
    SourceKind,
    StateRow,
)
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts

Serve = Callable[..., Any]
SERVICE = "service@dortmund.example"
USER, PASSWORD = "netmon", "gehe1m-und-lang"


def fill(store: SqliteStore, city: Inventory, *mbits: float) -> None:
    """Store the city and, one second apart up to now, results of its main line."""
    now_ms = to_ms(SystemClock().now())
    store.inventories.save(content_hash(city), encode(city), now_ms)
    source = store.sources.create("probe-07", SourceKind.PROBE, "gs-07", "a" * 64)
    count = len(mbits)
    series = CheckedSeries(
        kind="throughput",
        building_id="gs-07",
        tags={"building": "gs-07", "line": "gs-07-main", "method": "tcp"},
        seq=list(range(1, count + 1)),
        ts=[now_ms - 1000 * (count - i) for i in range(count)],
        values={"rate_down_bps": [m * 1e6 for m in mbits]},
        failure=None,
        info={},
        keep_rollups=True,
    )
    batch = CheckedBatch(
        source=source,
        spool="5" * 32,
        received_ms=now_ms,
        sent_ms=now_ms,
        agent="",
        series=[series],
        quarantined=[],
    )
    store.measurements.write([batch])


def config(folder: Path, port: int, certificates: Any) -> Path:
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    file = folder / "netmon.toml"
    file.write_text(
        f'data_dir = "{folder}"\n'
        "[alerts]\ninterval_s = 0.05\n"
        '[alerts.notify]\noutside_lessons = "mail"\n'
        f'[mail]\nhost = "127.0.0.1"\nport = {port}\nuser = "{USER}"\n'
        f'password_file = "{password_file}"\nca_file = "{certificates.ca_file}"\n'
        f'sender = "netmon@dortmund.example"\nrecipients = ["{SERVICE}"]\n'
    )
    return file


def test_the_service_runs_until_stopped(
    tmp_path: Path, store: SqliteStore, city: Inventory, serve: Serve
) -> None:
    fill(store, city, 240, 10, 10, 10)
    server = serve()
    settings = Settings(
        data_dir=str(tmp_path),
        mail=MailSettings(
            host="127.0.0.1", port=server.port, security="none", recipients=(SERVICE,)
        ),
        alerts=AlertSettings(
            interval_s=0.02, notify=NotifySettings(outside_lessons="mail")
        ),
    )
    mailer = mailer_from(settings.mail)
    assert mailer is not None
    arrived = threading.Event()

    class Telling:
        def send(self, message: Any) -> None:
            mailer.send(message)
            arrived.set()

    service = AlertService(store, settings, SystemClock(), Telling(), Texts("de"))
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        assert arrived.wait(10)
    finally:
        service.stop()
        thread.join(10)
    assert not thread.is_alive()
    assert len(server.mails) == 1
    beats = {beat.process: beat.figures for beat in store.heartbeats.all()}
    assert beats["mail"]["mails_sent_total"] == 1
    assert beats["mail"]["mails_waiting_count"] == 0
    assert beats["alerts"]["open_incidents_count"] == 1
    assert beats["alerts"]["behind_chunks_count"] == 0
    words = Texts("de")
    for process, figures in beats.items():
        assert words.has(f"process.{process}")
        assert all(words.has(f"figure.{name}") for name in figures)


def test_what_was_refused_is_tried_again_when_the_service_starts(
    tmp_path: Path, store: SqliteStore, city: Inventory, serve: Serve
) -> None:
    """Whoever mended a certificate and started us anew does not wait for an hour."""
    fill(store, city, 240, 10, 10, 10)
    server = serve()
    mail = MailSettings(
        host="127.0.0.1", port=server.port, security="none", recipients=(SERVICE,)
    )
    alerts = AlertSettings(notify=NotifySettings(outside_lessons="mail"))
    settings = Settings(data_dir=str(tmp_path), mail=mail, alerts=alerts)
    mailer = mailer_from(mail)
    assert mailer is not None
    arrived = threading.Event()

    class Telling:
        def send(self, message: Any) -> None:
            mailer.send(message)
            arrived.set()

    service = AlertService(store, settings, SystemClock(), Telling(), Texts("de"))
    service.evaluate()
    (queued,) = store.outbox.mails()
    later_ms = queued.next_try_ms + 3_600_000
    store.outbox.failed(queued.id, "certificate refused", later_ms)
    assert service.send().sent == 0
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        assert arrived.wait(10)
    finally:
        service.stop()
        thread.join(10)
    assert len(server.mails) == 1


def test_a_busy_store_is_tried_again(
    store: SqliteStore, city: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, city, 240)
    settings = Settings(alerts=AlertSettings(interval_s=0.001))
    service = AlertService(store, settings, SystemClock(), None, Texts("de"))
    commit, tries = store.alarms.commit, iter([StorageBusyError("busy")] * 2)

    def busy_at_first(*args: Any, **kwargs: Any) -> Any:
        error = next(tries, None)
        if error is not None:
            raise error
        done = commit(*args, **kwargs)
        service.stop()
        return done

    monkeypatch.setattr(store.alarms, "commit", busy_at_first)
    service.run()
    assert [t.to_state for t in store.alarms.transitions_after(0)] == ["ok", "ok"]


def test_an_unexpected_error_of_the_sender_ends_the_service(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def send(self, message: Any) -> None:
            raise ZeroDivisionError("nobody expected this")

    settings = Settings(alerts=AlertSettings(interval_s=0.001))
    service = AlertService(store, settings, SystemClock(), Broken(), Texts("de"))

    def explode(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody expected this")

    monkeypatch.setattr("alerts.service.send_due", explode)
    with pytest.raises(ZeroDivisionError):
        service.run()


def test_only_one_alarm_process_a_store(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(AlreadyRunningError), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass


@pytest.mark.slow
def test_the_command_serves_until_sigterm(
    tmp_path: Path,
    store: SqliteStore,
    city: Inventory,
    serve: Serve,
    certificates: Any,
) -> None:
    fill(store, city, 240, 10, 10, 10)
    server = serve(tls=certificates.context)
    file = config(tmp_path, server.port, certificates)
    command = [sys.executable, "-m", "netmon", "alerts", "run", "--config", str(file)]
    arrived = threading.Event()
    take = server.handle_DATA

    async def tell(*args: Any) -> str:
        answer: str = await take(*args)
        arrived.set()
        return answer

    server.handle_DATA = tell
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    try:
        assert arrived.wait(30), "no mail arrived"
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, output
    assert PASSWORD not in output
    assert len(server.mails) == 1
    # Beside the alarms it writes down how far LAN and WLAN reach.
    told = store.measurements.latest(kind="coverage")
    assert {item.series.tags["network"] for item in told} == {"lan", "wlan"}


def test_run_once(
    tmp_path: Path,
    store: SqliteStore,
    city: Inventory,
    serve: Serve,
    certificates: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(store, city, 240, 10, 10, 10)
    server = serve(tls=certificates.context)
    file = config(tmp_path, server.port, certificates)
    arguments = ["alerts", "run", "--once", "--config", str(file)]
    assert main(arguments) == 0
    told = "4 Zustandswechsel, 1 Mails eingereiht, 1 verschickt, 0 nicht verschickt."
    assert told in capsys.readouterr().out
    assert main(arguments) == 0
    assert "0 Zustandswechsel, 0 Mails" in capsys.readouterr().out
    assert len(server.mails) == 1
    with only_one(tmp_path):
        assert main(arguments) == 1
    assert "schon ein Alarmprozess" in capsys.readouterr().err

    assert main(["alerts", "list", "--config", str(file)]) == 0
    listed = capsys.readouterr().out
    assert "Nr. 1  Grundschule 07 (Demo): Anbindung unter Soll" in listed
    assert "[Gestört]" in listed


def test_list_without_incidents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "netmon.toml"
    file.write_text(f'data_dir = "{tmp_path}"\n')
    assert main(["alerts", "list", "--config", str(file)]) == 0
    assert capsys.readouterr().out == "Keine offene Störung.\n"


def test_list_names_what_holds_a_target(
    tmp_path: Path, store: SqliteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        StateRow(
            rule="ap_down",
            target=f"ap:gs-07-ap-{number}",
            building_id="gs-07",
            state=AlarmState.SUSPECT,
            since_ms=1,
            updated_ms=1,
            incident_id=None,
            memory=b"{}",
            held_by=held_by,
        )
        for number, held_by in enumerate(
            [*["line_down line:gs-07-main"] * 7, "never_seen ap:gs-07-ap-7", ""]
        )
    ]
    store.alarms.commit(rows, [], reader="alerts", position=0, now_ms=1)
    file = tmp_path / "netmon.toml"
    file.write_text(f'data_dir = "{tmp_path}"\n')
    assert main(["alerts", "list", "--config", str(file)]) == 0
    nothing, title, line = capsys.readouterr().out.splitlines()
    assert nothing == "Keine offene Störung."
    assert title.startswith("Auffällig, aber ohne eigenen Alarm")
    assert line == (
        "    Anbindung ganz ausgefallen (line_down) gs-07-main: 7 warten (gs-07-ap-0, "
        "gs-07-ap-1, gs-07-ap-2, gs-07-ap-3, gs-07-ap-4 und 2 weitere)"
    )


OVERRIDES = """
[[alerts.rules]]
rule = "line_below_target"
building = "gs-07"
raise_below = "80 Mbit/s"

[[alerts.rules]]
rule = "ap_down"
enabled = false

[[alerts.rules]]
rule = "no_data"
building = "gs-70"
severity = "info"
"""


def test_rules_of_a_building_say_why(
    tmp_path: Path,
    store: SqliteStore,
    city: Inventory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "netmon.toml"
    file.write_text(f'data_dir = "{tmp_path}"\n')
    assert main(["alerts", "rules", "--config", str(file)]) == 0
    general = capsys.readouterr().out
    assert "kleineren Wert aus 100 Mbit/s und 90\u00a0% des Vertrags" in general
    command = ["alerts", "rules", "--config", str(file), "--building"]
    assert main([*command, "gs-07"]) == 1
    assert "noch kein Inventar" in capsys.readouterr().err
    fill(store, city, 240)
    assert main([*command, "gs-99"]) == 1
    assert "„gs-99“ gibt es nicht" in capsys.readouterr().err
    assert main([*command, "gs-07"]) == 0
    output = capsys.readouterr().out
    assert "Alarm unter: 100 Mbit/s  (Ziel der Stadt: 100 Mbit/s)" in output
    assert "Ende ab: 105 Mbit/s" in output
    assert "Alarm unter: 90,0 Mbit/s  (Vertrag: 90\u00a0% von 100 Mbit/s" in output
    assert "Bestätigt durch: 3 von 4 Ergebnissen  (Vorgabe von alerts." in output
    file.write_text(f'data_dir = "{tmp_path}"\n{OVERRIDES}')
    assert main([*command, "gs-07"]) == 0
    told = capsys.readouterr()
    assert "Alarm unter: 80,0 Mbit/s  (Abweichung 1: Gebäude gs-07)" in told.out
    assert "Gilt: nein, hier abgeschaltet  (Abweichung 2: ganze Stadt)" in told.out
    assert "alerts.rules[2] (no_data): no building is called 'gs-70'" in told.err
    assert main([*command, "gs-07", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    threshold = next(x for x in plain if x["rule"] == "line_below_target")["fields"]
    assert threshold["raise_below"] == {
        "value": 80e6,
        "from": "override",
        "setting": None,
        "entry": 0,
        "place": {"building": "gs-07"},
        "bounded_by_contract": False,
    }
    assert main(["alerts", "rules", "--config", str(file)]) == 0
    general = capsys.readouterr().out
    assert "Abweichung 1: line_below_target, Gebäude gs-07: raise_below" in general


def test_the_test_mail_says_what_became_of_it(
    tmp_path: Path, serve: Serve, certificates: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(tls=certificates.context)
    file = config(tmp_path, server.port, certificates)
    command = ["alerts", "test-mail", "--config", str(file)]
    assert main(command) == 0
    assert f"{SERVICE}: vom Server angenommen." in capsys.readouterr().out
    server.answers.append("550 no")
    assert main(command) == 1
    assert (
        f"{SERVICE}: nicht angenommen (Mail abgelehnt: 550" in capsys.readouterr().out
    )
    assert [m["Subject"] for _, _, m in server.mails] == ["[Test] netmon – Testmail"]
    file.write_text("")
    assert main(command) == 1
    assert "ohne Server keine Mail" in capsys.readouterr().err
