"""The inputs of one run, read from the environment and judged all at once. Pure but for the variables it takes away."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Final

from agent.model import names
from agent.model.errors import Misuse
from agent.model.secret import Secret
from bridge.github.inputs import INPUTS, NAMES, PREFIX, Input

_BOTH: Final = (("host-key", "known-hosts"), ("release", "only"), ("release", "build-values"),
                ("release", "sbom"))  # fmt: skip
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What programs that we start listen to is no value for a build.
_OURS: Final = re.compile(
    r"(GITHUB|ACTIONS|RUNNER|BRIDGE|IKOMA|INPUT|DOCKER|BUILDX|BUILDKIT|PYTHON|LD|DYLD|SSL|SSH|GIT|COMPOSE|XDG)_\w*"
    r"|PYTHON\w+|PATH|HOME|IFS|ENV|SHELL|BASH\w*|NODE_OPTIONS|TMPDIR|\w+_PROXY|\w+_proxy"
)
_IMAGE: Final = re.compile(r"[a-z0-9][a-zA-Z0-9._:/@-]{0,250}")
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Request:
    """Valid inputs of one run, by name; what was not given is its default, or empty."""

    values: Mapping[str, str]
    secrets: Mapping[str, Secret]

    @property
    def command(self) -> str:
        return self.values["command"]

    def text(self, name: str) -> str:
        """Return a value that is no secret."""
        return self.values[name]

    def lines(self, name: str) -> tuple[str, ...]:
        """Return the lines of a list."""
        return tuple(_lines(self.values[name]))

    def flag(self, name: str) -> bool:
        """Return whether a flag is set."""
        return self.values[name] == "true"

    def secret(self, name: str) -> Secret:
        """Return a secret, perhaps an empty one."""
        return self.secrets[name]

    @property
    def build_values(self) -> dict[str, str]:
        """Public values for the build."""
        return {name: value for name, _, value in (line.partition("=") for line in self.lines("build-values"))}


def take(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Take the inputs out of ``environ``, so that no program that we start inherits them, and return them by name."""
    found = {item.name: environ.pop(item.variable, "") for item in INPUTS}
    for name in [name for name in environ if name.startswith(PREFIX)]:
        del environ[name]
    return found


def read(given: Mapping[str, str]) -> Request:
    """Return the request. Raises ``Misuse("action.inputs")`` with every problem there is, one a line."""
    values = {item.name: _value(item, given.get(item.name, "")) for item in INPUTS}
    if problems := list(_problems(values)):
        raise Misuse("action.inputs", count=len(problems), problems="\n".join(f"- {problem}" for problem in problems))
    secrets = {item.name: Secret(values.pop(item.name)) for item in INPUTS if item.kind == "secret"}
    return Request(values, secrets)


def _value(item: Input, given: str) -> str:
    value = given if item.kind == "secret" else given.strip()
    default = "" if "${{" in item.default else item.default
    return value or default


def _problems(values: Mapping[str, str]) -> Iterator[str]:
    command = values["command"]
    for item in INPUTS:
        yield from _problems_of(item, values[item.name], command)
    for one, other in _BOTH:
        if values[one] and values[other]:
            yield f"`{one}` and `{other}` contradict each other: give one of them."
    if command == "rollback" and values["to"] and not names.RELEASE.fullmatch(values["to"]):
        yield f"`to` must be `r-` and 12 digits or letters a to f, not {_shown(values['to'])}."
    for line in _lines(values["build-values"]):
        yield from _problems_of_assignment(line)
    if values["sbom"] not in ("", "true", "false") and not _IMAGE.fullmatch(values["sbom"]):
        yield f"`sbom` must be true, false or the name of an image, not {_shown(values['sbom'])}."
    if values["ssh-key"] and not values["ssh-key"].lstrip().startswith("-----BEGIN"):
        yield "`ssh-key` must be the text of a private key, from -----BEGIN to -----END."
    for name in ("app", "environment"):
        if values[name] and not names.NAME.fullmatch(values[name]):
            yield f"`{name}` must be lower-case letters, digits and dashes, not {_shown(values[name])}."


def _problems_of(item: Input, value: str, command: str) -> Iterator[str]:
    known = command in NAMES["command"].choices
    if not value:
        if command in item.required or (item.name == "command"):
            yield f"`{item.name}` is missing" + (f": `{command}` needs it." if known else ".")
        return
    if known and command not in item.commands and value != item.default and "${{" not in item.default:
        yield f"`{item.name}` means nothing to `{command}`: leave it out."
    elif item.kind == "choice" and value not in item.choices:
        near = _near(value, item.choices)
        yield f"`{item.name}` must be one of {', '.join(item.choices)}, not {_shown(value)}{near}."
    elif item.kind == "flag" and value not in ("true", "false"):
        yield f"`{item.name}` must be true or false, not {_shown(value)}."
    elif item.kind == "number" and not (value.isascii() and value.isdecimal()):
        yield f"`{item.name}` must be a number, not {_shown(value)}."
    elif item.kind in ("text", "number") and "\n" in value and item.name != "known-hosts":
        yield f"`{item.name}` must be one line."


def _problems_of_assignment(line: str) -> Iterator[str]:
    name, equals, _ = line.partition("=")
    if not equals or not _VARIABLE.fullmatch(name):
        yield "`build-values` must be lines of `NAME=value`; one of them is not."
    elif _OURS.fullmatch(name):
        yield f"`build-values` must not set {_shown(name)}."


def _lines(value: str) -> list[str]:
    return [line.strip() for line in value.splitlines() if line.strip()]


def _shown(value: str) -> str:
    """Return a wrong value for a message: one line, short, in quotes."""
    line = " ".join(value.split())
    return f'"{line[:_LONGEST]}{"…" if len(line) > _LONGEST else ""}"'


def _near(value: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(value, known, 1)
    return f" ({near[0]}?)" if near else ""
