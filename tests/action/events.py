"""What GitHub writes into ``GITHUB_EVENT_PATH`` and its variables, for the events that start our workflows."""

from __future__ import annotations

from typing import Any, Final

REPOSITORY: Final = "acme/shop"
HEAD: Final = "6dcb09b5b57875f334f61aebed695e2e4193db5e"

Event = tuple[dict[str, Any], dict[str, Any]]


def _github(event_name: str, event: dict[str, Any], ref: str, sha: str, url: str) -> dict[str, Any]:
    return {
        "event_name": event_name, "event": event, "ref": ref, "sha": sha, "repository": REPOSITORY,
        "actor": "anna", "api_url": url, "server_url": "https://github.com", "run_id": "7001", "run_attempt": "1",
        "job": "check", "ref_name": ref.rpartition("/")[2], "workspace": "", "action_ref": "",
    }  # fmt: skip


def pull_request(
    url: str, token: str, *, number: int = 7, branch: str = "topic", head: str = HEAD, repository: str = REPOSITORY
) -> dict[str, Any]:
    """Return the ``github`` context of a pull request; another ``repository`` makes it a fork's."""
    owner = repository.partition("/")[0]
    event = {
        "action": "synchronize",
        "number": number,
        "pull_request": {
            "number": number, "title": f"Change {branch}",
            "head": {"ref": branch, "sha": head, "user": {"login": owner}, "repo": {"full_name": repository}},
            "base": {"ref": "main", "repo": {"full_name": REPOSITORY}},
        },
        "repository": {"full_name": REPOSITORY},
    }  # fmt: skip
    github = _github("pull_request", event, f"refs/pull/{number}/merge", "f" * 40, url)
    return github | {"token": token, "head_ref": branch}


def workflow_run(url: str, token: str, *, branch: str, head: str, repository: str) -> dict[str, Any]:
    """Return the ``github`` context of the run that follows the check of a fork's pull request."""
    event = {
        "action": "completed",
        "workflow_run": {
            "id": 7001, "event": "pull_request", "head_branch": branch, "head_sha": head, "pull_requests": [],
            "head_repository": {"full_name": repository, "owner": {"login": repository.partition("/")[0]}},
        },
    }  # fmt: skip
    return _github("workflow_run", event, "refs/heads/main", "e" * 40, url) | {"token": token, "run_id": "7002"}


def tag(url: str, token: str, name: str, sha: str, *, run: str = "7003") -> dict[str, Any]:
    """Return the ``github`` context of a pushed release tag."""
    event = {"ref": f"refs/tags/{name}", "after": sha}
    return _github("push", event, f"refs/tags/{name}", sha, url) | {"token": token, "run_id": run, "job": "deploy"}


def dispatch(url: str, token: str, inputs: dict[str, str], *, run: str = "7004") -> dict[str, Any]:
    """Return the ``github`` context of a workflow that somebody started by hand."""
    event = {"inputs": inputs, "ref": "refs/heads/main"}
    github = _github("workflow_dispatch", event, "refs/heads/main", HEAD, url)
    return github | {"token": token, "run_id": run, "job": "rollback"}
