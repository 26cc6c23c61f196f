"""What mails say: subject, plain text and HTML; pure, words in the catalogue."""

from __future__ import annotations

from alerts.mails.digest import DigestFacts, render_digest
from alerts.mails.group import GroupWriter
from alerts.mails.layout import Content, Section, fill
from alerts.mails.notice import Notice
from alerts.mails.plain import render_plain
from alerts.mails.single import SingleWriter
from alerts.mails.words import headline, place_name
from netmon.model import Inventory
from netmon.storage.records import MailEvent
from netmon.texts import Texts

__all__ = [
    "Content",
    "DigestFacts",
    "Notice",
    "headline",
    "place_name",
    "render",
    "render_digest",
    "render_plain",
    "render_test",
]


def render(
    notice: Notice, inventory: Inventory, texts: Texts, public_url: str
) -> Content:
    """Return the mail of a notice; the same notice gives the same bytes."""
    kinds = {(i.rule, i.building_id) for i in notice.told}
    alone = len(kinds) == 1 and notice.event is not MailEvent.UPDATE
    kind = SingleWriter if alone and not notice.segment else GroupWriter
    writer = kind(notice, inventory, texts, public_url)
    return fill(writer.subject(), writer.sections(), texts)


def render_test(recipient: str, texts: Texts) -> Content:
    """Return the mail that only shows that mails arrive."""
    text = texts("mail.test.text", recipient=recipient)
    section = Section(texts("mail.heading.what"), (text,))
    return fill(texts("mail.subject.test"), (section,), texts)
