"""Reads the probe's certificate: port, loopback ceiling, processors, clock."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from netmon.clock import Clock, ClockOffset, to_ms
from probes.certificate import Certificate
from probes.link import LinkSettings, read_port
from probes.loopback import Ceiling, load_ceiling, measure_ceiling, save_ceiling

# A new kernel or a new board changes the ceiling, a day does not.
CEILING_MAX_AGE_S = 24 * 3600.0
STATE_FILE = "certificate.json"


class Certifier:
    """Reads the certificate; the costly part of it once a day.

    ``folder`` keeps the ceiling over a restart. ``offset`` answers with the last
    known offset to the gateway, None before the first contact.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        link: LinkSettings | None = None,
        offset: Callable[[], ClockOffset | None] = lambda: None,
        root: Path = Path("/"),
    ) -> None:
        self._file = folder / STATE_FILE
        self._clock = clock
        self._link = link or LinkSettings()
        self._offset = offset
        self._root = root
        self._ceiling: Ceiling | None = None

    def read(self) -> Certificate:
        """Return the certificate as of now, with the ceiling last measured.

        Cheap: some files. Nothing is measured.
        """
        port = read_port(self._link, self._root)
        kept = self._ceiling or load_ceiling(self._file)
        self._ceiling = kept
        offset = self._offset()
        certificate = Certificate(
            port_speed_bps=port.values.get("speed_bps"),
            full_duplex=_flag(port.values.get("full_duplex")),
            cpu_count=len(os.sched_getaffinity(0)),
        )
        if kept is not None:
            certificate = replace(
                certificate,
                loopback_ceiling_bps=kept.rate_bps,
                loopback_age_s=(to_ms(self._clock.now()) - kept.measured_ms) / 1000,
            )
        if offset is not None:
            certificate = replace(
                certificate,
                clock_offset_s=offset.offset_s,
                clock_uncertainty_s=offset.uncertainty_s,
            )
        return certificate

    def renew(self) -> Certificate:
        """Measure the ceiling if the kept one is too old; blocks for 0.3 s then.

        A machine without loopback or without a writable folder has its certificate
        all the same.
        """
        known = self.read()
        age_s = known.loopback_age_s
        # A clock that was set back makes an age negative: that is no age.
        if age_s is None or not 0 <= age_s <= CEILING_MAX_AGE_S:
            try:
                rate_bps = measure_ceiling()
            except OSError:
                return known
            self._ceiling = Ceiling(rate_bps, to_ms(self._clock.now()))
            with suppress(OSError):  # then it is kept in memory until the next start
                save_ceiling(self._file, self._ceiling)
        return self.read()


def _flag(value: float | None) -> bool | None:
    return None if value is None else bool(value)
