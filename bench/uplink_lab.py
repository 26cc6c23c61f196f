"""What the cases of the uplink bench share: the book of runs, errors, other traffic."""

from __future__ import annotations

from statistics import median
from typing import Any

from netmon.demo.lab.scene import Cross, Scene

MBIT = 1e6
REPEAT = 4
THRESHOLD = 100 * MBIT

# figure: (target, at most / at least)
TARGETS = {
    "worst_error_quiet": (0.01, "<="),
    "bytes_vs_iperf3": (0.08, "<="),
    "worst_load_s": (1.0, "<="),
    "worst_error_cross": (0.02, "<="),
    "bytes_vs_iperf3_cross": (0.06, "<="),
    "saturated_share": (0.15, "<="),
    "saturated_error": (0.02, "<="),
    "stale_error": (0.03, "<="),
    "stale_beyond_wrong": (0, "<="),
    "floor_mb_idle": (8.0, "<="),
    "floor_mb_loaded": (3.0, "<="),
    "floor_wrong": (0, "<="),
    "lesson_delay_s": (0.1, "<="),
    "interval_coverage": (0.9, ">="),
    "fading_soonest_s": (2.0, ">="),
    "false_alarms_school_day": (0, "<="),
    "drop_found_cycles": (2, "<="),
    "starved_alarms": (0, "<="),
    "starved_wrong": (0, "<="),
    "lease_round_10g_s": (60.0, "<="),
    "lease_round_1g_s": (300.0, "<="),
    "probe_memory_mb": (60.0, "<="),
    "ceiling_bps": (1e9, ">="),
}

TRAFFIC = {
    "one big tcp flow": lambda share: Cross("tcp", share, 1),
    "udp": lambda share: Cross("udp", share),
    "20 small tcp flows": lambda share: Cross("tcp", share, 20),
    "bursts": lambda share: Cross("bursts", share),
}


class Book:
    """Collects runs; knows which were spoilt and whether intervals held."""

    def __init__(self) -> None:
        self.spoilt = 0
        self.failures = 0
        self.unsettled = 0
        self.runs = 0
        self.held: list[bool] = []
        self.peak_mb = 0.0

    def capacities(
        self, place: Scene, truth_bps: float, runs: int, **job: Any
    ) -> list[dict[str, Any]]:
        """Return that many healthy results for each direction."""
        ways = len(job.get("directions", ("down", "up")))
        good: list[dict[str, Any]] = []
        for _ in range(REPEAT):
            missing = runs - len(good) // ways
            if missing <= 0:
                break
            for line in place.measure(runs=missing, **job):
                self.peak_mb = max(self.peak_mb, line["peak_mb"])
                if "capacity" not in line:
                    self.failures += 1
                    continue
                found = line["capacity"]
                if found["total"]["kind"] == "invalid":
                    self.spoilt += 1
                    continue
                self._note(found["total"], truth_bps)
                good.append(found)
        return good

    def _note(self, total: dict[str, Any], truth_bps: float) -> None:
        self.runs += 1
        if total["kind"] in {"capacity", "range"}:
            self.held.append(total["low_bps"] <= truth_bps <= total["high_bps"])
        else:
            self.unsettled += 1


def error(found: dict[str, Any], truth_bps: float) -> float:
    """Return the relative error of a result."""
    return abs(found["total"]["rate_bps"] / truth_bps - 1)


def kinds(found: list[dict[str, Any]]) -> str:
    """Return how often each kind came out."""
    names = [each["total"]["kind"] for each in found]
    return ", ".join(f"{names.count(name)} {name}" for name in sorted(set(names)))


def said(found: list[dict[str, Any]], truth_bps: float) -> str:
    """Return a case's figures in words."""
    if not found:
        return "no healthy run"
    cases = [error(each, truth_bps) for each in found]
    return (
        f"error median {median(cases):.3%}, max {max(cases):.3%}; load median "
        f"{median(each['load_s'] for each in found):.2f} s, "
        f"{median(each['wire_bytes'] for each in found) / 1e6:.1f} MB; {kinds(found)}"
    )
