"""A job runner for tests: executes the steps of our action and of our workflows, expressions by GitHub's own engine.

Not modelled: containers, OIDC, post steps (a cache is saved at once), the runner's own encodings of masks. What stands
in for other people's actions is listed in ``FOREIGN``; any other ``uses`` is refused.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from tests.action.commands import Log, assignments
from tests.action.engine import Engine

CHECKOUT: Final = Path(__file__).parents[2]
_SHELL: Final = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
# How this machine reaches package indexes; nothing else of its environment reaches a step.
_PASSED: Final = re.compile(
    r"(PIP|UV)_\w+|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(https?|no)_proxy", re.I
)
_STEP_KEYS: Final = {"name", "id", "if", "uses", "with", "run", "shell", "env"}


def load(path: Path) -> dict[str, Any]:
    """Return a YAML file as plain data."""
    loaded: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return loaded


@dataclass
class Ended:
    """How a job or an action ended."""

    ok: bool
    outputs: dict[str, str]
    log: Log
    summary: str
    steps: dict[str, str]
    """Name of each step → success, failure or skipped."""


@dataclass
class Frame:
    """One level of nesting: a job, or a composite action in it."""

    contexts: dict[str, Any]
    env: dict[str, str]
    action_path: str = ""
    failed: bool = False
    states: dict[str, str] = field(default_factory=dict)


@dataclass
class Runner:
    """One machine that runs jobs.

    Args:
        root: its folders: home, workspace, temp, artifacts, caches.
        github: the ``github`` context; its variables are made of it.
        variables: further variables of every step, such as those of the rig.
    """

    root: Path
    engine: Engine
    github: dict[str, Any]
    event: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    running: subprocess.Popen[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("home", "workspace", "temp", "artifacts", "caches", "steps"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self._count = 0
        self.summary = self.root / "summary.md"
        self.summary.touch()

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    def action(self, **given: str) -> Ended:
        """Run our action with these inputs (``host_key`` for ``host-key``)."""
        frame = Frame(self._contexts({}), {})
        step = {"uses": "$/", "with": {name.replace("_", "-"): value for name, value in given.items()}}
        outputs = self._uses(step, frame)
        return self._ended(not frame.failed, outputs, frame)

    def job(self, workflow: str, job: str, inputs: dict[str, Any], secrets: dict[str, str], **needs: Any) -> Ended:
        """Run one job of one of our reusable workflows."""
        file = load(CHECKOUT / ".github/workflows" / workflow)
        declared = file["on"]["workflow_call"].get("inputs", {})
        unknown = inputs.keys() - declared.keys()
        assert not unknown, f"{workflow} has no such inputs: {unknown}"
        values = {name: inputs.get(name, item.get("default", "")) for name, item in declared.items()}
        spec = file["jobs"][job]
        contexts = self._contexts(values) | {"secrets": secrets, "needs": needs}
        frame = Frame(contexts, {})
        if "if" in spec and not self.engine.condition(spec["if"], contexts, failed=False):
            return self._ended(True, {}, frame)
        frame.env = self._texts(spec.get("env", {}), contexts)
        contexts["env"] = dict(frame.env)
        self._steps(spec["steps"], frame)
        outputs = {name: self.engine.text(text, contexts) for name, text in spec.get("outputs", {}).items()}
        return self._ended(not frame.failed, outputs, frame)

    def _ended(self, ok: bool, outputs: dict[str, str], frame: Frame) -> Ended:
        return Ended(ok, outputs, self.log, self.summary.read_text(encoding="utf-8"), frame.states)

    def _contexts(self, inputs: dict[str, Any]) -> dict[str, Any]:
        runner = {"temp": str(self.root / "temp"), "os": "Linux", "arch": "X64"}
        return {"github": self.github, "inputs": inputs, "runner": runner, "steps": {}, "env": {}}

    def _texts(self, given: Mapping[str, Any], contexts: dict[str, Any]) -> dict[str, str]:
        return {name: self.engine.text(_scalar(value), contexts) for name, value in given.items()}

    def _steps(self, steps: list[dict[str, Any]], frame: Frame) -> None:
        for step in steps:
            assert step.keys() <= _STEP_KEYS, f"unknown keys: {step.keys() - _STEP_KEYS}"
            name = step.get("name") or step.get("id") or "?"
            if not self.engine.condition(step.get("if", "success()"), frame.contexts, failed=frame.failed):
                frame.states[name] = "skipped"
                continue
            before, frame.failed = frame.failed, False
            outputs = self._uses(step, frame) if "uses" in step else self._run(step, frame)
            frame.states[name] = "failure" if frame.failed else "success"
            frame.failed = frame.failed or before
            if "id" in step:
                frame.contexts["steps"][step["id"]] = {"outputs": outputs, "outcome": frame.states[name]}

    def _run(self, step: dict[str, Any], frame: Frame) -> dict[str, str]:
        assert step.get("shell", "bash") == "bash"
        self._count += 1
        files_of_step = self.root / "steps"
        script, output = files_of_step / f"{self._count}.sh", files_of_step / f"{self._count}.output"
        script.write_text(self.engine.text(step["run"], frame.contexts))
        output.touch()
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self.summary)}
        env = self._environment(frame) | self._texts(step.get("env", {}), frame.contexts) | files
        with subprocess.Popen([*_SHELL, str(script)], cwd=self.workspace, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as self.running:  # fmt: skip
            said, _ = self.running.communicate(timeout=600)
        self.log.hear(said.decode(errors="replace"))
        frame.failed = self.running.returncode != 0
        return assignments(output)

    def cancel(self) -> None:
        """Tell the step that runs now to end, as a runner does whose job was cancelled."""
        self.running.send_signal(signal.SIGTERM)

    def _environment(self, frame: Frame) -> dict[str, str]:
        passed = {name: value for name, value in os.environ.items() if _PASSED.fullmatch(name)}
        own = {f"GITHUB_{name.upper()}": str(value) for name, value in self.github.items() if isinstance(value, str)}
        own.pop("GITHUB_TOKEN", None)
        return passed | own | {
            "PATH": os.environ["PATH"], "HOME": str(self.root / "home"), "LANG": "C.UTF-8", "CI": "true",
            "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(self.workspace), "GITHUB_EVENT_PATH": str(self.event),
            "GITHUB_ACTION_PATH": frame.action_path, "RUNNER_TEMP": str(self.root / "temp"), "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
        } | dict(self.variables) | frame.env  # fmt: skip

    def _uses(self, step: dict[str, Any], frame: Frame) -> dict[str, str]:
        given = self._texts(step.get("with", {}), frame.contexts)
        if step["uses"] == "$/":
            return self._composite(given, frame)
        name, at, commit = step["uses"].partition("@")
        assert at, step["uses"]
        assert re.fullmatch("[0-9a-f]{40}", commit), step["uses"]
        FOREIGN[name](self, given)
        return {}

    def _composite(self, given: dict[str, str], frame: Frame) -> dict[str, str]:
        spec = load(CHECKOUT / "action.yml")
        unknown = given.keys() - spec["inputs"].keys()
        assert not unknown, f"the action has no such inputs: {unknown}"
        inputs = {
            name: given.get(name, self.engine.text(_scalar(item.get("default", "")), self._contexts({})))
            for name, item in spec["inputs"].items()
        }
        inner = Frame(self._contexts(inputs), dict(frame.env), str(CHECKOUT))
        self._steps(spec["runs"]["steps"], inner)
        frame.failed = inner.failed
        return {name: self.engine.text(item["value"], inner.contexts) for name, item in spec["outputs"].items()}


def _scalar(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _nothing(runner: Runner, given: dict[str, str]) -> None:
    """The workspace is prepared by the test; a builder is there."""


def _cache(runner: Runner, given: dict[str, str]) -> None:
    """Restores a folder of the same key; a link saves it at once."""
    kept, place = runner.root / "caches" / given["key"], Path(given["path"])
    kept.mkdir(parents=True, exist_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        place.symlink_to(kept)


def _upload(runner: Runner, given: dict[str, str]) -> None:
    folder = runner.root / "artifacts" / given["name"]
    folder.mkdir(parents=True, exist_ok=True)
    pattern = Path(given["path"])
    for file in Path("/").glob(str(pattern.relative_to("/"))):
        shutil.copy(file, folder / file.name)


def _download(runner: Runner, given: dict[str, str]) -> None:
    shutil.copytree(runner.root / "artifacts" / given["name"], runner.workspace / given["path"])


FOREIGN: Final[dict[str, Callable[[Runner, dict[str, str]], None]]] = {
    "actions/checkout": _nothing,
    "docker/setup-buildx-action": _nothing,
    "actions/cache": _cache,
    "actions/upload-artifact": _upload,
    "actions/download-artifact": _download,
}
"""Whose actions are stood in for, and by what."""
