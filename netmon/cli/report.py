"""``netmon report annual|freeze|import|years``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from netmon.cli.acting import shell_actor
from netmon.cli.base import add_config_option, open_store
from netmon.errors import InputError, Problem
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands
    from netmon.report import AnnualReport, FrozenYear, Reader
    from netmon.report.figures import FigureRow

# A step that takes longer tells how far it is, so often.
_TELL_EVERY_S = 1.0


def add(commands: Commands, texts: Texts) -> None:
    """Add the command group."""
    about = texts("report.cli.about")
    parser = commands.add_parser("report", help=about, description=about)
    actions = parser.add_subparsers(metavar=texts("report.cli.action"), required=True)

    def year(text: str) -> int:
        if text.isascii() and text.isdecimal() and 2000 <= int(text) <= 2100:
            return int(text)
        raise argparse.ArgumentTypeError(texts("report.cli.year_range", value=text))

    def action(
        name: str, run: Callable[[argparse.Namespace, Texts], int]
    ) -> argparse.ArgumentParser:
        about = texts(f"report.cli.{name}")
        found = actions.add_parser(name, help=about, description=about)
        found.set_defaults(run=run)
        return found

    annual = action("annual", _annual)
    freeze = action("freeze", _freeze)
    history = action("import", _import)
    for one in (annual, freeze, history):
        one.add_argument(
            "--year", type=year, required=True, help=texts("report.cli.year")
        )
    annual.add_argument("--out", type=Path, required=True, help=texts("report.cli.out"))
    annual.add_argument("--demo", action="store_true", help=texts("report.cli.demo"))
    freeze.add_argument("--force", action="store_true", help=texts("report.cli.force"))
    history.add_argument(
        "files", type=Path, nargs="+", metavar="CSV", help=texts("report.cli.files")
    )
    for one in (annual, freeze, history, action("years", _years)):
        add_config_option(one, texts)


def _annual(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.clock import SystemClock
    from netmon.report.completeness import COMPLETENESS
    from netmon.report.differences import summary
    from netmon.report.export import write_annual
    from netmon.report.screen import print_figure, print_rooms, print_text

    if args.demo:
        report = _demo_report(args.year, texts)
    else:
        with _reader(args.config, texts) as reader:
            report = reader.report(args.year, SystemClock().now())
    paths = write_annual(report, args.out, texts)
    print(report.basis.about)
    for table in report.tables:
        print(f"\n{print_text(table, texts)}")
    print(f"\n{print_rooms(report.rooms, texts)}")
    for figure in report.figures:
        if figure.total is not None or figure.name == COMPLETENESS:
            print(f"\n{print_figure(figure, texts)}")
    if report.figures_note:
        print(f"\n{report.figures_note}")
    print("\n" + "\n".join(summary(report, texts)) + "\n")
    for path in paths:
        print(texts("report.cli.written", path=path))
    return 0


def _demo_report(year: int, texts: Texts) -> AnnualReport:
    from netmon.demo import city
    from netmon.report import Basis, annual_report, count
    from netmon.report.tables import counting_rules

    previous = city.load_previous_year()
    if year != previous.year + 1:
        shipped = previous.year + 1
        what = texts("report.cli.demo_year", year=shipped, given=year)
        raise InputError([Problem("--year", None, None, what, f"--year {shipped}")])
    about = texts("report.cli.source_demo", year=year)
    basis = Basis(about=about, rules=counting_rules(texts))
    return annual_report(count(city.load()), year, previous, texts, basis=basis)


@contextmanager
def _reader(config: Path | None, texts: Texts) -> Iterator[Reader]:
    from netmon.calendars import Calendars
    from netmon.clock import SystemClock
    from netmon.report import Reader
    from netmon.storage.current import CurrentInventory

    with open_store(config) as (store, settings):
        calendars = Calendars(settings.measure, CurrentInventory(store.inventories))
        told = Progress(texts, sys.stderr, SystemClock().monotonic_s)
        yield Reader(store, calendars.of, texts, told)


class Progress:
    """Tells how many buildings are counted, on a line of its own where there is one.

    A step that takes less than a second is told by nobody. ``now_s`` is a monotonic
    clock.
    """

    def __init__(self, texts: Texts, out: TextIO, now_s: Callable[[], float]) -> None:
        self._texts, self._out, self._now_s = texts, out, now_s
        self._told_s = now_s()
        self._open = False

    def __call__(self, done: int, total: int) -> None:
        """Tell, if it is time."""
        now_s = self._now_s()
        due = now_s - self._told_s >= _TELL_EVERY_S
        if not due and not (self._open and done == total):
            return
        self._told_s, self._open = now_s, done < total
        line = self._texts("report.cli.progress", done=done, total=total)
        if not self._out.isatty():
            self._out.write(f"{line}\n")
        else:
            self._out.write(f"\r{line}" + ("\n" if done == total else ""))
        self._out.flush()


def _freeze(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.clock import SystemClock

    def accept(poor: Sequence[FigureRow]) -> None:
        lines = _poor_lines(poor, texts)
        if not args.force:
            what = texts("report.cli.poor", rows="; ".join(lines))
            fix = texts("report.cli.poor_fix")
            raise InputError([Problem(str(args.year), None, None, what, fix)])
        print(texts("report.cli.poor_forced"), file=sys.stderr)
        for line in lines:
            print(f"  {line}", file=sys.stderr)

    with _reader(args.config, texts) as reader:
        frozen = reader.freeze(args.year, SystemClock().now(), shell_actor(), accept)
        _print_frozen("frozen", frozen, reader, texts)
    return 0


def _poor_lines(poor: Sequence[FigureRow], texts: Texts) -> list[str]:
    lines = []
    for row in poor:
        known, total, share, needed, _ = row.cells
        values = {
            "what": row.label,
            "known": texts.number(_number(known)),
            "total": texts.number(_number(total)),
            "share": texts.percent(_number(share), 0),
            "needed": texts.percent(_number(needed), 0),
        }
        lines.append(texts("report.cli.poor_row", **values))
    return lines


def _number(cell: object) -> float | None:
    return cell if isinstance(cell, int | float) else None


def _print_frozen(key: str, frozen: FrozenYear, reader: Reader, texts: Texts) -> None:
    from netmon.report.completeness import COMPLETENESS
    from netmon.report.differences import summary
    from netmon.report.reading import frozen_report

    told = texts(
        f"report.cli.{key}",
        year=frozen.year,
        buildings=texts.number(frozen.buildings),
        sha256=frozen.sha256,
    )
    print(told)
    report = frozen_report(frozen, reader.frozen(frozen.year - 1), texts)
    if (completeness := report.figure(COMPLETENESS)) is not None:
        for note in completeness.notes:
            print(note, file=sys.stderr)
    print("\n".join(summary(report, texts)))


def _import(args: argparse.Namespace, texts: Texts) -> int:
    from msgspec import UNSET

    from netmon.clock import SystemClock

    with _reader(args.config, texts) as reader:
        frozen = reader.take_over(
            args.files, args.year, SystemClock().now(), shell_actor()
        )
        if frozen.warnings is not UNSET:
            for table, found in frozen.warnings.items():
                name = texts(f"report.{table}.sheet")
                for warning in found:
                    told = texts("report.cli.warning", table=name, warning=warning)
                    print(told, file=sys.stderr)
        _print_frozen("imported", frozen, reader, texts)
    return 0


def _years(args: argparse.Namespace, texts: Texts) -> int:
    with _reader(args.config, texts) as reader:
        years = reader.store.snapshots.years()
        for year in years:
            frozen = reader.frozen(year)
            if frozen is not None:
                key = "source_imported" if frozen.is_printed else "source_frozen"
                moment = texts.moment(frozen.frozen_at)
                values = {"year": year, "moment": moment, "origin": frozen.origin}
                told = texts(f"report.cli.{key}", **values)
                print(f"{told}, SHA-256 {frozen.sha256}")
        if not years:
            print(texts("report.cli.no_years"))
    return 0
