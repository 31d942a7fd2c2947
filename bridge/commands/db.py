"""``bridge db``: what the host's database commands take from the repository, sent along."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.model.errors import Misuse
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where

Through = Annotated[str, typer.Option("--through", metavar="NUMBER", help="The last file that the database has.")]
Accepted = Annotated[
    list[str] | None, typer.Option("--accept", metavar="TITLE", help="This difference may stay; repeat it for more.")
]
Apply = Annotated[bool, typer.Option("--apply", help="Record it; without, only say what would be recorded.")]
Repair = Annotated[bool, typer.Option("--repair", help="Write the differences as the next migration.")]
Production = Annotated[bool, typer.Option("--production", help="Sow in production too.")]


@shared(*REPOSITORY, *HOST)
def adopt(flags: Flags) -> None:
    """Take over the ledger of the Supabase CLI or dbmate.

    \b
    Example: python -m bridge db adopt
    """
    _operate(flags, "db.adopt", {"files": _files(Where(flags))})


@shared(*REPOSITORY, *HOST)
def baseline(
    flags: Flags, through: Through, accept: Accepted = None, apply: Apply = False, repair: Repair = False
) -> None:
    """Record files as applied that somebody ran by hand, if what they make equals the database.

    \b
    Examples:
      python -m bridge db baseline --through 0013
      python -m bridge db baseline --through 0013 --repair
      python -m bridge db baseline --through 0013 --apply
    """
    where = Where(flags)
    args: dict[str, Any] = {"through": through, "files": _files(where), "accept": accept or [], "apply": apply}
    result = _operate(flags, "db.baseline", args | {"repair": repair})
    told = (result.get("baseline") or {}).get("repair")
    if repair and told:
        _write(_folder(where) / told["file"], told["sql"])


@shared(*REPOSITORY, *HOST)
def seed(flags: Flags, production: Production = False) -> None:
    """Sow the rows of the repository's seeds folder; every file in one transaction, none recorded.

    \b
    Example: python -m bridge db seed --env staging
    """
    _operate(flags, "db.seed", {"seeds": _sql(flags.repo / "seeds"), "production": production})


def _files(where: Where) -> dict[str, str]:
    return _sql(_folder(where))


def _folder(where: Where) -> Path:
    from bridge.workspace.project import Project

    folder = Project.open(where.flags.repo, where.environment).migrations_folder
    if folder is None or not folder.is_dir():
        raise Misuse("supabase.no_folder", folder=folder or where.flags.repo)
    return folder


def _sql(folder: Path) -> dict[str, str]:
    """Return the text of each file, byte for byte: checksums are taken over it."""
    found = {path.name: path.read_bytes() for path in sorted(folder.glob("*.sql"))}
    try:
        return {name: raw.decode("utf-8") for name, raw in found.items()}
    except UnicodeDecodeError as error:
        raise Misuse("cli.unreadable", path=folder, reason=str(error.reason)) from None


def _write(path: Path, text: str) -> None:
    from agent.host.files import write_atomic
    from bridge.commands.edge import console

    write_atomic(path, text)
    console().say(str(path))


def _operate(flags: Flags, capability: str, args: dict[str, Any]) -> dict[str, Any]:
    from bridge.commands.call import operate
    from bridge.pipeline.host import reach

    where = Where(flags)
    with reach(where, where.target) as host:
        return operate(where, host, where.target, capability, args)
