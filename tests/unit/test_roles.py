"""Who may call what: every capability, in every role, at every door. What is refused is in the history."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from agent.capabilities import CAPABILITIES
from agent.capabilities.index import Capability
from agent.doors import ssh
from agent.doors.service import Service
from agent.host import history
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.model.errors import IkomaError, Misuse
from agent.model.names import new_operation
from agent.protocol import ROLES, Body

ALL = sorted(CAPABILITIES.values(), key=lambda one: one.name)
HOST_WIDE = frozenset(
    {"alerts.get", "alerts.set", "alerts.test", "platform.check", "platform.capabilities", "audit.query",
     "audit.verify", "keys.list", "keys.rotate", "keys.revoke", "operations.cancel", "apps.list"}
)  # fmt: skip
"""Capabilities that need no app; each looks at the caller's grant by itself."""


class Wire:
    """Standard output, kept."""

    def __init__(self) -> None:
        self.fd, self.lines = -1, list[dict[str, Any]]()

    def send(self, value: dict[str, Any]) -> None:
        self.lines.append(value)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    paths = Paths(tmp_path_factory.mktemp("host"))
    for folder in (paths.etc, paths.locks, paths.incoming, paths.log, paths.apps):
        folder.mkdir(parents=True)
    grants = {role: {"role": role, "apps": ["*"], "environments": ["*"]} for role in ROLES}
    grants["shopper"] = {"role": "builder", "apps": ["shop"], "environments": ["*"]}
    paths.keys.write_text(json.dumps(grants))
    return paths


def over_ssh(paths: Paths, key: str, capability: Capability, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the error that a call without a body gets: ``wire.body`` shows that it was let in."""
    wire, line = Wire(), f"v1 {capability.name}"
    monkeypatch.setattr(ssh, "open", lambda *_, **__: io.BytesIO(b""), raising=False)
    if capability.changes:
        line += f" {new_operation()}"
    ssh._Call(paths, key, CAPABILITIES, wire).answer(line)  # type: ignore[arg-type]
    return str(wire.lines[-1]["error"]["id"])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("capability", ALL, ids=lambda one: one.name)
def test_over_ssh_a_role_reaches_what_is_its_own_and_a_refusal_is_in_the_history(
    host: Paths, role: str, capability: Capability, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = ROLES.index(role) >= ROLES.index(capability.role)
    assert over_ssh(host, role, capability, monkeypatch) == ("wire.body" if allowed else "wire.forbidden")
    line = history.query(host, lambda _: True, 1)[0]
    assert (line["key"], line["capability"], line["door"]) == (role, capability.name, "ssh")
    assert line["result"] == ("error" if allowed else "refused")


@pytest.mark.parametrize("role", ["", "root", *ROLES])
def test_every_door_asks_the_same_service(role: str) -> None:
    for door in ("ssh", "http", "mcp", "cli"):
        asked = Service(Paths(Path("/nonexistent")), CAPABILITIES, Grant("key", role), door)
        reached = {one.name for one in ALL if _reaches(asked, one)}
        known = ROLES.index(role) if role in ROLES else -1
        assert reached == {one.name for one in ALL if ROLES.index(one.role) <= known}


def _reaches(asked: Service, capability: Capability) -> bool:
    try:
        return asked.capability(capability.name, new_operation() if capability.changes else None) is capability
    except Misuse as error:
        if error.id != "wire.forbidden":
            raise
        return False


@pytest.mark.parametrize("capability", ALL, ids=lambda one: one.name)
def test_a_key_of_one_app_reaches_no_other(host: Paths, capability: Capability) -> None:
    asked = Service(host, CAPABILITIES, Grant("shopper", "builder", apps=("shop",)), "ssh")
    body = Body(app="blog", args={})

    def act() -> None:
        if capability.changes:
            asked.change(capability, new_operation(), body, io.BytesIO())
        else:
            asked.read(capability, body)

    with pytest.raises(IkomaError) as caught:
        act()
    assert caught.value.id == "wire.foreign_app"


def test_what_needs_no_app_is_known_by_name_and_looks_at_the_grant_itself() -> None:
    """A new one here must be judged: what does it tell a key that is limited to one app?"""
    assert {one.name for one in ALL if not one.needs_target} <= HOST_WIDE


def test_a_key_of_one_app_reads_only_its_own_lines_of_the_history(host: Paths) -> None:
    shop, everything = (Service(host, CAPABILITIES, grant, "ssh") for grant in (
        Grant("shopper", "builder", apps=("shop",)), Grant("builder", "builder")))  # fmt: skip
    for app in ("shop", "blog"):
        everything.audit("deploy.up", "ok", Body(app=app))
    query = CAPABILITIES["audit.query"]
    seen = [line["appName"] for line in shop.read(query, Body())["entries"]]
    assert set(seen) == {"shop"}
    assert {"shop", "blog", None} <= {line["appName"] for line in everything.read(query, Body())["entries"]}
    refused = everything.read(query, Body(args={"result": "refused"}))["entries"]
    assert {line["result"] for line in refused} <= {"refused"}


def test_no_capability_takes_a_path_or_a_command() -> None:
    """A key has verbs: none of them is a shell, a file or an address on the host."""
    forbidden = {"path", "file", "command", "cmd", "shell", "exec", "host", "url", "dsn", "folder"}
    assert {one.name: forbidden & set(one.takes or ()) for one in ALL if forbidden & set(one.takes or ())} == {}
