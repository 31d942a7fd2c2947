"""``bridge host``: install the agent on a host with an administrator's key, look after it, take it away."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.model.errors import Exit, Misuse
from bridge.commands.edge import console
from bridge.commands.options import shared
from bridge.pipeline.settings import Flags, Where

if TYPE_CHECKING:
    from bridge.remote.admin import Admin
    from bridge.remote.connection import Destination
    from bridge.remote.grants import Grant
    from bridge.remote.plan import Action, Plan

app = typer.Typer(
    help="The host: install the agent, check, upgrade and remove it. Needs an administrator's key.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

_SHARED = ("repo", "app", "environment", "host", "port", "known_hosts", "host_key")

AdminUser = Annotated[
    str, typer.Option("--admin-user", metavar="USER", help="root, or a user with sudo (BRIDGE_ADMIN_USER).")
]
AdminKey = Annotated[
    str, typer.Option("--admin-key", metavar="FILE", help="The administrator's SSH key (BRIDGE_ADMIN_KEY).")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before changing the host.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]


@app.command("bootstrap", short_help="Install the agent, or bring an installation up to date.")
@shared(*_SHARED)
def bootstrap(
    flags: Flags,
    admin_user: AdminUser = "",
    admin_key: AdminKey = "",
    settings: Annotated[
        Path | None, typer.Option("--settings", metavar="FILE", help="Host settings (JSON) to write there.")
    ] = None,
    key_name: Annotated[str, typer.Option("--key-name", metavar="NAME", help="Name of the key to register.")] = "ci",
    public_key: Annotated[
        Path | None, typer.Option("--public-key", metavar="FILE", help="The key to register: its .pub file.")
    ] = None,
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="Its role: observer, operator or builder.")
    ] = "builder",
    grant_app: Annotated[
        list[str] | None, typer.Option("--grant-app", metavar="APP", help="An app it may act on (default: all).")
    ] = None,
    grant_env: Annotated[
        list[str] | None, typer.Option("--grant-env", metavar="ENV", help="An environment (default: all).")
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Install the agent, or bring an installation to the wanted state. Shows first what it will change.

    \b
    Examples:
      python -m bridge host bootstrap --host vps.example.com --public-key deploy_key.pub
      python -m bridge host bootstrap --admin-user debian --settings settings.json --dry-run
    """
    from bridge.remote.bootstrap import install, prepare

    grant = _grant(key_name, public_key, role, grant_app, grant_env) if public_key else None
    text = _text(settings) if settings else None
    with _admin(flags, admin_user, admin_key) as admin:
        installation = prepare(admin, text, grant)
        proceed = _agreed(installation.plan, admin.destination, yes=yes, dry_run=dry_run)
        if proceed:
            install(admin, installation, _show)
        _answer(admin.destination, installation.plan, proceed, version=installation.wanted.version)


@app.command("check", short_help="Look at a host and change nothing.")
@shared(*_SHARED)
def check(flags: Flags, admin_user: AdminUser = "", admin_key: AdminKey = "") -> None:
    """Look at a host and change nothing: system, engine, ports 80 and 443, disk, databases, clock.

    \b
    Examples:
      python -m bridge host check --host vps.example.com
      python -m bridge host check --json
    """
    from bridge.remote import check as checks
    from bridge.remote.facts import gather

    with _admin(flags, admin_user, admin_key) as admin:
        facts = gather(admin, survey=True)
        found = checks.rows(facts)
        result = {"host": admin.destination.host, **checks.to_json(facts, found), "error": None}
    console().answer(result, _table(found))
    if checks.worst(found) == "bad":
        raise typer.Exit(int(Exit.FAILED))


