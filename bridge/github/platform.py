"""GitHub as the place where a story is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.model.secret import Secret
from bridge.github import context
from bridge.github.api import Api
from bridge.github.context import Context, Pull
from bridge.github.retry import Policy, denied
from bridge.reports import summary
from bridge.reports.console import masked
from bridge.reports.github import Reporter, Story
from bridge.reports.markdown import plain_address

if TYPE_CHECKING:
    from bridge.github.deployments import Moment
    from bridge.reports.console import Console


def reporter(
    target: Target, environ: Mapping[str, str], token: Secret, console: Console, policy: Policy | None = None
) -> Reporter:
    """Return the reporter of one target in this run.

    Args:
        token: what GitHub is called with; with an empty one only the job's summary is written.
        environ: the variables of the job.
    """
    here = context.read(environ)
    api = Api(here, token, policy or Policy()) if token and here.run.repository else None
    console.learn(token)
    return Reporter(Story(target, here.run), Platform(here, api, console), console, hopeless=denied)


@dataclass
class Platform:
    """Publishes stories in one repository. Safe to call again with the same story or a newer one."""

    here: Context
    api: Api | None
    console: Console
    _pull: int | None = field(default=None, init=False)

    def comment(self, story: Story) -> None:
        """Write the one comment of this target on the pull request, if there is one."""
        from bridge.github.comments import Comments, Marker

        if self.api is None or _elsewhere(story, self.here) or not (number := self.pull(self.api)):
            return
        text = summary.comment(self._masked(story), self.lang)
        Comments(self.api, number).write(Marker.of(story.target, story.run), text)

    def check(self, story: Story) -> None:
        """Write the check run of this target on the commit, once there is something to say."""
        from bridge.github import checks

        run, story = story.run, self._masked(story)
        if self.api is None or not run.commit or story.check is None:
            return
        check = checks.Check(
            name=f"ikoma {story.target.app} ({story.target.environment})",
            commit=run.commit,
            key=f"{run.id}.{run.attempt}",
            url=run.url,
            conclusion=summary.conclusion(story),
            title=summary.check_title(story, self.lang),
            summary=messages.text("report.about", {}, self.lang),
            text=summary.check_text(story, self.lang),
            notes=summary.notes(story, checks.MOST),
        )
        checks.write(self.api, check)

    def scanning(self, story: Story) -> None:
        """Hand the findings to code scanning."""
        from bridge.github import scanning

        if self.api is not None and story.run.sources and story.run.ref:
            scanning.upload(self.api, story.run, self.console.redactor(story.sarif))

    def deployment(self, story: Story) -> None:
        """Create GitHub's deployment, or move it to the state of the story."""
        from bridge.github import deployments

        if self.api is not None and (moment := self._moment(self._masked(story))):
            deployments.move(self.api, moment)

    def summary(self, story: Story) -> None:
        """Write the summary of the job; no network is needed for it."""
        if self.here.summary is None:
            return
        with open(self.here.summary, "a", encoding="utf-8", errors="replace") as stream:
            stream.write(summary.job(self._masked(story), self.lang))

    @property
    def lang(self) -> str:
        return self.console.lang

    def _masked(self, story: Story) -> Story:
        """Return the story without secrets. Before it is rendered: an escaped or cut secret is not recognised."""
        told = {name: getattr(story, name) for name in ("check", "plan", "plan_error", "end")}
        return replace(story, **masked(told, self.console.redactor))

    def pull(self, api: Api) -> int:
        """Return the number of the pull request that this run is about, or 0. It is asked for once."""
        if self._pull is None:
            self._pull = api.policy.call(lambda: _number(api, self.here))
        return self._pull

    def _moment(self, story: Story) -> Moment | None:
        from bridge.github.deployments import Moment, state

        start, end, run = story.start, story.end, story.run
        ref = (start.tag or start.commit if start else "") or run.commit
        if start is None or not ref:
            return None
        return Moment(
            app=story.target.app,
            environment=story.target.environment,
            operation=start.operation,
            ref=ref,
            state="in_progress" if end is None else state(end["status"]),
            description=self._description(story),
            log=run.url,
            page=next((url for url in (end["routes"] if end else []) if _shown(url)), ""),
            facts={"kind": start.kind, "release": start.release, "run": run.url},
        )

    def _description(self, story: Story) -> str:
        from bridge.reports.text import clean

        name, end = "started", story.end
        if end is not None and end["status"] != "RUNNING":
            return clean(f"{end['status']}: {end['message']}" if end["message"] else end["status"])
        if end is not None:
            name = "lost"
        return messages.text(f"report.deployment.{name}", {}, self.lang)


def _shown(url: str) -> bool:
    """GitHub refuses a state whose address is none, and people click on it."""
    return url.startswith("https://") and plain_address(url)


def _elsewhere(story: Story, here: Context) -> bool:
    """What is deployed again, or comes back, may have nothing to do with the commit that the run is of."""
    start = story.start
    if start is None or here.pull is not None:
        return False
    return start.kind == "rollback" or start.commit not in ("", here.run.commit)


def _number(api: Api, here: Context) -> int:
    """Return the number of the event's pull request, else of the open one with its head, else of the commit's."""
    pull = here.pull
    if pull is not None:
        return pull.number or _by_head(api, pull)
    if not here.run.commit:
        return 0
    pulls = list(api.repo.get_commit(here.run.commit).get_pulls())
    return next((item.number for item in pulls if item.merged_at or item.state == "open"), 0)


def _by_head(api: Api, pull: Pull) -> int:
    """A fork's pull request is not in the event of the second workflow: look for the head that GitHub names there."""
    if not pull.owner or not pull.branch:
        return 0
    found = api.repo.get_pulls(state="open", head=f"{pull.owner}:{pull.branch}")
    matching = [item.number for item in found if item.head.sha == pull.head]
    if len(matching) > 1:
        raise IkomaError("github.refused", status=409, reason="several pull requests have this head")
    return matching[0] if matching else 0
