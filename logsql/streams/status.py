"""The status page: whether the server lives and is ready, what its parts do, and the metrics. Plain HTTP, GET only.

Nothing of a message, of a query or of a secret is shown. The ``Host`` of a request must be the address that is listened
on or ``localhost``: a page of another site whose name leads here (DNS rebinding) is refused. An address beyond this
machine needs a token, as ``Authorization: Bearer TOKEN`` or as the password of a browser's dialogue.
"""

from __future__ import annotations

import base64
import hmac
import html
import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from aiohttp import web

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.live import STATUS_NOT_BOUND
from logsql.diagnostics.messages import message, told
from logsql.streams.exposition import CONTENT_TYPE, text_of
from logsql.streams.metrics import Metrics

Facts = Mapping[str, object]
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Views:
    """What the page shows. ``reasons``: why the server is not ready (none: it is). ``status``: everything about its
    parts, as JSON has it."""

    reasons: Callable[[], list[str]]
    status: Callable[[], Facts]
    metrics: Metrics


class StatusPage:
    """The page at ``address`` (``127.0.0.1:8514``). ``token`` None: none is asked for."""

    def __init__(self, address: str, token: str | None, views: Views) -> None:
        parts = urlsplit(f"//{address}")
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 0
        self._token, self._views = token, views
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises SourceError (exit code 3) where the port is in use."""
        app = web.Application(middlewares=[self._guarded])
        for path, handler in (
            ("/", self._page),
            ("/live", self._live),
            ("/ready", self._ready),
            ("/status", self._status),
            ("/metrics", self._metrics),
        ):
            app.router.add_get(path, handler, allow_head=False)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError as problem:
            address, reason = f"{self.host}:{self.port}", problem.strerror or str(problem)
            raise SourceError(diagnostic(STATUS_NOT_BOUND, address=address, reason=reason)) from None
        self.port = cast("int", self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Answer nobody any more."""
        if self._runner is not None:
            await self._runner.cleanup()

    # --- who may ask ------------------------------------------------------------------------------

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.method != "GET":
            answer: web.StreamResponse = web.Response(status=405, headers={"Allow": "GET"})
        elif not self._named(request.headers.get("Host", "")):
            answer = web.Response(status=421, text="Host is not this server\n")
        elif not self._allowed(request.headers.get("Authorization", "")):
            answer = web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="logsql"'})
        else:
            try:
                answer = await handler(request)
            except web.HTTPException as problem:
                answer = web.Response(status=problem.status, text=f"{problem.reason}\n")
        answer.headers.update(_HEADERS)
        return answer

    def _named(self, host: str) -> bool:
        """Whether a Host header is the address that is listened on, an address of it, or localhost."""
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if port != self.port:
            return False
        if name in ("localhost", self.host.lower()):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return ipaddress.ip_address(self.host).is_unspecified if _is_address(self.host) else False

    def _allowed(self, given: str) -> bool:
        if self._token is None:
            return True
        kind, _, text = given.partition(" ")
        if kind.lower() == "basic":
            try:
                text = base64.b64decode(text, validate=True).decode().partition(":")[2]
            except ValueError:
                return False
        elif kind.lower() != "bearer":
            return False
        return hmac.compare_digest(text.strip().encode(errors="surrogateescape"), self._token.encode())

    # --- what is answered ---------------------------------------------------------------------------

    async def _live(self, request: web.Request) -> web.Response:
        return web.Response(text="live\n")

    async def _ready(self, request: web.Request) -> web.Response:
        reasons = self._views.reasons()
        return web.Response(status=503 if reasons else 200, text="\n".join(reasons or ["ready"]) + "\n")

    async def _status(self, request: web.Request) -> web.Response:
        text = json.dumps(self._views.status(), ensure_ascii=False, default=str, indent=1)
        return web.Response(text=text + "\n", content_type="application/json")

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=text_of(self._views.metrics), headers={"Content-Type": CONTENT_TYPE})

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=page(self._views.status(), self._views.reasons()), content_type="text/html")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_STYLE = """
body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{padding:.25rem .75rem;border-bottom:1px solid #d8dee4}
th{text-align:left;font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums}
.ok{color:#116329}.bad{color:#a40e26}h1{font-size:1.3rem}h2{font-size:1.05rem}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}th,td{border-color:#30363d}
.ok{color:#3fb950}.bad{color:#ff7b72}}
"""


def page(status: Facts, reasons: Sequence[str]) -> str:
    """The page for people: whether it is ready, and a table for each kind of part. It shows itself anew every 5 s."""
    title = html.escape(message("live-status"))
    state = message("live-ready") if not reasons else message("live-not-ready")
    parts = [
        "<!doctype html>",
        f'<html lang="{told(("en", "ko"))}"><head><meta charset="utf-8">',
        f'<meta http-equiv="refresh" content="5"><title>{title}</title><style>{_STYLE}</style></head><body>',
        f'<h1>{title}</h1><p id="state" class="{"bad" if reasons else "ok"}">{html.escape(state)}</p>',
    ]
    if reasons:
        parts.append("<ul>" + "".join(f"<li>{html.escape(reason)}</li>" for reason in reasons) + "</ul>")
    for kind in ("receivers", "streams", "sinks", "contexts"):
        rows = cast("Sequence[Facts]", status.get(kind, ()))
        if rows:
            parts.append(f"<h2>{html.escape(message(f'live-{kind}'))}</h2>{_table(kind, rows)}")
    parts.append("</body></html>")
    return "\n".join(parts)


def _table(kind: str, rows: Sequence[Facts]) -> str:
    names = list(
        dict.fromkeys(name for row in rows for name, value in row.items() if not isinstance(value, list | dict))
    )
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(_cell(row.get(name)) for name in names) + "</tr>" for row in rows)
    return f'<table id="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td>{'' if value is None else html.escape(str(value))}</td>"
    return f'<td class="n">{value:,}</td>' if isinstance(value, int) else f'<td class="n">{value:,.3f}</td>'
