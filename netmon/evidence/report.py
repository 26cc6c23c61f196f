"""A campaign as a document for people: pure, dated by the campaign and not by now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain as joined

from netmon import __version__
from netmon.clock import from_ms
from netmon.documents.blocks import Block, Document, Facts, Heading, Paragraph
from netmon.evidence import chain
from netmon.evidence.campaign import evaluation_of
from netmon.evidence.criteria import Finding
from netmon.evidence.plan import MOMENTS
from netmon.evidence.readings import Evaluation
from netmon.evidence.report_tables import (
    breached,
    criteria_table,
    days_table,
    delays_table,
    gaps_table,
    mbits,
    probe_table,
    rates_table,
)
from netmon.lease_wire import Direction
from netmon.storage.campaign_records import AgreedRates, CampaignState, ChainEntry
from netmon.texts import NO_VALUE, Texts


def make_report(entries: Sequence[ChainEntry], texts: Texts) -> Document:
    """Return the report of a chain; the same chain gives the same report."""
    evaluation = evaluation_of(entries)
    order = evaluation.order
    head = chain.head(entries)
    return Document(
        title=texts("evidence.report.title", line=order.line_id),
        subtitle=texts("evidence.report.subtitle", building=order.subject.building),
        author=order.author or "netmon",
        language=texts.language,
        created=from_ms(evaluation.ended_ms or evaluation.as_of_ms),
        head=texts("evidence.report.head", id=order.id, line=order.line_id),
        foot=texts("evidence.report.foot", head=head[:16]),
        page=texts("evidence.report.page"),
        blocks=tuple(
            joined(
                _result(evaluation, texts),
                _subject(evaluation, texts),
                _method(evaluation, texts),
                _measurements(evaluation, texts),
                _gaps(evaluation, texts),
                _chain(entries, evaluation, texts),
                [
                    Heading(texts("evidence.section.legal")),
                    Paragraph(texts("evidence.report.legal")),
                ],
            )
        ),
    )


def verdict_text(evaluation: Evaluation, texts: Texts) -> str:
    """Return in one sentence what the campaign shows, or why it shows nothing."""
    valid = len(evaluation.valid)
    if not evaluation.complete:
        key = "running" if evaluation.state is CampaignState.RUNNING else "incomplete"
        if evaluation.faults:
            key = "spacing"
        return texts(f"evidence.summary.{key}", valid=valid, needed=MOMENTS)
    found = breached(evaluation)
    if not found:
        return texts("evidence.summary.holds", needed=MOMENTS)
    named = "; ".join(_breach_text(one, texts) for one in found)
    return texts("evidence.summary.breached", needed=MOMENTS, named=named)


def _breach_text(finding: Finding, texts: Texts) -> str:
    return texts(
        "evidence.summary.one",
        direction=texts(f"evidence.direction.{finding.direction}"),
        criterion=texts(f"evidence.criterion.{finding.criterion}"),
    )


def _result(evaluation: Evaluation, texts: Texts) -> list[Block]:
    blocks: list[Block] = [Paragraph(texts("evidence.report.notice"), "notice")]
    if evaluation.generated:
        blocks.append(Paragraph(texts("evidence.report.generated"), "notice"))
    return [
        *blocks,
        Heading(texts("evidence.section.result")),
        Paragraph(verdict_text(evaluation, texts), "verdict"),
        criteria_table(evaluation, texts),
        Paragraph(texts("evidence.report.unit_note"), "small"),
    ]


def agreed_text(agreed: AgreedRates, texts: Texts) -> str:
    """Return the contract's three rates of a direction."""
    none = texts("evidence.none_agreed")

    def rate(rate_bps: int | None) -> str:
        return none if rate_bps is None else f"{mbits(rate_bps, texts)} Mbit/s"

    return texts(
        "evidence.agreed",
        maximum=rate(agreed.maximum_bps),
        normal=rate(agreed.normal_bps),
        minimum=rate(agreed.minimum_bps),
    )


