"""``python -m netmon`` is the command ``netmon``."""

from __future__ import annotations

import sys

from netmon.cli import main

if __name__ == "__main__":
    sys.exit(main())
