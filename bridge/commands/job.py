"""One step of a workflow: masks first, then the work, then (in every ending) the outputs and the reports."""

from __future__ import annotations

import tempfile
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

from agent.host.files import write_json
from agent.model.errors import Exit, IkomaError, Misuse
from agent.model.secret import Secret
from bridge.commands.edge import foreseen
from bridge.github import job, request
from bridge.github.inputs import INPUTS
from bridge.reports.console import Console

_HURRY_S: Final = 4.0
"""A cancelled job is killed ten seconds after it was told."""
_CLOSING_S: Final = 45.0
"""How long reports are waited for when GitHub is out of order (``IKOMA_REPORT_SECONDS``)."""


class Job:
    """One run of the Action.

    Args:
        environ: the process's own variables; the inputs are taken out of it.
    """

    def __init__(self, environ: MutableMapping[str, str], console: Console) -> None:
        self.environ, self.console = environ, console
        self.outputs: dict[str, str] = {"status": "FAILED"}
        self.report: dict[str, Any] = {}
        self.fault: IkomaError | None = None
        self.request: request.Request

    def run(self) -> Exit:
        """Do what the inputs ask for and return the exit code. Raises only what nobody foresaw."""
        given = request.take(self.environ)
        self._mask(given)
        try:
            code = self._work(given)
        except BaseException as fault:
            self.fault = foreseen(fault)
            self._failed(self.fault)
            if self.fault.id == "cli.unforeseen":
                raise
            self.console.fault(self.fault)
            code = self.fault.exit_code
        finally:
            self._write()
        return code

    def _mask(self, given: dict[str, str]) -> None:
        """Teach the runner and ourselves every secret, before anything is read or said."""
        user = given["registry-user"].strip()
        secrets = [Secret(given[item.name]) for item in INPUTS if item.kind == "secret" and given[item.name]]
        forms = job.masks(secrets, user)
        self.console.learn(*secrets, *forms)
        if self.console.actions:
            for form in forms:
                self.console.mask(form)

    def _work(self, given: dict[str, str]) -> Exit:
        from bridge.commands import tasks

        self.request = request.read(given)
        self.console.lang = self.request.text("language")
        self.environ["IKOMA_LANG"] = self.console.lang
        self.environ.update(self.request.build_values)
        task = tasks.task(self.request, self.environ, self.console)
        wanted = self.environ.get("IKOMA_REPORT_SECONDS", "")
        seconds = float(wanted) if wanted.isdecimal() and wanted.isascii() else _CLOSING_S
        try:
            return task.run()
        except KeyboardInterrupt:
            seconds = _HURRY_S
            raise
        finally:
            self.outputs |= task.outputs
            self.report = task.report
            task.close(_HURRY_S if task.hurried else seconds)

    def _failed(self, fault: IkomaError) -> None:
        from bridge.reports import model

        if isinstance(fault, Misuse):
            self.outputs["status"] = "MISUSE"
        elif fault.exit_code == Exit.DETACHED:
            self.outputs["status"] = "RUNNING"
        else:
            self.outputs.setdefault("status", "FAILED")
        if operation := fault.params.get("operation"):
            self.outputs["operation"] = str(operation)
        self.report.setdefault("error", model.error_report(fault, "en"))
        self.console.problem(fault)

    def _write(self) -> None:
        """Keep the report and the outputs, whatever happened."""
        folder = Path(tempfile.mkdtemp(prefix="ikoma-report-", dir=self.environ.get("RUNNER_TEMP") or None))
        file = folder / "report.json"
        write_json(file, self._told(self.report), 0o600)
        if output := self.environ.get("GITHUB_OUTPUT"):
            job.write_outputs(Path(output), self._told(self.outputs) | {"report": str(file)})

    def _told(self, value: Any) -> Any:
        from bridge.reports.console import masked

        return masked(value, self.console.redactor)
