"""``bridge env``: the app's environment file, written here, compared by name, sent to the host."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where

File = Annotated[
    str, typer.Option("--file", metavar="FILE", help="The file (default: app.env, or app.ENV.env, in the repository).")
]  # fmt: skip


@shared("repo", "environment")
def init(flags: Flags, file: File = "") -> None:
    """Write a file with every value the app asks for, its own secrets generated.

    A value that stands there already is never touched, so it can be run again whenever the app asks for more.
    Values that only somebody else can give stay empty; those with a default stand there as comments.

    \b
    Examples:
      python -m bridge env init
      python -m bridge env init --env staging
    """
    from agent.host.files import write_atomic
    from bridge.pipeline import appenv, asking
    from bridge.reports.text import clean

    where, speaker = Where(flags), console()
    path = asking.file_of(where, file)
    existing = asking.read(path) if path.exists() else ""
    target = where.repository_target
    comment = speaker.text("say.env_comment", target=target)
    hints, asked = {"DATABASE_URL": speaker.text("say.env_database")}, asking.wanted(where)
    made = appenv.template(existing, asked, name=str(path), comment=comment, hints=hints)
    if made.text != existing:
        write_atomic(path, made.text, 0o600)
    said = [speaker.text("say.wrote" if made.text != existing else "say.nothing_missing", path=path)]
    for names, message in ((made.generated, "generated"), (made.to_fill, "to_fill"), (made.kept, "kept")):
        said += [speaker.text(f"say.{message}", names=", ".join(names))] if names else []
    told = [(want.name, want.told) for want in asked if want.told]
    said += [f"{name}: {clean(hint)}" for name, hint in (*told, *hints.items()) if name in made.to_fill]
    if asking.is_exposed(path):
        said.append(speaker.text("say.warning", text=speaker.text("say.not_ignored", path=path)))
    report = {"generated": list(made.generated), "to_fill": list(made.to_fill), "kept": list(made.kept)}
    speaker.answer({"file": str(path), **report}, "\n".join(said))


@shared(*REPOSITORY, *HOST)
def diff(flags: Flags, file: File = "") -> None:
    """Compare the names in the file here with those on the host, and with what the app needs. Shows no value.

    \b
    Examples:
      python -m bridge env diff
      python -m bridge env diff --env staging --json
    """
    from bridge.pipeline import appenv, asking
    from bridge.pipeline.host import body, reach
    from bridge.reports.text import table

    where, speaker = Where(flags), console()
    target, path = where.repository_target, asking.file_of(where, file)
    with reach(where, target) as host:
        here = [name for name, value in asking.values(path).items() if value is not None] if path.exists() else []
        needed = [want.name for want in asking.wanted(where) if want.default is None]
        there = host.agent.read("env.keys", body(where, target, speaker.machine_lang, {}))["app"]
    keys = appenv.compare(here, there, needed)
    report = {"app": target.app, "environment": target.environment, "keys": dict(keys)}
    speaker.answer(report, table([name, speaker.text(f"word.{state}")] for name, state in keys))


@shared(*REPOSITORY, *HOST)
def push(
    flags: Flags,
    file: Annotated[
        str, typer.Option("--file", metavar="FILE", help="KEY=value lines; - is stdin (default: as env init writes).")
    ] = "",
    from_env: Annotated[
        list[str] | None, typer.Option("--from-env", metavar="NAME", help="Take this variable's value; repeat it.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="NAME", help="Take this value away; repeat it.")
    ] = None,
    scope: Annotated[
        str, typer.Option("--scope", metavar="app|agent", help="app: for containers. agent: SUPABASE_DB_DSN and such.")
    ] = "app",
) -> None:
    """Send values to the host. The next deployment restarts what uses a value that changed.

    Values come from a file, from stdin or from variables named here, never from the command line. A bare KEY= is
    not sent; write KEY="" for a value that is meant to be empty. What the host has besides stays.

    \b
    Examples:
      python -m bridge env push
      python -m bridge env push --app shop --from-env STRIPE_SECRET_KEY
      pass show shop/dsn | python -m bridge env push --app shop --scope agent --file -
    """
    from bridge.commands.ending import finish
    from bridge.pipeline.host import body, perform, reach
    from bridge.reports.progress import progress

    where, speaker = Where(flags), console()
    target = where.target
    values = _values(where, file, from_env or [], bool(remove))
    speaker.learn(*values.values())
    operation, face = where.operation(target, "env.push"), progress(speaker)
    args = {"values": values, "remove": remove or [], "scope": scope}
    with reach(where, target) as host, face.stage("env push"):
        request = body(where, target, speaker.machine_lang, args)
        result = perform(host, "env.push", request, operation, face.event)
    finish(result, target, operation, brief=True)


def _values(where: Where, file: str, from_env: list[str], removing: bool) -> dict[str, str]:
    """Return what is to be sent; values still to be filled in are named and left out. Raises ``Misuse``."""
    from agent.model.errors import Misuse
    from bridge.pipeline import appenv, asking

    found: dict[str, str | None] = {}
    if file == "-":
        found |= appenv.parse(sys.stdin.read(), "stdin")
    elif file or not (from_env or removing):
        found |= asking.values(asking.file_of(where, file))
    for name in from_env:
        if name not in os.environ:
            raise Misuse("cli.env_unset", name=name)
        found[name] = os.environ[name]
    if missing := sorted(name for name, value in found.items() if value is None):
        console().say(console().text("say.not_sent", names=", ".join(missing)))
    values = {name: value for name, value in found.items() if value is not None}
    if not values and not removing:
        raise Misuse("cli.env_empty")
    return values
