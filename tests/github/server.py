"""The double behind HTTP: judges what comes and goes, pages, checks tokens, and fails when it is told to."""

from __future__ import annotations

import json
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlencode, urlsplit

from tests.github import judge, spec
from tests.github.double import _WHO, READ_TOKEN, REPOSITORY, Double, Refused
from tests.github.judge import Asked, Violation

Kind = Literal["before", "after", "drop", "secondary", "primary", "html", "500", "denied"]

_R: Final = "/repos/{owner}/{repo}"
HANDLERS: Final = {
    ("GET", f"{_R}/issues/{{issue_number}}/comments"): "list_comments",
    ("POST", f"{_R}/issues/{{issue_number}}/comments"): "create_comment",
    ("PATCH", f"{_R}/issues/comments/{{comment_id}}"): "edit_comment",
    ("DELETE", f"{_R}/issues/comments/{{comment_id}}"): "delete_comment",
    ("POST", f"{_R}/check-runs"): "create_check",
    ("PATCH", f"{_R}/check-runs/{{check_run_id}}"): "edit_check",
    ("GET", f"{_R}/check-runs/{{check_run_id}}"): "get_check",
    ("GET", f"{_R}/commits/{{ref}}/check-runs"): "list_checks",
    ("GET", f"{_R}/commits/{{commit_sha}}/pulls"): "list_pulls_of",
    ("GET", f"{_R}/pulls"): "list_pulls",
    ("POST", f"{_R}/pulls"): "create_pull",
    ("PATCH", f"{_R}/pulls/{{pull_number}}"): "edit_pull",
    ("GET", f"{_R}/releases"): "list_releases",
    ("POST", f"{_R}/releases"): "create_release",
    ("PATCH", f"{_R}/releases/{{release_id}}"): "edit_release",
    ("POST", f"{_R}/deployments"): "create_deployment",
    ("GET", f"{_R}/deployments"): "list_deployments",
    ("POST", f"{_R}/deployments/{{deployment_id}}/statuses"): "create_status",
    ("GET", f"{_R}/deployments/{{deployment_id}}/statuses"): "list_statuses",
    ("GET", f"{_R}/releases/tags/{{tag}}"): "release_of",
    ("GET", f"{_R}/releases/{{release_id}}/assets"): "list_assets",
    ("POST", f"{_R}/releases/{{release_id}}/assets"): "upload_asset",
    ("DELETE", f"{_R}/releases/assets/{{asset_id}}"): "delete_asset",
    ("POST", f"{_R}/code-scanning/sarifs"): "take_sarif",
    ("GET", "/user"): "who",
}


@dataclass
class Fault:
    """One failure to come.

    Attributes:
        kind: *before*: 502 and nothing done; *after*: done, then 502; *drop*: done, then the line is cut; *secondary*
            and *primary*: GitHub's limits; *html*: a 502 that is no JSON;
            *denied*: a token without the right.
        at: which call from now on, 0 the next; only calls that match ``method`` and ``path`` count.
        times: how many calls in a row.
        turns: every other call of each kind fails instead: the first fails, its repetition does not.
    """

    kind: Kind
    at: int = 0
    times: int = 1
    method: str = ""
    path: str = ""
    seconds: float = 1.0
    turns: bool = False
    _seen: dict[tuple[str, str], int] = field(default_factory=dict)

    def strikes(self, method: str, path: str) -> bool:
        """Say whether this call fails, and count it."""
        if (self.method and method != self.method) or not re.search(self.path, path):
            return False
        if self.turns:
            self._seen[method, path] = seen = self._seen.get((method, path), 0) + 1
            return seen % 2 == 1
        self.at -= 1
        return -self.times <= self.at < 0


def kinds(*few: Kind) -> tuple[Kind, ...]:
    """Return how GitHub fails in a test that takes long: in ``few`` ways, or with IKOMA_LONG in all that matter."""
    return ("before", "after", "drop", "secondary") if os.environ.get("IKOMA_LONG") else few


@dataclass
class Server:
    """What a test sees: the state, what was called, what was wrong, what shall fail."""

    double: Double = field(default_factory=Double)
    url: str = ""
    calls: list[tuple[str, str, int]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda method, path: None

    def writes(self) -> list[str]:
        """Return the calls that changed something, as ``POST path``."""
        return [f"{method} {path}" for method, path, status in self.calls if method != "GET" and status < 300]


@contextmanager
def serve(certificate: tuple[Path, Path] | None = None, prefix: str = "") -> Iterator[Server]:
    """Serve a double on the loopback; ``certificate`` for TLS, ``prefix`` as GitHub Enterprise Server has one."""
    served = Server()
    handler = type("Handler", (_Handler,), {"served": served, "prefix": prefix})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        http.socket = context.wrap_socket(http.socket, server_side=True)
    scheme = "https" if certificate else "http"
    served.url = f"{scheme}://localhost:{http.server_address[1]}{prefix}"
    served.double.base = served.url
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        http.shutdown()
        http.server_close()


def _pattern(route: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route))


