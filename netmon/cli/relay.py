"""``netmon relay``: measurements on to the time-series database."""

from __future__ import annotations

import argparse
import os
import select
import signal
from typing import TYPE_CHECKING

from netmon.cli.base import LOG_FORMAT, add_config_option
from netmon.errors import ConfigError
from netmon.refused import refused
from netmon.texts import NO_VALUE, Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands


class _Stop:
    """Becomes true on SIGTERM or SIGINT and wakes whoever waits for it.

    A pipe instead of an Event: a handler may run in the middle of `Event.wait`,
    whose lock it would then wait for forever.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._stopped = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        if not self._stopped:
            self._stopped = True
            os.write(self._writer, b"x")

    def wait(self, timeout: float) -> bool:
        """Wait up to that many seconds; True as soon as a signal came."""
        if not self._stopped:
            select.select([self._reader], [], [], timeout)
        return self._stopped


def add(commands: Commands, texts: Texts) -> None:
    """Add the command group."""
    parser = commands.add_parser("relay", help=texts("relay.help.about"))
    actions = parser.add_subparsers(required=True, metavar=texts("cli.command"))

    running = actions.add_parser("run", help=texts("relay.help.run"))
    add_config_option(running, texts)
    running.add_argument("--tsdb", metavar="URL", help=texts("relay.help.tsdb"))
    running.set_defaults(run=_run)

    status = actions.add_parser("status", help=texts("relay.help.status"))
    add_config_option(status, texts)
    status.set_defaults(run=_status)

    forget = actions.add_parser("forget", help=texts("relay.help.forget"))
    add_config_option(forget, texts)
    forget.set_defaults(run=_forget)


def _run(args: argparse.Namespace, texts: Texts) -> int:
    import logging
    from contextlib import closing

    import msgspec

    from dashboards.own import own_reader
    from netmon.cli.base import open_store
    from netmon.clock import SystemClock
    from netmon.config import read_secret
    from netmon.own_record import writing_own_records
    from netmon.relay import Relay, RelaySettings
    from netmon.storage.tsdb import InfluxSink

    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    with open_store(args.config) as (store, settings):
        tsdb = settings.tsdb
        if args.tsdb:
            tsdb = msgspec.structs.replace(tsdb, url=args.tsdb)
        if not tsdb.url:
            raise ConfigError([refused("netmon relay", "tsdb.url", "no_database")])
        token = read_secret(tsdb.token_file, setting="tsdb.token_file")
        clock, own = SystemClock(), own_reader(store, settings)
        with (
            closing(InfluxSink(tsdb, token)) as sink,
            closing(InfluxSink(tsdb, token)) as own_sink,
        ):
            stop = _Stop()
            print(texts("relay.runs", url=tsdb.url), flush=True)
            with writing_own_records(own_sink, own, clock):
                Relay(store, sink, clock, RelaySettings()).run(stop)
    print(texts("relay.ended"), flush=True)
    return 0


def _status(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.base import open_store
    from netmon.clock import SystemClock, from_ms
    from netmon.relay import READER
    from netmon.relay_memory import decode_memory

    now = SystemClock().now()
    with open_store(args.config) as (store, _):
        cursor = store.cursors.get(READER)
        behind = max(0, store.measurements.last_position() - cursor.position)
        beat = next((b for b in store.heartbeats.all() if b.process == READER), None)
    updated = from_ms(cursor.updated_ms) if cursor.updated_ms else None
    print(texts("relay.position", position=texts.number(cursor.position)))
    print(texts("relay.behind", n=texts.number(behind)))
    print(texts("relay.delivered", moment=texts.moment(updated)))
    if beat is None:
        print(texts("relay.never_ran"))
    else:
        age = texts.age(from_ms(beat.at_ms), now)
        print(texts("relay.beat", age=age, note=beat.note or NO_VALUE))
        for name, value in sorted(beat.figures.items()):
            print(f"  {texts.named('figure', name)}: {texts.number(value)}")
    memory = decode_memory(cursor.memory)
    print(texts("relay.skipped", n=texts.number(memory.skipped_total)))
    for skip in memory.skipped:
        moment = texts.moment(from_ms(skip.at_ms))
        print(
            texts(
                "relay.skip",
                moment=moment,
                chunk=skip.chunk_id,
                line=skip.line,
                reason=skip.reason,
            )
        )
    return 0


def _forget(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.cli.base import open_store
    from netmon.relay import READER

    with open_store(args.config) as (store, settings):
        if settings.tsdb.url:
            # It would be a reader that has read nothing, and hold everything.
            raise ConfigError([refused("netmon relay", "tsdb.url", "still_relayed")])
        known = store.cursors.forget(READER)
    print(texts("relay.forgotten" if known else "relay.never_ran"))
    return 0
