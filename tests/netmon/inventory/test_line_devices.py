"""Which device ends a line: who may, whose, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netmon.inventory import load_folder, write_folder

HEADER = "id,building_id,kind,name,address,line_id,line_port\n"
Refusals = Callable[[], list[str]]


def write(folder: Path, *rows: str) -> None:
    controllers = "c1,g1,controller,w,h:161,,\nc0,,controller,w,h:161,,\n"
    text = HEADER + controllers + "".join(f"{row}\n" for row in rows)
    (folder / "devices.csv").write_text(text, encoding="utf-8")


def test_a_router_ends_a_line_and_both_fields_survive(
    folder: Path, tmp_path: Path
) -> None:
    write(folder, "m1,g1,router,Modem,h:161,l1,", "m2,g2,router,SFP,h:161,l2,Te1/1/4")
    inventory = load_folder(folder)
    assert inventory.device_by_id["m1"].line_id == "l1"
    assert inventory.device_by_id["m2"].line_port == "Te1/1/4"
    assert inventory.device_by_id["c1"].line_id is None
    write_folder(inventory, tmp_path / "out")
    assert load_folder(tmp_path / "out") == inventory


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            "m1,g1,router,Modem,h:161,l9,",
            "devices.csv:4 [line_id]: „l9“ gibt es in „lines“ nicht",
        ),
        (
            "m1,g1,router,Modem,h:161,l2,",
            "devices.csv:4 [line_id]: die Anbindung gehört zu Gebäude „g2“ -> eine "
            "Anbindung desselben Gebäudes nennen",
        ),
        (
            "m1,g1,switch,Modem,h:161,l1,",
            "devices.csv:4 [line_id]: nur ein Router, Modem oder Funkgerät schließt "
            "eine Anbindung ab -> kind auf „router“ setzen oder line_id leeren",
        ),
        (
            "m1,g1,router,Modem,h:161,,WAN",
            "devices.csv:4 [line_port]: ein Port ohne Anbindung -> line_id angeben "
            "oder line_port leeren",
        ),
    ],
)
def test_a_wrong_line_is_refused(
    folder: Path, refusals: Refusals, row: str, problem: str
) -> None:
    write(folder, row)
    (found,) = refusals()
    assert found.startswith(problem)
