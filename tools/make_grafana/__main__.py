"""``python tools/make_grafana``: write all dashboards and name the files."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run as a folder, its own path comes first; the package is found beside it.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from make_grafana import write

    for path in write():
        print(path)
