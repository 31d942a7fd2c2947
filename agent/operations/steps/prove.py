"""The step that rebuilds the database somewhere else before the live one is touched. It changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from agent.database.apply import tokens_of
from agent.database.connect import session
from agent.database.fingerprint.compare import Difference
from agent.database.fingerprint.model import Fingerprint
from agent.database.frame import Run
from agent.database.proof import baseline, platform, rebuild, scratch, store
from agent.database.proof.rebuild import Live
from agent.host.files import read_json
from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.migrations import compare
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import database
from agent.releases import incoming

_UNABLE: Final = {"proof.no_server", "proof.no_container", "proof.no_cage", "proof.no_extension", "proof.no_platform"}
_FINDINGS: Final = {"database.drift", "database.not_empty", "database.not_rebuildable"}
_SHOWN: Final = 5
_FACT: Final = "proof"


@dataclass(frozen=True, slots=True)
class Promise:
    """What live was before ``migrate``, and what it must be afterwards."""

    live: Live
    fingerprint: Fingerprint


def promised(ctx: Context) -> Promise | None:
    """Return what this process has proven about the database, None when it has not."""
    found: Promise | None = ctx.facts.get(_FACT)
    return found


class Prove(Step):
    """Leaves a ``Promise`` to the step ``migrate``."""

    name = "prove"

    def apply(self, ctx: Context) -> Outcome:
        release = incoming.of(ctx).release
        if not release.migrations:
            return Outcome("skipped", messages.text("migration.none", {}, ctx.lang))
        if release.proof == "off":
            return Outcome("skipped", messages.text("proof.off", {}, ctx.lang))
        try:
            return _proven(ctx, database.run(ctx, release))
        except IkomaError as error:
            located(error, ctx)
            if not _tolerated(error, release.proof):
                raise
            warn(ctx, error)
            result = {"proven": False, "reason": error.id}
            ctx.note(proof=result)
            return Outcome("skipped", messages.text("proof.warned", {}, ctx.lang), {"proof": result})

    def undo(self, ctx: Context) -> str:
        """Nothing to take back but what a killed worker left on the disk."""
        scratch.sweep(ctx.paths.state)
        return ""


def _tolerated(error: IkomaError, policy: str) -> bool:
    ours = error.id.startswith("proof.") or error.id in _FINDINGS
    return (policy == "warn" and ours) or (policy == "auto" and error.id in _UNABLE)


def warn(ctx: Context, error: IkomaError) -> None:
    """Tell a fault that does not stop the operation."""
    ctx.journal.emit("warning", error.to_json(ctx.lang))


def _proven(ctx: Context, run: Run) -> Outcome:
    with session(run.dsn, f"ikoma:{ctx.operation}") as connection:
        live = rebuild.look(connection, run.app_role)
        comparison = compare(run.files, live.rows, partial(tokens_of, run.folder))
        for problem in comparison.problems():
            raise problem
        stored = store.load(connection, "schema") if recent(live) else None
    live = _with_platform(ctx, run, live, asked=stored is None or bool(comparison.pending))
    baseline.keep(incoming.of(ctx).folder, live, stored)
    if stored and not comparison.pending:
        return _as_stored(ctx, live, stored)
    return _rebuilt(ctx, run, live, stored)


def _with_platform(ctx: Context, run: Run, live: Live, *, asked: bool) -> Live:
    """Return live with the SQL of its platform's schemas: of the serving release where live need not be ``asked``."""
    if not live.platform:
        return live
    serving = read_json(ctx.home.current, default={}).get("release")
    known = baseline.platform_sql(ctx.home.release(serving)) if serving and not asked else None
    return replace(
        live, platform_sql=known or platform.dump(run.dsn, live.platform, live.likeness.major, run.docker_socket)
    )


def recent(live: Live) -> bool:
    """Return whether the remembered fingerprint was taken after the last file that was applied."""
    return live.stored is not None and live.stored.history == store.history(live.rows)


def _as_stored(ctx: Context, live: Live, stored: Fingerprint) -> Outcome:
    _remember(ctx, live, stored)
    _refuse(ctx, live, live.told(stored))
    detail = messages.text("proof.unchanged", {"digest": stored.digest[:17]}, ctx.lang)
    return _outcome(ctx, detail, stored.digest, rebuilt=False)


def _rebuilt(ctx: Context, run: Run, live: Live, stored: Fingerprint | None) -> Outcome:
    said: dict[str, Any] = {"count": len(run.files), "major": live.likeness.major}
    ctx.progress(messages.text("proof.building", said, ctx.lang))
    try:
        proof = rebuild.rebuild(run, live, ctx.paths.state)
    except IkomaError as error:
        if error.id in _UNABLE and stored:
            _refuse(ctx, live, live.told(stored))  # what changed since the last deployment is known even so
        raise
    _remember(ctx, live, proof.promised)
    _refuse(ctx, live, proof.differences)
    digest = proof.promised.digest
    detail = messages.text("proof.proven", {"count": len(run.files), "digest": digest[:17]}, ctx.lang)
    return _outcome(ctx, detail, digest, rebuilt=True)


def _outcome(ctx: Context, detail: str, digest: str, *, rebuilt: bool) -> Outcome:
    """Return the result, and note it for the release's record."""
    result = {"proven": True, "fingerprint": digest, "rebuilt": rebuilt}
    ctx.note(proof=result)
    return Outcome("done", detail, {"proof": result})


def _remember(ctx: Context, live: Live, fingerprint: Fingerprint) -> None:
    """Leave it to ``migrate``, which compares; where the policy only warns, it does so in spite of differences."""
    ctx.facts[_FACT] = Promise(live, fingerprint)
    baseline.complete(incoming.of(ctx).folder, fingerprint)
    ctx.note(fingerprint=fingerprint.digest)


def _refuse(ctx: Context, live: Live, found: Sequence[Difference]) -> None:
    if found:
        raise _named("database.drift" if live.rows else "database.not_empty", ctx, live, found)


def promise_broken(ctx: Context, live: Live, found: Sequence[Difference]) -> IkomaError:
    """Return the error for a database that is not what the proof said it would be."""
    return _named("database.promise_broken", ctx, live, found)


def _named(message_id: str, ctx: Context, live: Live, found: Sequence[Difference]) -> IkomaError:
    error = IkomaError(message_id, database=live.likeness.database, count=len(found), objects=titles(found))
    return located(error, ctx)


def titles(found: Sequence[Difference]) -> str:
    """Return the names of the first few differing objects."""
    names = [item.title for item in found[:_SHOWN]]
    return ", ".join([*names, "…"] if len(found) > _SHOWN else names)


def located(error: IkomaError, ctx: Context) -> IkomaError:
    """Fill in which target the remedy is about."""
    error.params |= {"app": ctx.target.app, "environment": ctx.target.environment}
    return error
