"""The step that refuses early, and for every reason at once. It changes nothing."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from agent.database import apply, compatibility, forecast, ledger, target
from agent.database.connect import session
from agent.database.guard import live
from agent.database.statements import decode
from agent.docker.engine import Engine
from agent.host import envfile, platform, policies
from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.migrations import compare
from agent.model.release import Release, ReleaseMigration
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import guard, maintenance, restore_point
from agent.releases import carried, incoming, precheck, values
from agent.releases.site import Site

_INTERPOLATION: Final = "compose.invalid"


class PreflightFailed(IkomaError):
    """All reasons in one error; its JSON holds each of them under ``reasons``."""

    def __init__(self, reasons: list[IkomaError], lang: str) -> None:
        super().__init__("preflight.failed", count=len(reasons), reasons=_listed(reasons, lang))
        self.reasons = reasons

    def to_json(self, lang: str | None = None) -> dict[str, Any]:
        kept = ("id", "message", "remedy", "params")
        whole = [reason.to_json(lang) for reason in self.reasons]
        return super().to_json(lang) | {"reasons": [{key: item[key] for key in kept} for item in whole]}


def _listed(reasons: Iterable[IkomaError], lang: str) -> str:
    return "\n".join(f"- {reason.message(lang)} {reason.remedy(lang)}".rstrip() for reason in reasons)


class Preflight(Step):
    """Leaves the parsed release in ``facts["release"]`` and the files to apply in ``facts["pending"]``."""

    name = "preflight"

    def apply(self, ctx: Context) -> Outcome:
        ctx.redactor.add(*envfile.secrets(envfile.read(ctx.home.app_env)))
        ctx.redactor.add(*envfile.secrets(envfile.read(ctx.home.agent_env)))
        reasons = [reason.about(ctx.target.options) for reason in _reasons(ctx)]
        if reasons:
            raise PreflightFailed(reasons, ctx.lang)
        said = {"pending": len(ctx.facts["pending"]), "free": platform.free_mb(ctx.paths.state)}
        return Outcome(detail=messages.text("preflight.done", said, ctx.lang))


def _reasons(ctx: Context) -> Iterator[IkomaError]:
    if ctx.args.get("release") is not None:
        override = str(ctx.args.get("override", ""))
        yield from policies.problems(ctx.paths, ctx.target, str(ctx.args["release"]), ctx.key, override)
    engine_answers = True
    for problem in _engine(ctx):
        engine_answers = False
        yield problem
    yield from _space(ctx)
    try:
        release = incoming.of(ctx).release
    except IkomaError as error:
        yield error
        return
    ctx.facts["release"] = release
    lacking = values.lacking(ctx.home, release)
    if lacking:
        yield values.problem(ctx.target, lacking)
    yield from _platform(release)
    yield from _images(ctx)
    yield from _migrations(ctx, release)
    if engine_answers:
        yield from _unless_full(ctx, partial(_containers, ctx, release, lacking))


def _engine(ctx: Context) -> list[IkomaError]:
    try:
        ctx.facts["engine"] = Engine(ctx.settings.docker_socket).info()
    except IkomaError as error:
        return [error]
    return []


def _space(ctx: Context) -> Iterator[IkomaError]:
    folders = [ctx.paths.state, ctx.paths.apps]
    if root := ctx.facts.get("engine", {}).get("DockerRootDir"):
        folders.append(Path(root))
    seen: set[int] = set()
    for folder in folders:
        free = platform.free_mb(folder)
        if free < ctx.settings.min_free_mb and free not in seen:  # the same disk is named once
            seen.add(free)
            yield _too_little(ctx, folder)


def _too_little(ctx: Context, folder: Path) -> IkomaError:
    free, needed = platform.free_mb(folder), ctx.settings.min_free_mb
    return IkomaError("preflight.disk", free=free, folder=folder, needed=needed)


def _images(ctx: Context) -> Iterator[IkomaError]:
    """Images that came along need an Engine that keeps their names, and room in it."""
    brought, engine = carried.size(ctx.bundle), ctx.facts.get("engine")
    if not brought or engine is None:
        return
    if not carried.keeps_names(engine):
        yield IkomaError("image.classic_store")
    root = Path(str(engine.get("DockerRootDir") or ctx.paths.state))
    needed, free = (carried.ROOM * brought >> 20) + ctx.settings.min_free_mb, platform.free_mb(root)
    if free < needed:
        yield IkomaError("preflight.disk", free=free, folder=root, needed=needed)


def _platform(release: Release) -> Iterator[IkomaError]:
    host = f"linux/{platform.architecture()}"
    if release.platform != host:
        yield IkomaError("preflight.platform", release=release.platform, host=host)


def _unless_full(ctx: Context, check: Callable[[], list[IkomaError]]) -> list[IkomaError]:
    """Run a check that writes drafts; on a full disk it cannot, and the disk is the reason to tell."""
    try:
        return check()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return [] if list(_space(ctx)) else [_too_little(ctx, ctx.home.base)]


def _containers(ctx: Context, release: Release, lacking: list[str]) -> list[IkomaError]:
    """Ask about compose, ports and routes; a made-up word stands in for each missing value, or compose would refuse."""
    accept = [str(word) for word in ctx.args.get("accept") or ()]
    if not lacking:
        return precheck.problems(ctx, release, accept=accept)
    with values.standing_in(Site.of(ctx, ctx.target), lacking) as file:
        return [found for found in precheck.problems(ctx, release, file, accept) if found.id != _INTERPOLATION]


def _migrations(ctx: Context, release: Release) -> list[IkomaError]:
    ctx.facts["pending"] = ()
    if not release.migrations:
        return []
    found = _caught(lambda: _database(ctx, release))
    by_name = {item.file: item for item in release.migrations}
    folder = incoming.of(ctx).folder / "migrations"
    for name in ctx.facts["pending"]:
        found += _caught(partial(_readable, folder, by_name[name]))
    if ctx.args.get("only") and not found and ctx.home.current.exists():
        found += _caught(partial(_part, ctx, folder))
    if ctx.facts["pending"] and not found:
        found += restore_point.problems(ctx, release)
        judged = partial(guard.judged, ctx, folder, ctx.facts["pending"], ctx.facts["known"])
        found += _caught(partial(judged, maintenance=release.maintenance))
        found += _caught(partial(maintenance.problems, ctx))
    return found


def _part(ctx: Context, folder: Path) -> list[IkomaError]:
    """Part of an app may only be deployed when the rest of it can live with what is migrated."""
    texts = [(name, decode((folder / name).read_bytes(), name)) for name in ctx.facts["pending"]]
    return [
        IkomaError("preflight.part", only=", ".join(ctx.args["only"]), file=item.file, line=item.line,
                   statement=item.statement)
        for item in compatibility.incompatible(texts, ctx.facts["known"])
    ]  # fmt: skip


def _readable(folder: Path, item: ReleaseMigration) -> list[IkomaError]:
    apply.read(folder, item)
    return []


def _database(ctx: Context, release: Release) -> list[IkomaError]:
    dsn = target.required(ctx.home, ctx.target)
    ctx.redactor.add(dsn.password)
    with session(dsn, f"ikoma:{ctx.operation}") as connection:
        folder = incoming.of(ctx).folder / "migrations"
        comparison = compare(release.migrations, ledger.read(connection), partial(apply.tokens_of, folder))
        if comparison.reformatted:
            warning = IkomaError("migration.reformatted", files=", ".join(comparison.reformatted))
            ctx.journal.emit("warning", warning.to_json(ctx.lang))
        ctx.facts["pending"] = comparison.pending
        if comparison.pending:
            ctx.facts["known"] = live.known(connection, running=ctx.home.current.exists(), owned=release.schemas)
        return forecast.obstacles(connection, ctx.home, release, comparison)


def _caught(check: Callable[[], list[IkomaError]]) -> list[IkomaError]:
    try:
        return check()
    except IkomaError as error:
        return [error]
