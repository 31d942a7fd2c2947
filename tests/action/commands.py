"""What a runner makes of the lines and files of a step: workflow commands, masks, outputs; as its source has it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_COMMAND = re.compile(r"^\s*::([a-z-]+)(?: ([^:]*))?::(.*)$")
_OLD = re.compile(r"##\[([a-z-]+)([^\]]*)\](.*)")


@dataclass(frozen=True)
class Command:
    """One workflow command that the runner would have obeyed."""

    name: str
    properties: dict[str, str]
    value: str


@dataclass
class Log:
    """What people see of a job, and what the runner was told."""

    masks: list[str] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    raw: str = ""
    _stopped: str = ""

    def hear(self, text: str) -> None:
        """Take what a step printed."""
        for line in text.splitlines():
            if not self._obeyed(line):
                self.raw += line + "\n"

    def _obeyed(self, line: str) -> bool:
        match = _COMMAND.match(line) or _OLD.search(line)
        if self._stopped:
            if match and match[1] == self._stopped:
                self._stopped = ""
            return False
        if not match:
            return False
        properties = dict(item.partition("=")[::2] for item in (match[2] or "").split(",") if "=" in item)
        command = Command(match[1], {key.strip(): _back(value) for key, value in properties.items()}, _back(match[3]))
        self.commands.append(command)
        if command.name == "add-mask":
            self.masks += [command.value, *(line.strip() for line in command.value.splitlines() if line.strip())]
        if command.name == "stop-commands":
            self._stopped = command.value
        return command.name == "add-mask"

    @property
    def shown(self) -> str:
        """The log as people read it: masked, annotations included."""
        text = self.raw + "".join(f"{command.value}\n" for command in self.commands if command.name != "add-mask")
        for mask in sorted(filter(None, self.masks), key=len, reverse=True):
            text = text.replace(mask, "***")
        return text

    def of(self, name: str) -> list[Command]:
        """Return the commands of one kind."""
        return [command for command in self.commands if command.name == name]


def _back(text: str) -> str:
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, character)
    return text


def assignments(file: Path) -> dict[str, str]:
    """Return what a step wrote to GITHUB_OUTPUT or GITHUB_ENV. Raises ``ValueError`` where the runner would."""
    found: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, delimiter = line[:heredoc], line[heredoc + 2 :]
            found[name] = "\n".join(_until(delimiter, lines))
        elif equals > 0:
            found[line[:equals]] = line[equals + 1 :]
        else:
            raise ValueError(f"Invalid format '{line}'")
    return found


def _until(delimiter: str, lines: object) -> list[str]:
    taken: list[str] = []
    for line in lines:  # type: ignore[attr-defined]
        if line == delimiter:
            return taken
        taken.append(line)
    raise ValueError(f"Matching delimiter not found '{delimiter}'")
