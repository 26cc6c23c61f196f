"""The annual report: its years, two tables, files and freezing."""

from __future__ import annotations

import io
import json

import openpyxl
import pytest

from dashboards.annual import FORMATS
from netmon.config import Settings
from netmon.report import encode_year, totals_only
from netmon.report.counting import PRINTED_COLUMNS
from netmon.storage.account_records import Role
from netmon.storage.action_records import Actor, AuditAction, Via
from netmon.storage.records import Snapshot

PATH = "/berichte/2026"
FREEZE = f"{PATH}/festschreiben"


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def last_year(city, clock):
    """Sums of a printed report."""
    connection = dict.fromkeys(map(str, PRINTED_COLUMNS["connection"]), 0)
    connection[next(iter(connection))] = 5
    coverage = dict.fromkeys(map(str, PRINTED_COLUMNS["coverage"]), 0)
    year = totals_only(
        2025,
        clock.now(),
        buildings=5,
        totals={"connection": connection, "coverage": coverage},
        origin="Bericht 2025",
    )
    snapshot = Snapshot(
        year=2025, frozen_ms=city.now_ms, sha256=year.sha256, body=encode_year(year)
    )
    done = AuditAction.YEAR_IMPORTED
    city.store.snapshots.save(snapshot, Actor("ada", Via.SHELL), done)
    return year


async def test_years_with_their_files(last_year, page, log_in):
    log_in(Role.READ)
    rows = (await page("/berichte")).rows("Jahre, neuestes zuerst")
    assert list(rows) == ["2026", "2025"]
    assert rows["2026"]["Stand"].startswith("vorläufig")
    assert rows["2026"]["Dateien"].count("2026") == len(FORMATS)
    assert rows["2025"]["Stand"].startswith("aus einem früheren Bericht übernommen")
    assert rows["2025"]["Dateien"].count("2025") == len(FORMATS)
    sums = (await page("/berichte/2025")).rows("Abbildung 2")
    assert sums["Summe"]["Summe"] == "5"


async def test_the_two_tables_with_changes(last_year, page, log_in):
    log_in(Role.READ)
    shown = await page(PATH)
    captions = [e.text for e in shown.all("caption")]
    assert captions[0].startswith("Abbildung 2 – Internetanschluss nach Schulform (5 ")
    assert captions[1].startswith("Abbildung 3 – LAN-/WLAN-Ausbau")
    rows = shown.rows("Abbildung 2")
    assert rows["Gymnasium"]["Richtfunk"] == "1"
    change = next(cells for label, cells in rows.items() if label.startswith("Veränd"))
    assert "plus 1" in change.values()
    assert "festschreiben" not in shown.html, "reading people do not freeze"


@pytest.mark.parametrize("name", FORMATS)
async def test_files(city, client, log_in, name):
    log_in(Role.READ)
    answer = await client.get(f"{PATH}/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == FORMATS[name].media_type
    wanted = f'filename="netmon-bericht-2026-vorlaeufig.{FORMATS[name].ending}"'
    assert wanted in answer.headers["content-disposition"]
    if name == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        assert "Internetanschluss" in book.sheetnames
    elif name == "json":
        assert json.loads(answer.content)["year"] == 2026
    else:
        assert answer.content.startswith(BEGINS[FORMATS[name].ending[-3:]])


BEGINS = {"ocx": b"PK", "zip": b"PK", "pdf": b"%PDF", "csv": b"\xef\xbb\xbfSchulform/"}


async def test_freezing_needs_the_tick_and_is_done_once(city, client, log_in, page):
    session = log_in(Role.ADMIN)
    form = {"csrf": session.csrf}
    answer = await client.post(FREEZE, data=form)
    assert answer.status_code == 422
    assert 'id="f-sure-fault"' in answer.text
    assert city.store.snapshots.years() == []
    # The year is not over, and little is measured: that has to be accepted.
    answer = await client.post(FREEZE, data={**form, "sure": "yes"})
    assert answer.status_code == 422
    assert "In den Daten fehlt zu viel" in answer.text
    assert city.store.snapshots.years() == []
    form["despite"] = "yes"
    answer = await client.post(FREEZE, data={**form, "sure": "yes"})
    assert answer.status_code == 303
    shown = await page(answer.headers["location"])
    assert "Das Jahr 2026 ist festgeschrieben." in shown.text
    assert city.store.snapshots.load(2026).sha256 in shown.text
    assert "Ich habe die Tabellen geprüft" not in shown.text
    again = await client.post(FREEZE, data={**form, "sure": "yes"})
    assert again.status_code == 422
    (row,) = (await page("/protokoll")).rows("Was getan wurde").values()
    assert row["Was"] == "Jahr festgeschrieben"
    assert row["Woran"] == "Jahresbericht 2026"
    (entry,) = city.store.actions.audit()
    assert (entry.author, entry.via) == ("Ada", Via.SITE)
    assert entry.detail.endswith(city.store.snapshots.load(2026).sha256)
    file = await client.get(f"{PATH}/json")
    assert 'filename="netmon-bericht-2026.json"' in file.headers["content-disposition"]


@pytest.mark.parametrize("year", [2019, 2027])
async def test_other_years_cannot_be_frozen(city, client, log_in, year):
    session = log_in(Role.ADMIN)
    form = {"csrf": session.csrf, "sure": "yes"}
    path = f"/berichte/{year}"
    assert (await client.post(f"{path}/festschreiben", data=form)).status_code == 404
    assert (await client.get(path)).status_code == 404
    assert (await client.get(f"{path}/xlsx")).status_code == 404
    assert city.store.snapshots.years() == []


async def test_who_may_not(city, client, log_in):
    session = log_in(Role.OPERATE)
    form = {"csrf": session.csrf, "sure": "yes"}
    assert (await client.post(FREEZE, data=form)).status_code == 403
    log_in(Role.ADMIN, name="Grace")
    form["csrf"] = "guessed"
    assert (await client.post(FREEZE, data=form)).status_code == 422
    assert city.store.snapshots.years() == []
    # The report is of the whole city.
    log_in(Role.ADMIN, "Kirchlinde", "extern")
    for path in ("/berichte", PATH, f"{PATH}/xlsx"):
        assert (await client.get(path)).status_code == 404
    assert "/berichte" not in (await client.get("/stoerungen")).text


async def test_a_year_that_was_changed_says_so(city, last_year, client, log_in, page):
    body = encode_year(last_year).replace(b"Bericht 2025", b"Bericht 2024")
    with city.store._database.transaction() as connection:
        connection.execute("UPDATE snapshots SET body = ?", (body,))
    log_in(Role.READ)
    rows = (await page("/berichte")).rows("Jahre, neuestes zuerst")
    assert rows["2025"]["Stand"].startswith("Beschädigt")
    assert "nachträglich verändert" in (await page("/berichte/2025")).text
    # The year after compares with it, so it is not shown either.
    assert "nachträglich verändert" in (await page(PATH)).text
    answer = await client.get(f"{PATH}/xlsx")
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)


class TestWithoutInventory:
    @pytest.fixture
    def city(self, store, clock):
        return store

    async def test_nothing_can_be_counted(self, city, client, page, log_in):
        log_in(Role.ADMIN)
        assert "kein Inventar" in (await page(PATH)).text
        answer = await client.get(f"{PATH}/xlsx")
        assert (answer.status_code, answer.headers["location"]) == (303, PATH)


async def test_one_counts_at_a_time(city, app, client, log_in):
    log_in(Role.READ)
    with app.state.counting:
        answer = await client.get(f"{PATH}/xlsx")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
