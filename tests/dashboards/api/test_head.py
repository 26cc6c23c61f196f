"""HEAD: what GET answers, without its body (RFC 9110, 9.3.2)."""

from __future__ import annotations

import asyncio

import pytest

from tests.dashboards.api.addresses import ADDRESSES, FILLED

OPEN = ("/anmelden", "/healthz", "/metrics", "/api/v1/openapi.json", "/static/site.css")
# What says how long making the answer took, or that differs between any two answers.
VARYING = {"date", "content-length", "etag"}


async def test_every_page_and_answer_has_a_head(client, full_city, keys):
    headers = keys.headers("session") | keys.headers("operatorToken")
    for address in (*ADDRESSES, *OPEN):
        path = address.format(**FILLED)
        got = await client.get(path, headers=headers)
        head = await client.head(path, headers=headers)
        assert head.status_code == got.status_code < 400, path
        assert head.content == b"", path
        assert head.headers.keys() == got.headers.keys(), path
        for name in head.headers.keys() - VARYING:
            assert head.headers[name] == got.headers[name], path
        if tag := got.headers.get("etag"):
            again = await client.head(path, headers=headers | {"If-None-Match": tag})
            assert again.status_code in {200, 304}, path


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 303),
        ("/api/v1/buildings", 401),
        ("/nichts", 404),
        ("/api/v1/measurements", 405),
        ("/abmelden", 405),
    ],
)
async def test_what_get_refuses_is_refused(client, path, status):
    head = await client.head(path)
    assert (head.status_code, head.content) == (status, b"")
    assert int(head.headers.get("content-length", 0)) == len(
        (await client.get(path)).content
    )
    if status == 405:
        assert head.headers["allow"] == "POST"


async def test_nothing_follows_the_headers_on_the_wire(url):
    """A client that waits for no body would take one for the next answer."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for method in (b"HEAD", b"HEAD", b"GET"):
            writer.write(method + b" /anmelden HTTP/1.1\r\nHost: netmon.test\r\n\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            assert head.startswith(b"HTTP/1.1 200 ")
            assert b"content-length: " in head.lower()
    finally:
        writer.close()
        await writer.wait_closed()
