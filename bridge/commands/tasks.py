"""What the Action can do, one small class a command. Each leaves outputs and a report behind, in failure too."""

from __future__ import annotations

import contextlib
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.model.errors import Exit, IkomaError, Misuse
from agent.model.names import Target
from agent.model.secret import Secret
from agent.protocol import exit_code
from bridge.github import context, platform
from bridge.github.request import Request
from bridge.pipeline.settings import Flags, Where
from bridge.reports import model
from bridge.reports.console import Console
from bridge.reports.progress import Progress

if TYPE_CHECKING:
    from bridge.checks.engine import Report
    from bridge.pipeline.bundles import Bundle
    from bridge.pipeline.host import Host
    from bridge.pipeline.run import Wish
    from bridge.reports.github import CheckReport, Reporter

_TAG: Final = "refs/tags/"
_OUT_OF_ORDER: Final = ("github.unreachable", "github.limited", "github.refused")


class Task(ABC):
    """The surroundings of every command.

    Attributes:
        outputs: what the Action gives to later steps.
        report: the whole report, kept as JSON.
        hurried: whether the job was cancelled: little time is left.
    """

    hurried = False

    def __init__(self, request: Request, environ: Mapping[str, str], console: Console) -> None:
        self.request, self.console = request, console
        self.environ = dict(environ) | settings(request, environ)
        self.face = Progress(console)
        self.outputs: dict[str, str] = {"status": "FAILED"}
        self.report: dict[str, Any] = {}
        self._reporter: Reporter | None = None

    @abstractmethod
    def run(self) -> Exit:
        """Do it. Raises ``IkomaError``."""

    def close(self, seconds: float) -> None:
        """Publish what is left to publish; what GitHub did not take is told in the log."""
        if self._reporter is None:
            return
        missing = self._reporter.close(seconds)
        if "check" in {*missing, *self._reporter.refused} or not self.may_write:
            self.annotate()

    def annotate(self) -> None:  # noqa: B027  most commands have nothing to say there
        """Say in the log what a check run would have shown."""

    @cached_property
    def folder(self) -> Path:
        """The app's folder. Raises ``Misuse("action.folder")``: it must be inside the workspace."""
        workspace = Path(self.environ.get("GITHUB_WORKSPACE") or ".").resolve()
        folder = (workspace / self.request.text("working-directory")).resolve()
        if not folder.is_dir() or not folder.is_relative_to(workspace):
            raise Misuse("action.folder", folder=self.request.text("working-directory"))
        return folder

    @cached_property
    def where(self) -> Where:
        """Where it goes: the inputs decide, then BRIDGE_* variables of the job, then the contract."""
        given = self.request.text
        flags = Flags(repo=self.folder, app=given("app"), environment=given("environment"), host=given("host"),
                      port=given("port"), user=given("user"), host_key=given("host-key"),
                      registry=given("registry"))  # fmt: skip
        return Where(flags, self.environ)

    @property
    def target(self) -> Target:
        return self.where.target

    @property
    def _tag(self) -> str:
        ref = self.environ.get("GITHUB_REF", "")
        return ref.removeprefix(_TAG) if ref.startswith(_TAG) else ""

    @cached_property
    def may_write(self) -> bool:
        """Whether GitHub would take reports from this run: the token of a fork's pull request only reads."""
        here = context.read(self.environ)
        own = here.run.event != "pull_request" or here.pull is None or not here.pull.fork
        return own and bool(self.request.secret("github-token"))

    @property
    def reporter(self) -> Reporter:
        if self._reporter is None:
            token = self.request.secret("github-token") if self.may_write else Secret("")
            self._reporter = platform.reporter(self.target, self.environ, token, self.console)
        return self._reporter


