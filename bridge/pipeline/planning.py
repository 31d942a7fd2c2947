"""A dry run: what would be built here, and what the host would do with the release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bridge.pipeline.host import body
from bridge.pipeline.run import Pipeline, Wish
from bridge.pipeline.settings import Where
from bridge.reports.console import Console
from bridge.reports.model import MigrationPlan, PlanImage, PlanReport
from bridge.reports.progress import Progress

if TYPE_CHECKING:
    from agent.model.release import Release
    from bridge.images.build import Images


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
                there = self._ask(release) if release else None
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

    def _ask(self, release: Release) -> dict[str, Any]:
        args = {"manifest": release.to_json()}
        return self.pipeline.host.agent.read("deploy.plan", body(self.where, release.target, self.pipeline.lang, args))


def _migrations(there: dict[str, Any] | None) -> MigrationPlan | None:
    """Return what the host says of its database, None where it was not asked or is too old to say."""
    said = (there or {}).get("migrations")
    return {"pending": list(said["pending"]), "problems": list(said["problems"])} if said else None


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
