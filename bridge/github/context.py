"""The run in GitHub Actions: its variables and its event file, read once and trusted for nothing but names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bridge.reports.github import Run

_LARGEST_EVENT: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request; ``number`` is 0 where the event does not name it and it has to be looked up."""

    number: int
    head: str
    branch: str = ""
    owner: str = ""
    fork: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """Where the run takes place.

    Attributes:
        api: the base of the REST API; GitHub Enterprise Server has its own.
        summary: the file whose text becomes the job's summary; None outside of Actions.
        bundle: certificates to trust besides the usual ones.
    """

    run: Run
    api: str = "https://api.github.com"
    pull: Pull | None = None
    summary: Path | None = None
    bundle: Path | None = None


def read(environ: Mapping[str, str]) -> Context:
    """Return the context; what is missing or unreadable is empty. Never raises for a strange event."""
    event = _event(environ.get("GITHUB_EVENT_PATH", ""))
    pull = _pull(event, environ)
    return Context(
        run=_run(environ, pull),
        api=(environ.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/"),
        pull=pull,
        summary=_path(environ, "GITHUB_STEP_SUMMARY"),
        bundle=_path(environ, "REQUESTS_CA_BUNDLE") or _path(environ, "SSL_CERT_FILE"),
    )


def _run(environ: Mapping[str, str], pull: Pull | None) -> Run:
    server = (environ.get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/")
    repository = environ.get("GITHUB_REPOSITORY", "")
    number, attempt = _number(environ.get("GITHUB_RUN_ID")), _number(environ.get("GITHUB_RUN_ATTEMPT")) or 1
    url = f"{server}/{repository}/actions/runs/{number}" if repository and number else ""
    return Run(
        server=server,
        repository=repository,
        url=url + (f"/attempts/{attempt}" if url and attempt > 1 else ""),
        id=number,
        attempt=attempt,
        actor=environ.get("GITHUB_ACTOR", ""),
        event=environ.get("GITHUB_EVENT_NAME", ""),
        ref=environ.get("GITHUB_REF", ""),
        commit=(pull.head if pull else "") or environ.get("GITHUB_SHA", ""),
        sources=environ.get("GITHUB_SHA", ""),
    )


def _pull(event: Mapping[str, Any], environ: Mapping[str, str]) -> Pull | None:
    """Return the pull request that the run is about, as the event itself has it: artifacts are not believed."""
    if isinstance(pull := event.get("pull_request"), dict):
        head = _dict(pull, "head")
        there = _dict(head, "repo").get("full_name")
        return Pull(_number(pull.get("number")), _text(head, "sha"), _text(head, "ref"), _text(_dict(head, "user"),
                    "login"), there != environ.get("GITHUB_REPOSITORY"))  # fmt: skip
    run = _dict(event, "workflow_run")
    if run.get("event") != "pull_request":
        return None
    source = _dict(run, "head_repository")
    known = [item for item in run.get("pull_requests") or [] if isinstance(item, dict)]
    number = _number(known[0].get("number")) if len(known) == 1 else 0
    return Pull(number, _text(run, "head_sha"), _text(run, "head_branch"), _text(_dict(source, "owner"), "login"),
                source.get("full_name") != environ.get("GITHUB_REPOSITORY"))  # fmt: skip


def _event(path: str) -> dict[str, Any]:
    try:
        file = Path(path)
        if not path or file.stat().st_size > _LARGEST_EVENT:
            return {}
        event = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _dict(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return int(value) if str(value).isdecimal() and str(value).isascii() else 0


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None
