"""A sender as a process of its own: adds numbered records to its spool and pushes.

Prints each record's number once it is durable in the spool. Run by the kill test:
``sender_process.py SPOOL URL TOKEN_FILE SOURCE COUNT``; ends when all are sent.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import httpx

from netmon.clock import SystemClock
from netmon.config import Secret
from netmon.push import Outcome, Pusher
from netmon.spool import Spool
from netmon.spool_record import SpoolRecord


async def add(spool: Spool, count: int) -> None:
    while (done := spool.stats().added) < count:
        record = SpoolRecord(
            kind="latency",
            tags={"building": "gs-01", "line": f"gs-01-l{done % 3}"},
            ts_ms=time.time_ns() // 1_000_000,
            values={"rtt_s": done / 1e6, "loss_ratio": 0.0},
        )
        number = spool.add(record)
        # One write: killed between two, it would leave half a line.
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        await asyncio.sleep(0)


async def main(spool: Spool, url: str, token: Secret, source: str, n: str) -> None:
    async with httpx.AsyncClient(timeout=5) as client:
        pusher = Pusher(spool, url, token, source, client, SystemClock(), batch_limit=7)
        adding = asyncio.create_task(add(spool, int(n)))
        while not adding.done() or spool.stats().length:
            result = await pusher.push_once()
            # The gateway is killed all the time: come again at once.
            if result.outcome is not Outcome.SENT:
                await asyncio.sleep(0.02)
        await adding


if __name__ == "__main__":
    spool_path, gateway_url, token_file, name, total = sys.argv[1:]
    opened = Spool(Path(spool_path))
    secret = Secret(Path(token_file).read_text(encoding="utf-8").strip())
    asyncio.run(main(opened, gateway_url, secret, name, total))
    opened.close()
