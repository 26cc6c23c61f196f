"""A form sent after two hours of writing is lost to nobody, and given to nobody else."""

from __future__ import annotations

import logging

import pytest

from dashboards.interrupted import KEPT_FOR_S
from netmon.accounts.sessions import IDLE_MS
from netmon.config import Settings
from netmon.storage.account_records import Role
from netmon.storage.records import AlarmState

TYPED = {
    "place": "building:b-ost",
    "starts_at": "jetzt",
    "ends_at": "+4h",
    "reason": "Techniker <kommt> um 8 & bleibt",
}


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def send_late(client, log_in, clock):
    """Send a form when the session it was shown in has run out; gives the answer."""

    async def send(path: str, form: dict[str, str], **changes):
        session = log_in(Role.OPERATE)
        clock.advance(IDLE_MS / 1000)
        data = {"csrf": session.csrf, **form}
        answer = await client.post(path, data=data | changes)
        assert answer.status_code == 303
        return answer

    return send


async def test_it_comes_back_filled_and_is_sent_anew(
    city, client, send_late, log_in, read_page, caplog
):
    caplog.set_level(logging.DEBUG)
    answer = await send_late("/wartung/neu", TYPED)
    assert answer.headers["location"] == "/anmelden?weiter=%2Fwartung%2Fneu"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Techniker" not in str(answer.headers) + caplog.text
    door = await client.get(answer.headers["location"])
    assert "steht nach dem Anmelden wieder da" in door.text
    assert "Techniker" not in door.text
    session = log_in(Role.OPERATE)
    page = read_page((await client.get("/wartung/neu")).text)
    shown = {
        e.attrs["name"]: e.attrs.get("value", "")
        for e in page.elements
        if e.tag == "input"
    }
    assert shown | TYPED == shown | {"place": TYPED["place"]}
    assert shown["csrf"] == session.csrf
    chosen = [e.attrs["value"] for e in page.elements if "selected" in e.attrs]
    assert TYPED["place"] in chosen
    assert "bitte prüfen und noch einmal absenden" in page.text
    # Until then nothing was done.
    assert city.store.actions.maintenance() == []
    sent = await client.post("/wartung/neu", data={"csrf": session.csrf, **TYPED})
    assert sent.headers["location"].startswith("/wartung?erledigt=maintenance_added")
    again = (await client.get("/wartung/neu")).text
    assert "Techniker" not in again


@pytest.mark.parametrize("way", ["quittieren", "fehlalarm"])
async def test_a_note_comes_back_in_its_own_form(city, client, send_late, log_in, way):
    number = city.line_state("b-ost", AlarmState.BAD)
    answer = await send_late(
        f"/stoerungen/{number}/{way}", {"note": "Kabel liegt lose"}
    )
    assert answer.headers["location"].endswith(f"=%2Fstoerungen%2F{number}")
    log_in(Role.OPERATE)
    page = (await client.get(f"/stoerungen/{number}")).text
    field = f'id="f-{way}" name="note" value="Kabel liegt lose"'
    assert field in page
    assert page.count("Kabel liegt lose") == 1


async def test_nobody_else_gets_it(city, client, send_late, log_in):
    await send_late("/wartung/neu", TYPED)
    log_in(Role.OPERATE, name="Bo")
    assert "Techniker" not in (await client.get("/wartung/neu")).text


async def test_it_is_forgotten_after_a_while(city, client, send_late, log_in, clock):
    await send_late("/wartung/neu", TYPED)
    clock.advance(KEPT_FOR_S)
    log_in(Role.OPERATE)
    assert "Techniker" not in (await client.get("/wartung/neu")).text


@pytest.mark.parametrize("changes", [{"csrf": "geraten"}, {"csrf": ""}])
async def test_a_form_from_elsewhere_is_not_kept(city, send_late, changes):
    answer = await send_late("/wartung/neu", TYPED, **changes)
    assert "set-cookie" not in answer.headers


async def test_of_nobody_nothing_is_kept(city, client):
    answer = await client.post("/wartung/neu", data={"csrf": "", **TYPED})
    assert answer.headers["location"] == "/anmelden?weiter=%2Fwartung%2Fneu"
    assert "set-cookie" not in answer.headers


async def test_what_holds_no_text_leads_back(city, client, send_late):
    answer = await send_late("/wartung/stumm/3/beenden", {})
    assert answer.headers["location"] == "/anmelden?weiter=%2Fwartung"
    assert "set-cookie" not in answer.headers
