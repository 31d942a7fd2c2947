"""Find the release that CI published for a commit of the app's repository, and make the operation be about it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

from agent.model import messages
from agent.model.errors import IkomaError, Misuse
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
        if registry is None and not ctx.settings.allow_build:
            raise Misuse("source.no_registry")
        commit = source.sync(site, ref)
        source.check_contract(site, commit)
        ctx.progress(messages.text("sync.commit", {"ref": ref, "commit": commit[:12]}, ctx.lang))
        built = not self._published(ctx, registry, commit)
        if built:
            self._made(ctx, site, registry, commit)
        assert ctx.bundle is not None  # noqa: S101 (one of the two has left it)
        release = incoming.load(ctx.bundle)
        ctx.args["release"] = release.id
        ctx.note(release=release.id, commit=commit, built=built)
        if registry is not None and registry.token and ctx.credentials is None:
            ctx.credentials = Credentials(registry.host, registry.user, registry.token.reveal())
        said = {"release": release.id, "commit": commit[:12]}
        result = {"commit": commit, "ref": ref, "built_here": built}
        return Outcome(detail=messages.text("sync.built" if built else "sync.done", said, ctx.lang), result=result)

    def _published(self, ctx: Context, registry: Registry | None, commit: str) -> bool:
        """Take what CI published for a commit; say whether it did."""
        if registry is None:
            return False
        try:
            raw = published.fetch(registry, ctx.target, commit)
        except IkomaError as error:
            if error.id != "source.not_published" or not ctx.settings.allow_build:
                raise
            return False
        private = bodies.receive(io.BytesIO(raw), ctx.paths, len(raw), hashlib.sha256(raw).hexdigest())
        ctx.bundle = bodies.adopt(private, ctx.paths, ctx.operation)
        return True

    def _made(self, ctx: Context, site: Site, registry: Registry | None, commit: str) -> None:
        """Make the release here; what a build says may hold what it was given."""
        from agent.releases import homemade

        ctx.progress(messages.text("sync.building", {"commit": commit[:12]}, ctx.lang))
        place = bodies.folder(ctx.paths, ctx.operation)
        bodies.discard(place)
        place.mkdir(parents=True, mode=0o700)
        login = Credentials(registry.host, registry.user, registry.token.reveal()) if registry else None
        homemade.make(site, commit, place, login, ctx.progress)
        ctx.bundle = place


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


def access(ctx: Context) -> Registry | None:
    """Return this host's registry, or None where its settings name none."""
    if not ctx.settings.registry:
        return None
    ctx.redactor.add(ctx.settings.registry_token)
    return Registry(ctx.settings.registry, ctx.settings.registry_user, ctx.settings.registry_token)
