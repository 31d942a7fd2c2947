"""A dry run: what would be built here, and what the host would do with the release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bridge.pipeline.host import Host, body
from bridge.pipeline.run import Pipeline, Wish
from bridge.pipeline.settings import Where
from bridge.reports.console import Console
from bridge.reports.model import PlanImage, PlanReport
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

        target = self.pipeline.target
        host = Host(self.where.address(target), self.where.give_up)
        try:
            project = self.pipeline.check()
            with self.face.stage("plan"):
                known = Images(project, self.where.registry(target), self.only)
                images = _images(known, self.pipeline)
                release = None
                if not any(image["build"] for image in images.values()):
                    release = self.pipeline.plan(host, project, known).release
            there = self._ask(host, release) if release else None
        finally:
            host.close()
        return {
            "app": target.app,
            "environment": target.environment,
            "release": release.id if release else None,
            "images": images,
            "host": there,
        }

    def _ask(self, host: Host, release: Release) -> dict[str, Any]:
        args = {"manifest": release.to_json()}
        return host.agent.read("deploy.plan", body(self.where, release.target, self.pipeline.lang, args))


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
