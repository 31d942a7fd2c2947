"""Installing the agent: look at the host, say what would change, change it, and prove that one can still log in."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from agent.model.errors import IkomaError
from bridge.remote import layout
from bridge.remote.admin import Admin
from bridge.remote.channel import chunks
from bridge.remote.facts import Facts, gather
from bridge.remote.grants import Grant, Table, authorized_text, granted, probe_line
from bridge.remote.package import Interpreter, Package, build, choose, version_id
from bridge.remote.plan import Action, Plan, missing
from bridge.remote.probe import Probe
from bridge.remote.wanted import READABLE, Wanted, actions, file, sshd

OnAction = Callable[[Action], None]


@dataclass(frozen=True, slots=True)
class Installation:
    """A plan for one host and what it was made from."""

    facts: Facts
    interpreter: Interpreter
    wanted: Wanted
    plan: Plan

    @property
    def version(self) -> str:
        """The version of the agent that will serve."""
        return self.wanted.version

    @property
    def table(self) -> Table:
        """keys.json as it will be."""
        return granted(self.facts.text(layout.KEYS), self.wanted.grant, self.wanted.today)


def prepare(admin: Admin, settings: str | None = None, grant: Grant | None = None) -> Installation:
    """Look at the host and return what an installation would change. Changes nothing.

    Args:
        settings: text of a settings file; None keeps what the host has.
        grant: a key to register.

    Raises:
        IkomaError: ``remote.python_unsupported``, ``remote.machine_unsupported``, ``remote.no_docker``,
            ``settings.invalid``, ``remote.keys_damaged``, and what ``Admin`` raises.
    """
    if grant:
        grant.check()
    facts = gather(admin)
    interpreter = choose(facts.pythons, facts.machine)
    today = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    wanted = Wanted(version_id(interpreter), settings, grant, today)
    return Installation(facts, interpreter, wanted, missing(actions(wanted, facts), facts))


def install(admin: Admin, installation: Installation, on_action: OnAction) -> None:
    """Carry out the plan, then log in a second time, as the administrator and as the agent's user.

    Args:
        on_action: called with each action when it is done.

    Raises:
        IkomaError: ``remote.action_failed``, ``remote.sshd_refused``, ``remote.host_busy``; ``remote.login_failed``
            after sshd and authorized_keys were put back as they were.
    """
    if not installation.plan:
        return
    package = _package(installation)
    final = authorized_text(installation.table)
    with Probe(admin.destination) as probe:
        name = next(iter(installation.table), "")
        work = list(_work(installation.plan, package, authorized_text(installation.table, _probe(probe, name))))
        done = perform(admin, work, installation.interpreter, chunks(package.archive if package else None), on_action)
        try:
            probe.log_in(name, installation.version)
        except IkomaError as error:
            perform(admin, _undo(installation, done), installation.interpreter)
            raise IkomaError("remote.login_failed", reason=str(error)) from error
        perform(admin, [file(layout.AUTHORIZED, final, *READABLE)], installation.interpreter)


def perform(
    admin: Admin,
    work: Iterable[Action],
    interpreter: Interpreter,
    payload: Iterable[bytes] = (),
    on_action: OnAction | None = None,
) -> list[tuple[Action, dict[str, Any]]]:
    """Carry out actions on the host and return them with what each said. Raises as ``install`` does."""
    actions_ = list(work)
    request = {"actions": [{"kind": action.kind, **action.args} for action in actions_]}
    done = []
    for answer in admin.run("apply", request, payload, interpreter.path):
        action = actions_[answer["index"]]
        if answer["t"] == "failed":
            raise _failure(action, answer["reason"])
        if on_action:
            on_action(action)
        done.append((action, answer))
    if len(done) != len(actions_):
        raise IkomaError("remote.action_failed", action=actions_[len(done)].text(), reason="no answer")
    return done


def _package(installation: Installation) -> Package | None:
    ships = any(action.kind == "install" for action in installation.plan.actions)
    return build(installation.interpreter) if ships else None


def _probe(probe: Probe, name: str) -> str:
    return probe_line(name, probe.public) if name else ""


def _work(plan: Plan, package: Package | None, authorized: str) -> Iterable[Action]:
    """The plan with the package's size filled in, and the probe's key in the place of the final authorized_keys."""
    for action in plan.actions:
        if action.kind == "install" and package:
            size = {"length": package.archive.stat().st_size, "sha256": package.sha256}
            yield replace(action, args={**action.args, **size})
        elif action.args.get("path") != layout.AUTHORIZED:
            yield action
    yield file(layout.AUTHORIZED, authorized, *READABLE)


def _undo(installation: Installation, done: list[tuple[Action, dict[str, Any]]]) -> Iterable[Action]:
    yield file(layout.AUTHORIZED, installation.facts.text(layout.AUTHORIZED), *READABLE)
    for action, said in done:
        if action.kind == "sshd":
            yield sshd(said["previous"])


def _failure(action: Action, reason: str) -> IkomaError:
    if action.kind == "idle" and reason.startswith("busy "):
        _, target, holder = (reason + " ").split(" ", 2)
        return IkomaError("remote.host_busy", target=target, holder=holder.strip())
    if action.kind == "sshd":
        return IkomaError("remote.sshd_refused", reason=reason)
    return IkomaError("remote.action_failed", action=action.text(), reason=reason)
