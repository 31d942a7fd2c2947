"""``db.status``: the database as the serving release sees it."""

from __future__ import annotations

from functools import partial
from typing import Any

from agent.capabilities.call import Call
from agent.database import ledger, rights, target
from agent.database.apply import tokens_of
from agent.database.connect import Connection, session
from agent.host.files import read_json
from agent.host.paths import TargetPaths
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.migrations import compare
from agent.model.release import Release, parse


def run(call: Call) -> dict[str, Any]:
    """Return what ``StatusResult`` says; a fault is one of the ``problems``."""
    home = call.paths.target(call.the_target)
    answer: dict[str, Any] = {"app": call.the_target.app, "environment": call.the_target.environment}
    try:
        dsn = target.required(home, call.the_target)
        answer |= {"database": dsn.where, "schema": target.schema(home)}
        with session(dsn, "ikoma:db.status") as connection:
            release = _serving(call)
            schemas = release.schemas if release else ["public"]
            found = rights.problems(connection, dsn, schemas)
            answer |= {"bytes": rights.size(connection), "rights": _rights(connection, dsn, schemas)}
            return answer | _migrations(connection, home, release, found, call.lang)
    except IkomaError as error:
        return answer | {"reachable": False, "problems": [_shown(error, call.lang)]}


def _rights(connection: Connection, dsn: Dsn, schemas: list[str]) -> dict[str, Any]:
    """Say for each use whether the role has the rights, and which statements an administrator runs where it has not."""
    lacking = rights.lacking(connection, dsn, schemas)
    return {use: {"ok": not grants, "grants": grants} for use, grants in lacking.items()}


def _serving(call: Call) -> Release | None:
    home = call.paths.target(call.the_target)
    release = read_json(home.current, default={}).get("release")
    manifest = read_json(home.release(release) / "release.json") if release else None
    return parse(manifest) if manifest else None


def _migrations(
    connection: Connection, home: TargetPaths, release: Release | None, lacking: list[IkomaError], lang: str
) -> dict[str, Any]:
    rows = ledger.read(connection)
    folder = home.release(release.id) / "migrations" if release else home.base
    comparison = compare(release.migrations if release else [], rows, partial(tokens_of, folder))
    problems = [*lacking, *(comparison.problems() if release else [])]
    return {
        "reachable": True,
        "version": connection.info.parameter_status("server_version"),
        "release": release.id if release else None,
        "migrations": {
            "applied": [row.name for row in sorted(rows, key=lambda row: int(row.version))],
            "pending": [name.removesuffix(".sql") for name in comparison.pending],
            "edited": list(comparison.edited),
            "reformatted": list(comparison.reformatted),
            "missing": list(comparison.missing),
            "out_of_order": list(comparison.out_of_order),
            "ahead": list(comparison.ahead) if release else [],
        },
        "problems": [_shown(problem, lang) for problem in problems],
    }


def _shown(error: IkomaError, lang: str) -> dict[str, str]:
    return {"id": error.id, "message": error.message(lang), "remedy": error.remedy(lang)}
