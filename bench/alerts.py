"""How long the alarms of a whole city take; see ``bench/alerts_engine.py``.

    python bench/alerts.py [--check] [--small]

The last line printed is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

# This file's folder comes first on the path, where its own name hides the package's.
sys.path[0] = str(Path(__file__).parent.parent)

CEILINGS = {"storm_cycle_s": 2.0, "idle_cycle_ms": 50.0, "storm_mails": 10}


def main() -> int:
    from bench.alerts_engine import BUILDINGS, POINTS, PORTS, run

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail above the ceilings")
    parser.add_argument("--small", action="store_true", help="a tenth of the city")
    args = parser.parse_args()
    part = 10 if args.small else 1
    found = run(BUILDINGS // part, POINTS // part, PORTS // part)
    print(json.dumps(found))
    too_much = [name for name, most in CEILINGS.items() if found[name] > most]
    return 1 if args.check and too_much else 0


if __name__ == "__main__":
    sys.exit(main())
