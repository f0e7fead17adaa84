"""Around every request: its id, its line in the log, its figures, security headers, and the answer to a defect."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders, State
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from datareplicator.server import metrics, problems
from datareplicator.server.auth.principal import Principal
from datareplicator.server.settings import Settings

log = structlog.get_logger("datareplicator.request")

_GOOD_ID = re.compile(r"[A-Za-z0-9-]{8,40}")
_QUIET = {"/healthz", "/readyz", "/metrics"}
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Around:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._headers = dict(_HEADERS)
        if settings.secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _GOOD_ID.fullmatch(given) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        exchange = _Exchange(scope, send, self._headers)
        with metrics.IN_FLIGHT.track_inprogress():
            await exchange.run(self.app, receive)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, send: Send, headers: dict[str, str]) -> None:
        self.scope = scope
        self.state = State(scope["state"])
        self._send = send
        self._headers = headers
        self.status: int | None = None
        self._begun = time.perf_counter()

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        try:
            await app(self.scope, receive, self.send)
        except Exception as error:  # whatever it is, it is answered and logged
            log.error("defect", route=self.route, exc_info=error)
            if self.status is None and self.scope["type"] == "http":
                await self._answer_defect(receive)
            elif self.scope["type"] == "websocket":
                raise
        finally:
            self._note()

    async def _answer_defect(self, receive: Receive) -> None:
        detail = "An error of the service; the administrator finds it in the log under this request's id."
        response = problems.answer(Request(self.scope), problems.Problem(500, detail))
        await response(self.scope, receive, self.send)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._add_headers(MutableHeaders(scope=message))
        elif message["type"] == "websocket.accept":
            self.status = 101
        elif message["type"] == "websocket.close" and self.status is None:
            self.status = 403
        await self._send(message)

    def _add_headers(self, headers: MutableHeaders) -> None:
        headers["X-Request-ID"] = self.state.request_id
        api = self.scope["path"].startswith("/api/")
        added = {**self._headers, "Content-Security-Policy": _API_POLICY if api else _PAGE_POLICY}
        if api:
            added["Cache-Control"] = "no-store"
        for name, value in {**added, **getattr(self.state, "limit_headers", {})}.items():
            headers.setdefault(name, value)

    @property
    def route(self) -> str:
        """The route as declared; a path that matches none is not repeated."""
        known = getattr(self.state, "route", None)
        if known is None and (route := self.scope.get("route")) is not None:
            known = route.path
        return known or "none"

    def _note(self) -> None:
        if self.scope["path"] in _QUIET:
            return
        seconds = time.perf_counter() - self._begun
        method = self.scope.get("method", "WEBSOCKET")
        status = self.status or 499  # the client went away
        metrics.REQUESTS.labels(method, self.route, str(status)).inc()
        metrics.REQUEST_SECONDS.labels(method, self.route).observe(seconds)
        principal: Principal | None = getattr(self.state, "principal", None)
        values: dict[str, Any] = {
            "method": method,
            "route": self.route,
            "status": status,
            "seconds": round(seconds, 4),
            "user_id": principal.user_id if principal else None,
            "key_id": principal.key_id if principal else None,
            "project_id": getattr(self.state, "project_id", None),
            "error": getattr(self.state, "problem_code", None),
            "rate_limit": getattr(self.state, "rate_limit", None),
        }
        log.info("request", **{name: _plain(value) for name, value in values.items() if value is not None})
        if self.scope["path"].startswith("/api/"):
            outcome = "ok" if status < 400 else ("error" if status >= 500 else "refused")
            self.scope["app"].state.requests.add(outcome=outcome, request_id=self.state.request_id, **values)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) else value
