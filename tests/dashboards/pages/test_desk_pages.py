"""Forms: what they do, what they refuse, that nothing typed is lost, and who may."""

from __future__ import annotations

import pytest

from netmon.config import Settings
from netmon.storage.account_records import Role
from netmon.storage.action_records import AuditAction, Matcher, MatchField, Via, Weekly
from netmon.storage.records import AlarmState

ONCE = {
    "place": "building:b-ost",
    "starts_at": "jetzt",
    "ends_at": "+4h",
    "reason": "Router wird getauscht",
}
WEEKLY = {
    "place": "campus_district:Asseln",
    "days": ["mo", "fr"],
    "start": "22:00",
    "end": "04:00",
    "first": "20.11.2026",
    "last": "31.03.2027",
    "excluded": "24.12.2026, 2026-12-25",
    "reason": "Netzausbau",
}
SILENCE = {
    "rule": "ap_down",
    "severity": "critical",
    "severity_is": "is_not",
    "place": "building:b-ost",
    "further": "provider=DOKOM21; building!=b-z9",
    "ends_at": "+14d",
    "reason": "Umbau Aula",
}


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def send(client, log_in, read_page):
    """Send a form as somebody who may operate."""
    session = log_in(Role.OPERATE)

    async def send(path, form=None, *, csrf=None, **headers):
        data = {"csrf": session.csrf if csrf is None else csrf, **(form or {})}
        return await client.post(path, data=data, headers=headers)

    return send


def fault(read_page, answer, field: str) -> str:
    """Return the fault that stands next to a field, held by the field itself."""
    page = read_page(answer.text)
    one = next(e for e in page.elements if e.attrs.get("id") == f"f-{field}-fault")
    entry = next(e for e in page.elements if e.attrs.get("id") == f"f-{field}")
    assert f"f-{field}-fault" in entry.attrs["aria-describedby"]
    assert entry.attrs["aria-invalid"] == "true"
    assert f'href="#f-{field}"' in answer.text
    assert "<title>Fehler:" in answer.text
    return one.text


async def test_a_window_is_planned_seen_and_ended(city, client, send):
    answer = await send("/wartung/neu", ONCE)
    assert answer.status_code == 303
    shown = await client.get(answer.headers["location"])
    assert "Wartungsfenster Nr. 1 ist eingetragen." in shown.text
    assert "Ostschule" in shown.text
    window = city.store.actions.maintenance()[0]
    assert (window.author, window.value) == ("Ada", "b-ost")
    assert window.ends_ms - window.when.starts_ms == 4 * 3_600_000
    answer = await send("/wartung/1/beenden")
    assert "beendet" in (await client.get(answer.headers["location"])).text
    again = await send("/wartung/1/beenden")
    assert again.status_code == 409
    assert "schon vorbei" in again.text
    assert (await send("/wartung/99/beenden")).status_code == 404
    done = city.store.actions.audit()
    assert [(x.action, x.via) for x in done] == [
        (AuditAction.MAINTENANCE_CANCELLED, Via.SITE),
        (AuditAction.MAINTENANCE_ADDED, Via.SITE),
    ]


async def test_a_weekly_window(city, client, send):
    answer = await send("/wartung/neu?woechentlich=true", WEEKLY)
    assert answer.status_code == 303, answer.text
    when = city.store.actions.maintenance()[0].when
    assert isinstance(when, Weekly)
    assert [str(day) for day in when.days] == ["mo", "fr"]
    assert len(when.excluded) == 2
    shown = (await client.get("/wartung")).text
    assert "Mo, Fr 22:00 bis 04:00 Uhr, vom 20.11.2026" in shown


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"place": ""}, "place", "nichts gewählt"),
        ({"place": "building:b-none"}, "place", "gibt es nicht"),
        ({"starts_at": "gestern"}, "starts_at", "„gestern“ ist keine Zeitangabe"),
        ({"ends_at": ""}, "ends_at", "muss angegeben werden"),
        ({"ends_at": "-2h"}, "ends_at", "ist keine Zeitangabe"),
        ({"ends_at": "+800d"}, "ends_at", "400 Tage"),
        (
            {"starts_at": "01.12.2026 18:00", "ends_at": "jetzt"},
            "ends_at",
            "nicht nach",
        ),
        ({"reason": " "}, "reason", "nicht leer"),
        ({"reason": "x" * 501}, "reason", "länger als 500"),
    ],
)
async def test_a_fault_stands_at_its_field_and_nothing_typed_is_lost(
    city, send, read_page, wrong, field, says
):
    answer = await send("/wartung/neu", {**ONCE, **wrong})
    assert answer.status_code == 422
    assert says in fault(read_page, answer, field)
    typed = {**ONCE, **wrong}
    for name in ("starts_at", "ends_at", "reason"):
        entry = next(
            e
            for e in read_page(answer.text).elements
            if e.attrs.get("id") == f"f-{name}"
        )
        assert entry.attrs["value"] == typed[name].strip()
    if not wrong.get("place", "x").endswith("none") and "place" not in wrong:
        assert 'value="building:b-ost" selected' in answer.text
    assert city.store.actions.maintenance() == []


