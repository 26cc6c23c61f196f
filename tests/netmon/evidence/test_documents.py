"""A report says what the chain says, is the same each time, and can be checked."""

from __future__ import annotations

import io
import json
import zipfile

import docx
import pytest
from docx.oxml.ns import qn
from msgspec.structs import replace
from pypdf import PdfReader

from netmon.documents.blocks import Column, Document, Paragraph, Table
from netmon.documents.pdf import pdf_bytes
from netmon.evidence import chain
from netmon.evidence.report import make_report
from netmon.evidence.verify import TamperedError, verify
from netmon.evidence.writing import WRITERS, write_report
from netmon.model import FailureReason
from netmon.texts import Texts
from netmon.units import MBIT

DE = Texts("de")


@pytest.fixture
def entries(school):
    """A whole campaign on a line that is too slow."""
    school.down = lambda n: (88.1 if n % 10 > 7 else 61.3) * MBIT
    campaign = school.begin(note="Beschwerde vom 20.11.2026 & <Anlage>")
    school.measure(campaign)
    school.record(campaign)
    return school.store.campaigns.entries(campaign.id)


@pytest.fixture
def part(school):
    """A campaign of two days of which one measurement failed; the third is to come."""
    school.up = lambda n: FailureReason.TIMEOUT if n == 4 else 38.0 * MBIT
    campaign = school.begin()
    school.measure(campaign, range(20))
    school.record(campaign, after_ms=-9 * 3_600_000)
    return school.store.campaigns.entries(campaign.id)


def _text(document: Document) -> str:
    words = [document.title]
    for block in document.blocks:
        if isinstance(block, Table):
            words += [block.caption, *(c.head for c in block.columns)]
            words += [cell for row in block.rows for cell in row]
        elif hasattr(block, "rows"):
            words += [word for row in block.rows for word in row]
        else:
            words.append(block.text)
    return "\n".join(words)


def _pdf_text(body: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)


@pytest.mark.parametrize("form", WRITERS)
def test_the_same_campaign_gives_the_same_bytes(entries, form):
    assert WRITERS[form](entries, DE) == WRITERS[form](entries, DE)


def test_the_report_names_all_that_counts(entries):
    text = _text(make_report(entries, DE))
    for words in (
        "nicht das amtliche Nachweisverfahren",
        "§ 57 Abs. 4 TKG",
        "Abweichung vom Vertrag nach 30 gültigen Messungen: Download, Höchstrate (90 %);",
        "in 6 von 30 Messungen erreicht (nötig: 27)",
        "an 0 von 3 Messtagen mindestens einmal unterschritten",
        "nicht vereinbart, nicht geprüft",
        "Netz & Söhne",
        "Weg 3, 44137 Dortmund",
        "tcp-adaptive/2",
        "61,0 – 61,6",
        "63,5",
        chain.head(entries),
    ):
        assert words in text, words


def test_the_report_says_plainly_that_something_is_missing(part):
    document = make_report(part, DE)
    text = _text(document)
    assert "Die Kampagne läuft: 19 von 30 Messungen sind gültig." in text
    assert "Noch nicht fällig am Stand dieses Protokolls: 10 Messungen." in text
    assert "Abweichung vom Vertrag" not in text
    (gaps,) = [
        b
        for b in document.blocks
        if isinstance(b, Table) and b.caption == DE("evidence.table.gaps")
    ]
    (row,) = gaps.rows
    assert (row[0], row[3:]) == ("5", ("1", "–", "Zeitüberschreitung"))


def test_made_up_results_prove_nothing(school):
    campaign = school.begin()
    school.source = replace(school.source, generated=True)
    # The store knows of a sender whether it makes its results up.
    school.store.sources.create(
        school.source.name, school.source.kind, "gs-31", "x" * 64, generated=True
    )
    school.measure(campaign, [0])
    school.record(campaign)
    entries = school.store.campaigns.entries(campaign.id)
    assert "erzeugt und nicht gemessen" in _text(make_report(entries, DE))


def test_the_pdf_is_tagged_and_says_the_same(entries):
    body = WRITERS["pdf"](entries, DE)
    reader = PdfReader(io.BytesIO(body))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "de"
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert reader.metadata.title == "Messprotokoll der Leitung gs-31-l1"
    text = _pdf_text(body)
    assert "Beschwerde vom 20.11.2026 & <Anlage>" in text
    assert chain.head(entries) in text.replace("\n", "")
    assert f"Seite 1 von {len(reader.pages)}" in text


