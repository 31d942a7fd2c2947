"""IKB207: SIGTERM does not reach the process."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace.builds import Build
from bridge.workspace.dockerfile import Dockerfile, Instruction
from bridge.workspace.layers import Walk

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB207"


def check(facts: Facts) -> Iterable[Finding]:
    for build in facts.builds:
        parsed = facts.dockerfiles.get(build.path)
        if isinstance(parsed, Dockerfile):
            yield from _build(facts, build, parsed)


def _build(facts: Facts, build: Build, parsed: Dockerfile) -> Iterator[Finding]:
    command, entry = _final(build, parsed)
    if entry is not None and (script := _script(facts, build, entry)) is not None:
        text = facts.tree.text(script)
        if text.startswith("#!") and not re.search(r"^\s*(?:exec|trap)\b", text, re.MULTILINE):
            message = f"The entrypoint {script} starts the program without exec: the shell keeps SIGTERM to itself."
            line = max(1, len(text.rstrip().splitlines()))
            yield _finding(build, script, line, message, "Start the program with exec in its last line.")
        return
    started = entry or command
    if started is not None and not started.json and not _hands_over(build, parsed, started.value):
        words = started.value[:60]
        message = (
            f"{started.keyword} {words} runs under a shell, which gets SIGTERM and does not hand it on: stopping takes "
            f"the whole grace period and then kills."
        )
        fix = f"Write it as a list: {started.keyword} {_as_list(started.value)}"
        yield _finding(build, build.path, started.line, message, fix)


def _hands_over(build: Build, parsed: Dockerfile, text: str) -> bool:
    """Whether the program takes the shell's place: by exec, or by busybox, which does so for a single command."""
    walk = Walk(parsed, [], build.arguments, lambda _names, _docker: ())
    index = walk.stage(build.target) if build.target else len(walk.layers) - 1
    small = index is not None and re.search(r"alpine|busybox", walk.layers[index].base) is not None
    return re.match(r"\s*exec\s", text) is not None or (small and re.search(r"[&|;\n(]", text) is None)


def _final(build: Build, parsed: Dockerfile) -> tuple[Instruction | None, Instruction | None]:
    """The CMD and the ENTRYPOINT in force in the target stage."""
    walk = Walk(parsed, [], build.arguments, lambda _names, _docker: ())
    index = walk.stage(build.target) if build.target else len(walk.layers) - 1
    chain = set[int]()
    while index is not None:
        chain.add(index)
        index = walk.layers[index].parent
    command = entry = None
    stage = -1
    for item in parsed.instructions:
        stage += item.keyword == "FROM"
        if stage in chain and item.keyword == "CMD":
            command = item
        elif stage in chain and item.keyword == "ENTRYPOINT":
            entry, command = item, None
    return command, entry


def _script(facts: Facts, build: Build, entry: Instruction) -> str | None:
    """The script of the repository that an ENTRYPOINT names."""
    words = entry.words if entry.json else tuple(entry.value.split())
    name = next((posixpath.basename(word) for word in words if word.endswith(".sh")), None)
    if name is None:
        return None
    prefix = "" if build.context == "." else build.context + "/"
    found = [path for path in facts.tree.files if posixpath.basename(path) == name and path.startswith(prefix)]
    near = [path for path in found if posixpath.dirname(build.path) in path]
    return found[0] if len(found) == 1 else near[0] if len(near) == 1 else None


def _as_list(text: str) -> str:
    if re.match(r"\w+=", text):
        return f"""["sh", "-c", "exec env {text.replace('"', "'")}"]"""
    if re.search(r"[&|;$><`]", text):
        return (
            f'["sh", "-c", "exec {text}"]'.replace("&& ", "&& exec ")
            if "&&" not in text
            else '["sh", "-c", "… && exec …"]'
        )
    return "[" + ", ".join(f'"{word}"' for word in text.split()) + "]"


def _finding(build: Build, file: str, line: int, message: str, fix: str) -> Finding:
    app = build.service.name if build.service is not None else ""
    return Finding(ID, Severity.WARNING, file, line, 1, message, app, app, frozenset({app} if app else ()), fix)


RULE = Rule(
    ID,
    "stop-signal-lost",
    Severity.WARNING,
    "",
    "Docker stops a container by sending SIGTERM to its first process. When that is a shell (CMD or ENTRYPOINT as "
    "text, or a script that starts the program without exec), the program never hears of it: requests in flight are "
    "cut when the grace period ends, and every deployment waits for it.",
    check,
)
