"""Where drafts go: the repository on GitHub behind a work tree's remote, and the token for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from agent.model.errors import Misuse
from agent.model.secret import Secret
from bridge.authoring.branch import Git
from bridge.github.api import Api
from bridge.github.context import read
from bridge.workspace import git

_ADDRESS: Final = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/\s]*@)?|[^@/:\s]+@)(?P<host>[A-Za-z0-9.-]+)(?::\d+(?=/))?[:/]/?"
    r"(?P<repository>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+?)(?:\.git)?/?"
)
_TOKENS: Final = ("GITHUB_TOKEN", "GH_TOKEN")
_GITHUB: Final = "github.com"


def work_tree(repo: Path, remote: str) -> Git:
    """Return the work tree around ``repo``. Raises ``Misuse("draft.no_repository")``."""
    top = git.top(repo)
    if top is None:
        raise Misuse("draft.no_repository", repo=repo, remote=remote, address="no git here")
    return Git(top, remote)


def api(tree: Git, environ: Mapping[str, str]) -> Api:
    """Return the API of the repository that the remote names; the variables of GitHub Actions come first.

    Raises:
        Misuse: ``draft.no_token``, ``draft.no_repository``.
    """
    token = next((environ[name] for name in _TOKENS if environ.get(name)), "")
    if not token:
        raise Misuse("draft.no_token")
    context = read(environ)
    if not context.run.repository:
        host, repository = located(tree.address(), tree)
        run = replace(context.run, repository=repository, server=f"https://{host}")
        base = context.api if host == _GITHUB or environ.get("GITHUB_API_URL") else f"https://{host}/api/v3"
        context = replace(context, run=run, api=base)
    return Api(context, Secret(token))


def located(address: str, tree: Git) -> tuple[str, str]:
    """Return host and ``owner/name`` of a remote's address. Raises ``Misuse("draft.no_repository")``."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise Misuse("draft.no_repository", repo=tree.top, remote=tree.remote, address=address or "-")
    return match["host"].lower(), match["repository"]
