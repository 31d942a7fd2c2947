"""The stages in order: check, build, plan, deploy. Each is cheap to repeat, so a run that failed is simply run again.

Images are found by their content, the release by its digest, the operation by its id: what was done is not done twice.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from agent.model import messages
from agent.model.errors import Exit, IkomaError, Misuse
from agent.model.names import Target
from agent.protocol import exit_code
from bridge.pipeline import bundles
from bridge.pipeline.ahead import Ahead
from bridge.pipeline.bundles import Bundle
from bridge.pipeline.host import Host, attach_command, body, credentials, perform
from bridge.pipeline.settings import Where
from bridge.reports import model
from bridge.reports.console import Console
from bridge.reports.model import DeploymentReport
from bridge.reports.progress import Progress

if TYPE_CHECKING:
    from agent.model.release import Release
    from bridge.images.build import BuiltImage, Images
    from bridge.images.render import Rendered
    from bridge.workspace.project import Project


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run was asked for.

    Attributes:
        only: services to build and deploy; the others stay as the host has them.
        build: whether images that the registry lacks are built (otherwise they are a fault).
        check: whether what is built is checked before.
        release: a kept release (manifest or bundle) to deploy instead of the sources.
        commit: the commit whose release stands in the registry, to deploy instead of the sources.
        refresh: ask anew for the images of others instead of keeping the digests that are deployed.
        save: where to keep the release that is sent.
        if_busy: what to do when another operation holds the target.
        accept: stateful services that may be replaced.
        carry: send the images that the host lacks along with the release.
        override: why it cannot wait for a deployment window or the end of a freeze; it stands in the host's history.
    """

    only: tuple[str, ...] = ()
    build: bool = True
    check: bool = True
    release: Path | None = None
    commit: str = ""
    refresh: bool = False
    save: Path | None = None
    if_busy: Literal["wait", "refuse"] = "wait"
    accept: tuple[str, ...] = ()
    override: str = ""
    carry: bool = False


