"""GitHub's record of a deployment: one an operation, moved through its states, its predecessors set inactive."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from bridge.github.api import Api

if TYPE_CHECKING:
    from github.Deployment import Deployment
    from github.DeploymentStatus import DeploymentStatus

State = Literal["in_progress", "success", "failure", "error", "inactive"]

DESCRIPTION: Final = 140
_LOOKED_AT: Final = 30
_KNOWN: Final = 200
"""Newest first: what a retry of this run made is not behind two hundred others."""
_ENDINGS: Final[dict[str, State]] = {
    "HEALTHY": "success",
    "DONE": "success",
    "RUNNING": "in_progress",
    "INTERRUPTED": "error",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a deployment stands.

    Attributes:
        operation: the id that GitHub's deployment carries, by which it is found again.
        ref: a tag, or a whole commit.
        log: the page of the run; ``page``: where the app answers, or empty.
    """

    app: str
    environment: str
    operation: str
    ref: str
    state: State
    description: str
    log: str = ""
    page: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """Tells the apps of one repository and environment apart."""
        return f"deploy:{self.app}"


def state(status: str) -> State:
    """Return GitHub's word for how an operation ended; one that we lost sight of goes on."""
    return _ENDINGS.get(status, "failure")


def move(api: Api, moment: Moment) -> int:
    """Create the deployment or find it, give it the state of ``moment``, and return its number.

    After a success those before it become inactive. GitHub does that by itself only for environments that are not
    production, and then for every app in them.
    """
    known: list[Deployment] = []
    deployment = api.policy.ensure(lambda: _find(api, moment, known), lambda: _create(api, moment, known))
    status = api.policy.ensure(lambda: _latest(deployment, moment), lambda: _say(deployment, moment))
    if moment.state == "success":
        for former in _replaced(api, moment, deployment, status):
            _retire(api, former, moment)
    return deployment.id


def _find(api: Api, moment: Moment, known: list[Deployment]) -> Deployment | None:
    """Return the deployment of this operation, and leave in ``known`` those of the same app and environment."""
    listed = api.repo.get_deployments(task=moment.task, environment=moment.environment)
    known[:] = itertools.islice(listed, _KNOWN)
    return next((item for item in known if _fact(item, "operation") == moment.operation), None)


def _create(api: Api, moment: Moment, known: list[Deployment]) -> Deployment:
    """Without waiting for other checks and without merging anything: the decision to deploy has been made."""
    created = api.repo.create_deployment(
        ref=_ref(moment, known),
        task=moment.task,
        auto_merge=False,
        required_contexts=[],
        payload={**moment.facts, "app": moment.app, "operation": moment.operation},
        environment=moment.environment,
        description=moment.description[:DESCRIPTION],
        transient_environment=False,
        production_environment=moment.environment == "production",
    )
    api.wrote(created.creator.login if created.creator else "")
    return created


def _ref(moment: Moment, known: list[Deployment]) -> str:
    """Return what is deployed: of a rollback what its release was made from, if GitHub has seen that release."""
    release = moment.facts.get("release")
    if moment.facts.get("kind") != "rollback" or not release:
        return moment.ref
    return next((item.ref for item in known if _fact(item, "release") == release), moment.ref)


def _fact(deployment: Deployment, name: str) -> Any:
    return deployment.payload.get(name) if isinstance(deployment.payload, dict) else None


def _latest(deployment: Deployment, moment: Moment) -> DeploymentStatus | None:
    """Return the newest state if it is the one of ``moment``."""
    newest = next(iter(deployment.get_statuses()), None)
    if newest is None:
        return None
    same = (newest.state, newest.description) == (moment.state, moment.description[:DESCRIPTION])
    return newest if same else None


def _say(deployment: Deployment, moment: Moment) -> DeploymentStatus:
    return deployment.create_status(
        state=moment.state,
        target_url=moment.log,
        description=moment.description[:DESCRIPTION],
        environment=moment.environment,
        environment_url=moment.page,
        auto_inactive=False,
    )


def _replaced(api: Api, moment: Moment, ours: Deployment, status: DeploymentStatus) -> list[Deployment]:
    """Return the deployments of this app that were active until ours succeeded.

    Newest first, up to one that is inactive: those before it were dealt with when it was active.
    """

    def look() -> list[Deployment]:
        active: list[Deployment] = []
        others = api.repo.get_deployments(task=moment.task, environment=moment.environment)
        for _, other in zip(range(_LOOKED_AT), others, strict=False):
            newest = None if other.id == ours.id else next(iter(other.get_statuses()), None)
            if newest is not None and newest.state == "inactive":
                break
            if newest is not None and newest.state == "success" and newest.id < status.id:
                active.append(other)
        return active

    return api.policy.call(look)


def _retire(api: Api, former: Deployment, moment: Moment) -> None:
    gone = Moment(moment.app, moment.environment, "", "", "inactive", f"replaced by {moment.operation}")
    api.policy.ensure(lambda: _latest(former, gone), lambda: former.create_status(
        state="inactive", description=gone.description, environment=moment.environment, auto_inactive=False,
    ))  # fmt: skip
