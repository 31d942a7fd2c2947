"""What a host lacks, as a value: it can be printed, compared, and carried out. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.model import messages
from bridge.remote.facts import Facts

Change = Literal["create", "change", "remove", "run"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do on a host; ``kind`` and ``args`` as ``onhost/apply.py`` takes them.

    ``title`` is a message id; ``args`` may hold a secret (the text of a settings file) and are never printed.
    """

    kind: str
    title: str
    params: dict[str, Any] = field(default_factory=dict)
    args: dict[str, Any] = field(default_factory=dict, repr=False)
    change: Change = "run"

    def text(self, lang: str | None = None) -> str:
        """Return one line for people."""
        return messages.text(self.title, self.params, lang)

    def to_json(self, lang: str | None = None) -> dict[str, str]:
        """Return what a report shows of it."""
        return {"change": self.change, "text": self.text(lang)}


_SIGNS = {"create": "+", "change": "~", "remove": "-", "run": ">"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions that bring a host to the wanted state, in order. Empty when it is there."""

    actions: tuple[Action, ...]

    def __bool__(self) -> bool:
        return bool(self.actions)

    def render(self, lang: str | None = None) -> str:
        """Return the plan for people, a line an action: ``+`` creates, ``~`` changes, ``-`` removes, ``>`` runs."""
        return "\n".join(f"  {_SIGNS[action.change]} {action.text(lang)}" for action in self.actions)

    def to_json(self, lang: str | None = None) -> list[dict[str, str]]:
        """Return the plan for programs."""
        return [action.to_json(lang) for action in self.actions]


def missing(wanted: Iterable[Action], facts: Facts) -> Plan:
    """Return the plan that is left of ``wanted`` on a host that has what ``facts`` say."""
    return Plan(tuple(_marked(action, facts) for action in wanted if not is_there(action, facts)))


def _marked(action: Action, facts: Facts) -> Action:
    if action.kind not in ("folder", "file", "link", "sshd", "user"):
        return action
    exists = facts.user is not None if action.kind == "user" else facts.state(action.args["path"])["kind"] != "absent"
    return Action(action.kind, action.title, action.params, action.args, "change" if exists else "create")


def is_there(action: Action, facts: Facts) -> bool:
    """Say whether the host has already what ``action`` would bring about; nobody can say so of a program to run."""
    if action.kind == "user":
        return _has_user(action.args, facts.user)
    if action.kind == "install":
        return action.args["version"] in facts.versions
    if action.kind in ("folder", "file", "link", "sshd"):
        return _matches(action.kind, action.args, facts.state(action.args["path"]))
    return False


def _has_user(args: dict[str, Any], user: dict[str, Any] | None) -> bool:
    if user is None:
        return False
    return args["home"] == user["home"] and args["shell"] == user["shell"] and {*args["groups"]} <= {*user["groups"]}


def _matches(kind: str, args: dict[str, Any], state: dict[str, Any]) -> bool:
    if kind == "link":
        return (state["kind"], state.get("target")) == ("link", args["target"])
    if kind == "sshd":
        return (state["kind"], state.get("sha256")) == ("file", digest(args["content"]))
    if any(state.get(name) != args[name] for name in ("owner", "group", "mode")):
        return False
    content = args.get("content")
    return bool(state["kind"] == kind and (content is None or state.get("sha256") == digest(content)))


def digest(text: str) -> str:
    """Return the SHA-256 of a text as a file holds it."""
    return hashlib.sha256(text.encode()).hexdigest()