def test_nobodys_words_are_markup_in_the_pdf(entries):
    wild = '#panic("x") *fett* $x$ \\ <label> @ref ]{'
    document = replace_title(make_report(entries, DE), wild)
    assert wild in _pdf_text(pdf_bytes(document))


def replace_title(document: Document, text: str) -> Document:
    table = Table(text, (Column(text),), ((text,),))
    return Document(
        title=text,
        subtitle=text,
        author=text,
        language=document.language,
        created=document.created,
        head=text,
        foot=text,
        page=document.page,
        blocks=(Paragraph(text), Paragraph(text, "code"), table),
    )


def test_the_docx_has_head_rows_and_the_campaigns_date(entries):
    body = WRITERS["docx"](entries, DE)
    word = docx.Document(io.BytesIO(body))
    assert word.core_properties.author == "Frau Ö"
    assert word.core_properties.created.date().isoformat() <= "2026-12-15"
    heads = [t for t in word.tables if t._tbl.findall(f".//{qn('w:tblHeader')}")]
    document = make_report(entries, DE)
    tables = [b for b in document.blocks if isinstance(b, Table)]
    assert [[c.text for c in t.rows[0].cells] for t in heads] == [
        [c.head for c in t.columns] for t in tables
    ]
    assert [len(t.rows) - 1 for t in heads] == [len(t.rows) for t in tables]
    styles = {p.style.name for p in word.paragraphs}
    assert {"Title", "Heading 1", "Caption"} <= styles
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def test_the_json_holds_and_says_the_same(entries):
    body = WRITERS["json"](entries, DE)
    found = verify(body, head=chain.head(entries).upper())
    assert found.entries == len(entries) == 62
    sheet = json.loads(body)
    assert sheet["evaluation"]["complete"] is True
    first = sheet["evaluation"]["measurements"][0]
    assert first["down"]["values"]["rate_down_bps"] == 61.3 * MBIT
    assert first["down"]["why_not"] is None


def _tampered(body: bytes, change) -> str:
    sheet = json.loads(body)
    change(sheet)
    with pytest.raises(TamperedError) as found:
        verify(json.dumps(sheet).encode())
    return f"{found.value.code} {found.value.values.get('number', '')}".strip()


def _better(sheet, number: int) -> None:
    link = sheet["chain"][number]
    link["record"] = link["record"].replace("61300000.0", "99300000.0")


def test_whatever_is_changed_in_the_json_is_found(entries):
    body = WRITERS["json"](entries, DE)
    assert _tampered(body, lambda s: _better(s, 5)) == "chain 5"
    assert _tampered(body, lambda s: s["chain"].pop(7)) == "chain 7"
    assert _tampered(body, lambda s: s["chain"].clear()) == "record"
    assert _tampered(body, lambda s: s.update(format="netmon-evidence/9")) == "layout"
    assert _tampered(body, lambda s: s.pop("chain")) == "not_json"
    assert _tampered(body, lambda s: s["chain"].pop()) == "evaluation"
    for field, value in (("complete", False), ("state", "aborted"), ("more", 1)):
        found = _tampered(
            body, lambda s, f=field, v=value: s["evaluation"].update({f: v})
        )
        assert found == "evaluation"
    assert _tampered(body, lambda s: s["campaign"]["down"].update(maximum_bps=1)) == (
        "evaluation"
    )


def test_a_chain_computed_anew_is_found_by_the_hash_that_was_told(entries):
    told = chain.head(entries)
    records = [json.loads(entry.record) for entry in entries]
    records[5]["values"]["rate_down_bps"] = 1.0
    forged = WRITERS["json"](chain.extend(None, records), DE)
    verify(forged)
    with pytest.raises(TamperedError) as found:
        verify(forged, head=told)
    assert found.value.code == "head"


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b'{"format": 1}', b"[]"])
def test_another_file_is_no_record(body):
    with pytest.raises(TamperedError) as found:
        verify(body)
    assert found.value.code == "not_json"


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_language_can_write_it(entries, part, tmp_path, language):
    for chain_of, name in ((entries, "a"), (part, "b")):
        paths = write_report(chain_of, tmp_path / name, Texts(language))
        assert [p.suffix for p in paths] == [".pdf", ".docx", ".json"]
        assert sorted(p.name for p in (tmp_path / name).iterdir()) == sorted(
            p.name for p in paths
        )
