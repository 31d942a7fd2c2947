"""Building what the registry does not have yet, all in one run, and nothing else."""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from agent.model import messages
from agent.model.errors import Misuse
from bridge.images import bake, baking, names
from bridge.images.names import Reference
from bridge.images.registry import Access, Client
from bridge.images.render import Rendered, render
from bridge.images.tags import Reader, Recipe, content_tag, pins, recipe
from bridge.images.turns import turn
from bridge.workspace.project import Project

OnLine = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """One of our images in the registry.

    Attributes:
        ref: ``registry/app/service@sha256:…``.
        tag: its content tag.
        built: whether this run built it; otherwise the registry had it.
        seconds: how long the run took that built it.
    """

    ref: str
    tag: str
    built: bool
    seconds: float = 0.0

    @property
    def digest(self) -> str:
        return self.ref.partition("@")[2]


class Images:
    """The images of one project: what they are called, what the registry has of them.

    Args:
        only: the services to look at (all when empty). Services on whose images these stand are added.

    Raises:
        Misuse: ``build.unknown_service`` and whatever reading compose file and Dockerfiles raises.
    """

    def __init__(
        self,
        project: Project,
        access: Access,
        only: Collection[str] = (),
        *,
        rendered: Rendered | None = None,
        client: Client | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.project, self.access = project, access
        self.environ: Mapping[str, str] = os.environ if environ is None else environ
        self.rendered = rendered or render(project, self.environ)
        self.client = client or Client(access, self.environ)
        check_services(self.rendered, only, project)
        reader = Reader()
        self.recipes: dict[str, Recipe] = {}
        pending = [name for name in self.rendered.builds if not only or name in only]
        while pending:
            service = pending.pop()
            if service not in self.recipes and service in self.rendered.builds:
                made = recipe(self.rendered.builds[service], project.settings.platform, reader)
                self.recipes[service] = made
                pending += made.siblings.values()

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digest of every base image, asked of its registry at once."""
        wanted = {image: names.parse(image) for item in self.recipes.values() for image in item.images}
        known = self.client.resolve_all(wanted.values())
        return {image: known[reference] for image, reference in wanted.items()}

    @cached_property
    def tags(self) -> dict[str, str]:
        """Service → content tag. Files are read while the registries answer."""
        ours = [names.ours(self.access.address, self.project.app, service, "in") for service in self.recipes]
        with ThreadPoolExecutor(3) as pool:
            pool.submit(self.client.prepare, ours)
            answers = pool.submit(lambda: self.digests)
            pool.submit(lambda: self.project.git)
            for made in self.recipes.values():
                _ = made.files
            answers.result()
        return self._tags()

    def _tags(self) -> dict[str, str]:
        found: dict[str, str] = {}

        def tag(service: str) -> str:
            if service not in self.recipes:
                return self.rendered.images.get(service, service)
            if service not in found:
                found[service] = content_tag(self.recipes[service], self.digests, tag)
            return found[service]

        return {service: tag(service) for service in sorted(self.recipes)}

    @cached_property
    def references(self) -> dict[str, Reference]:
        """Service → where its image belongs."""
        prefix, app = self.access.address, self.project.app
        return {service: names.ours(prefix, app, service, tag) for service, tag in self.tags.items()}

    def present(self) -> dict[str, BuiltImage]:
        """Return the images that the registry has already."""
        known = self.client.digests(self.references.values())
        return {
            service: BuiltImage(f"{reference.name}@{digest}", self.tags[service], built=False)
            for service, reference in self.references.items()
            if (digest := known[reference]) is not None
        }

    def orders(self, present: Mapping[str, BuiltImage]) -> list[bake.Order]:
        """Return what has to be built."""
        return [self._order(service, present) for service in self.recipes if service not in present]

    def _order(self, service: str, present: Mapping[str, BuiltImage]) -> bake.Order:
        made = self.recipes[service]
        siblings = {name: self._sibling(other, present) for name, other in made.siblings.items()}
        return bake.Order(
            made.build, self.references[service], made.platform, pins(made, self.digests), siblings
        )  # fmt: skip

    def _sibling(self, service: str, present: Mapping[str, BuiltImage]) -> str:
        if service in present:
            return f"docker-image://{present[service].ref}"
        if service in self.recipes:
            return f"target:{bake.target_name(service)}"
        return f"docker-image://{self.rendered.images.get(service, service)}"


def check_services(rendered: Rendered, wanted: Collection[str], project: Project) -> None:
    """Refuse services that do not exist. Raises ``Misuse("build.unknown_service")`` with the nearest name."""
    known = sorted(rendered.compose["services"])
    for service in wanted:
        if service not in known:
            near = difflib.get_close_matches(service, known, 1)
            raise Misuse("build.unknown_service", service=service, file=project.compose_file,
                         nearest=f" ({near[0]}?)" if near else "", known=", ".join(known))  # fmt: skip


def build(
    project: Project,
    registry: Access,
    only: Collection[str] = (),
    on_line: OnLine = print,
    *,
    images: Images | None = None,
    before: Callable[[], None] | None = None,
) -> dict[str, BuiltImage]:
    """Build and push what the registry does not have, in one parallel run; return all images by service.

    Args:
        only: build these services alone.
        on_line: called with each line worth showing; printed when nobody listens.
        images: what was found out already, e.g. for a plan.
        before: called once when something has to be built, before it is; what it raises stops the build.

    Raises:
        Misuse: a mistake in compose file or Dockerfile.
        IkomaError: ``build.*`` and ``registry.*``.
    """
    known = images or Images(project, registry, only)
    done = known.present()
    if not known.orders(done):
        _tell_present(done, on_line)
    else:
        if before is not None:
            before()
        said = messages.text("build.turn", {"app": project.app})
        with turn(f"{registry.address}/{project.app}", lambda: on_line(said)) as waited:
            done = known.present() if waited else done
            _tell_present(done, on_line)
            if orders := known.orders(done):
                done |= _made(known, orders, registry, on_line)
    return {service: done[service] for service in sorted(done) if not only or service in only}


def _tell_present(done: Mapping[str, BuiltImage], on_line: OnLine) -> None:
    for service, image in sorted(done.items()):
        on_line(messages.text("build.present", {"service": service, "tag": image.tag}))


def _made(known: Images, orders: list[bake.Order], registry: Access, on_line: OnLine) -> dict[str, BuiltImage]:
    for order in orders:
        if known.recipes[order.build.service].context.holds_history:
            on_line(messages.text("build.git_folder", {"service": order.build.service}))
    return _bake(known, orders, registry, on_line)


def _bake(known: Images, orders: list[bake.Order], access: Access, on_line: OnLine) -> dict[str, BuiltImage]:
    started = time.monotonic()
    pushed = baking.run(orders, access, known.environ, on_line)
    seconds = round(time.monotonic() - started, 1)
    done = {}
    for order in orders:
        service = order.build.service
        done[service] = BuiltImage(f"{order.reference.name}@{pushed[service]}", order.reference.tag, True, seconds)
        facts = {"service": service, "tag": order.reference.tag, "seconds": seconds}
        on_line(messages.text("build.pushed", facts))
    return done
