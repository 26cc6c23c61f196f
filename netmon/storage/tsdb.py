"""The port to the time-series database, and its only adapter: the v2 write API.

InfluxDB 2.x and VictoriaMetrics both take line protocol there; which of them
answers is configuration only. The client of InfluxData is the transport and
nothing more: one call, one body of bytes, one answer. Buffering and trying
again are the relay's, which has the outbox on disk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from msgspec import Struct
from urllib3.exceptions import HTTPError

from netmon.config import Secret, TsdbSettings
from netmon.errors import ConfigError, SendError
from netmon.refused import refused

TIMEOUT_MS = 30_000
# The answers that speak of the body itself. Any other refusal (401, 404, ...) is a
# wrong setting: then nothing may be given up, the same bytes will be taken later.
REFUSED_BODY = frozenset({400, 413, 422})

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(\{[^}]*\})? ([-+.\deE]+)", re.MULTILINE)
_START_TIMES = ("vm_app_start_timestamp", "process_start_time_seconds")
# What VictoriaMetrics counts of lines it answered 204 to and yet dropped.
INVALID_ROWS = "tsdb_invalid_rows_total"
IGNORED_ROWS = "tsdb_ignored_rows_total"
READ_ONLY = "tsdb_read_only"
_FIGURES = {
    INVALID_ROWS: ("vm_rows_invalid_total", 'type="influx"'),
    IGNORED_ROWS: ("vm_rows_ignored_total", ""),
    READ_ONLY: ("vm_storage_is_read_only", ""),
}


class SinkHealth(Struct, frozen=True):
    """What a database tells of itself.

    ``started_at_s`` is when its process started (seconds since 1970), None for
    a database that does not say. ``figures`` holds only what it really counts.
    """

    started_at_s: float | None
    figures: Mapping[str, float]


class Sink(Protocol):
    """A time-series database that takes line protocol."""

    def write(self, body: bytes) -> None:
        """Write lines; returns once the database said it has them.

        Raises:
            SendError: not taken, or nobody knows; ``permanent`` where the body
                itself was refused and would be again.
        """

    def health(self) -> SinkHealth:
        """Return its start time and counters.

        Raises:
            SendError: the database does not answer.
        """

    def close(self) -> None:
        """Close the connections."""


class InfluxSink:
    """InfluxDB 2.x or VictoriaMetrics over `/api/v2/write`."""

    def __init__(self, settings: TsdbSettings, token: Secret | None) -> None:
        """Prepare; nothing is sent before the first write.

        A token of the form ``user:password`` is sent as HTTP Basic, which is
        how VictoriaMetrics asks for it; any other as InfluxDB's token.

        Raises:
            ConfigError: no usable URL, or one that carries a password.
        """
        _check_url(settings.url)
        text = "" if token is None else token.reveal()
        self._settings = settings
        # Any: the client's own annotations are partly missing and partly wrong.
        self._client: Any = InfluxDBClient(
            url=settings.url.rstrip("/"),
            token=text,
            org=settings.org,
            timeout=TIMEOUT_MS,
            enable_gzip=False,
            auth_basic=":" in text,
        )
        self._write: Any = self._client.write_api(write_options=SYNCHRONOUS).write

    def write(self, body: bytes) -> None:
        """Write lines in nanoseconds; see the port."""
        try:
            self._write(
                bucket=self._settings.bucket,
                org=self._settings.org,
                record=body,
                write_precision=WritePrecision.NS,
            )
        except ApiException as error:
            raise _send_error(error) from None
        except HTTPError as error:
            raise _no_answer(error) from error

    def health(self) -> SinkHealth:
        """Return start time and counters from ``/metrics``; see the port.

        Where that page is closed or does not exist, the start time is None.
        """
        try:
            text = self._client.api_client.call_api(
                "/metrics",
                "GET",
                response_type="str",
                _return_http_data_only=True,
            )
        except ApiException as error:
            if error.status and 400 <= error.status < 500:
                return SinkHealth(None, {})
            raise _send_error(error) from None
        except HTTPError as error:
            raise _no_answer(error) from error
        return parse_health(str(text))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def parse_health(text: str) -> SinkHealth:
    """Return what the text of a ``/metrics`` page says; pure."""
    samples = [
        (name, labels, float(value)) for name, labels, value in _SAMPLE.findall(text)
    ]
    starts = {name: value for name, _, value in samples if name in _START_TIMES}
    figures: dict[str, float] = {}
    for figure, (wanted, label) in _FIGURES.items():
        found = [v for name, labels, v in samples if name == wanted and label in labels]
        if found:
            figures[figure] = sum(found)
    started = next((starts[name] for name in _START_TIMES if name in starts), None)
    return SinkHealth(started, figures)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    fault = None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        fault = "no_tsdb_address"
    elif parts.username is not None or parts.password is not None:
        fault = "password_in_tsdb_url"
    if fault is not None:
        raise ConfigError([refused("netmon relay", "tsdb.url", fault)])


def _send_error(error: ApiException) -> SendError:
    # The exception's own text holds all headers; the body's first words are enough.
    body = error.body if isinstance(error.body, str) else ""
    words = " ".join(f"{error.status} {error.reason} {body[:300]}".split())
    permanent = error.status in REFUSED_BODY
    return SendError(f"the database answered {words}", permanent=permanent)


def _no_answer(error: HTTPError) -> SendError:
    return SendError(
        f"the database does not answer: {type(error).__name__}", permanent=False
    )