def settings(request: Request, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the inputs that reach the pipeline as settings of its own."""
    token = request.secret("registry-token")
    if not token and request.text("registry").partition("/")[0] == "ghcr.io":
        token = request.secret("github-token")
    given = {
        "BRIDGE_SSH_KEY": request.secret("ssh-key").reveal(),
        "BRIDGE_KNOWN_HOSTS": request.text("known-hosts") + "\n" if request.text("known-hosts") else "",
        "BRIDGE_REGISTRY_USER": request.text("registry-user") or environ.get("GITHUB_ACTOR", ""),
        "BRIDGE_REGISTRY_TOKEN": token.reveal(),
        "BRIDGE_GIVE_UP": request.text("give-up"),
        "BRIDGE_SBOM": {"true": "1", "false": ""}.get(request.text("sbom"), request.text("sbom")),
    }
    return {name: value for name, value in given.items() if value}


class Check(Task):
    """Finds everything that would stop the build."""

    found: Report | None = None

    def run(self) -> Exit:
        failed = self.check()
        self.outputs["status"] = "REFUSED" if failed else "PASSED"
        return Exit.FAILED if failed else Exit.DONE

    @property
    def target(self) -> Target:
        """A repository whose contract is broken or missing is checked as well: then it lends its own name."""
        try:
            return self.where.target
        except IkomaError:
            name = self.environ.get("GITHUB_REPOSITORY", "").rpartition("/")[2].lower()
            name = re.sub(r"[^a-z0-9-]+", "-", name).lstrip("-0123456789")[:31]
            return Target(name or "app", self.request.text("environment"))

    def check(self) -> bool:
        """Check, report, and return whether it refuses."""
        from bridge.checks import engine
        from bridge.reports.findings import json, sarif, text

        with self.face.stage("check"):
            found = engine.check(self.folder)
            self.console.say(text.render(found))
        self.found = found.from_top()
        data: CheckReport = json.data(self.found)  # type: ignore[assignment]
        self.report |= {"app": self.target.app, "environment": self.target.environment, "check": data}
        counts = self.found.counts
        self.outputs["findings"] = str(counts["error"] + counts["warning"])
        scan = (
            sarif.render(self.found, f"ikoma/{self.target.app}/{self.target.environment}")
            if self.request.flag("sarif")
            else ""
        )
        self.reporter.findings(data, strict=self.request.flag("strict"), sarif=scan)
        return bool(counts["error"] or (self.request.flag("strict") and counts["warning"]))

    def annotate(self) -> None:
        from bridge.reports.findings import github

        if self.found is not None and self.found.findings and self.console.actions:
            self.console.raw(github.render(self.found))


class Plan(Check):
    """The check, and what a deployment would build and change."""

    def run(self) -> Exit:
        refused = self.check()
        try:
            plan = self._plan()
        except IkomaError as error:
            self.reporter.planned(None, model.error_report(error, self.console.machine_lang))
            raise
        self.report["plan"] = plan
        self.outputs["release"] = plan["release"] or ""
        self.reporter.planned(plan)
        refused = refused or model.obstructed(plan)
        self.outputs["status"] = "REFUSED" if refused else "PLANNED"
        return Exit.FAILED if refused else Exit.DONE

    def _plan(self) -> model.PlanReport:
        from bridge.pipeline.planning import Planning
        from bridge.reports import final

        plan = Planning(self.where, self.console, self.face, self.request.lines("only")).run()
        self.console.say(final.plan(plan, self.console))
        return plan


class Deploy(Task):
    """Values first, if there are any; then the whole pipeline, or a kept release."""

    def run(self) -> Exit:
        from bridge.commands.deploying import Reported

        target = self.target
        try:
            if self.request.secret("env-file"):
                self._push()
            pipeline = Reported(self.where, self.console, self.face, self._wish(target), on_start=self._started)
        except IkomaError as error:
            report = model.failed_deployment(target, None, error, self.console.machine_lang)
            return self.ended(report, error)
        report = pipeline.run()
        return self.ended(report, pipeline.fault)

    def _wish(self, target: Target) -> Wish:
        from bridge.pipeline import bundles
        from bridge.pipeline.run import Wish

        given = self.request.text("release")
        commit = given if bundles.is_commit(given) else ""
        file = (self.folder / given) if given and not commit else None
        return Wish(
            only=self.request.lines("only"), build=not given, release=file, commit=commit,
            accept=self.request.lines("accept"),
            if_busy="refuse" if self.request.text("if-busy") == "refuse" else "wait", save=self._keep(target),
        )  # fmt: skip

    def _keep(self, target: Target) -> Path:
        """Keep the release beside the report: it can be attached to a release of GitHub, and deployed again."""
        folder = Path(tempfile.mkdtemp(prefix="ikoma-release-", dir=self.environ.get("RUNNER_TEMP") or None))
        return folder / f"{target.app}-{target.environment}.ikoma-release.tar.gz"

    def _push(self) -> None:
        from bridge.pipeline import appenv
        from bridge.pipeline.host import body, perform, reach

        found = appenv.parse(self.request.secret("env-file").reveal(), "env-file")
        values = {name: value for name, value in found.items() if value is not None}
        self.console.learn(*values.values())
        operation = self.where.operation(self.target, "env.push")
        args = {"values": values, "remove": [], "scope": "app"}
        with reach(self.where, self.target) as host, self.face.stage("env push"):
            request = body(self.where, self.target, self.console.machine_lang, args)
            result = perform(host, "env.push", request, operation, self.face.event)
        if error := result.get("error"):
            raise IkomaError.from_json(error)

    def _started(self, operation: str, bundle: Bundle) -> None:
        """Tell that it begins. A release that exists may come from another commit than the one that runs."""
        from bridge.reports.github import Start

        self.outputs |= {"operation": operation, "release": bundle.id}
        commit = bundle.release.provenance.commit
        ours = commit in ("", self.environ.get("GITHUB_SHA", ""))
        where = {"tag": self._tag} if ours else {"commit": commit}
        self.reporter.started(Start(operation, "deploy", bundle.id, **where))

    def ended(self, report: model.DeploymentReport, fault: IkomaError | None) -> Exit:
        """Report the end of a deployment or rollback, whatever it is, and return the exit code."""
        from bridge.reports import final

        self.hurried = fault is not None and fault.id == "remote.interrupted"
        self.report |= dict(report)
        self.outputs |= {"status": report["status"], "release": report["release"] or "",
                         "operation": report["operation"] or ""}  # fmt: skip
        self.reporter.finished(report)
        self.console.say(final.deployment(report, self.console))
        if error := report["error"]:
            told = fault or IkomaError.from_json(dict(error))
            self.console.fault(told)
            self.console.problem(told)
        return fault.exit_code if fault else exit_code(report["status"])


class Rollback(Deploy):
    """Back to a recorded healthy release."""

    def run(self) -> Exit:
        from bridge.pipeline.host import body, perform, reach
        from bridge.reports.github import Start

        to, target = self.request.text("to"), self.target
        operation = self.where.operation(target, "deploy.rollback")
        sent, fault = False, None
        try:
            with reach(self.where, target) as host, self.face.stage(f"rollback {target} · {operation}"):
                request = body(self.where, target, self.console.machine_lang, {"to": to} if to else {})
                host.wait()
                self.reporter.started(Start(operation, "rollback", to or self._before(host)))
                sent = True
                result = perform(host, "deploy.rollback", request, operation, self.face.event)
            report = model.deployment(target, {"operation": operation} | result)
        except IkomaError as error:
            fault = error
            report = model.failed_deployment(target, operation if sent else None, error, self.console.machine_lang)
        return self.ended(report, fault)

    def _before(self, host: Host) -> str:
        """Return the release that comes back where none was named; empty where the host does not say: then it is
        reported without, for a report stops nothing.
        """
        from bridge.pipeline.host import body

        asked = body(self.where, self.target, self.console.machine_lang, {})
        with contextlib.suppress(IkomaError):
            return str(host.agent.read("status.get", asked).get("previous") or "")
        return ""


class Publish(Task):
    """Publishes what an earlier job without rights has found. What that job wrote is judged like any foreign text.

    Whether warnings fail is said by whoever calls with rights, never by what is handed over.
    """

    def run(self) -> Exit:
        from bridge.github import handed

        kept = handed.read(self.folder / self.request.text("report-file"))
        self._target = kept.target
        self.report |= {"app": kept.target.app, "environment": kept.target.environment, "check": kept.check}
        strict = self.request.flag("strict")
        self.outputs |= {"status": kept.status(strict=strict), "findings": str(kept.findings)}
        self.reporter.findings(kept.check, strict=strict)
        return Exit.DONE

    @property
    def target(self) -> Target:
        return self._target


class Attach(Task):
    """Adds a kept release to GitHub's release of the tag. It needs no host and no secret.

    The deployment is over by then: a GitHub that does not take the file is told of and fails nothing.
    """

    def run(self) -> Exit:
        from bridge.pipeline import bundles

        file = _only_one(self.folder / self.request.text("release"))
        bundle = bundles.read(file, self.folder)
        tag = self._tag
        if not tag:
            raise Misuse("action.no_tag", ref=self.environ.get("GITHUB_REF", ""))
        attached = self._attached(file, tag)
        self.report |= {"app": bundle.target.app, "environment": bundle.target.environment, "release": bundle.id}
        self.outputs |= {"status": "ATTACHED" if attached else "SKIPPED", "release": bundle.id}
        return Exit.DONE

    def _attached(self, file: Path, tag: str) -> bool:
        from bridge.github.api import Api
        from bridge.github.attachments import attach

        api = Api(context.read(self.environ), self.request.secret("github-token"))
        said, reason = "action.not_attached", ""
        try:
            attached = attach(api, tag, file)
            said = "action.attached" if attached else "action.no_release"
        except IkomaError as error:
            if error.id not in _OUT_OF_ORDER:
                raise
            attached, reason = False, error.message(self.console.lang)
        self.console.say(self.console.text(said, file=file.name, tag=tag, reason=reason))
        return attached


def _only_one(path: Path) -> Path:
    """Return the file meant: the path itself, or the one kept release in that folder."""
    found = sorted(path.glob("*.tar.gz")) if path.is_dir() else []
    return found[0] if len(found) == 1 else path


_TASKS: Final[dict[str, type[Task]]] = {
    "check": Check, "plan": Plan, "deploy": Deploy, "rollback": Rollback, "report": Publish,
    "attach": Attach,
}  # fmt: skip


def task(request: Request, environ: Mapping[str, str], console: Console) -> Task:
    """Return what ``request`` asks for, ready to run."""
    return _TASKS[request.command](request, environ, console)