class Pipeline:
    """One run for one target; everything it learns ends up in the report."""

    def __init__(self, where: Where, console: Console, face: Progress, wish: Wish) -> None:
        self.where, self.console, self.face, self.wish = where, console, face, wish
        self.images: dict[str, BuiltImage] = {}
        self.bundle: Bundle | None = None
        self._host = Host(early, where.give_up) if (early := where.early_address) else None
        if wish.release is not None:
            self.bundle = _kept(where, wish.release)
        self.target: Target = self.bundle.target if self.bundle else _wanted(where, wish)
        self.operation = where.operation(self.target, "deploy.apply")
        self.sent = False
        self.rendering: Ahead[Rendered]
        self.publishing: Ahead[None] | None = None
        self.fault: IkomaError | None = None
        """What ended the run on this side."""

    def run(self) -> DeploymentReport:
        """Go through all stages and return the report, of a failure too. Raises only what nobody foresaw."""
        began = time.monotonic()
        try:
            self.bundle = self.bundle or (self.fetch() if self.wish.commit else self.prepare())
            report = self.deploy(self.host, self.bundle)
        except (IkomaError, KeyboardInterrupt) as stopped:
            self.fault = stopped if isinstance(stopped, IkomaError) else IkomaError("cli.cancelled")
            report = model.failed_deployment(self.target, self.operation if self.sent else None, self.fault, self.lang)
        finally:
            self.close()
        return self._complete(report, time.monotonic() - began)

    def close(self) -> None:
        """Hang up."""
        if self._host is not None:
            self._host.close()

    @property
    def host(self) -> Host:
        """The target's host; it is connected to while the stages before the deployment work."""
        if self._host is None:
            self._host = Host(self.where.address(self.target), self.where.give_up)
        return self._host

    @property
    def lang(self) -> str:
        return self.console.machine_lang

    def fetch(self) -> Bundle:
        """Take the release that was made of a commit from the registry."""
        with self.face.stage("plan"):
            bundle = bundles.published(self.where.registry(self.target), self.target, self.wish.commit)
            self.face.note(bundle.id)
        return bundle

    def prepare(self) -> Bundle:
        """Make the release from the sources."""
        project = self.check()
        known = self.build(project)
        return self.plan(project, known)

    def check(self) -> Project:
        """Read what must be right before anything is built."""
        from bridge.images.render import render
        from bridge.workspace.project import Project

        with self.face.stage("check"):
            project = Project.open(self.where.flags.repo, self.where.environment)
            self.rendering = Ahead(lambda: render(project), "render")
            Ahead(lambda: project.git, "git")
            _ = self.host
            self.face.note(str(self.target))
        return project

    def build(self, project: Project) -> Images:
        """See to it that the registry has every image of ours."""
        from bridge.images.build import Images, build

        registry = self.where.registry(self.target)
        with self.face.stage("build"):
            self.host.fail_early()  # no image is built for a host that refuses us
            known = Images(project, registry, self.wish.only, rendered=self.rendering.result())
            if self.wish.build:
                self.images = build(project, registry, self.wish.only, self.face.note, images=known,
                                    before=lambda: self.inspect(project))  # fmt: skip
            else:
                self.images = present(known)
        return known

    def inspect(self, project: Project) -> None:
        """Find everything that would stop the build, at once and before it. Nothing to build needs no check."""
        from bridge.pipeline.checking import inspect

        if self.wish.check:
            inspect(project, self.wish.only, self.face.note)
        else:
            self.face.note(self.console.text("check.left_out"))

    def plan(self, project: Project, known: Images) -> Bundle:
        """Pin everything into one release, and say which."""
        with self.face.stage("plan"):
            bundle = self.pin(project, known)
            self.face.note(bundle.id)
            self._publish(bundle)
            if bundle.release.provenance.dirty:
                self.face.note(self.console.text("say.dirty"))
        return bundle

    def _publish(self, bundle: Bundle) -> None:
        """Put the release beside its images, under its commit, while the host works: a host may ask for it later."""
        commit = bundle.release.provenance.commit
        if not commit or bundle.release.provenance.dirty or self.wish.only:
            return
        registry, target = self.where.registry(self.target), self.target

        def publish() -> None:
            from bridge.images.artifact import Publisher

            Publisher(registry).publish(registry.address, target, commit, bundle.content)

        self.publishing = Ahead(publish, "publish")

    def pin(self, project: Project, known: Images) -> Bundle:
        """Return the release of these sources and images: everything in it stands by digest."""
        from bridge.images.release import make_bundle, make_release

        base = self._deployed() if self.wish.only or known.rendered.images else None
        release = make_release(project, self.images, base=base, only=self.wish.only, refresh=self.wish.refresh,
                               rendered=known.rendered, client=known.client)  # fmt: skip
        return Bundle(release, make_bundle(project, release))

    def _deployed(self) -> Release | None:
        """Return what the host runs now: images of others keep its digests, parts are added to it."""
        from agent.model import release

        answer = self.host.agent.read("deploy.manifest", body(self.where, self.target, self.lang, {}))
        return release.parse(answer["manifest"]) if answer.get("manifest") else None

    def deploy(self, host: Host, bundle: Bundle) -> DeploymentReport:
        """Hand the release to the host and follow it to its end."""
        if self.wish.save:
            bundles.keep(bundle, self.wish.save)
        args: dict[str, Any] = {"release": bundle.id}
        if self.wish.accept:
            args["accept"] = list(self.wish.accept)
        if self.wish.override:
            args["override"] = self.wish.override
        if self.wish.only:
            args["only"] = list(self.wish.only)
        request = body(self.where, self.target, self.lang, args, on_busy=self.wish.if_busy)
        request.credentials = credentials(self.where.registry(self.target)) if self.where.has_registry else None
        if commit := bundle.release.provenance.commit:
            request.client["commit"] = commit
        with self.face.stage("deploy"):
            self.face.note(self.console.text("say.attach", command=attach_command(self.target, self.operation)))
            host.wait()
            with self._sent(host, bundle) as content:
                self.sent = True
                result = perform(host, "deploy.apply", request, self.operation, self.face.event, content)
            if not result.get("steps") and exit_code(str(result.get("status"))) == Exit.DONE:
                self.face.note(self.console.text("say.up_to_date"))
        return model.deployment(self.target, {"operation": self.operation} | result)

    @contextmanager
    def _sent(self, host: Host, bundle: Bundle) -> Iterator[bytes | Path]:
        """Yield what is sent: the release, and the images that the host lacks where they travel with it."""
        if not self.wish.carry:
            yield bundle.content
            return
        from bridge.images import carry
        from bridge.images.registry import Client

        request = body(self.where, self.target, self.lang, {"manifest": bundle.release.to_json()})
        lacking = host.agent.read("deploy.plan", request)["pull"]
        access = self.where.registry(self.target) if self.where.has_registry else None
        with tempfile.TemporaryDirectory(prefix="ikoma-bundle-") as folder:
            packed = carry.pack(bundle.content, lacking, bundle.release.platform, Client(access), Path(folder),
                                self.face.note)  # fmt: skip
            self.face.note(self.console.text("carry.sending", size=f"{packed.stat().st_size / 1e6:.1f}"))
            yield packed

    def _complete(self, report: DeploymentReport, seconds: float) -> DeploymentReport:
        """Add what this side knows: images, routes, stages, and how long all of it took."""
        report["images"] = {name: {"ref": image.ref, "built": image.built} for name, image in self.images.items()}
        report["stages"] = [{"name": name, "seconds": took} for name, took in self.face.stages]
        report["seconds"] = round(seconds, 3)
        if self.publishing is not None:
            try:
                self.publishing.result()
            except IkomaError as error:  # what serves, serves: it only cannot be asked for by its commit
                report["warnings"] = [*report["warnings"], error.to_json(self.lang)]
        if not self.wish.check and any(image.built for image in self.images.values()):
            report["warnings"] = [*report["warnings"], warning("check.left_out", self.lang)]
        if self.bundle is not None:
            report["release"] = report["release"] or self.bundle.id
        return report


def present(known: Images) -> dict[str, BuiltImage]:
    """Return our images as the registry has them. Raises ``IkomaError("cli.not_built")`` when it lacks one."""
    found = known.present()
    if missing := sorted(known.recipes.keys() - found.keys()):
        raise IkomaError("cli.not_built", services=", ".join(missing))
    return found


def warning(message_id: str, lang: str) -> dict[str, Any]:
    """Return a warning of this side in the shape of those that the host gives."""
    text, remedy = messages.text(message_id, {}, lang), messages.remedy(message_id, {}, lang)
    return {"id": message_id, "message": text, "remedy": remedy}


def _wanted(where: Where, wish: Wish) -> Target:
    """A published release needs no sources; a name is enough."""
    return where.target if wish.commit else where.repository_target


def _kept(where: Where, file: Path) -> Bundle:
    """Read a kept release and refuse it when another app or environment was asked for."""
    bundle = bundles.read(file, where.flags.repo)
    target, flags = bundle.target, where.flags
    if flags.app not in ("", target.app) or flags.environment not in ("", target.environment):
        asked = Target(flags.app or target.app, flags.environment or target.environment)
        raise Misuse("cli.release_other", file=file, found=target, asked=asked)
    return bundle
