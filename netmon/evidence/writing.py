"""Writing a report in the forms asked for; whole files or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from netmon.documents.pdf import pdf_bytes
from netmon.documents.word import docx_bytes
from netmon.evidence.campaign import evaluation_of
from netmon.evidence.machine import json_bytes
from netmon.evidence.report import file_name, make_report
from netmon.storage.campaign_records import ChainEntry
from netmon.texts import Texts

# Every form: its ending and who writes it.
WRITERS: Mapping[str, Callable[[Sequence[ChainEntry], Texts], bytes]] = {
    "pdf": lambda entries, texts: pdf_bytes(make_report(entries, texts)),
    "docx": lambda entries, texts: docx_bytes(make_report(entries, texts)),
    "json": json_bytes,
}


def write_report(
    entries: Sequence[ChainEntry],
    folder: Path,
    texts: Texts,
    forms: Sequence[str] = tuple(WRITERS),
) -> list[Path]:
    """Write a campaign's report and return the files' paths.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    evaluation = evaluation_of(entries)
    bodies = {form: WRITERS[form](entries, texts) for form in forms}
    paths = []
    for form, body in bodies.items():
        path = folder / file_name(evaluation, form)
        # Whole or not at all: a reader never sees half a report.
        partial = path.with_name(f".{path.name}.part")
        partial.write_bytes(body)
        partial.replace(path)
        paths.append(path)
    return paths
