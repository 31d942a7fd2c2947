"""What a command answers, as data. ``--json`` prints these shapes; docs/json.md describes them; they only grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from agent.model.errors import Exit, IkomaError
from agent.model.names import Target
from bridge.reports import shapes


class ErrorReport(TypedDict):
    """Why it failed: an id that never changes, the step it happened in, a sentence, the next thing to type."""

    id: str
    step: str | None
    message: str
    remedy: str


class StepReport(TypedDict):
    """One step on the host; ``status`` is done, skipped, failed or undone."""

    name: str
    status: str
    seconds: float
    detail: str


class StageReport(TypedDict):
    """One stage on this side: check, build, plan, deploy."""

    name: str
    seconds: float


class ImageReport(TypedDict):
    """One image of ours; ``built`` is false when the registry already had it."""

    ref: str
    built: bool


class ServiceReport(TypedDict, total=False):
    """One service; ``action`` is unchanged, started, replaced, restarted or removed."""

    action: str
    state: str


class MigrationReport(TypedDict):
    """Names of migration files without their ending."""

    applied: list[str]
    pending: list[str]


class ProofReport(TypedDict):
    """Whether the migrations make what the database is; ``reason`` is the id of the error where it was tolerated."""

    proven: bool
    rebuilt: NotRequired[bool]
    fingerprint: NotRequired[str]
    reason: NotRequired[str]


class DeploymentReport(TypedDict):
    """The end of ``pipeline run``, ``deploy apply``, ``rollback`` and ``attach``.

    ``audit_head`` is there when the host said how it ended, ``proof`` when it looked at a database.
    """

    status: str
    message: str
    app: str
    environment: str
    release: str | None
    previous: str | None
    operation: str | None
    audit_head: NotRequired[str]
    seconds: float
    steps: list[StepReport]
    stages: list[StageReport]
    images: dict[str, ImageReport]
    services: dict[str, ServiceReport]
    migrations: MigrationReport
    routes: list[str]
    warnings: list[dict[str, Any]]
    proof: NotRequired[ProofReport]
    error: ErrorReport | None


class StatusReport(TypedDict):
    """What serves now, and the operation that runs (or null)."""

    app: str
    environment: str
    release: str | None
    status: str | None
    since: str | None
    built_here: bool
    services: dict[str, Any]
    previous: str | None
    warnings: list[dict[str, Any]]
    operation: dict[str, Any] | None


class PlanImage(TypedDict):
    """One image of ours; ``ref`` is null when it would have to be built."""

    tag: str
    ref: str | None
    build: bool


class MigrationPlan(TypedDict):
    """Names of migration files that a run would apply, and sentences that say why it would not.

    ``breaking`` names those that the running release may not live with, ``warnings`` are sentences about the rest.
    """

    pending: list[str]
    problems: list[str]
    breaking: NotRequired[list[str]]
    warnings: NotRequired[list[str]]


class PlanReport(TypedDict):
    """What a run would do; ``release``, ``host`` and ``migrations`` are null while images are missing."""

    app: str
    environment: str
    release: str | None
    images: dict[str, PlanImage]
    host: dict[str, Any] | None
    migrations: MigrationPlan | None


class FailureReport(TypedDict):
    """What every command answers when it fails and has no shape of its own."""

    status: str
    error: ErrorReport
    operation: NotRequired[str]


def error_report(error: IkomaError, lang: str) -> ErrorReport:
    """Return the documented form of ``error``."""
    return {
        "id": error.id,
        "step": error.step,
        "message": error.message(lang),
        "remedy": error.remedy(lang),
    }


def obstructed(report: PlanReport) -> bool:
    """Say whether a run of this plan would be refused."""
    migrations = report["migrations"]
    return bool((report["host"] or {}).get("problems") or (migrations and migrations["problems"]))


def unfinished(error: IkomaError) -> str:
    """Return the status of a command that ends with ``error``: lost sight of an operation, or failed."""
    return "RUNNING" if error.exit_code == Exit.DETACHED else "FAILED"


def failure(error: IkomaError, lang: str) -> FailureReport:
    """Return the answer of a command that came to nothing."""
    report: FailureReport = {"status": unfinished(error), "error": error_report(error, lang)}
    if operation := error.params.get("operation"):
        report["operation"] = str(operation)
    return report


def deployment(target: Target, result: Mapping[str, Any]) -> DeploymentReport:
    """Return the report of a deployment; what ``result`` (the host's own words) lacks is empty, what it adds stays."""
    shape: DeploymentReport = {
        "status": shapes.text(result.get("status")) or "FAILED",
        "message": shapes.text(result.get("message")),
        "app": target.app,
        "environment": target.environment,
        "release": shapes.maybe(result.get("release")),
        "previous": shapes.maybe(result.get("previous")),
        "operation": shapes.maybe(result.get("operation")),
        "seconds": shapes.number(result.get("seconds")),
        "steps": shapes.steps(result.get("steps")),
        "stages": [],
        "images": {},
        "services": shapes.services(result.get("services")),
        "migrations": shapes.migrations(result.get("migrations")),
        "routes": shapes.texts(result.get("routes")),
        "warnings": shapes.mappings(result.get("warnings")),
        "error": shapes.error(result.get("error")),
    }
    return {**result, **shape}  # type: ignore[typeddict-item]


def failed_deployment(target: Target, operation: str | None, error: IkomaError, lang: str) -> DeploymentReport:
    """Return the report of a deployment that ended on this side: it failed here, or goes on without us."""
    report = deployment(target, {"status": unfinished(error), "operation": operation})
    report["message"] = error.message(lang)
    report["error"] = error_report(error, lang)
    return report


def status(target: Target, result: Mapping[str, Any]) -> StatusReport:
    """Return the documented form of the host's ``status.get``; further keys of the host are kept."""
    shape: StatusReport = {
        "app": target.app,
        "environment": target.environment,
        "release": result.get("release"),
        "status": result.get("status"),
        "since": result.get("since"),
        "built_here": bool(result.get("built_here")),
        "services": dict(result.get("services") or {}),
        "previous": result.get("previous"),
        "warnings": shapes.mappings(result.get("warnings")),
        "operation": result.get("operation"),
    }
    return {**result, **shape}  # type: ignore[typeddict-item]
