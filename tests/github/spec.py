"""GitHub's published description of its REST API, cut down to what we call. ``scripts/setup`` installs the whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "@octokit/openapi"

_REPO: Final = "/repos/{owner}/{repo}"
ROUTES: Final[dict[str, tuple[str, ...]]] = {
    f"{_REPO}/issues/{{issue_number}}/comments": ("get", "post"),
    f"{_REPO}/issues/comments/{{comment_id}}": ("patch", "delete"),
    f"{_REPO}/check-runs": ("post",),
    f"{_REPO}/check-runs/{{check_run_id}}": ("get", "patch"),
    f"{_REPO}/commits/{{ref}}/check-runs": ("get",),
    f"{_REPO}/commits/{{commit_sha}}/pulls": ("get",),
    f"{_REPO}/pulls": ("get", "post"),
    f"{_REPO}/pulls/{{pull_number}}": ("patch",),
    f"{_REPO}/releases": ("get", "post"),
    f"{_REPO}/releases/{{release_id}}": ("patch",),
    f"{_REPO}/deployments": ("get", "post"),
    f"{_REPO}/deployments/{{deployment_id}}/statuses": ("get", "post"),
    f"{_REPO}/releases/tags/{{tag}}": ("get",),
    f"{_REPO}/releases/{{release_id}}/assets": ("get", "post"),
    f"{_REPO}/releases/assets/{{asset_id}}": ("delete",),
    f"{_REPO}/code-scanning/sarifs": ("post",),
    "/user": ("get",),
}
"""What the bridge may call; anything else is a fault of the bridge."""


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ikoma-bridge"


@cache
def load() -> dict[str, Any]:
    """Return the description. The whole has 13 MB, so what is left of it is kept, under what it was made from."""
    package = _cache() / "node/node_modules" / PACKAGE
    version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    key = hashlib.sha256(json.dumps([version, ROUTES]).encode()).hexdigest()[:12]
    kept = _cache() / f"github-openapi-{key}.json"
    if not kept.is_file():
        whole = json.loads((package / "generated/api.github.com.json").read_text(encoding="utf-8"))
        beside = kept.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(reduced(whole)), encoding="utf-8")
        beside.rename(kept)
    loaded: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return loaded


def reduced(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the description with our routes alone and all that they refer to."""
    paths = {
        route: {key: value for key, value in whole["paths"][route].items() if key in (*methods, "parameters")}
        for route, methods in ROUTES.items()
    }
    components: dict[str, dict[str, Any]] = {}
    waiting = list(_references(paths))
    while waiting:
        kind, name = waiting.pop().removeprefix("#/components/").split("/", 1)
        if name not in components.setdefault(kind, {}):
            components[kind][name] = whole["components"][kind][name]
            waiting += _references(components[kind][name])
    return {**{key: whole[key] for key in ("openapi", "info", "servers")}, "paths": paths, "components": components}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(target := node.get("$ref"), str):
            yield target
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
