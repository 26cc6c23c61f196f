"""The lab's measurement server: ``python -m netmon.demo.lab.server``; prints its port."""

from __future__ import annotations

import asyncio
import json

from netmon.config import Secret
from probes.measure_server import Limits, MeasureServer

TOKEN = "t"  # noqa: S105 - reachable inside the lab only


async def main() -> None:
    """Serve until killed."""
    server = MeasureServer(Secret(TOKEN), limits=Limits(max_tests=64))
    await server.start("0.0.0.0", 0)
    print(json.dumps({"port": server.port}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
