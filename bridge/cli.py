"""The commands and where they hang. Nothing here does work: each command imports its own when it is called."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Final, NoReturn

import typer

from bridge.commands import (
    action,
    attach,
    audit,
    call,
    check,
    context,
    db,
    deploy,
    doctor,
    edge,
    env,
    history,
    init,
    logs,
    mcp,
    pipeline,
    plan,
    rollback,
    status,
)

PROGRAM: Final = "python -m bridge"
INSTALLED: Final = "ikoma-bridge"
SHORT: Final = "bridge"  # in front of iproute2's program of that name where our folder is first in PATH

_EPILOG: Final = """\b
Examples:
  python -m bridge init
  python -m bridge pipeline run
  python -m bridge status --json

Settings come from the options, then BRIDGE_* variables, then the context, then ikoma.release.json.
Exit codes: 0 done, 1 failed, 2 misuse, 3 connection lost while the operation goes on.
"""


def _group(summary: str, *, epilog: str | None = None, completion: bool = False) -> typer.Typer:
    return typer.Typer(
        help=summary,
        epilog=epilog,
        no_args_is_help=True,
        add_completion=completion,
        rich_markup_mode=None,  # plain help needs no second library and answers in half the time
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


app = _group(
    "Ship a monorepo to your own VPS: validated, migrated, health-checked, and able to go back.",
    epilog=_EPILOG,
    completion=True,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from bridge import __version__

        edge.console().answer({"version": __version__}, __version__)
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and leave.")
    ] = False,
) -> None:
    """Nothing happens before a command."""


# One line of a terminal each; the first sentence of a command's own help may say more.
_SHORT: Final = {
    "init": "Write ikoma.release.json, and say why each thing was guessed.",
    "check": "Find everything that would stop the build.",
    "plan": "Show what would be built, and what the host would change.",
    "status": "Show what serves: release, services, the running operation.",
    "attach": "Follow an operation from its first event to its end.",
    "history": "Show what ran: when, by whom, how it ended.",
    "audit": "Show who called what on the host, or verify its history.",
    "doctor": "Find what is wrong here or there, with the remedy.",
    "context add": "Keep settings under a name.",
    "context use": "Use a context from now on.",
    "context list": "Show the contexts.",
    "context remove": "Forget a context.",
    "mcp": "Let an assistant check and write drafts.",
    "rollback": "Go back to a recorded healthy release.",
    "pipeline run": "Check, build, plan, deploy, and wait until it is healthy.",
    "deploy apply": "Deploy what the registry has, or a kept release.",
    "db adopt": "Take over the ledger of the Supabase CLI or dbmate.",
    "db baseline": "Record files as applied that make what the database is.",
    "db seed": "Sow the rows of the seeds folder.",
    "deploy approve": "Agree to a release as a second key.",
    "env init": "Write a file with every value the app asks for.",
    "env diff": "Compare the names here, those there, and those needed.",
}


def _mount(name: str, summary: str, **commands: Callable[..., None]) -> None:
    group = _group(summary)
    for command, work in commands.items():
        group.command(command, short_help=_SHORT.get(f"{name} {command}"))(work)
    # One command alone must stay a word of its own: `pipeline run`, not `pipeline`.
    group.callback()(_words)
    app.add_typer(group, name=name)


def _words() -> None:
    """A group of commands."""


app.command("init", short_help=_SHORT["init"])(init.init)
_mount("pipeline", "Check, build, plan and deploy: the whole way.", run=pipeline.run)
_mount("deploy", "Deploy what is built already.", apply=deploy.apply, approve=deploy.approve)
app.command("check", short_help=_SHORT["check"])(check.check)
app.command("plan", short_help=_SHORT["plan"])(plan.plan)
app.command("status", short_help=_SHORT["status"])(status.status)
app.command("attach", short_help=_SHORT["attach"])(attach.attach)
app.command("logs")(logs.logs)
app.command("rollback", short_help=_SHORT["rollback"])(rollback.rollback)
_mount("env", "The app's environment file on the host.", init=env.init, diff=env.diff, push=env.push)
_mount("context", "Settings under a name, for a laptop.", add=context.add, use=context.use, list=context.listing,
       remove=context.remove)  # fmt: skip
app.command("history", short_help=_SHORT["history"])(history.history)
app.command("audit", short_help=_SHORT["audit"])(audit.audit)
app.command("doctor", short_help=_SHORT["doctor"])(doctor.doctor)
_mount("db", "The app's database: take one over, sow rows.", adopt=db.adopt, baseline=db.baseline, seed=db.seed)
app.command("call")(call.call)
app.command("mcp", short_help=_SHORT["mcp"])(mcp.mcp)
app.command("action", hidden=True)(action.action)
if importlib.util.find_spec("bridge.commands.host"):
    from bridge.commands import host

    app.add_typer(host.app, name="host")


def program(started_as: str, words: Sequence[str]) -> str:
    """Return the name under which we speak; shells can complete that of the installed command alone."""
    about_completion = any(word.startswith(("--install-completion", "--show-completion")) for word in words)
    return INSTALLED if about_completion or started_as.rpartition("/")[2] in (INSTALLED, SHORT) else PROGRAM


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    # No plug-in that happens to be installed may change how the contract is read; not looking for one is faster too.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = program(sys.argv[0], words)
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(edge.run(lambda: app(words, prog_name=name, standalone_mode=False), words))


def _open_closed_streams() -> None:
    """Where the caller closed a stream (``>&-``) nobody listens; what is said there goes nowhere, and is no fault."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (for as long as we run)