_ROUTES: Final = [(method, route, _pattern(route)) for method, route in HANDLERS]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two would wait 40 ms for each other
    disable_nagle_algorithm = True
    served: Server
    prefix: str

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing; a test prints ``calls``."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        asked = Asked(self.command, parts.path.removeprefix(self.prefix), parts.query, self._body(),
                      self.headers.get("Content-Type", ""))  # fmt: skip
        self.served.before(asked.method, asked.path)
        with self.served.double.lock:
            fault = next((item for item in self.served.faults if item.strikes(asked.method, asked.path)), None)
            status, answer = (502, None) if fault and fault.kind not in ("after", "drop") else self._do(asked)
            self.served.calls.append((asked.method, asked.path, status))
        if fault is None:
            self._send(status, answer, self._paged(asked, answer))
        else:
            self._fail(fault)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer  # noqa: N815  the library's names

    def _do(self, asked: Asked) -> tuple[int, Any]:
        """Judge, act, judge again."""
        token = self.headers.get("Authorization", "").removeprefix("token ").removeprefix("Bearer ")
        found = next(
            ((route, match) for method, route, pattern in _ROUTES
             if method == asked.method and (match := pattern.fullmatch(asked.path))), None,
        )  # fmt: skip
        if found is None:
            self.served.violations.append(f"{asked.method} {asked.path}: nothing of GitHub's that we use")
            return 404, {"message": "Not Found"}
        route, match = found
        try:
            status, answer = self._allowed(asked, route, match, token)
            shown = b"" if answer is None else json.dumps(self._page(asked, answer)).encode()
            judge.answer(asked, route, status, shown)
        except Refused as refused:
            return refused.status, {"message": refused.message, "documentation_url": "https://docs.github.com"}
        except Violation as violation:
            self.served.violations.append(str(violation))
            return 422, {"message": str(violation), "documentation_url": "https://docs.github.com"}
        except Exception as fault:  # the double's own: it must not pass for a quirk of GitHub's
            self.served.violations.append(f"{asked.method} {asked.path}: {fault!r}")
            return 500, {"message": repr(fault)}
        return status, answer

    def _allowed(self, asked: Asked, route: str, match: re.Match[str], token: str) -> tuple[int, Any]:
        if token not in _WHO:
            raise Refused(401, "Bad credentials")
        path = {key: unquote(value) for key, value in match.groupdict().items()}
        if "owner" in path and f"{path['owner']}/{path['repo']}" != REPOSITORY:
            raise Refused(404, "Not Found")
        judge.request(asked, route)
        if token == READ_TOKEN and asked.method != "GET":
            raise Refused(403, "Resource not accessible by integration")
        act = getattr(self.served.double, HANDLERS[asked.method, route])
        body = asked.body if asked.is_upload else json.loads(asked.body or b"null")
        status, answer = act(path, asked.parameters, body, token)
        return status, json.loads(json.dumps(answer))

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "drop":
            self.close_connection = True
            self.connection.close()
        elif fault.kind == "secondary":
            text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            self._send(403, {"message": text}, {"Retry-After": f"{fault.seconds:g}"})
        elif fault.kind == "primary":
            limits = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time() + fault.seconds))}
            self._send(403, {"message": "API rate limit exceeded for installation."}, limits)
        elif fault.kind == "denied":
            self._send(403, {"message": "Resource not accessible by integration"}, {})
        elif fault.kind == "html":
            self._send(502, "<html><body>Unicorn!</body></html>", {"Content-Type": "text/html"})
        else:
            self._send(500 if fault.kind == "500" else 502, {"message": "Server Error"}, {})

    def _page(self, asked: Asked, answer: Any) -> Any:
        items = answer.get("check_runs") if isinstance(answer, dict) else answer
        if asked.method != "GET" or not isinstance(items, list):
            return answer
        size, page = (int(asked.parameters.get(key, default)) for key, default in (("per_page", 30), ("page", 1)))
        part = items[(page - 1) * size : page * size]
        return {**answer, "check_runs": part} if isinstance(answer, dict) else part

    def _paged(self, asked: Asked, answer: Any) -> dict[str, str]:
        items = answer.get("check_runs") if isinstance(answer, dict) else answer
        size, page = (int(asked.parameters.get(key, default)) for key, default in (("per_page", 30), ("page", 1)))
        if asked.method != "GET" or not isinstance(items, list) or len(items) <= page * size:
            return {}
        query = urlencode({**asked.parameters, "page": page + 1})
        return {"Link": f'<{self.served.url}{asked.path}?{query}>; rel="next"'}

    def _send(self, status: int, answer: Any, headers: dict[str, str]) -> None:
        parts = urlsplit(self.path)
        asked = Asked(self.command, parts.path, parts.query, b"", "")
        text = answer if isinstance(answer, str) else json.dumps(self._page(asked, answer))
        body = b"" if status == 204 else text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))


assert {route for _, route in HANDLERS} == set(spec.ROUTES), "each route that is judged is one that is answered"