@app.command("upgrade", short_help="Bring the agent to this bridge's version.")
@shared(*_SHARED)
def upgrade(
    flags: Flags,
    admin_user: AdminUser = "",
    admin_key: AdminKey = "",
    back: Annotated[bool, typer.Option("--back", help="Let the former version serve again.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Bring the agent to this bridge's version; refused while an operation runs. Three versions are kept.

    \b
    Examples:
      python -m bridge host upgrade
      python -m bridge host upgrade --back
    """
    from bridge.remote import upkeep

    with _admin(flags, admin_user, admin_key) as admin:
        step = upkeep.prepare_back(admin) if back else upkeep.prepare_upgrade(admin)
        proceed = _agreed(step.plan, admin.destination, yes=yes, dry_run=dry_run)
        if proceed:
            upkeep.carry_out(admin, step, _show)
        _answer(admin.destination, step.plan, proceed, version=step.version)


@app.command("uninstall")
@shared(*_SHARED)
def uninstall(
    flags: Flags, admin_user: AdminUser = "", admin_key: AdminKey = "", yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Take the agent away. Containers, data, backups and compose files stay: plain docker compose runs them.

    \b
    Examples:
      python -m bridge host uninstall --dry-run
      python -m bridge host uninstall --yes
    """
    from bridge.remote import upkeep
    from bridge.remote.facts import gather

    with _admin(flags, admin_user, admin_key) as admin:
        plan = upkeep.removal(gather(admin))
        proceed = _agreed(plan, admin.destination, yes=yes, dry_run=dry_run)
        if proceed:
            upkeep.uninstall(admin, plan, _show)
        _answer(admin.destination, plan, proceed, done="remote.removed")


def _admin(flags: Flags, user: str, key: str) -> Admin:
    """Connect with the administrator's key, never with the restricted one."""
    from bridge.remote.admin import Admin

    env = os.environ
    chosen = replace(
        flags,
        user=user or env.get("BRIDGE_ADMIN_USER") or "root",
        key=key or env.get("BRIDGE_ADMIN_KEY") or "~/.ssh/id_ed25519",
    )
    where = Where(chosen)
    return Admin(where.address(where.known_target).destination())


def _grant(name: str, public: Path, role: str, apps: list[str] | None, environments: list[str] | None) -> Grant:
    from bridge.remote.grants import Grant
    from bridge.remote.keys import public_key

    return Grant(name, public_key(public), role, tuple(apps or "*"), tuple(environments or "*"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise Misuse("cli.unreadable", path=path, reason=reason) from None


def _agreed(plan: Plan, destination: Destination, *, yes: bool, dry_run: bool) -> bool:
    """Show the plan and say whether it is to be carried out. Raises ``Misuse("remote.need_yes")``."""
    speaker = console()
    if not plan:
        speaker.say(speaker.text("remote.nothing", host=destination.host))
        return False
    speaker.say(speaker.text("remote.changes", host=destination.host))
    speaker.say(plan.render(speaker.lang))
    if dry_run or yes:
        return not dry_run
    if speaker.as_json or not sys.stdin.isatty():
        raise Misuse("remote.need_yes")
    return typer.confirm(speaker.text("remote.ask"), err=True)


def _show(action: Action) -> None:
    speaker = console()
    speaker.say(f"  ✓ {action.text(speaker.lang)}")


def _answer(destination: Destination, plan: Plan, changed: bool, *, done: str = "remote.done", **more: Any) -> None:
    speaker = console()
    result = {"status": "DONE", "host": destination.host, "changed": changed, **more}
    text = speaker.text(done, host=destination.host) if changed else ""
    speaker.answer({**result, "plan": plan.to_json("en"), "error": None}, text)


def _table(found: list[Any]) -> str:
    speaker = console()
    signs = {"ok": " ", "warning": "!", "bad": "✗"}
    names = [speaker.text(row.name) for row in found]
    width = max(map(len, names))
    lines: list[str] = []
    for name, row in zip(names, found, strict=True):
        lines.append(f"{signs[row.verdict]} {name:<{width}}  {row.value}")
        if advice := row.advice(speaker.lang):
            lines.append(f"  {'':<{width}}  → {advice}")
    return "\n".join(lines)
