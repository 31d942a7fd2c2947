"""IKB207: SIGTERM does not reach the process."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity
from bridge.checks.rules.compose_services import is_short
from bridge.workspace import shell
from bridge.workspace.builds import Build
from bridge.workspace.compose import Compose, Service
from bridge.workspace.dockerfile import Dockerfile, Instruction
from bridge.workspace.layers import Walk

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB207"


_SHELLS = re.compile(r"(?:.*/)?(?:sh|bash|ash|dash)")
_INITS = re.compile(r"(?:.*/)?(?:tini|tini-static|dumb-init|catatonit|init|s6-svscan|supervisord)")
_HANDED = re.compile(
    r"""(?:^|[;&|({]|\b(?:then|do|else))\s*(?:\w+=(?:'[^']*'|"[^"]*"|[^\s'"]*)\s+)*(?:exec|trap)\s""", re.MULTILINE
)
_ENDS = frozenset({"exit", "wait", "true", "false", ":", "echo", "return", "kill"})
"""What a shell does itself at the end of a job: nothing is started there that would run on."""
_CLOSED = frozenset({"done", "fi", "esac", "}", ")"})


def check(facts: Facts) -> Iterable[Finding]:
    for build in facts.builds:
        parsed = facts.dockerfiles.get(build.path)
        if isinstance(parsed, Dockerfile):
            yield from _build(facts, build, parsed)
    for compose in facts.composes:
        if compose.path == facts.compose_path:
            for service in compose.services:
                yield from _service(facts, compose, service)


def _build(facts: Facts, build: Build, parsed: Dockerfile) -> Iterator[Finding]:
    command, entry = _final(build, parsed)
    started = entry or command
    if started is None or _has_init(build.service) or (started.json and _is_init(started.words)):
        return
    script = _script(facts, build, started)
    if script is not None and entry is not None and command is not None and _takes_words(facts.tree.text(script)):
        entry, started, script = None, command, _script(facts, build, command)
    if script is not None and (entry is not None or started.json):
        yield from _by_script(build, script, facts.tree.text(script), "entrypoint" if entry is not None else "script")
    elif started.json:
        more = command.words if entry is not None and command is not None and command.json else ()
        if (kept := _kept((*started.words, *more))) is not None:
            yield _finding(build, build.path, started.line, f"{started.keyword} {kept[0]}", kept[1])
    elif not _hands_over(build, parsed, started.value):
        message = (
            f"{started.keyword} {started.value[:60]} runs under a shell, which gets SIGTERM and does not hand it on: "
            f"stopping takes the whole grace period and then kills."
        )
        fix = f"Write it as a list: {started.keyword} {_as_list(started.value)}"
        yield _finding(build, build.path, started.line, message, fix)


def _by_script(build: Build, script: str, text: str, what: str) -> Iterator[Finding]:
    """A script that starts its program as a child; one that CMD names may also be a job that ends by itself."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    ends = what == "script" and (not lines or lines[-1].split()[0] in _ENDS)
    if text.startswith("#!") and _HANDED.search(text) is None and not ends:
        message = f"The {what} {script} starts the program without exec: the shell keeps SIGTERM to itself."
        line = max(1, len(text.rstrip().splitlines()))
        yield _finding(build, script, line, message, "Start the program with exec in its last line.")


def _takes_words(text: str) -> bool:
    """Whether a script gives its place to what it is called with: to CMD."""
    return re.search(r"""^\s*exec\s(?:.*\s)?["']?\$[@*]""", text, re.MULTILINE) is not None


def _service(facts: Facts, compose: Compose, service: Service) -> Iterator[Finding]:
    """What a service starts instead of its image's own; a word alone is no shell's text there."""
    keys = [key for key in ("entrypoint", "command") if service.data.get(key)]
    words = tuple(word for key in keys for word in _words(service.data[key]))
    if not keys or _has_init(service) or is_short(compose, service) or (kept := _kept(words)) is None:
        return
    if keys == ["command"] and any(_is_wrapped(facts, build) for build in facts.builds if build.service is service):
        return
    line, column = compose.position("services", service.name, keys[0])
    message = f"{keys[0]} of the service {service.name}: {kept[0]}"
    yield Finding(ID, Severity.WARNING, compose.path, line, column, message, service.name, service.name,
                  frozenset({service.name}), kept[1])  # fmt: skip


def _is_wrapped(facts: Facts, build: Build) -> bool:
    """Whether the image has an entrypoint, which then gets the words of ``command``."""
    parsed = facts.dockerfiles.get(build.path)
    return not isinstance(parsed, Dockerfile) or _final(build, parsed)[1] is not None


def _words(value: object) -> list[str]:
    """A text is split into words by Compose itself."""
    if isinstance(value, list):
        return [str(word) for word in value]
    try:
        return shlex.split(str(value))
    except ValueError:
        return []


def _kept(words: tuple[str, ...]) -> tuple[str, str] | None:
    """What is wrong with several commands in the text of ``sh -c``, and what to do; None for all that is well."""
    at = next((at for at, word in enumerate(words) if at and (word[:1] != "-" or re.fullmatch(r"-[a-z]*c", word))), 0)
    if not at or words[at][:1] != "-" or len(words) == at + 1 or not _SHELLS.fullmatch(words[0]):
        return None
    text = words[at + 1]
    parts = shell.sequence(text)
    last = parts[-1].split()[0] if parts else ""
    if len(parts) < 2 or _HANDED.search(text) or last in _ENDS:
        return None
    keeps = "SIGTERM reaches none but the last program, and before bash 5.1 not even that"
    if "bash" not in words[0]:
        keeps = "Debian's sh gets SIGTERM and does not hand it on, others only to the last program"
    ending = f" the last program: exec {parts[-1]}" if last not in _CLOSED else " the program."
    return f"{words[0]} {words[at]} runs several commands: {keeps}.", f"Write exec before{ending}"


def _has_init(service: Service | None) -> bool:
    return service is not None and str(service.data.get("init", "")).lower() == "true"


def _is_init(words: tuple[str, ...]) -> bool:
    return bool(words) and _INITS.fullmatch(words[0]) is not None


def _hands_over(build: Build, parsed: Dockerfile, text: str) -> bool:
    """Whether the program takes the shell's place: by exec, or by busybox, which does so for a single command."""
    walk = Walk(parsed, [], build.arguments, lambda _names, _docker: ())
    index = walk.stage(build.target) if build.target else len(walk.layers) - 1
    small = index is not None and re.search(r"alpine|busybox", walk.layers[index].base) is not None
    return _HANDED.search(text) is not None or (small and re.search(r"[&|;\n(]", text) is None)


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
    """The script of the repository that an ENTRYPOINT or a CMD names."""
    words = entry.words if entry.json else tuple(entry.value.split())
    if any(len(shell.sequence(text)) > 1 for text in (words if entry.json else (entry.value,))):
        return None
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
    "text, several commands behind sh -c, or a script that starts the program without exec), the program never hears "
    "of it: requests in flight are cut when the grace period ends, and every deployment waits for it.",
    check,
)
