"""The HTTP door as an ASGI application: it finds out who asks and what for, and hands on to the same service as SSH."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.capabilities import Index
from agent.doors import asking, http_openapi, http_problem, waiting
from agent.doors.http_auth import Gate, TooMany
from agent.doors.http_metrics import CONTENT_TYPE, Metrics
from agent.doors.service import REFUSED
from agent.doors.starter import RemoteService, Starter
from agent.host import audit, log
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import IkomaError, Misuse
from agent.model.names import check_operation
from agent.protocol import SUCCESS, TERMINAL, Body

DOOR: Final = "http"
BODY_SECONDS: Final = 30.0
POLL_SECONDS: Final = 60.0
_THREADS: Final = 24
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(slots=True)
class Called:
    """What is known of a call while it is answered, for its line in the history and its metrics."""

    name: str
    service: RemoteService
    lang: str
    began: float = field(default_factory=time.monotonic)
    capability: str = ""
    operation: str | None = None
    body: Body | None = None


Answer = Callable[["Called", Request], Awaitable[Response]]


class Door:
    """Answers requests for the host below ``paths``."""

    def __init__(self, paths: Paths, index: Index, settings: Settings, starter: Starter) -> None:
        self.paths, self.index, self.starter = paths, index, starter
        self.gate, self.metrics = Gate(paths, settings), Metrics()
        self.threads = anyio.CapacityLimiter(_THREADS)
        self.document = http_openapi.document(index)

    def app(self) -> Starlette:
        """Return the application."""
        app = Starlette(
            routes=[
                Route("/execute/{capability}", self._guarded("execute", self._execute), methods=["POST"]),
                Route("/operations/{operation}", self._guarded("operations", self._operation), methods=["GET"]),
                Route("/healthz", self._healthz, methods=["GET"]),
                Route("/metrics", self._metrics, methods=["GET"]),
                Route("/openapi.json", self._openapi, methods=["GET"]),
            ],
            exception_handlers={HTTPException: self._no_route},
        )
        app.router.redirect_slashes = False  # it would send callers to whatever host they named
        return app

    # --- what may be asked

    async def _execute(self, call: Called, request: Request) -> Response:
        name = call.capability = request.path_params["capability"]
        known = self.index.get(name)
        data = asking.parse(await _read(request))
        call.body = asking.named(data)
        # The form of a change is judged with its id, which may be made further on; the role comes first.
        capability = call.service.capability(name, "pending" if known and known.changes else None)
        call.name = name
        asked = asking.ask(capability, data, request.headers, _address(request))
        call.body, call.lang = asked.body, asked.body.lang
        if asked.operation is None:
            answer = await run_sync(call.service.read, capability, asked.body, limiter=self.threads)
            return self._told({"result": answer})
        call.operation = asked.operation
        await run_sync(call.service.start, name, asked.operation, asked.body, limiter=self.threads)
        return await self._followed(call, asked.operation, asked.patience)

    async def _followed(self, call: Called, operation: str, patience: float) -> Response:
        """Answer a change that was started; from here on its line is in the history."""
        found = await waiting.ended(call.service, operation, patience)
        where = {"Location": f"/operations/{operation}"}
        if found.status not in TERMINAL:
            told = {"operation": operation, "status": found.status, "location": where["Location"]}
            return self._told(told, 202, where)
        result = found.result or {}
        if found.status in SUCCESS:
            return self._told({"result": result, "operation": operation}, 200, where)
        return self._problem(http_problem.failed(result, operation), where)

    async def _operation(self, call: Called, request: Request) -> Response:
        call.capability = call.name = "attach"
        call.operation = check_operation(request.path_params["operation"])
        after, wait = _number(request, "after", 10**9), _number(request, "wait", int(POLL_SECONDS))
        found = await run_sync(call.service.find, call.operation, limiter=self.threads)
        call.body = Body(app=found.target.app, environment=found.target.environment)
        if wait:
            found = await waiting.ended(call.service, found.id, wait, after)
        told = await run_sync(waiting.told, self.paths, found, after, limiter=self.threads)
        await run_sync(call.service.audit, "attach", "ok", call.body, call.operation)
        return self._told(told)

    async def _healthz(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=_HEADERS)

    async def _openapi(self, _request: Request) -> Response:
        return JSONResponse(self.document, headers=_HEADERS)

    async def _metrics(self, request: Request) -> Response:
        """Free for a collector on the host itself; whoever comes through the proxy needs a key."""
        if not _is_local(request):
            return await self._guarded("metrics", self._figures)(request)
        return Response(await run_sync(self.metrics.text, self.paths), headers=_HEADERS, media_type=CONTENT_TYPE)

    async def _figures(self, call: Called, _request: Request) -> Response:
        text = await run_sync(self.metrics.text, self.paths)
        return Response(text, headers=_HEADERS, media_type=CONTENT_TYPE)

    # --- inside

    def _guarded(self, name: str, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Return ``answer`` for those who are known; every fault becomes one problem and one line in the history."""

        async def guarded(request: Request) -> Response:
            nobody = self._service(Grant("-", role=""))
            call = Called(name, nobody, asking.language(request.headers), capability=name)
            call.capability = request.path_params.get("capability", name)
            try:
                call.service = self._service(self.gate.admit(request.headers, _address(request)))
                response = await answer(call, request)
            except IkomaError as error:
                response = await self._failed(call, error)
            except Exception as error:
                reference = await run_sync(log.record, self.paths, error)
                internal = IkomaError("wire.internal", kind=type(error).__name__, reference=reference)
                response = await self._failed(call, internal)
            self.metrics.answered(call.name, response.status_code, time.monotonic() - call.began)
            return response

        return guarded

    def _service(self, grant: Grant) -> RemoteService:
        return RemoteService(self.paths, self.index, grant, DOOR, self.starter)

    async def _failed(self, call: Called, error: IkomaError) -> Response:
        more: dict[str, Any] = {"errors": error.errors} if isinstance(error, asking.Malformed) else {}
        headers = {"Retry-After": str(error.after)} if isinstance(error, TooMany) else {}
        told = http_problem.problem(error, call.lang, **more)
        if not isinstance(error, TooMany):  # a flood must not fill the history
            outcome = "refused" if error.id in REFUSED else "error"
            await run_sync(call.service.audit, call.capability[:80], outcome, call.body, call.operation, error)
        if told["status"] == 401:
            headers["WWW-Authenticate"] = 'ApiKey realm="ikoma"'
        return self._problem(told, headers)

    async def _no_route(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = dict(getattr(error, "headers", None) or {})
        path, lang = request.url.path[:200], asking.language(request.headers)
        fault = (
            Misuse("http.method", method=request.method[:20], path=path, allowed=headers.get("Allow", "POST"))
            if status == 405
            else Misuse("http.not_found", path=path)
        )
        return self._problem(http_problem.problem(fault, lang, status), headers)

    def _told(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """Answer one who is known, with the head of the history, so that somebody else has seen it."""
        head = {"X-Audit-Head": audit.head(self.paths)}
        return JSONResponse(content, status, headers=_HEADERS | head | (headers or {}))

    def _problem(self, told: dict[str, Any], headers: dict[str, str]) -> Response:
        return JSONResponse(told, told["status"], headers=_HEADERS | headers, media_type=http_problem.MEDIA_TYPE)


async def _read(request: Request) -> bytes:
    """Return the body. Raises ``Misuse`` (``http.body_too_large``, ``http.slow``)."""
    found = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for chunk in request.stream():
                found += chunk
                if len(found) > asking.MAX_BYTES:
                    raise Misuse("http.body_too_large", most=asking.MAX_BYTES)
    except TimeoutError:
        raise Misuse("http.slow", seconds=int(BODY_SECONDS)) from None
    return bytes(found)


def _number(request: Request, name: str, most: int) -> int:
    word = request.query_params.get(name, "0")
    if not (word.isascii() and word.isdigit()) or int(word[:12]) > most:
        raise Misuse("wire.bad_request", reason=f"{name} is a number from 0 to {most}")
    return int(word)


def _address(request: Request) -> str:
    """Return whose request it is: of one that came through our own proxy's socket what the proxy says."""
    if request.client is None:
        forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return forwarded[:64] or "proxy"
    return request.client.host


def _is_local(request: Request) -> bool:
    host = request.client.host if request.client else ""
    return host in ("127.0.0.1", "::1") and "x-forwarded-for" not in request.headers
