"""The step that brings migrations together: the serving release's, those sent along, and those that came by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from agent.database import byhand, ledger, target
from agent.database.connect import session
from agent.host import platform
from agent.host.files import read_json
from agent.model import messages
from agent.model.errors import IkomaError, Misuse
from agent.model.migrations import in_order, set_problems, stem
from agent.model.release import Release, ReleaseMigration
from agent.operations import incoming as bodies
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import database
from agent.releases import incoming

_FILE: Final = "file"


class Collect(Step):
    """Leaves a release with all of them to the steps after it; a migration that comes as text is kept first."""

    name = "collect"

    def apply(self, ctx: Context) -> Outcome:
        base = _base(ctx)
        texts = _texts(ctx, base)
        result: dict[str, Any] = {}
        if sql := str(ctx.args.get("sql") or ""):
            result = self._by_hand(ctx, sql, texts)
        for problem in set_problems(texts):
            raise problem
        folder = _write(ctx, texts)
        sums = [ReleaseMigration(file=name, sha256=hashlib.sha256(texts[name]).hexdigest()) for name in in_order(texts)]
        incoming.put(ctx, base.model_copy(update={"migrations": sums}), folder)
        return Outcome(detail=messages.text("collect.done", {"count": len(sums)}, ctx.lang), result=result)

    def _by_hand(self, ctx: Context, sql: str, texts: dict[str, bytes]) -> dict[str, Any]:
        name = str(ctx.notes().get(_FILE) or "")
        if not name:
            rows = [f"{row.name}.sql" for row in _ledger(ctx)]
            name = byhand.name(str(ctx.args.get("name") or ""), [*texts, *rows])
        if name in texts and texts[name] != sql.encode():
            raise Misuse("migration.duplicate", version=name.partition("_")[0], first=name, second=name)
        ctx.note(**{_FILE: name})
        byhand.keep(ctx.home, name, sql.encode())
        texts[name] = sql.encode()
        return {"migration": {"file": name, "sql": sql}}

    def undo(self, ctx: Context) -> str:
        """Forget the text that was kept, unless the database has it."""
        name = str(ctx.notes().get(_FILE) or "")
        try:
            applied = {row.name for row in _ledger(ctx)} if name else set()
        except IkomaError:
            return ""  # nobody knows: it stays, and the next deployment asks
        if name and stem(name) not in applied:
            byhand.forget(ctx.home, [name])
        return ""


def _ledger(ctx: Context) -> list[Any]:
    if not ctx.args.get(database.ENVIRONMENT) and target.dsn(ctx.home) is None:
        return []
    with session(database.connection(ctx), f"ikoma:{ctx.operation}") as connection:
        return list(ledger.read(connection))


def _base(ctx: Context) -> Release:
    """Return the release that is sent or serves, else an empty one for a target that has none."""
    if not ctx.args.get("release"):
        serving = read_json(ctx.home.current, default={}).get("release")
        if not serving or ctx.args.get("files"):
            return Release(
                app=ctx.target.app, environment=ctx.target.environment, platform=f"linux/{platform.architecture()}",
                compose={"services": {}}, services={}, schemas=[database.schema(ctx)],
            )  # fmt: skip
        ctx.args["release"] = serving
    return incoming.of(ctx).release


def _texts(ctx: Context, base: Release) -> dict[str, bytes]:
    sent = ctx.args.get("files")
    if isinstance(sent, dict):
        found = {str(name): str(text).encode() for name, text in sent.items()}
    else:
        found = {item.file: incoming.of(ctx).migration(item.file).read_bytes() for item in base.migrations}
    return {**byhand.kept(ctx.home), **found}


def _write(ctx: Context, texts: dict[str, bytes]) -> Path:
    """Lay the files down beside the operation's bundle; they are gone when it has ended."""
    folder = bodies.folder(ctx.paths, ctx.operation) / "collected"
    (folder / "migrations").mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in texts.items():
        (folder / "migrations" / name).write_bytes(content)
    return folder
