"""Where a command speaks: sentences for people, and the one JSON object when it was asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from agent.model import messages
from agent.model.errors import Exit, IkomaError
from bridge.reports.text import clean, inert

if TYPE_CHECKING:
    from agent.model.secret import Redactor, Secret


class Console:
    """Two streams and their rules.

    With ``as_json`` stdout is kept for exactly one object, with ``kept`` for what ``raw`` prints, and people read
    stderr; without them people read stdout and faults go to stderr. In GitHub Actions nothing foreign can form a
    workflow command. Known secrets are masked in everything.
    """

    def __init__(
        self,
        *,
        as_json: bool = False,
        kept: bool = False,
        environ: Mapping[str, str] | None = None,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        env = os.environ if environ is None else environ
        self.as_json, self.kept = as_json, kept
        self.out, self.err = out or sys.stdout, err or sys.stderr
        self.actions = env.get("GITHUB_ACTIONS") == "true"
        self.lang = "en" if as_json else messages.language(env)  # the host's sentences are English then: do not mix
        self._env = env
        self.answered = False
        self._plain = bool(env.get("CI")) or self.actions or env.get("TERM") == "dumb"

    @cached_property
    def redactor(self) -> Redactor:
        """Masks every secret that this command has come to know."""
        from agent.model.secret import Redactor

        return Redactor(_known_secrets(self._env))

    @property
    def people(self) -> TextIO:
        """The stream that people read."""
        return self.err if self.as_json or self.kept else self.out

    @property
    def machine_lang(self) -> str:
        """The language of sentences in what is answered: never translated for machines."""
        return self.lang

    @property
    def lively(self) -> bool:
        """Whether people watch a terminal that can be redrawn."""
        return not self._plain and self.people.isatty()

    def text(self, message_id: str, **params: Any) -> str:
        """Return a sentence of the catalogue in the language of people."""
        return messages.text(message_id, params, self.lang)

    def line(self, text: str) -> str:
        """Return ``text`` as it may be printed: one line, no control characters, no workflow command, no secret."""
        line = self.redactor(clean(text))
        return inert(line) if self.actions else line

    def say(self, text: str) -> None:
        """Print lines for people."""
        for line in text.split("\n"):
            self._write(self.people, self.line(line) + "\n")

    def command(self, name: str, value: str = "") -> None:
        """Print a workflow command of ours; only in GitHub Actions."""
        if self.actions:
            self._write(self.people, f"::{name}::{self.line(value)}\n")

    def mask(self, value: str) -> None:
        """Teach the runner of GitHub Actions to mask ``value``: it obeys the line and shows nothing of it."""
        if self.actions:
            told = value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
            self._write(self.people, f"::add-mask::{told}\n")

    def problem(self, error: IkomaError) -> None:
        """Annotate the run in GitHub Actions with a fault; one that goes on elsewhere is a warning."""
        said = "\n".join(part for part in (error.message(self.lang), error.remedy(self.lang)) if part)
        lines = [self.line(line).replace("%", "%25") for line in said.splitlines()]
        self.command("warning" if error.exit_code == Exit.DETACHED else "error", "%0A".join(lines))

    def answer(self, value: Mapping[str, Any], text: str) -> None:
        """End a command: the object with ``--json``, else ``text`` for people."""
        if not self.as_json:
            if text:
                self.say(text)
            return
        if self.answered:
            raise RuntimeError("a command answers once")
        self.answered = True
        import json

        self._write(self.out, self._json(json.dumps(masked(value, self.redactor), ensure_ascii=False, indent=2)) + "\n")

    def raw(self, text: str) -> None:
        """End a command with machine-readable text on stdout, as it is but for secrets."""
        self.answered = True
        self._write(self.out, self._json(self.redactor(text)) + "\n")

    def _json(self, text: str) -> str:
        """Spell what GitHub's runner obeys anywhere in a line as JSON may spell it too; the value stays the same."""
        return text.replace("##[", "#\\u0023[") if self.actions and text.startswith(("{", "[")) else text

    def fault(self, error: IkomaError) -> None:
        """Print a fault and what to do about it to stderr."""
        said = error.message(self.lang)
        if remedy := error.remedy(self.lang):
            said += "\n" + self.text("say.remedy", remedy=remedy)
        for line in said.splitlines():
            self._write(self.err, self.line(line) + "\n")

    def learn(self, *secrets: Secret | str) -> None:
        """Mask these values from now on."""
        self.redactor.add(*secrets)

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        """Write ``text``; what the stream's encoding does not know is spelled out: nothing said may end a command."""
        encoding = stream.encoding or "utf-8"
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()


def masked(value: Any, redactor: Redactor) -> Any:
    """Return ``value`` with every known secret in its strings masked."""
    if isinstance(value, str):
        return redactor(value)
    if isinstance(value, Mapping):
        return {key: masked(item, redactor) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, redactor) for item in value]
    return value


def _known_secrets(env: Mapping[str, str]) -> list[str]:
    names = [name for name in env if name.startswith("BRIDGE_") and name.endswith(("_TOKEN", "_PASSWORD", "_KEY"))]
    keys = [env[name] for name in names if name.endswith("_KEY") and "-----BEGIN" in env[name]]
    return keys + [env[name] for name in names if not name.endswith("_KEY")]
