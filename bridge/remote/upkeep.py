"""An agent that is on a host already: bring it up to date, go back one version, or take it away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from agent.model.errors import Misuse
from bridge.remote import layout
from bridge.remote.admin import Admin
from bridge.remote.bootstrap import Installation, OnAction, install, perform, prepare
from bridge.remote.facts import Facts, gather
from bridge.remote.package import Interpreter
from bridge.remote.plan import Action, Plan
from bridge.remote.wanted import command, sshd, switch

# Any Python of the host will do where no agent is run by it.
_ANY: str = "python3"


def installed(facts: Facts) -> str:
    """Return the version that serves on a host. Raises ``Misuse("remote.not_installed")``."""
    target = facts.state(layout.CURRENT).get("target")
    if not target:
        raise Misuse("remote.not_installed")
    return PurePosixPath(str(target)).name


def prepare_upgrade(admin: Admin) -> Installation:
    """Return what bringing the agent to this bridge's version would change. Changes nothing.

    Raises:
        Misuse: ``remote.not_installed``.
    """
    installation = prepare(admin)
    installed(installation.facts)
    return installation


@dataclass(frozen=True, slots=True)
class StepBack:
    """The version that served before, and what letting it serve again would change."""

    version: str
    plan: Plan


def prepare_back(admin: Admin) -> StepBack:
    """Return what going back one version would change. Changes nothing.

    Raises:
        Misuse: ``remote.not_installed`` or ``remote.no_previous``.
    """
    facts = gather(admin)
    former = former_version(facts)
    program = f"{layout.version_folder(former)}/bin/ikoma-agent"
    test = command("runuser", "-u", layout.USER, "--", program, "selftest")
    return StepBack(former, Plan((test, *switch(former, facts, ships=False))))


def carry_out(admin: Admin, step: Installation | StepBack, on_action: OnAction) -> None:
    """Carry out either; a second step back comes forward again. See ``bootstrap.install`` for what it raises."""
    if isinstance(step, Installation):
        install(admin, step, on_action)
    else:
        perform(admin, step.plan.actions, Interpreter(_ANY, (3, 0), ""), on_action=on_action)


def former_version(facts: Facts) -> str:
    """Return the version that served before. Raises ``Misuse("remote.no_previous")`` when it is not there."""
    installed(facts)
    former = PurePosixPath(str(facts.state(layout.PREVIOUS).get("target", ""))).name
    if former not in facts.versions:
        raise Misuse("remote.no_previous")
    return former


def removal(facts: Facts) -> Plan:
    """Return the plan that takes the agent away and leaves containers, data, backups and compose files. Pure."""
    return Plan(tuple(_removal(facts)))


def uninstall(admin: Admin, plan: Plan, on_action: OnAction) -> None:
    """Carry out a removal. Raises ``IkomaError("remote.host_busy")`` during an operation."""
    perform(admin, plan.actions, Interpreter(_ANY, (3, 0), ""), on_action=on_action)


def _removal(facts: Facts) -> Iterator[Action]:
    units = [f"{layout.UNIT_FOLDER}/{name}" for name in layout.UNITS]
    present = [path for path in (*units, layout.COMMAND, layout.OPT, layout.ETC) if _is_there(facts, path)]
    if facts.user or present:
        yield Action("idle", "remote.plan.idle", {}, {"locks": layout.LOCKS})
    if facts.timer:
        yield command("systemctl", "disable", "--now", layout.TIMER)
    if facts.systemd and _is_there(facts, f"{layout.UNIT_FOLDER}/{layout.DOOR}"):
        yield command("systemctl", "stop", layout.DOOR)
    if _is_there(facts, layout.DROP_IN):
        yield sshd(None)
    for path in present:
        yield Action("remove", "remote.plan.remove", {"path": path}, {"path": path}, "remove")
    if facts.systemd and present:
        yield command("systemctl", "daemon-reload")
    if facts.user:
        args = {"name": layout.USER, "folders": [layout.STATE, layout.LOG, layout.BACKUPS, layout.APPS]}
        yield Action("drop_user", "remote.plan.drop_user", {"name": layout.USER}, args, "remove")


def _is_there(facts: Facts, path: str) -> bool:
    return bool(facts.state(path)["kind"] != "absent")
