"""One error type. What it says comes from the catalogue; what it does to the exit code stands here."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Self

from agent.model import messages


class Exit(IntEnum):
    """Exit codes of every command, as documented in the README."""

    DONE = 0
    FAILED = 1
    MISUSE = 2
    DETACHED = 3
    """The connection was lost while the operation goes on."""


class IkomaError(Exception):
    """A foreseeable fault: an id from the catalogue, its parameters and an exit code.

    Args:
        message_id: a key of the catalogue, e.g. ``registry.denied``.
        exit_code: what a command ends with when this reaches its edge.
        step: the step of a deployment in which it happened, when there was one.
        params: values for the placeholders; never a secret (pass ``Secret`` and it masks itself).
    """

    def __init__(
        self, message_id: str, /, *, exit_code: Exit = Exit.FAILED, step: str | None = None, **params: Any
    ) -> None:
        super().__init__(message_id)
        self.id = message_id
        self.exit_code = exit_code
        self.step = step
        self.params: dict[str, Any] = {
            name: value if isinstance(value, int | float | bool) else str(value) for name, value in params.items()
        }
        self._foreign: tuple[str, str] | None = None

    def about(self, options: str) -> Self:
        """Let the commands of its remedy name the target they are about (``Target.options``), unless they do."""
        self.params.setdefault("of", f" {options}")
        return self

    def message(self, lang: str | None = None) -> str:
        """Return the sentence for people, in ``lang`` or the language of the environment."""
        return self._foreign[0] if self._foreign else messages.text(self.id, self.params, lang)

    def remedy(self, lang: str | None = None) -> str:
        """Return the next thing to type or do; empty when there is none."""
        return self._foreign[1] if self._foreign else messages.remedy(self.id, self.params, lang)

    def to_json(self, lang: str | None = None) -> dict[str, Any]:
        """Return the shape documented for ``error``: id, step, message, remedy (and the parameters)."""
        return {
            "id": self.id,
            "step": self.step,
            "message": self.message(lang),
            "remedy": self.remedy(lang),
            "params": self.params,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], exit_code: Exit = Exit.FAILED) -> IkomaError:
        """Rebuild an error that crossed the wire; an id this side does not know keeps its text."""
        error = cls(str(data.get("id", "wire.internal")), exit_code=exit_code, step=data.get("step"))
        error.params = dict(data.get("params") or {})
        if error.id not in messages.catalogue():
            error._foreign = (str(data.get("message", "")), str(data.get("remedy", "")))
        return error

    def __str__(self) -> str:
        return self.message()


class Misuse(IkomaError):
    """Bad input or wrong use: exit code 2, and nothing was changed."""

    def __init__(self, message_id: str, /, **params: Any) -> None:
        super().__init__(message_id, exit_code=Exit.MISUSE, **params)
