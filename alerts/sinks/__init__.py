"""Where incidents go beside mail: one file a sink, one line in `SINKS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from alerts.sinks.alertmanager import alertmanager_from
from alerts.sinks.base import Context, Posted, Sink
from alerts.sinks.webhook import webhook_from

SINKS: Mapping[str, Callable[[Context], Sink | None]] = {
    "alertmanager": alertmanager_from,
    "webhook": webhook_from,
}


def sinks_from(context: Context) -> tuple[Sink, ...]:
    """Return the sinks that the settings switch on.

    Raises:
        ConfigError: a file cannot be read.
    """
    made = (make(context) for make in SINKS.values())
    return tuple(sink for sink in made if sink is not None)


__all__ = ["SINKS", "Context", "Posted", "Sink", "sinks_from"]
