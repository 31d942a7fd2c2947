"""What a host should have: every action of an installation from nothing, in order. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.host import settings as host_settings
from agent.model.errors import Misuse
from bridge.remote import layout
from bridge.remote.facts import Facts
from bridge.remote.grants import Grant, authorized_text, granted, keys_text
from bridge.remote.plan import Action, is_there

READABLE = (layout.USER, 0o640)
"""Group and mode of a file that only root and the agent read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an administrator asked for. ``settings`` is the text of a settings file, or None to leave the host's."""

    version: str
    settings: str | None = None
    grant: Grant | None = None
    today: str = ""


def actions(wanted: Wanted, facts: Facts) -> Iterator[Action]:
    """Yield what makes the host as wanted; the size of the package is filled in when it is shipped.

    Raises:
        Misuse: ``remote.no_docker``, ``settings.invalid``, ``remote.keys_damaged``.
    """
    if not facts.docker_group:
        raise Misuse("remote.no_docker", system=facts.system)
    yield user(facts.docker_group)
    yield from folders()
    yield from _settings(wanted.settings, facts)
    yield from switch(wanted.version, facts, ships=wanted.version not in facts.versions)
    yield link(layout.COMMAND, layout.PROGRAM)
    table = granted(facts.text(layout.KEYS), wanted.grant, wanted.today)
    yield file(layout.KEYS, keys_text(table))
    yield from _units(facts)
    yield sshd(layout.SSHD)
    yield file(layout.AUTHORIZED, authorized_text(table), *READABLE)


def user(docker_group: str) -> Action:
    """The system user that the agent runs as."""
    args = {"name": layout.USER, "home": layout.STATE, "shell": "/bin/sh", "groups": [docker_group]}
    return Action("user", "remote.plan.user", {"name": layout.USER, "group": docker_group}, args)


def folders() -> Iterator[Action]:
    """The folders of the agent, with owners and modes."""
    for path, (owner, mode, adopt) in layout.FOLDERS.items():
        group = "root" if path.startswith(layout.OPT) else layout.USER
        args = {"path": path, "owner": owner, "group": group, "mode": mode, "adopt": adopt}
        yield Action("folder", "remote.plan.folder", _shown(args), args)


def file(path: str, content: str | None, group: str = "root", mode: int = 0o644) -> Action:
    """A file that belongs to root; None keeps the content that is there."""
    args = {"path": path, "owner": "root", "group": group, "mode": mode, "content": content}
    return Action("file", "remote.plan.file", _shown(args), args)


def link(path: str, target: str) -> Action:
    """A symbolic link."""
    return Action("link", "remote.plan.link", {"path": path, "target": target}, {"path": path, "target": target})


def switch(version: str, facts: Facts, ships: bool) -> Iterator[Action]:
    """Make ``version`` the one that serves: nobody at work, install, remember the former, rename the link.

    ``ships`` says that the version is not on the host yet.
    """
    folder = layout.version_folder(version)
    serving = facts.state(layout.CURRENT).get("target")
    if serving == folder and version in facts.versions:
        return
    if serving is not None:
        yield Action("idle", "remote.plan.idle", {}, {"locks": layout.LOCKS})
    if ships:
        args = {"version": version, "folder": layout.VERSIONS, "user": layout.USER}
        yield Action("install", "remote.plan.install", {"version": version, "folder": folder}, args)
    if serving not in (None, folder):
        yield link(layout.PREVIOUS, str(serving))
    yield link(layout.CURRENT, folder)
    links = [layout.CURRENT, layout.PREVIOUS]
    yield Action(
        "prune",
        "remote.plan.prune",
        {"keep": layout.KEPT_VERSIONS},
        {"folder": layout.VERSIONS, "keep": layout.KEPT_VERSIONS, "links": links},
    )


def sshd(content: str | None) -> Action:
    """The drop-in for sshd; None removes it."""
    expect = list(layout.SSHD_EXPECT) if content == layout.SSHD else []
    args = {"path": layout.DROP_IN, "content": content, "user": layout.USER, "expect": expect}
    title = "remote.plan.sshd" if content is not None else "remote.plan.no_sshd"
    return Action("sshd", title, {"path": layout.DROP_IN, "user": layout.USER}, args, "run" if content else "remove")


def command(*argv: str) -> Action:
    """A program to run."""
    return Action("command", "remote.plan.command", {"command": " ".join(argv)}, {"argv": list(argv)})


def _settings(text: str | None, facts: Facts) -> Iterator[Action]:
    if text is not None:
        check_settings(text)
    elif facts.state(layout.SETTINGS)["kind"] == "absent":
        text = "{}\n"
    yield file(layout.SETTINGS, text, *READABLE)


def check_settings(text: str) -> None:
    """Raise ``Misuse("settings.invalid")`` unless the agent would accept this settings file."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise Misuse("settings.invalid", file="--settings", reason=error) from None
    host_settings.parse(data, "--settings")


def _units(facts: Facts) -> Iterator[Action]:
    units = [file(f"{layout.UNIT_FOLDER}/{name}", content) for name, content in layout.UNITS.items()]
    yield from units
    enabled = facts.timer == "enabled"
    if facts.systemd and not (enabled and all(is_there(unit, facts) for unit in units)):
        yield command("systemctl", "daemon-reload")
    if facts.systemd and not enabled:
        yield command("systemctl", "enable", "--now", layout.TIMER)


def _shown(args: dict[str, Any]) -> dict[str, Any]:
    return {name: args[name] for name in ("path", "owner", "group")} | {"mode": f"{args['mode']:04o}"}
