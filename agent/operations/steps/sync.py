"""Find the release that CI published for a commit of the app's repository, and make the operation be about it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

from agent.model import messages
from agent.model.errors import Misuse
from agent.operations import incoming as bodies
from agent.operations.step import Context, Outcome, Step
from agent.protocol import Credentials
from agent.releases import incoming, published, source
from agent.releases.published import Registry
from agent.releases.site import Site


class Sync(Step):
    """Leaves the unpacked release where that of a sent bundle would lie. It changes nothing that runs."""

    name = "sync"

    def apply(self, ctx: Context) -> Outcome:
        site, ref = Site.of(ctx, ctx.target), str(ctx.args["ref"])
        registry = access(ctx)
        commit = source.sync(site, ref)
        source.check_contract(site, commit)
        ctx.progress(messages.text("sync.commit", {"ref": ref, "commit": commit[:12]}, ctx.lang))
        raw = published.fetch(registry, ctx.target, commit)
        private = bodies.receive(io.BytesIO(raw), ctx.paths, len(raw), hashlib.sha256(raw).hexdigest())
        ctx.bundle = bodies.adopt(private, ctx.paths, ctx.operation)
        release = incoming.load(ctx.bundle)
        ctx.args["release"] = release.id
        ctx.note(release=release.id, commit=commit)
        if registry.token and ctx.credentials is None:
            ctx.credentials = Credentials(registry.host, registry.user, registry.token.reveal())
        said = {"release": release.id, "commit": commit[:12]}
        return Outcome(detail=messages.text("sync.done", said, ctx.lang), result={"commit": commit, "ref": ref})


class Unless(Step):
    """A step that turns out to be needed, or not, only when its turn comes."""

    def __init__(self, step: Step, needed: Callable[[Context], bool]) -> None:
        self._step, self._needed = step, needed
        self.name = step.name  # type: ignore[misc]
        self.changes = step.changes  # type: ignore[misc]

    def apply(self, ctx: Context) -> Outcome:
        return self._step.apply(ctx) if self._needed(ctx) else Outcome("skipped")

    def undo(self, ctx: Context) -> str:
        return self._step.undo(ctx)


def access(ctx: Context) -> Registry:
    """Return this host's registry. Raises ``Misuse("source.no_registry")``."""
    if not ctx.settings.registry:
        raise Misuse("source.no_registry")
    ctx.redactor.add(ctx.settings.registry_token)
    return Registry(ctx.settings.registry, ctx.settings.registry_user, ctx.settings.registry_token)
