"""The files people call and paste: GitHub's own language service finds nothing in them, and would find faults."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.action.engine import HERE, PACKAGES
from tests.action.runner import CHECKOUT

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def lint(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run GitHub's language service."""
    return subprocess.run(
        ["node", str(HERE / "lint.mjs"), *map(str, files)], capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "IKOMA_NODE": str(PACKAGES)},
    )  # fmt: skip


def examples() -> list[str]:
    """Return the workflows in the docs."""
    text = (CHECKOUT / "docs/action.md").read_text()
    return [found.replace("COMMIT", COMMIT) for found in re.findall(r"```yaml\n(name: .*?)```", text, re.DOTALL)]


def test_the_examples_in_the_docs_are_clean(tmp_path: Path) -> None:
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    files = [folder / f"{number}.yml" for number in range(len(examples()))]
    for file, text in zip(files, examples(), strict=True):
        file.write_text(text)
    assert len(files) >= 5
    linted = lint(*files)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    schema = ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, files)]
    checked = subprocess.run(schema, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    audited = subprocess.run(
        ["zizmor", "--offline", "--strict-collection", str(folder)], capture_output=True, text=True
    )
    assert audited.returncode == 0, audited.stdout


def test_the_examples_pass_only_inputs_and_secrets_that_the_workflows_declare() -> None:
    from ruamel.yaml import YAML

    for text in examples():
        for spec in YAML(typ="safe").load(text)["jobs"].values():
            if "uses" not in spec:
                continue
            file = spec["uses"].partition("@")[0].partition("/.github/")[2]
            called = YAML(typ="safe").load((CHECKOUT / ".github" / file).read_text())
            declared, granted = called["on"]["workflow_call"], spec["permissions"]
            assert spec.get("with", {}).keys() <= declared["inputs"].keys()
            assert spec.get("secrets", {}).keys() <= declared.get("secrets", {}).keys()
            for inner in called["jobs"].values():
                for name, level in inner["permissions"].items():
                    assert granted.get(name) in (level, "write"), f"{file} needs {name}: {level}"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("action.yml", "shell: bash", "timeout-minutes: 3"),
        (".github/workflows/deploy.yml", "queue: max", "queue: many"),
        (".github/workflows/deploy.yml", "steps.bridge.outputs.status", "steps.brigde.outputs.status"),
        (".github/workflows/check.yml", "pull-requests: write", "pull-request: write"),
    ],
)
def test_the_language_service_would_find_a_fault(tmp_path: Path, file: str, old: str, new: str) -> None:
    text = (CHECKOUT / file).read_text()
    assert old in text
    spoiled = tmp_path / file
    spoiled.parent.mkdir(parents=True, exist_ok=True)
    spoiled.write_text(text.replace(old, new))
    assert lint(spoiled).returncode == 1
