"""A reader of pages, made of the standard library's parser."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx
import pytest


@dataclass
class Element:
    """A start tag with its attributes and all text inside."""

    tag: str
    attrs: dict[str, str]
    text: str = ""


class Page(HTMLParser):
    """A page read by the standard library: elements, and tables as rows of cells."""

    _VOID = frozenset({"meta", "link", "input", "br", "hr", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.unclosed = [element.tag for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in self._VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {n: v or "" for n, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    @property
    def text(self) -> str:
        return tidy(self.all("body")[0].text)

    def rows(self, caption: str) -> dict[str, dict[str, str]]:
        """Return a table's rows by their head: cell texts by column label.

        ``caption`` is how the table's caption begins.
        """
        found: dict[str, dict[str, str]] = {}
        inside, head = False, ""
        for element in self.elements:
            if element.tag == "caption":
                inside = element.text.startswith(caption)
            elif inside and element.attrs.get("scope") == "row":
                head = tidy(element.text)
                found[head] = {}
            elif inside and element.tag == "td" and head:
                found[head][element.attrs.get("data-label", "")] = tidy(element.text)
        assert found or caption, f"no table {caption!r}"
        return found


def tidy(text: str) -> str:
    """Return the text with single blanks."""
    return re.sub(r"\s+", " ", text).strip()


Get = Callable[[str], Awaitable[Page]]


@pytest.fixture
def page(client: httpx.AsyncClient) -> Get:
    async def get(path: str) -> Page:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        return Page(answer.text)

    return get


@pytest.fixture
def read_page() -> type[Page]:
    return Page
