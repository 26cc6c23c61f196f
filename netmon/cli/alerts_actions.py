"""``netmon alerts maintenance``, ``silence``, ``ack``, ``false``, ``history``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from netmon.cli.acting import acting, parse_day, parse_time, time_text
from netmon.cli.base import add_config_option
from netmon.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from netmon.cli.base import Commands
    from netmon.storage.action_records import MaintenanceScope, OneOff, Weekly

    Run = Callable[[argparse.Namespace, Texts], int]


_MARKS = {"ack": "acknowledged", "false": "marked_false", "unack": "unacknowledged"}


def add(actions: Commands, texts: Texts) -> None:
    """Add what people may do to ``netmon alerts``."""
    _add_maintenance(actions, texts)
    _add_silence(actions, texts)
    for name, done in _MARKS.items():
        run = _on_number(done, noted=name != "unack")
        marking = _command(actions, name, f"actions.help.{name}", run, texts)
        marking.add_argument("number", type=int, help=texts("actions.help.incident"))
        if name != "unack":
            marking.add_argument(
                "--note", required=True, help=texts("actions.help.note")
            )
    telling = _command(actions, "history", "actions.help.history", _history, texts)
    telling.add_argument("number", type=int, help=texts("actions.help.incident"))


def _command(
    group: Commands, name: str, about: str, run: Run, texts: Texts
) -> argparse.ArgumentParser:
    parser = group.add_parser(name, help=texts(about))
    parser.set_defaults(run=run)
    add_config_option(parser, texts)
    return parser


def _group(actions: Commands, name: str, texts: Texts) -> Commands:
    parser = actions.add_parser(name, help=texts(f"actions.help.{name}"))
    return parser.add_subparsers(metavar=texts("alerts.help.action"), required=True)


def _add_maintenance(actions: Commands, texts: Texts) -> None:
    group = _group(actions, "maintenance", texts)
    about = "actions.help.maintenance"
    adding = _command(group, "add", f"{about}_add", _add_window, texts)
    place = adding.add_mutually_exclusive_group(required=True)
    for name, meta in (("building", "ID"), ("district", "NAME"), ("provider", "NAME")):
        place.add_argument(
            f"--{name}", metavar=meta, help=texts(f"actions.help.{name}")
        )
    adding.add_argument("--reason", required=True, help=texts("actions.help.reason"))
    adding.add_argument("--from", dest="start", help=texts("actions.help.from"))
    adding.add_argument("--until", help=texts("actions.help.until"))
    for name in ("weekly", "hours", "first", "last"):
        adding.add_argument(f"--{name}", help=texts(f"actions.help.{name}"))
    adding.add_argument(
        "--except",
        dest="excluded",
        action="append",
        default=[],
        help=texts("actions.help.except"),
    )
    _add_list(group, about, _list_windows, texts)
    _add_end(group, f"{about}_cancel", "cancel", "maintenance_cancelled", texts)


def _add_silence(actions: Commands, texts: Texts) -> None:
    group = _group(actions, "silence", texts)
    about = "actions.help.silence"
    adding = _command(group, "add", f"{about}_add", _add_one_silence, texts)
    adding.add_argument("matchers", nargs="+", help=texts("actions.help.matcher"))
    adding.add_argument("--reason", required=True, help=texts("actions.help.reason"))
    adding.add_argument("--from", dest="start", help=texts("actions.help.from"))
    adding.add_argument("--until", required=True, help=texts("actions.help.until"))
    _add_list(group, about, _list_silences, texts)
    _add_end(group, f"{about}_end", "end", "silence_ended", texts)


def _add_list(group: Commands, about: str, run: Run, texts: Texts) -> None:
    listing = _command(group, "list", f"{about}_list", run, texts)
    listing.add_argument("--all", action="store_true", help=texts("actions.help.all"))


def _add_end(group: Commands, about: str, name: str, done: str, texts: Texts) -> None:
    ending = _command(group, name, about, _on_number(done), texts)
    ending.add_argument("number", type=int, help=texts("actions.help.number"))


def _add_window(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.actions.commands import add_maintenance
    from netmon.actions.words import when_words

    with acting(args.config, texts) as desk:
        stored = add_maintenance(
            desk.store,
            desk.inventory,
            _place(args),
            _when(args, desk.now),
            args.reason,
            actor=desk.actor,
            now_ms=desk.now_ms,
        )
    told = when_words(texts, stored.when)
    print(texts("actions.done.maintenance_added", id=stored.id, when=told))
    return 0


def _place(args: argparse.Namespace) -> tuple[MaintenanceScope, str]:
    from netmon.storage.action_records import MaintenanceScope

    if args.building is not None:
        return MaintenanceScope.BUILDING, args.building
    if args.district is not None:
        return MaintenanceScope.CAMPUS_DISTRICT, args.district
    return MaintenanceScope.PROVIDER, args.provider


def _when(args: argparse.Namespace, now: datetime) -> OneOff | Weekly:
    from netmon.actions.errors import ActionError, Refusal, fault
    from netmon.storage.action_records import OneOff

    weekly = (args.weekly, args.hours, args.last)
    once = args.until is not None or args.start is not None
    if once == any(x is not None for x in (*weekly, args.first)):
        raise ActionError(Refusal.INVALID, [fault("one_kind")])
    if (once and args.until is None) or (not once and None in weekly):
        raise ActionError(Refusal.INVALID, [fault("one_kind")])
    if not once:
        return _weekly(args, now)
    starts_ms, ends_ms = _span(args, now)
    return OneOff(starts_ms=starts_ms, ends_ms=ends_ms)


def _weekly(args: argparse.Namespace, now: datetime) -> Weekly:
    from netmon.actions.times import parse_hours, parse_weekdays
    from netmon.clock import BERLIN
    from netmon.storage.action_records import Weekly

    with time_text(args.hours, "when.start"):
        start, end = parse_hours(args.hours)
    with time_text(args.weekly, "when.days"):
        days = parse_weekdays(args.weekly)
    today = now.astimezone(BERLIN).date()
    return Weekly(
        days=days,
        start=start,
        end=end,
        first=today if args.first is None else parse_day(args.first, "when.first"),
        last=parse_day(args.last, "when.last"),
        excluded=tuple(parse_day(one, "when.excluded") for one in args.excluded),
    )


def _span(args: argparse.Namespace, now: datetime) -> tuple[int, int]:
    """Return the start and end that were typed; ``+2h`` counts from the start."""
    from netmon.clock import to_ms

    start = parse_time(args.start or "jetzt", now, "starts_at")
    end = parse_time(args.until, start, "ends_at", latest=True)
    return to_ms(start), to_ms(end)


def _list_windows(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.actions.words import window_line

    with acting(args.config, texts) as desk:
        found = desk.store.actions.maintenance(ends_after_ms=desk.since_ms(args.all))
        lines = [window_line(texts, one, desk.now_ms) for one in found]
    return _print(lines, "actions.none.maintenance", texts)


def _print(lines: Sequence[str], none: str, texts: Texts) -> int:
    for line in lines or [texts(none)]:
        print(line)
    return 0


def _add_one_silence(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.actions.checks import parse_matcher
    from netmon.actions.commands import add_silence
    from netmon.actions.words import when_words
    from netmon.storage.action_records import OneOff

    with acting(args.config, texts) as desk:
        stored = add_silence(
            desk.store,
            desk.inventory,
            [parse_matcher(text) for text in args.matchers],
            _span(args, desk.now),
            args.reason,
            actor=desk.actor,
            now_ms=desk.now_ms,
        )
    span = OneOff(starts_ms=stored.starts_ms, ends_ms=stored.ends_ms)
    told = when_words(texts, span)
    print(texts("actions.done.silence_added", id=stored.id, when=told))
    return 0


def _list_silences(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.actions.words import silence_line

    with acting(args.config, texts) as desk:
        found = desk.store.actions.silences(ends_after_ms=desk.since_ms(args.all))
        lines = [silence_line(texts, one, desk.now_ms) for one in found]
    return _print(lines, "actions.none.silence", texts)


def _on_number(done: str, *, noted: bool = False) -> Run:
    """Return what does one thing to what has a number; ``done`` says that it did."""

    def run(args: argparse.Namespace, texts: Texts) -> int:
        from netmon.actions import commands

        known: dict[str, Callable[..., object]] = {
            "acknowledged": commands.acknowledge,
            "unacknowledged": commands.unacknowledge,
            "marked_false": commands.mark_false,
            "maintenance_cancelled": commands.cancel_maintenance,
            "silence_ended": commands.end_silence,
        }
        command = known[done]
        words = (args.note,) if noted else ()
        with acting(args.config, texts) as desk:
            command(
                desk.store, args.number, *words, actor=desk.actor, now_ms=desk.now_ms
            )
        print(texts(f"actions.done.{done}", id=args.number))
        return 0

    return run


def _history(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.actions.commands import incident_or_refuse
    from netmon.actions.history import event_line, history

    with acting(args.config, texts) as desk:
        incident = incident_or_refuse(desk.store, args.number)
        building = desk.inventory.building_by_id.get(incident.building_id)
        found = history(desk.store, incident, texts)
    print(
        texts(
            "actions.history.title",
            id=incident.id,
            place=building.name if building else incident.building_id,
            rule=incident.rule,
            target=incident.target,
        )
    )
    for event in found:
        print(event_line(event, texts))
    return 0
