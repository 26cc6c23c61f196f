"""How often Python looks for cyclic garbage, in processes that remember much."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Look for cycles after 50,000 new objects instead of 700.

    Each look goes through what is remembered (the series of a city, what a thousand
    devices said), and by default there are thousands of looks a minute: a third of
    the CPU time of collector and gateway in ``bench/snmp.py``. What we make has no
    cycles; the few of the libraries' wait a little longer.
    """
    gc.set_threshold(50_000, 20, 20)
