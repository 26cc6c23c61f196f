"""Made-up measurements for the buildings without a live probe; marked as such.

A year of history goes through the same write path as real results, and a feeder
pushes fresh values over HTTP like any sender. Its sender is marked *generated*
in the store, so every page says so beside the value.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import httpx

from netmon.clock import BERLIN, from_ms, to_ms
from netmon.config import Secret
from netmon.model import AccessPoint, Building, Inventory, Line, Technology
from netmon.storage.ports import MeasurementStore
from netmon.storage.records import CheckedBatch, CheckedSeries, Source
from netmon.units import HOUR_S
from netmon.wire import MEASUREMENTS_PATH, Batch, Series, encode

SOURCE = "demo-generated"
METHOD = "generated/1"
_HOUR_MS = int(HOUR_S * 1000)
_YEAR_HOURS = 365 * 24
_COARSE_HOURS = 6
_FINE_HOURS = 36
_BUILDINGS_A_POST = 20

# Share of the contract that arrives, and idle latency, as such lines show it.
_SHARE = {Technology.FIBRE: 0.955, Technology.RADIO: 0.93, Technology.VDSL: 0.945}
_RTT_S = {Technology.FIBRE: 0.004, Technology.RADIO: 0.007, Technology.VDSL: 0.016}


def _lesson(moment_ms: int) -> bool:
    local = from_ms(moment_ms).astimezone(BERLIN)
    return local.weekday() < 5 and 8 <= local.hour < 15


def _rates(line: Line, at_ms: int, noise: random.Random) -> tuple[float, float]:
    share = _SHARE[line.technology] + noise.gauss(0, 0.006)
    if _lesson(at_ms) and line.technology is not Technology.FIBRE:
        share -= 0.012
    share = min(0.975, max(0.5, share))
    return line.contracted_down_bps * share, line.contracted_up_bps * share


def _throughput(line: Line, times: Sequence[int], noise: random.Random) -> Series:
    pairs = [_rates(line, at_ms, noise) for at_ms in times]
    return Series(
        kind="throughput",
        tags={"building": line.building_id, "line": line.id, "method": METHOD},
        seq=[],
        ts=list(times),
        values={
            "rate_down_bps": [float(round(down, -3)) for down, _ in pairs],
            "rate_up_bps": [float(round(up, -3)) for _, up in pairs],
        },
    )


def _latency(line: Line, times: Sequence[int], noise: random.Random) -> Series:
    rtt = [_RTT_S[line.technology] * noise.lognormvariate(0, 0.12) for _ in times]
    return Series(
        kind="latency",
        tags={"building": line.building_id, "line": line.id},
        seq=[],
        ts=list(times),
        values={
            "rtt_s": [round(value, 6) for value in rtt],
            "jitter_s": [round(value * 0.08, 6) for value in rtt],
            "loss_ratio": [0.0 if noise.random() > 0.02 else 0.01 for _ in times],
        },
    )


def _access_point(ap: AccessPoint, at_ms: int, noise: random.Random) -> Series:
    clients = float(noise.randint(4, 28)) if _lesson(at_ms) else 0.0
    return Series(
        kind="wlan_ap",
        tags={"building": ap.building_id, "device": ap.controller_id, "ap": ap.id},
        seq=[],
        ts=[at_ms],
        values={"up": [1.0], "clients_count": [clients]},
        info={"name": ap.name, "model": ap.model, "serial": ap.serial},
    )


def _history_times(now_ms: int) -> list[int]:
    hour = now_ms - now_ms % _HOUR_MS
    old = range(_YEAR_HOURS, _FINE_HOURS, -_COARSE_HOURS)
    return [hour - h * _HOUR_MS for h in (*old, *range(_FINE_HOURS, -1, -1))]


def _checked(series: Series, first_seq: int) -> CheckedSeries:
    return CheckedSeries(
        kind=series.kind,
        building_id=series.tags["building"],
        tags=series.tags,
        seq=list(range(first_seq, first_seq + len(series.ts))),
        ts=series.ts,
        values=series.values,
        failure=None,
        info=series.info,
        keep_rollups=True,
    )


def history(
    city: Inventory, buildings: Sequence[Building], source: Source, now: datetime
) -> Iterator[CheckedBatch]:
    """Yield a year of main-line results, one batch a building; same for same input."""
    now_ms = to_ms(now)
    times = _history_times(now_ms)
    seq = 1
    for building in buildings:
        line = city.main_line(building.id)
        if line is None:
            continue
        noise = random.Random(building.id)
        checked = []
        for make in (_throughput, _latency):
            series = _checked(make(line, times, noise), seq)
            seq += len(series.seq)
            checked.append(series)
        yield CheckedBatch(
            source=source,
            spool="0" * 32,
            received_ms=now_ms,
            sent_ms=now_ms,
            agent=METHOD,
            series=checked,
            quarantined=[],
        )


def write_history(
    store: MeasurementStore, batches: Iterator[CheckedBatch], group: int = 8
) -> int:
    """Write history in groups, leaving room for others between; return records."""
    records, waiting = 0, []
    for batch in batches:
        waiting.append(batch)
        if len(waiting) == group:
            records += sum(written.accepted for written in store.write(waiting))
            waiting = []
    if waiting:
        records += sum(written.accepted for written in store.write(waiting))
    return records


class Feeder:
    """Pushes fresh made-up values of the other buildings, a round every interval."""

    def __init__(
        self,
        city: Inventory,
        buildings: Sequence[Building],
        client: httpx.AsyncClient,
        token: Secret,
    ) -> None:
        self._city = city
        self._buildings = list(buildings)
        self._client = client
        self._token = token
        self._spool = secrets.token_hex(16)
        self._seq = 0
        self._noise = random.Random()

    async def run(self, interval_s: float) -> None:
        """Push for ever; a gateway that is away is tried again next round."""
        while True:
            for first in range(0, len(self._buildings), _BUILDINGS_A_POST):
                await self._push(self._buildings[first : first + _BUILDINGS_A_POST])
            await asyncio.sleep(interval_s)

    async def _push(self, buildings: Sequence[Building]) -> None:
        now_ms = to_ms(datetime.now(UTC))
        batch = Batch(
            source=SOURCE,
            spool=self._spool,
            sent_ms=now_ms,
            agent=METHOD,
            series=[s for b in buildings for s in self._fresh(b, now_ms)],
        )
        try:
            answer = await self._client.post(
                MEASUREMENTS_PATH,
                content=gzip.compress(encode(batch), 1),
                headers={
                    "Authorization": f"Bearer {self._token.reveal()}",
                    "Content-Encoding": "gzip",
                },
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            print(f"generated values were not taken: {error!r}", flush=True)

    def _fresh(self, building: Building, now_ms: int) -> Iterator[Series]:
        line = self._city.main_line(building.id)
        if line is not None:
            yield self._numbered(_throughput(line, [now_ms], self._noise))
            yield self._numbered(_latency(line, [now_ms], self._noise))
        for ap in self._city.access_points_of[building.id]:
            yield self._numbered(_access_point(ap, now_ms, self._noise))

    def _numbered(self, series: Series) -> Series:
        self._seq += 1
        series.seq = [self._seq]
        return series
