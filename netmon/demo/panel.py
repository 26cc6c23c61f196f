"""The demo's own page: the mails that went out, and the switches to break things.

Listens on loopback only. Commands need the key from the demo's folder, so that a
page in somebody's browser cannot press them.
"""

from __future__ import annotations

import html
import json
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from netmon.demo.mailbox import ReceivedMail
from netmon.texts import Texts

Command = Callable[[dict[str, str]], str]
Mails = Callable[[], list[ReceivedMail]]

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style nonce="{nonce}">
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; color: #1b2733; background: #f6f7f9; }}
article {{ background: #fff; border: 1px solid #cfd6dd; border-left: 6px solid #a3160f;
  border-radius: 4px; padding: 0.5rem 1rem; margin: 1rem 0; }}
article.recovery {{ border-left-color: #17663a; }}
h2 {{ font-size: 1.1rem; }}
pre {{ white-space: pre-wrap; font: inherit; }}
p.meta {{ color: #4a5865; }}
a {{ color: #0b4f8a; }}
</style></head>
<body><main><h1>{title}</h1><p>{about} <a href="{site}">{to_site}</a></p>
{mails}</main></body></html>"""


class Panel:
    """Serves the page in a thread of its own; start and stop belong together."""

    def __init__(
        self, texts: Texts, site_url: str, mails: Mails, command: Command
    ) -> None:
        self.key = secrets.token_urlsafe(16)
        self._texts = texts
        self._site_url = site_url
        self._mails = mails
        self._command = command
        panel = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                panel.page(self)

            def do_POST(self) -> None:
                panel.press(self)

            def log_message(self, *_: object) -> None:
                """Keep the terminal for what the demo has to say."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def page(self, request: BaseHTTPRequestHandler) -> None:
        """Answer with all mails, newest first."""
        texts = self._texts
        mails = self._mails()
        parts = [self._mail(mail) for mail in reversed(mails)]
        nonce = secrets.token_urlsafe(12)
        body = _PAGE.format(
            language=texts.language,
            nonce=nonce,
            title=html.escape(texts("demo.mails.title", n=len(mails))),
            about=html.escape(texts("demo.mails.about")),
            site=html.escape(self._site_url),
            to_site=html.escape(texts("demo.mails.to_site")),
            mails="\n".join(parts) or f"<p>{html.escape(texts('demo.mails.none'))}</p>",
        )
        _answer(
            request, HTTPStatus.OK, body.encode(), "text/html; charset=utf-8", nonce
        )

    def _mail(self, mail: ReceivedMail) -> str:
        kind = "recovery" if mail.is_recovery else "alarm"
        meta = f"{self._texts.moment(mail.at)} → {', '.join(mail.recipients)}"
        return (
            f'<article class="{kind}"><h2>{html.escape(mail.subject)}</h2>'
            f'<p class="meta">{html.escape(meta)}</p>'
            f"<pre>{html.escape(mail.text)}</pre></article>"
        )

    def press(self, request: BaseHTTPRequestHandler) -> None:
        """Run a command that carries the key."""
        length = int(request.headers.get("content-length") or 0)
        try:
            asked = json.loads(request.rfile.read(min(length, 10_000)))
            given = {str(k): str(v) for k, v in dict(asked).items()}
        except (ValueError, TypeError):
            _answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, b"{}", "application/json")
            return
        if not secrets.compare_digest(given.pop("key", ""), self.key):
            _answer(request, HTTPStatus.FORBIDDEN, b"{}", "application/json")
            return
        try:
            text, status = self._command(given), HTTPStatus.OK
        except KeyError as error:
            text, status = str(error.args[0]), HTTPStatus.NOT_FOUND
        body = json.dumps({"text": text}).encode()
        _answer(request, status, body, "application/json")


def _answer(
    request: BaseHTTPRequestHandler,
    status: HTTPStatus,
    body: bytes,
    content_type: str,
    nonce: str = "none",
) -> None:
    request.send_response(status)
    request.send_header("Content-Type", content_type)
    request.send_header("Content-Length", str(len(body)))
    request.send_header(
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'nonce-{nonce}'; frame-ancestors 'none'",
    )
    request.send_header("X-Content-Type-Options", "nosniff")
    request.end_headers()
    request.wfile.write(body)