async def test_all_faults_are_told_at_once(send, read_page):
    answer = await send(
        "/wartung/neu?woechentlich=true",
        {"start": "25:00", "first": "32.12.2026", "excluded": "nie", "reason": ""},
    )
    assert answer.status_code == 422
    for field in ("place", "start", "end", "first", "last", "excluded", "reason"):
        assert fault(read_page, answer, field)
    assert "es fehlt ein Wochentag" in answer.text


async def test_a_silence_with_matchers_of_all_fields(city, client, send):
    answer = await send("/wartung/stumm", SILENCE)
    assert answer.status_code == 303, answer.text
    silence = city.store.actions.silences()[0]
    assert silence.matchers == (
        Matcher(MatchField.RULE, "ap_down"),
        Matcher(MatchField.SEVERITY, "critical", negated=True),
        Matcher(MatchField.BUILDING, "b-ost"),
        Matcher(MatchField.PROVIDER, "DOKOM21"),
        Matcher(MatchField.BUILDING, "b-z9", negated=True),
    )
    shown = (await client.get("/wartung")).text
    assert "Regel: Access Point ausgefallen, Schwere nicht: kritisch" in shown
    assert (await send("/wartung/stumm/1/beenden")).status_code == 303
    assert city.store.actions.silences()[0].cancelled_by == "Ada"


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"rule": "x"}, "rule", "gibt es nicht"),
        ({"target": "Haus"}, "target", "ist kein Ziel"),
        ({"place": "building:x"}, "place", "gibt es nicht"),
        ({"further": "quatsch"}, "further", "keine Bedingung"),
        ({"further": "rule=x"}, "further", "gibt es nicht"),
        ({"ends_at": "+91d"}, "ends_at", "90 Tage"),
    ],
)
async def test_faults_of_a_silence(city, send, read_page, wrong, field, says):
    answer = await send("/wartung/stumm", {**SILENCE, **wrong})
    assert answer.status_code == 422
    assert says in fault(read_page, answer, field)
    assert SILENCE["reason"] in answer.text
    assert 'value="is_not" selected' in answer.text
    assert city.store.actions.silences() == []


async def test_a_silence_of_nothing_is_refused(send):
    answer = await send("/wartung/stumm", {"ends_at": "+1d", "reason": "x"})
    assert answer.status_code == 422
    assert "mindestens eine" in answer.text


async def test_acknowledge_take_back_and_mark_false(city, client, send, read_page):
    number = city.line_state("b-ost", AlarmState.BAD)
    path = f"/stoerungen/{number}"
    answer = await send(f"{path}/quittieren", {"note": ""})
    assert answer.status_code == 422
    assert "nicht leer" in fault_of_note(read_page, answer, "quittieren")
    answer = await send(f"{path}/quittieren", {"note": "Techniker bestellt"})
    assert answer.status_code == 303
    shown = (await client.get(answer.headers["location"])).text
    assert "ist quittiert" in shown
    assert "Ada (Statusseite): quittiert: Techniker bestellt" in shown
    assert (await send(f"{path}/zuruecknehmen")).status_code == 303
    again = await send(f"{path}/zuruecknehmen")
    assert (again.status_code, "nicht quittiert" in again.text) == (409, True)
    answer = await send(f"{path}/fehlalarm", {"note": "a\nb"})
    assert answer.status_code == 422
    assert (await send(f"{path}/fehlalarm", {"note": "Probe"})).status_code == 303
    assert city.store.actions.false_marks()[number].author == "Ada"
    city.end_incident(number, "line_below_target", "line:b-ost-main", "b-ost")
    late = await send(f"{path}/quittieren", {"note": "zu spät"})
    assert (late.status_code, "schon beendet" in late.text) == (409, True)
    assert (await send("/stoerungen/99/quittieren", {"note": "x"})).status_code == 404


def fault_of_note(read_page, answer, form: str) -> str:
    elements = read_page(answer.text).elements
    return next(e.text for e in elements if e.attrs.get("id", "") == f"f-{form}-fault")


