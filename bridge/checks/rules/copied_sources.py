"""IKB203: COPY of what does not exist, or what .dockerignore leaves out."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace import globs
from bridge.workspace.builds import Build, ignore_of
from bridge.workspace.dockerfile import Dockerfile
from bridge.workspace.dockerignore import Ignore
from bridge.workspace.layers import Copy, Walk

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB203"

_MADE = re.compile(
    r"(?:^|/)(?:dist|build|out|target|bin|\.next|\.output|coverage|release|artifacts?|publish)(?:/|$)|(?:^|/)\.env"
    r"|\.(?:jar|war|tgz|tar\.gz|zip|whl|pem|crt|key|deb|bin|exe)$|(?:^|/)\.git(?:/|$)"
)


def check(facts: Facts) -> Iterable[Finding]:
    for build in facts.builds:
        parsed = facts.dockerfiles.get(build.path)
        if isinstance(parsed, Dockerfile) and not build.contexts:
            yield from _build(facts, build, parsed)


def _build(facts: Facts, build: Build, parsed: Dockerfile) -> Iterator[Finding]:
    walk = Walk(parsed, [], build.arguments, lambda _names, _docker: ())
    ignore = ignore_of(facts.tree, build)
    copies = [copy for copy in walk.copies if copy.source and not copy.bind]
    reached = walk.reach(walk.stage(build.target) if build.target else None)
    states = [(copy, _state(facts, build, ignore, copy)) for copy in copies if copy.stage in reached]
    absent = [copy for copy, state in states if state == "absent"]
    sure = not build.guessed or len(absent) * 2 <= len(states)
    seen: set[str] = set()
    for copy, state in states:
        if state and copy.source not in seen:
            seen.add(copy.source)
            yield _finding(facts, build, copy, state, sure)


def _state(facts: Facts, build: Build, ignore: Ignore, copy: Copy) -> str:
    """Return absent, ignored, made (by an earlier step of CI) or empty (a pattern), or an empty text: all is well."""
    clean = posixpath.normpath("/" + copy.source).lstrip("/")
    prefix = "" if build.context == "." else build.context + "/"
    if clean in ("", ".") or "$" in clean:
        return ""
    if re.search(r"[*?\[]", clean):
        return _pattern(facts, prefix, clean, ignore, copy)
    path = prefix + clean
    if not facts.tree.exists(path):
        made = _MADE.search(clean) or facts.tree.would_ignore(path) or _is_output(facts, build, clean)
        return "made" if made else "absent"
    return "ignored" if ignore.ignores(clean) and not _comes_back(facts, path, prefix, ignore) else ""


def _is_output(facts: Facts, build: Build, clean: str) -> bool:
    """Whether the compiler's settings or a script in the context name it: something there makes it."""
    head = re.escape(clean.split("/")[0])
    settings, manifest = f"{build.context}/tsconfig.json", facts.manifests.get(build.context)
    if settings in facts.tree and re.search(rf'"outDir"\s*:\s*"(?:\./)?{head}/?"', facts.tree.text(settings)):
        return True
    scripts = manifest.scripts.values() if manifest is not None else ()
    return any(re.search(rf"(?<![\w-]){re.escape(clean.rstrip('/'))}(?![\w-])", text) for text in scripts)


def _comes_back(facts: Facts, path: str, prefix: str, ignore: Ignore) -> bool:
    """Whether something below an ignored folder is taken back."""
    return any(not ignore.ignores(item[len(prefix) :]) for item in facts.tree.below(path))


def _pattern(facts: Facts, prefix: str, clean: str, ignore: Ignore, copy: Copy) -> str:
    if "[" in clean:
        return ""
    regex = globs.regex(prefix + clean)
    found = [path for path in (*facts.tree.files, *facts.tree.folders) if regex.fullmatch(path)]
    if any(not ignore.ignores(path[len(prefix) :]) for path in found):
        return ""
    # BuildKit asks for the folder before the first wildcard alone: behind it, nothing is a match as good as any.
    head = re.split(r"[*?]", clean)[0].rpartition("/")[0]
    if not head or (facts.tree.exists(prefix + head) and not ignore.ignores(head)):
        return "" if copy.others else "empty"
    return "made" if _MADE.search(clean) else "absent"


def _finding(facts: Facts, build: Build, copy: Copy, state: str, sure: bool) -> Finding:
    line, column = facts.line_of(build.path, copy.source, copy.line)
    where = "the repository" if build.context == "." else build.context
    message, fix = {
        "absent": (f"COPY {copy.source}: there is no such path in the build context ({where}).",
                   "Correct the path, or remove the line."),
        "ignored": (f"COPY {copy.source}: .dockerignore leaves it out of the build context.",
                    f"Add !{copy.source} to .dockerignore, or remove the line."),
        "made": (f"COPY {copy.source}: it is not in the repository; an earlier step has to make it in {where}.",
                 "Build it in a stage of the Dockerfile, so that the image needs nothing but the repository."),
        "empty": (f"COPY {copy.source} matches nothing in the build context ({where}), and the build goes on without.",
                  "Correct the pattern, or leave it if the file is optional."),
    }[state]  # fmt: skip
    severity = Severity.INFO if state in ("made", "empty") else Severity.ERROR if sure else Severity.WARNING
    app = build.service.name if build.service else ""
    return Finding(ID, severity, build.path, line, column, message, copy.source, app,
                   frozenset({app} if app else ()), fix)  # fmt: skip


RULE = Rule(
    ID,
    "copy-of-nothing",
    Severity.ERROR,
    "D3",
    "COPY stops the build when its source is not in the build context: because the path is wrong, because the file was "
    "renamed or never committed, or because .dockerignore leaves it out. What looks like the output of an earlier step "
    "(dist, .env, archives) is reported as information only.",
    check,
)
