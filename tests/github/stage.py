"""A job in GitHub Actions: its variables, its event, and what it reports."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.model.names import Target
from agent.model.secret import Secret
from bridge.github.platform import reporter
from bridge.github.retry import Policy
from bridge.reports import model
from bridge.reports.console import Console
from bridge.reports.github import CheckReport, Reporter, Start
from bridge.reports.model import DeploymentReport, PlanReport
from tests.github.double import JOB_TOKEN, REPOSITORY
from tests.github.server import Server

HEAD: Final = "a" * 40
MERGED: Final = "b" * 40
OPERATION: Final = "0193a0c4-7b1e-7cc3-98c4-dc0c0c07398f"
TARGET: Final = Target("shop", "production")


def pull_event(number: int = 7, head: str = HEAD, owner: str = "acme", branch: str = "topic") -> dict[str, Any]:
    """Return the event of a pull request that was opened or pushed to."""
    repo = {"full_name": f"{owner}/shop", "owner": {"login": owner}}
    return {
        "action": "synchronize",
        "number": number,
        "pull_request": {
            "number": number,
            "head": {"sha": head, "ref": branch, "repo": repo, "user": {"login": owner}},
        },
        "repository": {"full_name": REPOSITORY},
    }


def second_stage(head: str = HEAD, owner: str = "stranger", branch: str = "topic") -> dict[str, Any]:
    """Return the event of the trusted workflow that follows a fork's: it does not name the pull request."""
    source = {"full_name": f"{owner}/shop", "owner": {"login": owner}}
    run = {"event": "pull_request", "head_sha": head, "head_branch": branch, "head_repository": source,
           "pull_requests": []}  # fmt: skip
    return {"action": "completed", "workflow_run": run, "repository": {"full_name": REPOSITORY}}


@dataclass
class Stage:
    """Makes reporters, one a job, that all report to the same double."""

    github: Server
    folder: Path
    waited: list[float] = field(default_factory=list)
    log: io.StringIO = field(default_factory=io.StringIO)

    def environ(self, event: Mapping[str, Any], name: str, run: int, **more: str) -> dict[str, str]:
        """Return the variables of one job."""
        file = self.folder / f"event-{run}.json"
        file.write_text(json.dumps(event), encoding="utf-8")
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.github.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_RUN_ID": str(run),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SHA": MERGED,
            "GITHUB_STEP_SUMMARY": str(self.folder / f"summary-{run}.md"),
        } | more

    def job(
        self, event: Mapping[str, Any] | None = None, name: str = "pull_request", run: int = 100,
        token: str = JOB_TOKEN, target: Target = TARGET, **more: str,
    ) -> Reporter:  # fmt: skip
        """Return the reporter of one job; nobody really waits."""
        environ = self.environ(pull_event() if event is None else event, name, run, **more)
        console = Console(environ=environ, out=self.log, err=self.log)
        policy = Policy(sleep=self.waited.append)
        return reporter(target, environ, Secret(token), console, policy)

    def summary(self, run: int = 100) -> str:
        """Return what the job wrote as its summary."""
        return (self.folder / f"summary-{run}.md").read_text(encoding="utf-8")

    @property
    def comments(self) -> list[str]:
        """The bodies of our comments on the one pull request."""
        bodies = [item["body"] for items in self.github.double.comments.values() for item in items]
        return [body for body in bodies if "ikoma-bridge report" in body]

    @property
    def states(self) -> dict[str, list[str]]:
        """The states that each operation's deployment went through."""
        double = self.github.double
        return {
            item["payload"]["operation"]: [status["state"] for status in reversed(double.statuses[item["id"]])]
            for item in double.deployments
        }


def finding(index: int = 0, severity: str = "error", **more: Any) -> dict[str, Any]:
    """Return one finding as ``check --format json`` has it."""
    return {
        "rule": "IKB101", "severity": severity, "file": f"apps/web/src/page{index}.ts", "line": index + 1, "column": 1,
        "package": "left-pad", "app": "web", "message": f"left-pad is imported but not declared ({index}).", "why": "",
        "fix": "Run: pnpm add left-pad --filter web", "row": "", "fixable": True,
    } | more  # fmt: skip


def check(*findings: dict[str, Any]) -> CheckReport:
    """Return a report of the check."""
    counts = {word: sum(item["severity"] == word for item in findings) for word in ("error", "warning", "info")}
    return {"findings": list(findings), "counts": counts, "seconds": 0.2, "files": 12, "silenced": 0, "fixed": []}


def plan(problems: list[dict[str, Any]] | None = None) -> PlanReport:
    """Return a plan of five images of which two are to be built, and of what the host would then do."""
    images = {name: {"tag": "in-0", "ref": None, "build": name in ("api", "web")} for name in ("api", "web", "a", "b")}
    services = [
        {"service": "api", "kind": "routed", "action": "replaced", "how": "stop-first", "reason": "plan.reason.port"},
        {"service": "web", "kind": "routed", "action": "replaced", "how": "start-first", "reason": ""},
        {"service": "db", "kind": "stateful", "action": "unchanged", "how": "", "reason": ""},
    ]
    return {
        "app": "shop", "environment": "production", "release": "r-0123456789ab",
        "images": images,  # type: ignore[typeddict-item]
        "host": {"services": services, "lines": ["api: replaced"], "problems": problems or []},
        "migrations": {"pending": ["0002_orders"], "problems": [], "breaking": [], "warnings": []},
    }  # fmt: skip


def start(operation: str = OPERATION, **more: Any) -> Start:
    """Return a deployment that begins."""
    return Start(operation, **({"release": "r-0123456789ab"} | more))


def ended(status: str = "HEALTHY", **more: Any) -> DeploymentReport:
    """Return how a deployment ended."""
    steps = [
        {"name": "preflight", "status": "done", "seconds": 0.4, "detail": ""},
        {"name": "migrate", "status": "done", "seconds": 1.2, "detail": "1 file"},
        {"name": "roll-out", "status": "done" if status == "HEALTHY" else "failed", "seconds": 6.0, "detail": "api"},
    ]
    result = {
        "status": status, "message": "Deployment validated by health check" if status == "HEALTHY" else "",
        "release": "r-0123456789ab", "previous": "r-aaaaaaaaaaaa", "operation": OPERATION, "seconds": 9.5,
        "steps": steps, "services": {"api": {"action": "replaced", "state": "healthy"}},
        "routes": ["https://shop.example.com"],
    }  # fmt: skip
    report = model.deployment(TARGET, result | more)
    report["stages"] = [{"name": "build", "seconds": 1.5}, {"name": "deploy", "seconds": 8.0}]
    return report
