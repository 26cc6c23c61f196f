"""The uplink method against iperf3, in a lab of network namespaces.

    sudo .venv/bin/python bench/uplink.py [--quick] [--only NAME ...] [--check]

Everything runs on this machine in namespaces the script makes and removes; needs
root, iproute2, ethtool, util-linux and iperf3. Prints each case, then one JSON object
with the figures; targets stand in ``uplink_lab.py``. A run spoilt by a busy machine is
recognised by the method's own health guard, counted and repeated.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import uplink_cases as cases
from uplink_lab import TARGETS, Book

from netmon.demo.lab.topology import why_not

# name: (case, runs of each line, runs with --quick)
CASES = {
    "quiet": (cases.quiet, 3, 1),
    "cross": (cases.crossed, 2, 1),
    "saturated": (cases.saturated, 3, 1),
    "stale": (cases.stale, 2, 1),
    "odd": (cases.odd_lines, 3, 1),
    "floor": (cases.floors, 3, 1),
    "lesson": (cases.lessons, 2, 1),
    "day": (cases.school_day, 2, 1),
    "starved": (cases.starved, 2, 1),
    "lease": (cases.leases, 1, 1),
    "hardware": (cases.hardware, 1, 1),
}
_PROGRAMS = ("iperf3", "ethtool", "taskset")


def main() -> int:
    """Run the cases and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of each")
    parser.add_argument(
        "--only", nargs="+", choices=CASES, default=list(CASES), metavar="NAME"
    )
    parser.add_argument(
        "--check", action="store_true", help="exit 1 on a missed target"
    )
    args = parser.parse_args()
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    reason = why_not() or (f"{missing[0]} is missing" if missing else None)
    if reason is not None:
        print(json.dumps({"skipped": reason}))
        return 0
    # A run that is ended takes its namespaces with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    book, figures, began_s = Book(), {}, time.monotonic()
    for name in args.only:
        case, runs, few = CASES[name]
        figures |= case(book, few if args.quick else runs)
    figures |= _of_the_book(book)
    figures["bench_s"] = round(time.monotonic() - began_s)
    missed = [name for name in TARGETS if name in figures and _misses(name, figures)]
    for name in missed:
        target, sign = TARGETS[name]
        print(f"MISSED {name}: {figures[name]:.4g}, target {sign} {target}")
    print(json.dumps({k: round(v, 5) for k, v in figures.items()}))
    return 1 if missed and args.check else 0


def _of_the_book(book: Book) -> dict[str, Any]:
    found: dict[str, Any] = {
        "runs": book.runs,
        "spoilt_runs": book.spoilt,
        "failed_runs": book.failures,
        "unsettled_runs": book.unsettled,
    }
    if book.held:
        found["interval_coverage"] = sum(book.held) / len(book.held)
        found["intervals"] = len(book.held)
    return found


def _misses(name: str, figures: dict[str, Any]) -> bool:
    target, sign = TARGETS[name]
    value = figures[name]
    return not (value <= target if sign == "<=" else value >= target)


if __name__ == "__main__":
    sys.exit(main())
