"""The definition of all Grafana dashboards: one file a dashboard, one line in a table.

``python tools/make_grafana`` writes ``grafana/promql`` and ``grafana/influxql`` from
it; a test holds the shipped files to what this gives. Why two sets of one definition,
and where labels come from that no measurement has: docs/decisions/019-grafana.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from make_grafana import building, city, health, lan, wlan
from make_grafana.build import build
from make_grafana.model import Board, Language

FOLDER = Path(__file__).resolve().parents[2] / "grafana"

BOARDS: Mapping[str, Board] = {
    "city": city.BOARD,
    "building": building.BOARD,
    "wlan": wlan.BOARD,
    "lan": lan.BOARD,
    "health": health.BOARD,
}


def files() -> Mapping[str, str]:
    """Return the content of every file by its path below ``grafana``."""
    return {
        f"{language.value}/{name}.json": _text(board, language)
        for language in Language
        for name, board in BOARDS.items()
    }


def _text(board: Board, language: Language) -> str:
    written = JSONEncoder(indent=2, ensure_ascii=False, sort_keys=True).encode(
        build(board, language)
    )
    # Through plain values, so that equal numbers look the same whatever made them.
    return json.dumps(json.loads(written), indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> list[Path]:
    """Write all files and return their paths."""
    written = []
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
