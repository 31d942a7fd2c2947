"""IKB201: an image is built from an app's folder instead of the workspace root."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks.fixes import yamledit
from bridge.checks.model import Edit, Finding, Rule, Severity
from bridge.workspace.builds import Build, Image
from bridge.workspace.dockerfile import Dockerfile
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB201"


def check(facts: Facts) -> Iterable[Finding]:
    for build in facts.builds:
        parsed = facts.dockerfiles.get(build.path)
        repo = facts.workspace_around(build)
        if isinstance(parsed, Dockerfile) and repo is not None and repo.is_workspace:
            yield from _build(facts, build, parsed, repo)


def _build(facts: Facts, build: Build, parsed: Dockerfile, repo: Monorepo) -> Iterator[Finding]:
    if build.context == repo.folder or not _is_below(build.context, repo.folder):
        return
    outside = _only_at_root(facts, build, parsed, repo)
    if outside:
        reason = f"the Dockerfile copies {', '.join(outside[:3])}, which lies outside of it"
        yield _finding(facts, build, repo, reason, repairs=True)
    elif links := _named_members(facts, build, parsed, repo):
        reason = f"the package there needs {', '.join(links[:3])} of the workspace, which the build then cannot see"
        yield _finding(facts, build, repo, reason, repairs=False)


def _is_below(folder: str, root: str) -> bool:
    return folder != root and (root == "." or folder.startswith(root + "/"))


def _only_at_root(facts: Facts, build: Build, parsed: Dockerfile, repo: Monorepo) -> list[str]:
    """The sources that exist from the workspace root and not from the context."""
    if build.guessed:
        return []
    prefix = "" if repo.folder == "." else repo.folder + "/"
    found = []
    for word in sources(parsed):
        clean = posixpath.normpath("/" + word).lstrip("/")
        if clean and not facts.tree.exists(f"{build.context}/{clean}") and facts.tree.exists(f"{prefix}{clean}"):
            found.append(clean)
    return found


def sources(parsed: Dockerfile) -> list[str]:
    """Return the plain paths that a Dockerfile copies from its context."""
    return [
        word
        for item in parsed.instructions
        if item.keyword in ("COPY", "ADD") and not item.flag("from")
        for word in item.words[:-1]
        if not re.search(r"[$*?\[]|^https?:|<<|^git@", word)
    ]


def _named_members(facts: Facts, build: Build, parsed: Dockerfile, repo: Monorepo) -> list[str]:
    """The members that the package in the context declares, when the image installs there."""
    manifest = repo.members.get(build.context)
    image = Image(facts.tree, repo, build, parsed)
    if manifest is None or not image.installs or any(run.opaque for run in image.installs):
        return []
    copied = any(f"{run.folder.rstrip('/')}/package.json" in run.files for run in image.installs)
    return sorted(repo.links(manifest, ("dependencies", "devDependencies"))) if copied else []


def _finding(facts: Facts, build: Build, repo: Monorepo, reason: str, *, repairs: bool) -> Finding:
    file, line, column = _place(facts, build)
    root = "the repository" if repo.folder == "." else repo.folder
    message = f"The build context is {build.context} and not the workspace root: {reason}."
    app = build.service.name if build.service else build.context
    names = frozenset({app, *(repo.closure(repo.names_in({build.context})))})
    if build.service is None:
        fix = f"Build from {root}: docker build -f {build.path} {repo.folder}"
        return Finding(ID, Severity.ERROR, file, line, column, message, build.context, app, names, fix)
    context, dockerfile = _relative(build, repo)
    fix = f"Build from {root}:\ncontext: {context}\ndockerfile: {dockerfile}"
    name = build.service.name
    edit = Edit(file, lambda old: yamledit.set_build(old, name, context, dockerfile))
    edits = (edit,) if repairs else ()
    return Finding(ID, Severity.ERROR, file, line, column, message, build.context, app, names, fix, edits)


def _place(facts: Facts, build: Build) -> tuple[str, int, int]:
    if build.service is not None:
        item = next(item for item in facts.composes if item.path == build.service.file)
        line, column = item.position("services", build.service.name, "build", "context")
        return item.path, line, column
    if build.statement is not None:
        return build.statement.file, build.statement.line, 1
    return build.path, 1, 1


def _relative(build: Build, repo: Monorepo) -> tuple[str, str]:
    """Context as the compose file would write it, and the Dockerfile relative to that context."""
    assert build.service is not None  # noqa: S101 - only asked for services
    folder = posixpath.dirname(build.service.file) or "."
    context = posixpath.relpath(repo.folder, folder)
    return context, posixpath.relpath(build.path, repo.folder)


RULE = Rule(
    ID,
    "context-is-not-the-root",
    Severity.ERROR,
    "D2",
    "The build context is what COPY can see. An app of a workspace needs the lock file, the workspace file and the "
    "shared packages, which lie outside of its own folder: built with its folder as the context, the install finds "
    "no workspace, or COPY no file. The context has to be the workspace root, and the Dockerfile be named by its "
    "path.",
    check,
    "sets context and dockerfile of the compose service when the Dockerfile is written for the root",
)
