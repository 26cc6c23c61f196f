"""An incident that nobody can read: its mail is plain, and keeps no other one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from netmon.storage.records import MailEvent


def write(folder: Path, sql: str, *values: object) -> None:
    connection = sqlite3.connect(folder / "state.sqlite3")
    with connection:
        connection.execute(sql, values)
    connection.close()


def spoil(folder: Path, number: int) -> None:
    """Let the evidence of an incident be what no version ever wrote."""
    write(folder, "UPDATE incidents SET evidence = x'7b2273' WHERE id = ?", number)


def test_one_that_cannot_be_written_is_told_plainly_and_silences_nobody(
    found, tmp_path
):
    town = found(2)
    town.broken = {"line gs-00", "line gs-01"}
    town.minutes(10)
    town.clock.advance(70)
    town.service.engine.run_once()
    broken, whole = sorted(i.id for i in town.store.alarms.incidents(open_only=True))
    spoil(tmp_path, broken)
    assert town.service.notifier.run_once() == 6
    mails = {m.incident_id: m for m in town.store.outbox.mails()}
    assert mails[whole].unwritten == ""
    assert "VERMUTLICHE URSACHE" in mails[whole].text
    plain = mails[broken]
    assert plain.unwritten.startswith("DecodeError: ")
    assert plain.subject == "[Störung] gs-00 – Anbindung ganz ausgefallen"
    told = f"Störungsnummer {broken}: gs-00 – Anbindung ganz ausgefallen "
    told += "(line:gs-00-main), seit 20.11.2026, 07:20 Uhr"
    assert told in " ".join(plain.text.split())
    assert town.store.outbox.unwritten() == (3, plain.unwritten)
    # A process that starts anew goes on, and the end is told as well.
    town.service = None
    town.broken.clear()
    town.minutes(1)
    # More than ten mails within a quarter of an hour wait.
    town.clock.advance(900)
    town.minutes(1)
    ends = [m for m in town.store.outbox.mails() if m.event is MailEvent.RECOVERY]
    assert {m.incident_id for m in ends} == {broken, whole}
    assert {m.subject for m in ends if m.incident_id == broken} == {
        "[Entstört] gs-00 – Anbindung ganz ausgefallen"
    }


def test_a_digest_that_cannot_be_written_names_the_incidents(found, tmp_path):
    town = found(1)
    town.broken = {"probe gs-00"}
    town.minutes(190)
    # Told at 10:20, still open the next school morning, which is a Monday.
    (number,) = (i.id for i in town.store.alarms.incidents(open_only=True))
    spoil(tmp_path, number)
    town.clock.advance(2.9 * 86_400)
    town.service = None
    town.evaluate()
    (digest,) = [
        m
        for m in town.store.outbox.mails()
        if (m.event, m.recipient) == (MailEvent.DIGEST, "service@x")
    ]
    assert digest.subject == "[Lagebericht] gs-00 – Anbindung nicht gemessen"
    assert digest.unwritten


def test_a_thread_that_cannot_be_read_waits_alone(found, tmp_path):
    """Of a later version, say: its mails come after the upgrade, the others now."""
    town = found(2)
    town.broken = {"line gs-00"}
    town.minutes(12)
    town.broken.add("line gs-01")
    town.minutes(13)
    first, second = town.store.threads.open()
    assert town.told()[-1] == "07:32- line_down line:gs-01-main"
    write(tmp_path, "UPDATE threads SET memory = '{' WHERE id = ?", first.id)
    town.service = None
    town.broken.clear()
    # No more than ten mails within a quarter of an hour.
    town.clock.advance(900)
    town.minutes(2)
    assert [thread.id for thread in town.store.threads.open()] == [first.id]
    write(
        tmp_path, "UPDATE threads SET memory = ? WHERE id = ?", first.memory, first.id
    )
    town.service = None
    town.minutes(1)
    assert town.store.threads.open() == []
    ends = [m for m in town.store.outbox.mails() if m.event is MailEvent.RECOVERY]
    assert {m.thread_id for m in ends} == {first.id, second.id}
