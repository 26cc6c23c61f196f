"""The further tables: from a real store, through the export, frozen for good."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import docx
import msgspec
import pytest
from msgspec import UNSET
from openpyxl import load_workbook
from pypdf import PdfReader

from netmon.cli.report import Progress
from netmon.clock import BERLIN, ManualClock, to_ms
from netmon.inventory import content_hash, encode
from netmon.model import Coverage, Inventory, SchoolType, Technology
from netmon.report import AnnualReport, Reader, annual_report, count, freeze
from netmon.report.completeness import poor_rows
from netmon.report.differences import differences, summary
from netmon.report.export import annual_files, annual_zip
from netmon.report.figures import Cell, FigureTable
from netmon.report.period import lessons_in, period_of
from netmon.school_calendar import Holidays, Lessons, SchoolCalendar
from netmon.storage.records import (
    AlarmState,
    CheckedBatch,
    CheckedSeries,
    SourceKind,
    Transition,
)
from netmon.storage.sqlite import SqliteStore
from netmon.texts import Texts

HOUR = 3_600_000
MBIT = 1_000_000
AFTER = datetime(2026, 1, 5, 12, tzinfo=UTC)
FULL = Coverage.FULL
GYM, GRUND = SchoolType.GYMNASIUM, SchoolType.GRUNDSCHULE
# One Monday of lessons in the whole year, from 8 to 12 o'clock.
DAY = date(2025, 3, 3)
CALENDAR = SchoolCalendar(
    lessons=(Lessons(start=time(8), end=time(12)),),
    holidays=(
        Holidays(first=date(2025, 1, 1), last=date(2025, 3, 2)),
        Holidays(first=date(2025, 3, 4), last=date(2025, 12, 31)),
    ),
)


def at(hour: float) -> int:
    return to_ms(datetime(2025, 3, 3, tzinfo=BERLIN)) + round(hour * HOUR)


class City:
    """Four buildings in a real store, and what was measured of them."""

    def __init__(self, path: Path, inventory: Inventory) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.store = SqliteStore(path)
        self.inventory = inventory
        self.save(inventory)
        self._sent = 0
        self._source = self.store.sources.create(
            "p", SourceKind.COLLECTOR, None, "hash"
        )

    def save(self, inventory: Inventory) -> None:
        self.store.inventories.save(content_hash(inventory), encode(inventory), 0)

    def measure(self, number: int, kind: str, **values: dict[float, float]) -> None:
        """Store values by hour of that Monday, each metric a record of its own."""
        tags = {"building": f"b{number}", "line": f"l{number}"}
        series = []
        for name, column in values.items():
            ts = [at(hour) for hour in column]
            method = {"method": f"tcp-{name}/1"} if kind == "throughput" else {}
            series.append(
                CheckedSeries(
                    kind=kind,
                    building_id=f"b{number}",
                    tags=tags | method,
                    seq=list(range(self._sent, self._sent + len(ts))),
                    ts=ts,
                    values={name: list(column.values())},
                    failure=None,
                    info={},
                    keep_rollups=True,
                )
            )
            self._sent += len(ts)
        batch = CheckedBatch(
            source=self._source,
            spool="s",
            received_ms=at(24),
            sent_ms=at(24),
            agent="",
            series=series,
            quarantined=[],
        )
        self.store.measurements.write([batch])

    def lose(self, number: int, noticed: float, since: float, back: float) -> None:
        """Store the proven loss of a building, as the alarms write it."""
        bad = (AlarmState.OK, AlarmState.BAD, at(noticed), at(since))
        good = (AlarmState.BAD, AlarmState.OK, at(back), at(back))
        rows = [
            Transition(
                id=0,
                rule=rule,
                target=f"line:l{number}",
                building_id=f"b{number}",
                from_state=before,
                to_state=after,
                at_ms=at_ms,
                incident_id=None,
                evidence=json.dumps({"cause": "x", "since_ms": since_ms}).encode(),
            )
            # A slow line is no loss.
            for rule in ("line_down", "line_below_target")
            for before, after, at_ms, since_ms in (bad, good)
            if rule == "line_down" or number == 0
        ]
        self.store.alarms.commit([], rows, reader="alerts", position=0, now_ms=at(24))

    def reader(self) -> Reader:
        return Reader(self.store, lambda _: CALENDAR, Texts())

    def report(self, year: int = 2025, now: datetime = AFTER) -> AnnualReport:
        return self.reader().report(year, now)


@pytest.fixture(scope="module")
def inventory(make_city: Callable[..., Inventory]) -> Inventory:
    made = make_city(
        [
            (GYM, Technology.FIBRE, 1000, FULL, FULL),
            (GRUND, Technology.VDSL, 250, FULL, FULL),
            (GRUND, Technology.VDSL, 50, FULL, Coverage.UNKNOWN),
            (GRUND, None, 0, FULL, FULL),
        ]
    )
    stated = [(800, 30), (200, 8), (100, 4), (None, None)]
    buildings = [
        msgspec.structs.replace(one, name=f"Schule {one.id}", pupils=p, classes=c)
        for one, (p, c) in zip(made.buildings, stated, strict=True)
    ]
    buildings[2] = msgspec.structs.replace(buildings[2], name="=Schule")
    lines = list(made.lines)
    lines[2] = msgspec.structs.replace(lines[2], fibre_planned_on=date(2026, 9, 30))
    return msgspec.structs.replace(made, buildings=tuple(buildings), lines=tuple(lines))


def fill(city: City) -> None:
    """Let Monday happen; of the other days nothing is known."""
    hours = [float(hour) for hour in range(24)]
    city.measure(0, "latency", rtt_s=dict.fromkeys(hours[:10], 0.01))
    city.measure(0, "throughput", at_least_down_bps={3.0: 940e6, 7.0: 900e6})
    city.lose(0, noticed=9.75, since=9.5, back=11.0)
    city.measure(1, "latency", rtt_s=dict.fromkeys(hours, 0.02))
    city.measure(1, "throughput", rate_down_bps={3.0: 80e6, 20.0: 100e6})
    # A record without a number and one of what was used prove nothing of the line.
    city.measure(2, "throughput", demand_down_bps={10.0: 1e6})


@pytest.fixture(scope="module")
def city(
    tmp_path_factory: pytest.TempPathFactory, inventory: Inventory
) -> Iterator[City]:
    made = City(tmp_path_factory.mktemp("further") / "state.sqlite3", inventory)
    fill(made)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def report(city: City) -> AnnualReport:
    return city.report()


@pytest.fixture(scope="module")
def files(report: AnnualReport) -> dict[str, bytes]:
    return annual_files(report, Texts())


def cells(table: FigureTable | None, label: str) -> dict[str, Cell]:
    assert table is not None
    row = next(row for row in table.rows if row.label == label)
    keys = [column.key for column in table.columns]
    return dict(zip(keys, row.cells, strict=True))


def test_lesson_time_has_three_shares(report: AnnualReport) -> None:
    """Eight to twelve: 1.5 h measured, 1.5 h down, 1 h of which nothing is known."""
    found = cells(report.figure("availability"), "Gymnasium")
    assert found["lesson_available_ratio"] == 0.375
    assert found["lesson_down_ratio"] == 0.375
    assert found["lesson_unknown_ratio"] == 0.25
    assert found["lesson_availability_ratio"] == 0.5
    hours = 365 * 24
    assert found["always_available_ratio"] == round(9.5 / hours, 4)
    assert found["always_down_ratio"] == round(1.5 / hours, 4)
    # Of a year of which hardly anything is known no availability is stated.
    assert found["always_availability_ratio"] is None


def test_without_data_nothing_is_available(report: AnnualReport) -> None:
    found = cells(report.figure("availability"), "Grundschule")
    assert found["lesson_available_ratio"] == round(1 / 3, 4)
    assert found["lesson_down_ratio"] == 0.0
    assert found["lesson_unknown_ratio"] == round(2 / 3, 4)
    nobody = cells(report.figure("availability"), "Realschule")
    assert nobody.pop("buildings_count") == 0
    assert set(nobody.values()) == {None}


def test_days_count_where_something_was_measured(report: AnnualReport) -> None:
    found = cells(report.figure("measured_days"), "Summe")
    assert list(found.values()) == [4, 2, 4 * 365, 2, 0.0014, 4, 2, 0.5]


def test_rates_by_class_say_what_is_only_a_lower_bound(report: AnnualReport) -> None:
    table = report.figure("measured_rates")
    fibre = cells(table, "Glasfaser")
    assert (fibre["median_down_bps"], fibre["median_is"]) == (940 * MBIT, "mindestens")
    assert fibre["lower_bound_days_count"] == 1
    vdsl = cells(table, "ab 100 Mbit")
    assert (vdsl["p10_down_bps"], vdsl["p10_is"]) == (90 * MBIT, "genau")
    slow = cells(table, "25 bis 50 Mbit")
    assert (slow["buildings_count"], slow["measured_buildings_count"]) == (1, 0)
    assert slow["median_down_bps"] is None
    assert cells(table, "Richtfunk")["buildings_count"] == 0


def test_pupils_weigh_the_share(report: AnnualReport) -> None:
    found = cells(report.figure("fast_pupils"), "Summe")
    assert list(found.values()) == [4, 2, 0.5, 1, 1100, 1000, 0.9091]
    # Nobody has stated how many pupils there are: no number, and above all no 0.
    assert cells(report.figure("fast_pupils"), "Realschule")["pupils_count"] is None


def test_need_contract_and_measurement_stand_beside_each_other(
    report: AnnualReport,
) -> None:
    table = report.figure("need")
    assert list(cells(table, "Gymnasium").values()) == [
        *(1, 1, 930 * MBIT, 1000 * MBIT),
        *(1, 0, 1, 0, 0),
    ]
    # 270 and 150 Mbit/s of need: contracts of 250 and 50, one of them measured.
    assert list(cells(table, "Grundschule").values()) == [
        *(3, 2, 150 * MBIT, 50 * MBIT),
        *(0, 2, 0, 1, 1),
    ]


def test_who_is_below_100_stands_in_the_list_with_the_reason(
    report: AnnualReport,
) -> None:
    table = report.figure("below_100")
    assert table is not None
    assert [(row.label, row.cells[5], row.cells[6]) for row in table.rows] == [
        ("=Schule", "Vertrag", "2026-09-30"),
        ("Schule b1", "Messung", None),
        ("Schule b3", "ohne Anschluss", None),
    ]
    assert table.notes[0] == "Ohne Glasfaser und ohne Termin dafür: 2 Gebäude."


def test_completeness_says_where_too_much_is_missing(report: AnnualReport) -> None:
    table = report.figure("completeness")
    assert table is not None
    assert [row.label for row in poor_rows(table)] == [
        "Gebäude mit Hauptanbindung im Bestand",
        "Gebäude mit Angabe zum WLAN",
        "Gebäude mit Zahl der Schüler*innen",
        "Gebäude mit Klassenzahl",
        "Gebäude mit Unterrichtsräumen im Bestand",
        "Gebäude mit mindestens einer gültigen Messung",
        "Gebäudetage mit gültiger Messung",
        "Unterrichtsstunden mit Daten",
    ]


def test_a_running_year_ends_now() -> None:
    """And the hour that a clock change takes away is no hour of the year."""
    period = period_of(2025, datetime(2025, 3, 31, 10, tzinfo=UTC))
    assert len(period.days) == 31 + 28 + 31
    assert sum(span.length_ms for span in period.whole) == (89 * 24 - 1 + 12) * HOUR
    lessons = lessons_in(period, SchoolCalendar())
    # Today's lessons until noon only.
    assert lessons.spans[-1].length_ms == 4 * HOUR
    assert not lessons.has_holidays
    assert period_of(2026, datetime(2025, 3, 31, tzinfo=UTC)).days == ()


def test_every_format_has_every_table(
    report: AnnualReport, files: dict[str, bytes]
) -> None:
    document = json.loads(files["report_2025.json"])
    book = load_workbook(io.BytesIO(files["report_2025.xlsx"]))
    for table in report.figures:
        told = next(f for f in document["figures"] if f["figure"] == table.name)
        assert told["rules"] == list(table.rules)
        rows = list(csv.reader(files[f"{table.name}.csv"].decode().splitlines()))
        assert rows[0] == ["label", *(column.key for column in table.columns)]
        assert len(rows) == len(table.rows) + 1 == len(told["rows"]) + 1
        sheet = book[table.sheet]
        assert [cell.value for cell in sheet[2]] == [
            table.corner,
            *(column.label for column in table.columns),
        ]
        assert sheet.cell(3, 1).value == table.rows[0].label


def test_cells_have_types(files: dict[str, bytes]) -> None:
    book = load_workbook(io.BytesIO(files["report_2025.xlsx"]))
    below = book["Unter 100 Mbit"]
    name, *_, contract, measured, _, planned = below[3]
    assert (name.value, name.data_type) == ("=Schule", "s")
    assert (contract.value, contract.number_format) == (50, '#,##0.0" Mbit/s"')
    assert measured.value is None
    assert planned.value == datetime(2026, 9, 30)  # noqa: DTZ001 - as XLSX has it
    share = book["Verfügbarkeit"].cell(4, 3)
    assert (share.value, share.number_format) == (0.375, "0.00%")


def test_excel_opens_the_csv_as_a_german_would(files: dict[str, bytes]) -> None:
    raw = files["excel/below_100.csv"]
    assert raw.startswith("\ufeffGebäude;Kennung;".encode())
    assert raw.endswith(b"\r\n")
    # No text of ours becomes a formula; a rate is in Mbit/s.
    assert raw.decode("utf-8-sig").splitlines()[1] == (
        "'=Schule;b2;Grundschule;25 bis 50 Mbit;50;;Vertrag;30.09.2026"
    )
    assert "37,5" in files["excel/availability.csv"].decode("utf-8-sig")
    connection = files["excel/connection.csv"].decode("utf-8-sig").splitlines()
    assert connection[1].startswith("Grundschule;0;0;1;1;")


def test_word_gets_the_two_tables_ready_to_paste(files: dict[str, bytes]) -> None:
    word = docx.Document(io.BytesIO(files["report_2025.docx"]))
    assert len(word.tables) == 2
    captions = [
        p.text for p in word.paragraphs if p.style and p.style.name == "Caption"
    ]
    assert captions == [
        "Abbildung 2 – Internetanschluss nach Schulform (4 zu vernetzende Gebäude)",
        "Abbildung 3 – LAN-/WLAN-Ausbau nach Schulform (4 zu vernetzende Gebäude)",
    ]
    first = [[cell.text for cell in row.cells] for row in word.tables[0].rows]
    assert first[0][:3] == ["Schulform/Anbindung", "Glasfaser", "Richtfunk"]
    assert first[9][0] == "Summe"
    header = word.tables[0].rows[0]._tr.xpath("./w:trPr/w:tblHeader")
    assert header


def test_the_fixed_copy_is_tagged_and_says_the_rules(files: dict[str, bytes]) -> None:
    reader = PdfReader(io.BytesIO(files["report_2025.pdf"]))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "de"
    text = " ".join(page.extract_text() for page in reader.pages).replace("\n", " ")
    for told in (
        "Verfügbarkeit der Anbindung",
        "vorläufig, Stand",
        "≥ 940",
        "Bezugszeit",
    ):
        assert told in text


def test_the_same_year_gives_the_same_bytes(
    city: City, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    again = city.report()
    assert annual_files(again, Texts()) == files
    archive = annual_zip(again, Texts())
    assert annual_zip(again, Texts()) == archive
    assert set(zipfile.ZipFile(io.BytesIO(archive)).namelist()) == set(files)


def test_nothing_that_comes_later_changes_a_frozen_year(
    tmp_path: Path, inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other inventory, other measurements, other rules, and years later."""
    city = City(tmp_path / "state.sqlite3", inventory)
    fill(city)
    poor: list[str] = []
    reader = city.reader()
    frozen = reader.freeze(2025, AFTER, lambda rows: poor.extend(r.label for r in rows))
    assert "Gebäudetage mit gültiger Messung" in poor
    assert frozen.figures is not UNSET
    before = annual_files(city.report(), Texts())
    city.save(msgspec.structs.replace(inventory, lines=inventory.lines[1:], probes=()))
    city.measure(0, "throughput", rate_down_bps={12.0: 5e6})
    monkeypatch.setattr("netmon.report.tables.RULES_VERSION", "2")
    monkeypatch.setattr("netmon.report.shares.KNOWN_SHARE", 0.0)
    later = city.report(now=datetime(2029, 1, 1, tzinfo=UTC))
    assert annual_files(later, Texts()) == before
    assert later.basis.sha256 == frozen.sha256
    # The next year is compared with it, and says what has changed.
    lines = summary(city.report(2026, AFTER), Texts())
    assert lines[0] == "Veränderungen gegenüber 2025:"
    assert "  Glasfaser: 1 → 0 (minus 1)" in lines
    told = " ".join(differences(city.report(2026, AFTER), Texts())).replace("\xa0", " ")
    assert "Schnelle Anbindung, Anteil Schüler*innen: 90,9 % → 18,2 %" in told
    city.store.close()


