"""``netmon evidence start|status|report|abort|verify``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.base import add_config_option, open_store
from netmon.errors import InputError, Problem
from netmon.texts import Texts

if TYPE_CHECKING:
    from netmon.cli.base import Commands
    from netmon.evidence.campaign import RefusedError
    from netmon.evidence.readings import Evaluation
    from netmon.model import Inventory
    from netmon.storage.campaign_records import Campaign, ChainEntry
    from netmon.storage.ports import Store

_FORMS = ("pdf", "docx", "json")


def add(commands: Commands, texts: Texts) -> None:
    """Add the command group."""
    about = texts("evidence.cli.about")
    parser = commands.add_parser("evidence", help=about, description=about)
    actions = parser.add_subparsers(metavar=texts("evidence.cli.action"), required=True)

    def action(name: str, *, line: bool = True) -> argparse.ArgumentParser:
        about = texts(f"evidence.cli.{name}")
        made = actions.add_parser(name, help=about, description=about)
        if line:
            made.add_argument("line", help=texts("evidence.cli.line"))
            add_config_option(made, texts)
        return made

    def day(text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            said = texts("evidence.cli.bad_day", value=text)
            raise argparse.ArgumentTypeError(said) from None

    def forms(text: str) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
        for one in given:
            if one not in _FORMS:
                said = texts("evidence.cli.bad_format", value=one)
                raise argparse.ArgumentTypeError(said)
        return given

    start = action("start")
    start.add_argument("--from", dest="day", type=day, help=texts("evidence.cli.from"))
    start.add_argument("--note", default="", help=texts("evidence.cli.note"))
    start.add_argument("--author", default="", help=texts("evidence.cli.author"))
    start.set_defaults(run=_start)

    status = action("status")
    status.add_argument("--campaign", help=texts("evidence.cli.campaign"))
    status.set_defaults(run=_status)

    report = action("report")
    report.add_argument(
        "--out", type=Path, required=True, help=texts("evidence.cli.out")
    )
    report.add_argument(
        "--format", type=forms, default=_FORMS, help=texts("evidence.cli.format")
    )
    report.add_argument("--campaign", help=texts("evidence.cli.campaign"))
    report.set_defaults(run=_report)

    action("abort").set_defaults(run=_abort)

    verify = action("verify", line=False)
    verify.add_argument("file", type=Path, help=texts("evidence.cli.file"))
    verify.add_argument("--head", default="", help=texts("evidence.cli.head"))
    verify.set_defaults(run=_verify)


@contextmanager
def _told(line_id: str, texts: Texts) -> Iterator[None]:
    """Tell a refusal in words, with its fix."""
    from netmon.evidence.campaign import RefusedError

    try:
        yield
    except RefusedError as error:
        raise _refusal(line_id, error, texts) from error


def _refusal(line_id: str, error: RefusedError, texts: Texts) -> InputError:
    values = dict(error.values)
    for name in ("port", "needed"):
        rate_bps = values.get(f"{name}_bps")
        if isinstance(rate_bps, (int, float)):
            values[name] = texts.rate(rate_bps)
    text = texts(f"evidence.refused.{error.code}.text", **values)
    fix = texts(f"evidence.refused.{error.code}.fix", **values)
    return InputError([Problem(line_id, None, None, text, fix)])


def _start(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.calendars import Calendars
    from netmon.clock import BERLIN, SystemClock, to_ms
    from netmon.evidence.ordering import CampaignOrder, start
    from netmon.evidence.plan import free_hours
    from netmon.school_calendar import SchoolCalendar

    now = SystemClock().now()
    begin = now
    if args.day is not None and args.day != now.astimezone(BERLIN).date():
        begin = datetime.combine(args.day, time(0), BERLIN)
    with _told(args.line, texts), open_store(args.config) as (store, settings):
        inventory = _inventory(store)
        line = inventory.line_by_id.get(args.line)
        calendar = SchoolCalendar()
        if line is not None:
            calendar = Calendars(settings.measure, lambda: inventory).of(
                line.building_id
            )
        campaign = start(
            store,
            inventory,
            CampaignOrder(
                line_id=args.line,
                from_ms=to_ms(begin),
                author=args.author,
                note=args.note,
            ),
            now_ms=to_ms(now),
            allowed=free_hours(calendar),
        )
        entries = store.campaigns.entries(campaign.id)
    _print_plan(campaign, entries, texts)
    return 0


def _inventory(store: Store) -> Inventory:
    from netmon.evidence.campaign import RefusedError
    from netmon.inventory import decode

    version = store.inventories.current()
    if version is None:
        raise RefusedError("nothing_stored")
    return decode(version.body)


def _print_plan(campaign: Campaign, entries: list[ChainEntry], texts: Texts) -> None:
    from netmon.clock import BERLIN, berlin_day, from_ms
    from netmon.evidence import chain

    print(texts("evidence.cli.started", id=campaign.id, line=campaign.line_id))
    for day in sorted({berlin_day(at) for at in campaign.moments_ms}):
        times = (
            f"{from_ms(at).astimezone(BERLIN):%H:%M}"
            for at in campaign.moments_ms
            if berlin_day(at) == day
        )
        print(texts("evidence.cli.day", day=texts.date(day), times=", ".join(times)))
    print(texts("evidence.cli.hand_over", sha256=chain.head(entries)))
    print(texts("evidence.cli.notice"))


def _chosen(store: Store, line_id: str, campaign_id: str | None) -> Campaign:
    """Return the campaign asked for, the newest by default; takes new results in."""
    from netmon.clock import SystemClock, to_ms
    from netmon.evidence.campaign import RefusedError, record_new

    record_new(store, to_ms(SystemClock().now()))
    known = store.campaigns.of_line(line_id)
    if not known:
        raise RefusedError("no_campaign", line=line_id)
    if campaign_id is None:
        return known[0]
    for one in known:
        if one.id == campaign_id:
            return one
    raise RefusedError("other_campaign", line=line_id, id=campaign_id)


def _status(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.clock import SystemClock, to_ms
    from netmon.evidence import chain
    from netmon.evidence.campaign import evaluation_of
    from netmon.evidence.report import verdict_text

    with _told(args.line, texts), open_store(args.config) as (store, _):
        campaign = _chosen(store, args.line, args.campaign)
        entries = store.campaigns.entries(campaign.id)
    now_ms = to_ms(SystemClock().now())
    state = texts(f"evidence.state.{campaign.state}")
    print(texts("evidence.cli.campaign_line", id=campaign.id, state=state))
    broken = chain.first_break(entries)
    if broken is not None:
        why = texts(f"evidence.break.{broken.why}")
        print(texts("evidence.cli.chain_broken", number=broken.number, why=why))
        return 1
    evaluation = evaluation_of(entries)
    _print_progress(evaluation, now_ms, texts)
    print(verdict_text(evaluation, texts))
    _print_criteria(evaluation, texts)
    head = chain.head(entries)
    print(texts("evidence.cli.chain_ok", n=len(entries), head=head))
    return 0


def _print_progress(evaluation: Evaluation, now_ms: int, texts: Texts) -> None:
    from netmon.clock import from_ms
    from netmon.evidence.plan import MOMENTS
    from netmon.evidence.report_tables import gap_text
    from netmon.storage.campaign_records import CampaignState

    window_ms = evaluation.order.window_ms
    past = [m for m in evaluation.measurements if m.planned_ms + window_ms <= now_ms]
    valid = len(evaluation.valid)
    print(texts("evidence.cli.progress", valid=valid, needed=MOMENTS, past=len(past)))
    ahead = [m.planned_ms for m in evaluation.measurements if m.planned_ms > now_ms]
    if evaluation.state is CampaignState.RUNNING and ahead:
        print(texts("evidence.cli.next", moment=texts.moment(from_ms(min(ahead)))))
    for one in past:
        if not one.valid:
            print(
                texts(
                    "evidence.cli.gap",
                    number=one.number,
                    moment=texts.moment(from_ms(one.planned_ms)),
                    down=gap_text(one.down, texts),
                    up=gap_text(one.up, texts),
                )
            )


def _print_criteria(evaluation: Evaluation, texts: Texts) -> None:
    from netmon.evidence.report_tables import finding_text

    key = "criteria" if evaluation.complete else "provisional"
    print(texts(f"evidence.cli.{key}"))
    for one in evaluation.findings:
        shape = "finding_none" if one.agreed_bps is None else "finding"
        values = {
            "direction": texts(f"evidence.direction.{one.direction}"),
            "criterion": texts(f"evidence.criterion.{one.criterion}"),
            "verdict": texts(f"evidence.verdict.{one.verdict}"),
        }
        if one.agreed_bps is not None:
            values["found"] = finding_text(one, texts)
        print(texts(f"evidence.cli.{shape}", **values))


def _report(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.evidence import chain
    from netmon.evidence.campaign import evaluation_of
    from netmon.evidence.report import verdict_text
    from netmon.evidence.writing import write_report

    with _told(args.line, texts), open_store(args.config) as (store, _):
        campaign = _chosen(store, args.line, args.campaign)
        entries = store.campaigns.entries(campaign.id)
    broken = chain.first_break(entries)
    if broken is not None:
        why = texts(f"evidence.break.{broken.why}")
        text = texts("evidence.cli.chain_broken", number=broken.number, why=why)
        fix = texts("evidence.tampered.chain.fix")
        raise InputError([Problem(campaign.id, None, None, text, fix)])
    for path in write_report(entries, args.out, texts, args.format):
        print(texts("evidence.cli.written", path=path))
    print(verdict_text(evaluation_of(entries), texts))
    head = chain.head(entries)
    print(texts("evidence.cli.chain_ok", n=len(entries), head=head))
    return 0


def _abort(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.clock import SystemClock, to_ms
    from netmon.evidence.campaign import abort

    with _told(args.line, texts), open_store(args.config) as (store, _):
        campaign = abort(store, args.line, to_ms(SystemClock().now()))
    print(texts("evidence.cli.aborted", id=campaign.id))
    return 0


def _verify(args: argparse.Namespace, texts: Texts) -> int:
    from netmon.evidence.verify import TamperedError, verify

    try:
        found = verify(args.file.read_bytes(), head=args.head)
    except TamperedError as error:
        values = dict(error.values)
        if error.code == "chain":
            values["why"] = texts(f"evidence.break.{values['why']}")
        text = texts(f"evidence.tampered.{error.code}.text", **values)
        fix = texts(f"evidence.tampered.{error.code}.fix", **values)
        raise InputError([Problem(str(args.file), None, None, text, fix)]) from error
    campaign_id = found.evaluation.order.id
    print(
        texts("evidence.cli.verified", n=found.entries, id=campaign_id, head=found.head)
    )
    if args.head:
        print(texts("evidence.cli.head_given"))
    return 0
