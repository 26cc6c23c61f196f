"""kill -9 of the gateway while operators act: what was answered is there, audited."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from netmon.ingest import token_hash
from netmon.storage.action_records import Actor, AuditAction, Via
from netmon.storage.records import AlarmState, Transition
from netmon.storage.sqlite import SqliteStore
from tests.acceptance.gateway_process import GatewayProcess

TOKEN = "leitstelle's token"
KILLS = 3
ROOT = Actor("root", Via.SHELL)


def _open_incident(store: SqliteStore) -> int:
    change = Transition(
        id=0,
        rule="line_down",
        target="line:l1",
        building_id="gs-07",
        from_state=AlarmState.SUSPECT,
        to_state=AlarmState.BAD,
        at_ms=0,
        incident_id=-1,
        evidence=b"{}",
    )
    (stored,) = store.alarms.commit([], [change], reader="alerts", position=0, now_ms=0)
    assert stored.incident_id is not None
    return stored.incident_id


@pytest.mark.slow
def test_what_was_answered_survives_kill_9_with_its_audit_row(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.sqlite3")
    store.actions.add_operator("leitstelle", token_hash(TOKEN), ROOT, 0)
    incident = _open_incident(store)
    gateway = GatewayProcess(tmp_path)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    silence = {
        "matchers": [{"field": "rule", "value": "ap_down"}],
        "ends_at": tomorrow.isoformat(),
        "reason": "Umbau",
    }
    answered: list[int] = []
    notes: list[str] = []
    dice = random.Random()
    try:
        with httpx.Client(
            base_url=f"{gateway.url}/api/v1",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=60,
        ) as client:
            for turn in range(KILLS):
                if turn:
                    gateway.start()
                # Answered once it is up: it waits in the socket until then.
                assert client.get("/audit").status_code == 200
                # The kill falls at any moment of the writes that run meanwhile.
                killer = threading.Timer(dice.uniform(0.0, 0.2), gateway.kill)
                killer.start()
                try:
                    while True:
                        made = client.post("/silences", json=silence)
                        assert made.status_code == 201
                        answered.append(made.json()["id"])
                        note = f"{turn}-{len(notes)}"
                        path = f"/incidents/{incident}/acknowledge"
                        client.post(path, json={"note": note}).raise_for_status()
                        notes.append(note)
                except httpx.TransportError:
                    killer.join()
    finally:
        gateway.close()

    stored = {one.id for one in store.actions.silences()}
    trail = store.actions.audit(limit=100_000)
    assert answered
    assert set(answered) <= stored, "a silence that was answered is lost"
    audited = {x.subject for x in trail if x.action is AuditAction.SILENCE_ADDED}
    assert audited == {f"silence:{number}" for number in stored}
    said = [x.detail for x in trail if x.action is AuditAction.ACKNOWLEDGED][::-1]
    assert set(notes) <= set(said), "an acknowledgement that was answered is lost"
    assert store.actions.acknowledgements()[incident].note == said[-1]
    store.close()