def test_figures_counted_by_other_rules_are_not_compared(
    inventory: Inventory, report: AnnualReport
) -> None:
    fewer = tuple(
        msgspec.structs.replace(
            table,
            rows=[
                msgspec.structs.replace(r, cells=(0.1,) * len(r.cells))
                for r in table.rows
            ],
        )
        for table in report.figures
    )

    def told(version: str) -> list[str]:
        figures = tuple(
            msgspec.structs.replace(table, rules_version=version) for table in fewer
        )
        before = freeze(inventory, 2024, AFTER, inventory_sha256="x", figures=figures)
        counts = count(inventory)
        compared = annual_report(counts, 2025, before, Texts(), figures=report.figures)
        return [line.replace("\xa0", " ") for line in summary(compared, Texts())]

    assert told("0") == ["Gegenüber 2024 ist keine Summe verändert."]
    assert "  Verfügbarkeit, Unterricht: verfügbar: 10,0 % → 34,4 %" in told("1")


def test_progress_is_told_of_long_work_only() -> None:
    clock = ManualClock(AFTER)
    out = io.StringIO()
    progress = Progress(Texts(), out, clock.monotonic_s)
    for done in range(1, 5):
        progress(done, 4)
    assert not out.getvalue()
    for done in range(1, 5):
        clock.advance(0.6)
        progress(done, 4)
    assert out.getvalue().splitlines() == [
        "2 von 4 Gebäuden ausgewertet",
        "4 von 4 Gebäuden ausgewertet",
    ]
