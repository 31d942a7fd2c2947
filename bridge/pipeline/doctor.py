"""What is wrong on this machine, on the way to the host, and on the host; each with its remedy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.names import Target
from bridge.pipeline.host import body, reach
from bridge.pipeline.settings import Where

_PROGRAMS: Final = ("git", "docker")
_ABSENT: Final = frozenset({"apps.no_compose", "database.no_dsn"})
"""Nothing is wrong with an app that was never deployed here, or that has no database."""
_WELL: Final = frozenset({"healthy", "running", "completed"})


class Finding(NamedTuple):
    """One thing that is wrong: where (``here``, ``host``, ``app``), its id, the sentence and what to do."""

    where: str
    id: str
    message: str
    remedy: str


def examine(where: Where, lang: str, done: Callable[[str], object] = str) -> list[Finding]:
    """Return what is wrong, this machine first. A host that cannot be reached is a finding, not a fault.

    Args:
        done: called with the name of each part that was looked at.
    """
    found = [_finding("here", error, lang) for error in _here(where)]
    done("here")
    try:
        with reach(where, where.known_target) as host:
            found += _host(where, host.agent, lang)
            done("host")
            if (target := where.known_target) is not None:
                found += _app(where, host.agent, target, lang)
                done("app")
    except IkomaError as error:
        found.append(_finding("host", error, lang))
    return found


def _here(where: Where) -> Iterator[IkomaError]:
    for program in _PROGRAMS:
        if shutil.which(program) is None:
            yield IkomaError("doctor.program", program=program)
    try:
        _ = where.contract
    except IkomaError as error:
        yield error
    key = where.flags.key or where.environ.get("BRIDGE_SSH_KEY", "") or "~/.ssh/id_ed25519"
    yield from _key(key)


def _key(key: str) -> Iterator[IkomaError]:
    """A key that others may read is a finding; a missing one is told when it is needed."""
    path = Path(key).expanduser() if "\n" not in key else None
    if path is not None and path.is_file() and path.stat().st_mode & 0o077 and os.name == "posix":
        yield IkomaError("doctor.key_mode", file=path, mode=f"{path.stat().st_mode & 0o777:o}")


def _host(where: Where, agent: Any, lang: str) -> Iterator[Finding]:
    checked = agent.read("platform.check", body(where, where.known_target, lang, {}))
    yield from _told("host", [*(checked.get("problems") or []), *(checked.get("warnings") or [])])
    verdict = agent.read("audit.verify", body(where, None, lang, {}))
    if not verdict.get("ok"):
        name = f"audit.{verdict.get('kind')}"
        yield Finding("host", name, str(verdict.get("message")), messages.remedy(name, verdict, lang))


def _app(where: Where, agent: Any, target: Target, lang: str) -> Iterator[Finding]:
    """What keeps its containers from starting, its database, and how it runs. An app that is not here has no folder."""
    for capability in ("apps.validate", "db.status"):
        problems = agent.read(capability, body(where, target, lang, {})).get("problems") or []
        yield from _told("app", [item for item in problems if item["id"] not in _ABSENT])
    status = agent.read("status.get", body(where, target, lang, {}))
    options = target.options
    if status.get("release") and status.get("status") not in (None, "HEALTHY"):
        yield _finding(
            "app", IkomaError("doctor.stopped", target=target, status=status["status"], options=options), lang
        )
    for service, state in sorted((status.get("services") or {}).items()):
        if isinstance(state, dict) and state.get("state") not in _WELL:
            params = {"service": service, "target": target, "state": state.get("state"), "options": options}
            yield _finding("app", IkomaError("doctor.unhealthy", **params), lang)


def _told(where: str, problems: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    for problem in problems:
        yield Finding(where, problem["id"], problem["message"], problem.get("remedy", ""))


def _finding(where: str, error: IkomaError, lang: str) -> Finding:
    return Finding(where, error.id, error.message(lang), error.remedy(lang))
