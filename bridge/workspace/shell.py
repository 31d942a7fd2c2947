"""Command lines in Dockerfiles, scripts and workflows: simple commands, and what package managers are told. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_PIECE: Final = re.compile(
    r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\{[^}\n]*\}|(&&|\|\||[;|\n()`]|(?<![>&])&(?![>&\d]))|[^'"\\;|\n()`&$]+|.""",
    re.DOTALL,
)
_ASSIGNED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_WRAPPERS: Final = frozenset({
    "sudo", "env", "exec", "time", "npx", "bunx", "pnpx", "dotenv", "cross-env", "corepack", "command", "nice", "if",
    "!", "--", "while", "until", "@", "doppler", "infisical",
    "then", "do", "else", "elif", "{", "}",
})  # fmt: skip
MANAGERS: Final = frozenset({"pnpm", "npm", "yarn", "bun"})
_FILTERS: Final = {
    "pnpm": ("--filter", "-F", "--filter-prod"),
    "turbo": ("--filter", "-F", "--scope"),
    "bun": ("--filter", "-F"),
    "npm": ("--workspace", "-w"),
    "lerna": ("--scope",),
}
_VALUED: Final = frozenset({
    "-C", "--dir", "--cwd", "--prefix", "--store-dir", "--reporter", "--loglevel", "--omit", "--include", "--env-file",
    "--concurrency", "--cache-dir", "--network-timeout", "--registry", "--out-dir", "--only", "--mode", "--cache", "-e",
    "--env-mode", "--log-order", "--output-logs", "--log-prefix", "--linker", "--backend", "--workspace-concurrency",
    "--ui", "--team", "--token", "--api", "-f", "--file", "--config",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command: what it assigns before itself, the program (without version) and its words."""

    program: str
    words: tuple[str, ...]
    assigned: tuple[str, ...] = ()

    def options(self, *names: str) -> list[str]:
        """Return the values of options, whether they stand as ``--x=v`` or ``--x v``; ``--`` ends them."""
        found, at = [], 0
        words = self.words[: self.words.index("--")] if "--" in self.words else self.words
        while at < len(words):
            name, equals, value = words[at].partition("=")
            if name in names:
                if not equals and at + 1 < len(words):
                    at, value = at + 1, words[at + 1]
                found.append(value)
            at += 1
        return found

    def has(self, *flags: str) -> bool:
        """Return whether one of these flags stands among the words."""
        return any(word in flags for word in self.words)

    @property
    def plain(self) -> list[str]:
        """The words that are neither options nor their values."""
        valued = {*_VALUED, *_FILTERS.get(self.program, ())}
        found, at = [], 0
        while at < len(self.words):
            word = self.words[at]
            if word == "--":
                break
            if not word.startswith("-"):
                found.append(word)
            elif word in valued:
                at += 1
            at += 1
        return found


@dataclass(frozen=True, slots=True)
class Filter:
    """A name of packages that a tool is told: ``tool`` is the program that reads it, ``text`` what stands there."""

    tool: str
    text: str


def commands(text: str, expand: Callable[[str], str] | None = None) -> Iterator[Command]:
    """Yield the simple commands of a shell text, wrappers such as ``npx`` and ``sudo`` taken off."""
    for part in _parts(text.replace("\\\r\n", " ").replace("\\\n", " ")):
        if (words := _words(part)) and (command := _command([expand(word) if expand else word for word in words])):
            yield command
            if command.program in MANAGERS:
                yield from _nested(command)


def _parts(text: str) -> Iterator[str]:
    """Split at ``&&``, ``|``, ``;``, line ends and brackets, but not inside quotes."""
    part = ""
    for match in _PIECE.finditer(text):
        if match[1]:
            yield part
            part = ""
        else:
            part += match[0]
    yield part


def sequence(text: str) -> list[str]:
    """Return what a shell runs one after the other, or one beside the other; a pipe is one of them."""
    found = [""]
    for match in _PIECE.finditer(text.replace("\\\r\n", " ").replace("\\\n", " ")):
        if match[1] in ("&&", ";", "\n", "&"):
            found.append("")
        else:
            found[-1] += match[0]
    return [part.strip() for part in found if part.strip()]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return text.split()


def _command(words: list[str]) -> Command | None:
    assigned: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if _ASSIGNED.match(word):
            assigned.append(word)
        elif word not in _WRAPPERS and not (assigned or at) and word.startswith("-"):
            return None
        elif word not in _WRAPPERS and not word.startswith("-"):
            break
        at += 1
    if at >= len(words):
        return None
    program = words[at].rpartition("/")[2]
    name = program.partition("@")[0] if program and program[0] != "@" else program
    return Command(name, tuple(words[at + 1 :]), tuple(assigned))


def _nested(command: Command) -> Iterator[Command]:
    """``pnpm exec turbo …``, ``pnpm dlx turbo …``, ``yarn turbo …``, ``pnpm turbo …`` run another program."""
    for at, word in enumerate(command.words):
        name = word.partition("@")[0]
        if name in ("turbo", "nx", "lerna") and at < 6:
            yield Command(name, command.words[at + 1 :], command.assigned)
            return


def filters(command: Command) -> list[Filter]:
    """Return the names of packages that ``command`` is told."""
    found = [Filter(command.program, text) for text in command.options(*_FILTERS.get(command.program, ()))]
    if command.program == "turbo" and command.words[:1] == ("prune",):
        found += [Filter("turbo", word) for word in command.plain[1:]]
    if command.program == "yarn" and command.words[:1] == ("workspace",) and len(command.words) > 1:
        found.append(Filter("yarn", command.words[1]))
    return found


_INSTALLS: Final = {
    "pnpm": ("install", "i"),
    "npm": ("install", "i", "ci", "clean-install"),
    "yarn": ("install",),
    "bun": ("install", "i", "ci"),
}


def is_install(command: Command) -> bool:
    """Return whether ``command`` installs what the manifests say (not single packages, not globally)."""
    verbs = _INSTALLS.get(command.program)
    if verbs is None or command.has("-g", "--global", "--lockfile-only", "--package-lock-only"):
        return False
    plain = command.plain
    if command.program == "yarn" and not plain:
        return not command.has("--version", "-v")
    return len(plain) == 1 and plain[0] in verbs
