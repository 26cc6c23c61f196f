"""Made-up cities, and ``netmon report`` with a store of its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from netmon.cli import report as report_cli
from netmon.model import (
    Coverage,
    Inventory,
    SchoolType,
    Technology,
)
from netmon.texts import Texts
from tests.city import a_building, a_line

# School type, technology (None: no line), Mbit/s down, LAN, WLAN.
Site = tuple[SchoolType, Technology | None, int, Coverage, Coverage]
MakeCity = Callable[[Iterable[Site]], Inventory]


@pytest.fixture(scope="session")
def make_city() -> MakeCity:
    """Return an inventory with one building a site."""

    def make(sites: Iterable[Site]) -> Inventory:
        buildings, lines = [], []
        for number, (school_type, technology, mbits, lan, wlan) in enumerate(sites):
            buildings.append(
                a_building(
                    f"b{number}", name="B", school_type=school_type, lan=lan, wlan=wlan
                )
            )
            if technology is not None:
                lines.append(
                    a_line(f"b{number}", mbits, 1, technology, id=f"l{number}")
                )
        return Inventory(buildings=tuple(buildings), lines=tuple(lines))

    return make


@pytest.fixture
def report_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Run ``netmon report ...`` in-process with a state store of its own."""
    monkeypatch.setenv("NETMON_DATA", str(tmp_path / "var"))
    texts = Texts()

    def run(*argv: object) -> int:
        parser = argparse.ArgumentParser(prog="netmon")
        report_cli.add(parser.add_subparsers(required=True), texts)
        args = parser.parse_args(["report", *map(str, argv)])
        status: int = args.run(args, texts)
        return status

    return run
