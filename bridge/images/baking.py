"""Running the bake: logged in for its duration, its output thinned out, its failure told by its cause."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from agent.host import process
from agent.host.files import write_json
from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.secret import Redactor
from bridge.images import bake, builder, login, names
from bridge.images.registry import Access

_DENIED: Final = ("denied: ", "insufficient_scope", "403 Forbidden", "no basic auth credentials")
_BAD_LOGIN: Final = ("401 Unauthorized", "unauthorized: ")
_UNTRUSTED: Final = ("certificate signed by unknown authority", "failed to verify certificate")
_PASSING: Final = (
    "500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout",
    "429 Too Many Requests", "connection reset by peer", "unexpected EOF",
)  # fmt: skip
_TWICE: Final = re.compile(r'^(failed to solve: )?(missing content: content digest|image "[^"]+": already exists$)')
_UNREACHABLE: Final = (
    "connection refused",
    "no such host",
    "i/o timeout",
    "no route to host",
    "network is unreachable",
)


def run(
    orders: Sequence[bake.Order], access: Access, environ: Mapping[str, str], on_line: Callable[[str], None]
) -> dict[str, str]:
    """Build and push ``orders`` in one run; return the digest of each by service.

    Raises:
        IkomaError: ``build.failed`` with the cause, ``build.incomplete``, ``build.no_builder``, ``build.no_buildx``,
            ``registry.denied``, ``registry.bad_login``, ``registry.untrusted``, ``registry.unreachable``.
    """
    secrets = _secrets(orders, environ)
    output = _Output(Redactor([access.token, *secrets.values()]), on_line)
    services = [order.build.service for order in orders]
    with login.logged_in(access, environ) as env:
        found = builder.detect(env)
        if not found.keeps_cache:
            on_line(messages.text("build.no_cache", {"driver": found.driver}))
        folder = Path(env["DOCKER_CONFIG"])
        file, metadata = folder / "bake.json", folder / "metadata.json"
        wanted = bake.definition(orders, cache=found.keeps_cache, sbom=_scanner(environ))
        write_json(file, wanted, 0o600)
        _patiently(lambda: _bake(bake.command(file, metadata, services), env | secrets, output, access), on_line)
        pushed = bake.digests(json.loads(metadata.read_bytes()), services)
    if missing := sorted(set(services) - pushed.keys()):
        raise IkomaError("build.incomplete", services=", ".join(missing))
    return pushed


def _scanner(environ: Mapping[str, str]) -> str:
    """Return what lists the contents of images. Raises ``Misuse("build.image_name")`` for no image's name."""
    wanted = environ.get("BRIDGE_SBOM", "").strip()
    if wanted in ("", "0", "1"):
        return wanted.strip("0")
    image = names.parse(wanted)
    return image.pinned(image.digest) if image.digest else image.tagged


def _bake(argv: list[str], env: Mapping[str, str], output: _Output, access: Access) -> None:
    output.lines.clear()
    done = process.run(argv, env=env, check=False, on_line=output.hear)
    if not done.ok:
        raise failure(bake.fault(output.lines), access)


def _patiently(build: Callable[[], None], on_line: Callable[[str], None]) -> None:
    """Run ``build`` again when the registry stumbled: what was built is in the builder's cache, so it costs little."""
    from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

    def told(state: RetryCallState) -> None:
        on_line(messages.text("build.again", {"attempt": state.attempt_number + 1}))

    retrying = Retrying(retry=retry_if_exception(stumbled), stop=stop_after_attempt(3), reraise=True,
                        wait=wait_exponential(multiplier=0.5, max=5), before_sleep=told)  # fmt: skip
    retrying(build)


def stumbled(fault: BaseException) -> bool:
    """Say whether a push failed in a way that may pass: the registry's own fault, the line to it, or another build.

    An engine that builds the same image twice at once takes content away from the build whose tag it moved, or tells
    the second that its tag is there already.
    """
    said = str(fault.params.get("said", "")) if isinstance(fault, IkomaError) and fault.id == "build.failed" else ""
    first = said.splitlines()[0] if said else ""
    about_registry = "/v2/" in first or "push" in first
    return bool(_TWICE.search(first)) or (about_registry and any(word in first for word in _PASSING))


class _Output:
    """Keeps what the build says, without secrets, and shows each step once."""

    def __init__(self, redact: Redactor, on_line: Callable[[str], None]) -> None:
        self._redact, self._on_line = redact, on_line
        self.lines: list[str] = []
        self._shown: set[str] = set()

    def hear(self, line: str) -> None:
        """Take one line."""
        self.lines.append(self._redact(line))
        text = bake.readable(self.lines[-1])
        if text and text not in self._shown:
            self._shown.add(text)
            self._on_line(text)


def _secrets(orders: Sequence[bake.Order], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that build secrets name; the build gets them and no others."""
    wanted = {secret.partition(",env=")[2] for order in orders for secret in order.build.secrets}
    return {name: environ[name] for name in wanted - {""} if name in environ}


def failure(cause: str, access: Access) -> IkomaError:
    """Return the error for a build that failed of ``cause``: the registry's fault by name, else the build's own."""
    registry, _, path = access.address.partition("/")
    first = cause.splitlines()[0][:300] if cause else ""
    if registry in first or "/v2/" in first or "push" in first:
        if any(word in first for word in _DENIED):
            return IkomaError("registry.denied", registry=registry, what="push", repository=path or "/", said=first)
        if any(word in first for word in _BAD_LOGIN):
            return IkomaError("registry.bad_login", registry=registry, user=access.username)
        if any(word in first for word in _UNTRUSTED):
            return IkomaError("registry.untrusted", registry=registry, reason=first)
        if any(word in first for word in _UNREACHABLE):
            return IkomaError("registry.unreachable", registry=registry, reason=first)
    return IkomaError("build.failed", said=cause)