def _subject(evaluation: Evaluation, texts: Texts) -> list[Block]:
    order, subject = evaluation.order, evaluation.order.subject
    line = texts(
        "evidence.line",
        line=order.line_id,
        role=texts(f"line_role.{subject.role}"),
        technology=texts(f"technology.{subject.technology}"),
    )
    ended = evaluation.ended_ms
    rows = {
        "building": f"{subject.building} ({order.building_id})",
        "address": subject.address,
        "line": line,
        "provider": subject.provider,
        "agreed_down": agreed_text(order.down, texts),
        "agreed_up": agreed_text(order.up, texts),
        "probes": ", ".join(subject.probes),
        "campaign": order.id,
        "author": order.author or NO_VALUE,
        "note": order.note or NO_VALUE,
        "started": texts.moment(from_ms(order.started_ms)),
        "ended": texts.moment(None if ended is None else from_ms(ended)),
        "state": texts(f"evidence.state.{evaluation.state}"),
        "as_of": texts.moment(from_ms(evaluation.as_of_ms)),
    }
    return [
        Heading(texts("evidence.section.subject")),
        Facts(tuple((texts(f"evidence.fact.{k}"), v) for k, v in rows.items())),
    ]


def _method(evaluation: Evaluation, texts: Texts) -> list[Block]:
    tags = [reading.result.tags for reading in evaluation.readings]
    methods = sorted({one["method"] for one in tags if "method" in one})
    congestion = sorted({one["congestion"] for one in tags if "congestion" in one})
    paragraphs = (
        texts("evidence.method.plan"),
        texts(
            "evidence.method.test",
            methods=", ".join(methods) or NO_VALUE,
            congestion=", ".join(congestion) or NO_VALUE,
        ),
        texts("evidence.method.foreign"),
        texts("evidence.method.layers"),
        texts("evidence.method.compare"),
        texts("evidence.method.software", version=__version__),
    )
    return [
        Heading(texts("evidence.section.method")),
        *(Paragraph(text) for text in paragraphs),
    ]


def _measurements(evaluation: Evaluation, texts: Texts) -> list[Block]:
    blocks: list[Block] = [
        Heading(texts("evidence.section.measurements")),
        days_table(evaluation, texts),
        rates_table(evaluation, Direction.DOWN, texts),
        rates_table(evaluation, Direction.UP, texts),
    ]
    if evaluation.valid:
        blocks += [delays_table(evaluation, texts), probe_table(evaluation, texts)]
    blocks.append(Paragraph(texts("evidence.report.columns_note"), "small"))
    return blocks


def _gaps(evaluation: Evaluation, texts: Texts) -> list[Block]:
    table = gaps_table(evaluation, texts)
    valid, pending = len(evaluation.valid), MOMENTS - len(evaluation.happened)
    text = "evidence.report.no_gaps" if valid == MOMENTS else "evidence.report.gaps"
    blocks: list[Block] = [
        Heading(texts("evidence.section.gaps")),
        Paragraph(texts(text, valid=valid, needed=MOMENTS)),
    ]
    if table is not None:
        blocks.append(table)
    if pending:
        blocks.append(Paragraph(texts("evidence.report.pending", n=pending)))
    if evaluation.outside:
        note = texts("evidence.report.outside", n=evaluation.outside)
        blocks.append(Paragraph(note, "small"))
    return blocks


def _chain(
    entries: Sequence[ChainEntry], evaluation: Evaluation, texts: Texts
) -> list[Block]:
    name = file_name(evaluation, "json")
    return [
        Heading(texts("evidence.section.chain")),
        Paragraph(texts("evidence.report.chain", n=len(entries))),
        Paragraph(chain.head(entries), "code"),
        Paragraph(texts("evidence.report.check")),
        Paragraph(
            f"netmon evidence verify {name} --head {chain.head(entries)}", "code"
        ),
        Paragraph(texts("evidence.report.worth")),
    ]


def file_name(evaluation: Evaluation, ending: str) -> str:
    """Return the file's name: line and campaign."""
    order = evaluation.order
    # A line's id may hold a colon, which some file systems do not take.
    return f"nachweis_{order.line_id.replace(':', '-')}_{order.id}.{ending}"