POSTS = [
    ("/wartung/neu", ONCE),
    ("/wartung/neu?woechentlich=true", WEEKLY),
    ("/wartung/stumm", SILENCE),
    ("/wartung/1/beenden", {}),
    ("/wartung/stumm/1/beenden", {}),
    ("/stoerungen/1/quittieren", {"note": "x"}),
    ("/stoerungen/1/zuruecknehmen", {}),
    ("/stoerungen/1/fehlalarm", {"note": "x"}),
]


@pytest.mark.parametrize(("path", "form"), POSTS)
async def test_a_form_from_elsewhere_does_nothing(city, send, path, form):
    city.line_state("b-ost", AlarmState.BAD)
    for csrf, headers in (
        ("guessed", {}),
        ("", {}),
        (None, {"Origin": "https://boese.example"}),
    ):
        answer = await send(path, form, csrf=csrf, **headers)
        assert answer.status_code == 422
        assert "gehört nicht zu dieser Anmeldung" in answer.text
        for value in form.values():
            if isinstance(value, str) and len(value) > 8:
                assert value in answer.text, "what was typed is still there"
    assert city.store.actions.audit() == []


@pytest.mark.parametrize(("path", "form"), POSTS)
async def test_who_may_only_read_does_nothing(city, client, log_in, path, form):
    city.line_state("b-ost", AlarmState.BAD)
    session = log_in(Role.READ)
    answer = await client.post(path, data={"csrf": session.csrf, **form})
    assert answer.status_code == 403
    assert city.store.actions.audit() == []


@pytest.mark.parametrize("path", ["/wartung/neu", "/wartung/stumm", "/protokoll"])
async def test_who_may_only_read_sees_no_form(city, client, log_in, path):
    city.line_state("b-ost", AlarmState.BAD)
    log_in(Role.READ)
    assert (await client.get(path)).status_code == 403
    for seen in ("/wartung", "/stoerungen/1"):
        text = (await client.get(seen)).text
        assert text.count("<form") == 1, "the one to log out"
        assert "/protokoll" not in text


async def test_a_stranger_is_led_to_the_login(city, client):
    answer = await client.post("/wartung/neu", data=ONCE)
    target = "/anmelden?weiter=%2Fwartung%2Fneu"
    assert (answer.status_code, answer.headers["location"]) == (303, target)


async def test_what_is_no_form_or_too_large_is_refused(client, send):
    assert (await client.post("/wartung/neu", json={})).status_code == 415
    answer = await send("/wartung/neu", {"reason": "x" * 40_000})
    assert answer.status_code == 413
    many = {f"f{n}": "x" for n in range(300)}
    assert (await send("/wartung/neu", many)).status_code == 400


async def test_forms_are_filled_in_by_the_link(city, client, send):
    text = (await client.get("/wartung/neu?ort=building:b-ost")).text
    assert 'value="building:b-ost" selected' in text
    path = "/wartung/stumm?ort=building:b-ost&regel=ap_down&ziel=ap:ost-1"
    text = (await client.get(path)).text
    assert 'value="ap_down" selected' in text
    assert 'value="ap:ost-1"' in text


async def test_the_audit_trail_links_and_pages(city, client, send, monkeypatch):
    monkeypatch.setattr("dashboards.routes.desk.AUDIT_SHOWN", 1)
    number = city.line_state("b-ost", AlarmState.BAD)
    await send(f"/stoerungen/{number}/quittieren", {"note": "bestellt"})
    await send("/wartung/neu", ONCE)
    newest = (await client.get("/protokoll")).text
    assert "Wartungsfenster Nr. 1" in newest
    assert "bestellt" not in newest
    older = (await client.get("/protokoll?vor=2")).text
    assert "bestellt" in older
    assert f'href="/stoerungen/{number}"' in older
    about = (await client.get(f"/protokoll?zu=incident:{number}")).text
    assert "Wartungsfenster Nr. 1" not in about


async def test_limited_to_a_campusbezirk(city, client, log_in):
    session = log_in(Role.OPERATE, "Kirchlinde")
    text = (await client.get("/wartung/neu")).text
    assert "Schule 10" in text
    assert "Ostschule" not in text
    assert "DOKOM21" not in text, "a provider's window reaches everywhere"
    for place in ("building:b-ost", "provider:DOKOM21"):
        data = {**ONCE, "place": place, "csrf": session.csrf}
        answer = await client.post("/wartung/neu", data=data)
        assert answer.status_code == 422
        assert "f-place-fault" in answer.text
    data = {**SILENCE, "place": "", "further": "", "csrf": session.csrf}
    answer = await client.post("/wartung/stumm", data=data)
    assert (answer.status_code, "reicht über" in answer.text) == (422, True)
    data = {**ONCE, "place": "building:b-z10", "csrf": session.csrf}
    assert (await client.post("/wartung/neu", data=data)).status_code == 303
