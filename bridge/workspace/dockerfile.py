"""Reads a Dockerfile as BuildKit does: directives, continuations, heredocs, flags, JSON form, line numbers.

Pure and without a dependency, so that it runs wherever the bridge runs; a test holds it equal to BuildKit's own
parser. What the instructions mean for an image stands in ``stages``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from agent.model.errors import Misuse

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_DIRECTIVES: Final = {"syntax", "escape", "check"}
_HEREDOC = re.compile(r"(?:^|(?<=\s))\d*<<(-?)(\"[^\"<]+\"|'[^'<]+'|[^\s<\"']+)")
_TAKES_HEREDOC: Final = {"ADD", "COPY", "RUN"}
_TAKES_JSON: Final = {"ADD", "COPY", "RUN", "CMD", "ENTRYPOINT", "SHELL", "VOLUME"}
_TAKES_FLAGS: Final = {"ADD", "COPY", "FROM", "HEALTHCHECK", "RUN"}


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A document inside the Dockerfile. ``expand`` says that variables in it are replaced (an unquoted name)."""

    name: str
    content: str
    expand: bool


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: ``words`` are the items of the JSON form, else what stands between blanks."""

    keyword: str
    flags: tuple[str, ...]
    value: str
    words: tuple[str, ...]
    json: bool
    heredocs: tuple[Heredoc, ...]
    line: int
    end: int

    def flag(self, name: str) -> str:
        """Return the value of ``--name=value``, or an empty string."""
        return next((flag.partition("=")[2] for flag in self.flags if flag.partition("=")[0] == f"--{name}"), "")

    def flag_values(self, name: str) -> list[str]:
        """Return the values of a flag that may stand several times."""
        return [flag.partition("=")[2] for flag in self.flags if flag.partition("=")[0] == f"--{name}"]


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A parsed Dockerfile. ``syntax`` names the frontend it asks for; empty for the one built in."""

    instructions: tuple[Instruction, ...]
    escape: str = "\\"
    syntax: str = ""


def parse(text: str, name: str = "Dockerfile") -> Dockerfile:
    """Return the instructions in ``text``. Raises ``Misuse("dockerfile.broken")`` with file and line."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\n").split("\n")
    directives = _directives(lines)
    reader = _Reader(lines, directives.get("escape", "\\"), name)
    instructions = tuple(reader.instructions())
    if not any(item.keyword == "FROM" for item in instructions):
        raise Misuse("dockerfile.broken", file=name, line=1, reason="there is no FROM")
    return Dockerfile(instructions, reader.escape, directives.get("syntax", ""))


def _directives(lines: list[str]) -> dict[str, str]:
    """Read the parser directives: only at the very top, one a line."""
    found: dict[str, str] = {}
    for line in lines:
        match = _DIRECTIVE.match(line.strip())
        if match is None or (key := match[1].lower()) not in _DIRECTIVES or key in found:
            break
        found[key] = match[2]
    return found


class _Reader:
    """Goes through the lines once."""

    def __init__(self, lines: list[str], escape: str, name: str) -> None:
        if escape not in ("\\", "`"):
            raise Misuse("dockerfile.broken", file=name, line=1, reason=f"escape={escape} is neither \\ nor `")
        self.lines, self.escape, self.name, self.at = lines, escape, name, 0
        mark = re.escape(escape)
        self._continued = re.compile(rf"(?:(?<=[^{mark}])|^){mark}[ \t]*$")

    def instructions(self) -> list[Instruction]:
        """Return all instructions."""
        found = []
        while self.at < len(self.lines):
            text = self.lines[self.at].strip()
            if not text or text.startswith("#"):
                self.at += 1
            else:
                found.append(self._instruction())
        return found

    def _instruction(self) -> Instruction:
        start = self.at + 1
        logical = self._logical_line().strip()
        keyword, _, rest = _split_once(logical)
        keyword = keyword.upper()
        if not keyword.isalpha():
            raise Misuse("dockerfile.broken", file=self.name, line=start, reason=f"“{keyword[:40]}” is no instruction")
        flags, value = _flags(rest, self.escape) if keyword in _TAKES_FLAGS else ((), rest)
        words, is_json = _words(keyword, value)
        heredocs = self._heredocs(value, start) if keyword in _TAKES_HEREDOC and not is_json else ()
        return Instruction(keyword, flags, value, words, is_json, heredocs, start, self.at)

    def _logical_line(self) -> str:
        """Join continued lines; comments and empty lines between them do not count."""
        joined = ""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            if joined and (not line.strip() or line.lstrip().startswith("#")):
                continue
            cut = self._continued.search(line)
            joined += line[: cut.start()] if cut else line
            if cut is None:
                break
        return joined

    def _heredocs(self, value: str, start: int) -> tuple[Heredoc, ...]:
        return tuple(self._heredoc(match[1] == "-", match[2], start) for match in _HEREDOC.finditer(value))

    def _heredoc(self, chomp: bool, word: str, start: int) -> Heredoc:
        name = word.strip("\"'")
        body: list[str] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            line = line.lstrip("\t") if chomp else line
            if line == name:
                return Heredoc(name, "".join(f"{item}\n" for item in body), expand=word == name)
            body.append(line)
        raise Misuse("dockerfile.broken", file=self.name, line=start, reason=f"the heredoc {name} does not end")


def _split_once(text: str) -> tuple[str, str, str]:
    head, *rest = text.split(None, 1)
    return head, " ", rest[0].strip() if rest else ""


def _flags(text: str, escape: str) -> tuple[tuple[str, ...], str]:
    """Take the leading ``--flags`` off ``text``; quotes and the escape character protect blanks in them."""
    flags: list[str] = []
    while text.startswith("--"):
        word, rest = _one_word(text, escape)
        if word == "--":
            return tuple(flags), rest
        flags.append(word)
        text = rest
    return tuple(flags), text


def _one_word(text: str, escape: str) -> tuple[str, str]:
    """Return the first word without its quotes, and what follows it."""
    word, quote, at = "", "", 0
    while at < len(text) and (quote or not text[at].isspace()):
        char = text[at]
        if char == escape and at + 1 < len(text):
            at += 1
            word += text[at]
        elif char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        else:
            word += char
        at += 1
    return word, text[at:].lstrip()


def _words(keyword: str, value: str) -> tuple[tuple[str, ...], bool]:
    if keyword == "HEALTHCHECK" and value[:3].upper() == "CMD":
        words, is_json = _words("CMD", value[3:].strip())
        return ("CMD", *words), is_json
    if keyword in _TAKES_JSON and value.startswith("["):
        try:
            items = json.loads(value)
        except ValueError:
            items = None
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            return tuple(items), True
    return tuple(value.split()), False
