"""``netmon alerts``: the alarm process, its rules, open incidents, a test mail."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from netmon.cli import alerts_actions, alerts_operators
from netmon.cli.alert_rules import print_rules
from netmon.cli.base import LOG_FORMAT, add_config_option, open_store
from netmon.errors import NetmonError
from netmon.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from alerts.service import AlertService
    from netmon.cli.base import Commands
    from netmon.clock import Clock
    from netmon.config import Settings
    from netmon.model import Inventory
    from netmon.rule_overrides import RuleOverride
    from netmon.storage.ports import Store
    from netmon.storage.records import StateRow

# A whole building is named by its first few.
_MOST_NAMED = 5


def add(commands: Commands, texts: Texts) -> None:
    """Add the command group."""
    parser = commands.add_parser("alerts", help=texts("alerts.help.about"))
    actions = parser.add_subparsers(metavar=texts("alerts.help.action"), required=True)

    run = actions.add_parser("run", help=texts("alerts.help.run"))
    run.add_argument("--once", action="store_true", help=texts("alerts.help.once"))
    run.set_defaults(run=_run)

    rules = actions.add_parser("rules", help=texts("alerts.help.rules"))
    rules.add_argument("--building", help=texts("alerts.help.building"))
    rules.add_argument("--json", action="store_true", help=texts("alerts.help.json"))
    rules.set_defaults(run=print_rules)

    listing = actions.add_parser("list", help=texts("alerts.help.list"))
    listing.set_defaults(run=_list)

    test_mail = actions.add_parser("test-mail", help=texts("alerts.help.test_mail"))
    test_mail.set_defaults(run=_test_mail)

    for each in (run, rules, listing, test_mail):
        add_config_option(each, texts)
    alerts_actions.add(actions, texts)
    alerts_operators.add(actions, texts)


def _run(args: argparse.Namespace, texts: Texts) -> int:
    import asyncio
    import logging
    from pathlib import Path

    from alerts.lock import AlreadyRunningError, only_one
    from alerts.service import AlertService
    from alerts.smtp import mailer_from
    from netmon.clock import SystemClock
    from netmon.coverage_record import recording_coverage

    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    # It tells each call with its address, which may hold a ticket system's key.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with open_store(args.config) as (store, settings):
        try:
            with only_one(Path(settings.data_dir)):
                mail_texts = Texts(settings.language)
                mailer = mailer_from(settings.mail)
                clock = SystemClock()
                service = AlertService(store, settings, clock, mailer, mail_texts)
                if args.once:
                    return _once(service, texts)
                print(_announce(settings, texts), flush=True)
                with recording_coverage(store, clock):
                    asyncio.run(_serve(service))
                return 0
        except AlreadyRunningError as error:
            raise NetmonError(texts("alerts.already", folder=error)) from error


def _announce(settings: Settings, texts: Texts) -> str:
    from alerts.notify.routing import Routing

    mail = settings.mail
    return texts(
        "alerts.running",
        seconds=texts.number(settings.alerts.interval_s, 0),
        recipients=", ".join(Routing.of(settings).everybody())
        or texts("alerts.nobody"),
        server=f"{mail.host}:{mail.port}" if mail.host else texts("alerts.no_server"),
    )


def _once(service: AlertService, texts: Texts) -> int:
    evaluation, queued = service.evaluate()
    sent = service.send()
    print(
        texts(
            "alerts.done",
            transitions=len(evaluation.transitions),
            queued=queued,
            sent=sent.sent,
            failed=sent.failed,
        )
    )
    return 1 if sent.failed else 0


async def _serve(service: AlertService) -> None:
    """Run the service in a thread; the loop only waits for signals.

    A handler that set events in the working thread itself could catch it holding
    the event's lock.
    """
    import asyncio
    import signal

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    await asyncio.to_thread(service.run)


def _list(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.clock import SystemClock
    from netmon.storage.current import CurrentInventory

    with open_store(args.config) as (store, settings):
        inventory = CurrentInventory(store.inventories)()
        rules = settings.alerts.rules
        lines = list(_open_incidents(store, inventory, rules, SystemClock(), texts))
        held = list(_held(store.alarms.states(), texts))
    for line in (*(lines or [texts("alerts.list.none")]), *held):
        print(line)
    return 0


def _open_incidents(
    store: Store,
    inventory: Inventory,
    rules: Sequence[RuleOverride],
    clock: Clock,
    texts: Texts,
) -> Iterator[str]:
    from alerts.evidence import decode
    from alerts.mails import headline, place_name
    from netmon.actions import read_standing
    from netmon.alarm_classes import RuleName
    from netmon.clock import from_ms, to_ms
    from netmon.storage.records import AlarmState

    states = {(row.rule, row.target): row.state for row in store.alarms.states()}
    standing = read_standing(store, to_ms(clock.now()), rules)
    for incident in store.alarms.incidents(open_only=True, limit=100_000):
        evidence = decode(incident.evidence)
        building = inventory.building_by_id.get(incident.building_id)
        since = from_ms(evidence.since_ms)
        state = states.get((incident.rule, incident.target), AlarmState.UNKNOWN)
        word = texts(f"state.{state}")
        if incident.rule == RuleName.BELOW_BY_CONTRACT:
            word = texts("alerts.list.known")
        elif state is AlarmState.STALE:
            word = texts("alerts.list.stale", state=word)
        yield texts(
            "alerts.list.line",
            number=incident.id,
            place=place_name(building, incident, texts),
            what=headline((incident,), inventory, texts),
            since=texts.moment(since),
            age=texts.age(since, clock.now()),
            state=word,
        )
        for note in standing.of(incident, inventory).notes(texts):
            yield f"    {note}"


def _held(rows: Iterable[StateRow], texts: Texts) -> Iterator[str]:
    """Return who looks bad and has no alarm, by what explains it."""
    from collections import defaultdict

    from alerts.rules import RULES
    from netmon.storage.records import AlarmState

    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        rule, _, target = row.held_by.partition(" ")
        # What was never in order was planned, and waits for nobody.
        if rule in RULES and row.state is AlarmState.SUSPECT:
            found[rule, target].append(row.target.partition(":")[2])
    if not found:
        return
    yield texts("alerts.held.title")
    for (rule, target), names in sorted(found.items()):
        shown = ", ".join(sorted(names)[:_MOST_NAMED])
        more = len(names) - _MOST_NAMED
        yield texts(
            "alerts.held.line",
            by=texts(f"alerts.rules.title.{rule}"),
            target=target.partition(":")[2],
            n=texts.number(len(names)),
            names=texts("alerts.held.more", names=shown, n=texts.number(more))
            if more > 0
            else shown,
        )


def _test_mail(args: argparse.Namespace, texts: Texts) -> int:
    from alerts.mails import render_test
    from alerts.notify.routing import Routing
    from alerts.sender import send_test
    from alerts.smtp import mailer_from
    from netmon.clock import SystemClock
    from netmon.config import load_settings
    from netmon.errors import SendError
    from netmon.refused import failure_in_words

    settings = load_settings(args.config)
    mailer = mailer_from(settings.mail)
    if mailer is None:
        raise NetmonError(texts("alerts.test_mail.no_server"))
    recipients = Routing.of(settings).everybody()
    if not recipients:
        raise NetmonError(texts("alerts.test_mail.no_recipients"))
    failed = 0
    now = SystemClock().now()
    for recipient in recipients:
        content = render_test(recipient, Texts(settings.language))
        try:
            send_test(mailer, content, settings.mail.sender, recipient, now)
        except SendError as error:
            failed += 1
            why = failure_in_words(error, texts)
            print(texts("alerts.test_mail.failed", recipient=recipient, error=why))
        else:
            print(texts("alerts.test_mail.sent", recipient=recipient))
    return 1 if failed else 0
