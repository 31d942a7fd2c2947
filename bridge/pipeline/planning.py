"""A dry run: what would be built here, and what the host would do with the release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from bridge.pipeline.host import body
from bridge.pipeline.run import Pipeline, Wish
from bridge.pipeline.settings import Where
from bridge.reports import shapes
from bridge.reports.console import Console
from bridge.reports.model import MigrationPlan, PlanImage, PlanReport
from bridge.reports.progress import Progress

if TYPE_CHECKING:
    from agent.model.release import Release
    from bridge.images.build import Images
    from bridge.workspace.project import Project

_TEXTS: Final = 8 << 20
"""Bytes of migrations that a plan sends along to be judged."""


class Planning:
    """Goes the pipeline's way and stops before anything is built or sent."""

    def __init__(self, where: Where, console: Console, face: Progress, only: Sequence[str]) -> None:
        self.pipeline = Pipeline(where, console, face, Wish(only=tuple(only), build=False))
        self.where, self.face, self.only = where, face, tuple(only)

    def run(self) -> PlanReport:
        """Return the plan. Raises ``IkomaError`` like the stages of a run."""
        from bridge.images.build import Images

        pipeline, target = self.pipeline, self.pipeline.target
        try:
            project = pipeline.check()
            with self.face.stage("plan"):
                known = Images(project, self.where.registry(target), self.only, rendered=pipeline.rendering.result())
                images = _images(known, pipeline)
                release = None
                if not any(image["build"] for image in images.values()):
                    release = pipeline.pin(project, known).release
                there = self._ask(release, project) if release else None
        finally:
            pipeline.close()
        return {
            "app": target.app,
            "environment": target.environment,
            "release": release.id if release else None,
            "images": images,
            "host": there,
            "migrations": _migrations(there),
        }

    def _ask(self, release: Release, project: Project) -> dict[str, Any]:
        return self._read(release, {}) if not release.migrations else self._with_texts(release, project)

    def _with_texts(self, release: Release, project: Project) -> dict[str, Any]:
        """Ask which files are pending, then what the host makes of them: it has never seen their text."""
        there = self._read(release, {})
        names = (there.get("migrations") or {}).get("pending") or ()
        folder = project.migrations_folder
        if not names or folder is None or "findings" not in there["migrations"]:
            return there
        texts = {f"{name}.sql": (folder / f"{name}.sql").read_bytes() for name in names}
        if sum(map(len, texts.values())) > _TEXTS:
            return there
        return self._read(release, {"sql": {name: raw.decode(errors="replace") for name, raw in texts.items()}})

    def _read(self, release: Release, more: dict[str, Any]) -> dict[str, Any]:
        args = {"manifest": release.to_json(), **more}
        request = body(self.where, release.target, self.pipeline.lang, args)
        return shapes.plan(self.pipeline.host.agent.read("deploy.plan", request))


def _migrations(there: dict[str, Any] | None) -> MigrationPlan | None:
    """Return what the host says of its database, None where it was not asked or is too old to say."""
    said = (there or {}).get("migrations")
    if not said:
        return None
    plan: MigrationPlan = {"pending": list(said["pending"]), "problems": list(said["problems"])}
    if "breaking" in said:
        told = [item["message"] for item in said["findings"] if not item["blocks"]]
        plan |= {"breaking": list(said["breaking"]), "warnings": told}
    return plan


def _images(known: Images, pipeline: Pipeline) -> dict[str, PlanImage]:
    pipeline.images = known.present()
    return {
        service: {
            "tag": tag,
            "ref": pipeline.images[service].ref if service in pipeline.images else None,
            "build": service not in pipeline.images,
        }
        for service, tag in known.tags.items()
    }
