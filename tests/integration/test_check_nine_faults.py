"""The example suite with all nine faults at once: one run lists them, repairs leave none, and the images then build."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.model.errors import IkomaError
from agent.model.secret import Secret
from bridge.checks import engine, fixing
from bridge.checks.engine import Report
from bridge.checks.model import Severity
from bridge.checks.rules import all_rules
from bridge.checks.scope import Scope
from bridge.images.build import Images, build
from bridge.pipeline import checking
from bridge.workspace.project import Project
from tests.rig.images import PNPM
from tests.unit import check_cases

BROKEN: dict[str, list[tuple[str, str]]] = {
    "apps/website/package.json": [('    "@suite/service": "workspace:*",\n', "")],  # D1
    "docker-compose.yml": [
        ("      context: .\n      dockerfile: apps/website/Dockerfile", "      context: apps/website")  # D2
    ],
    "apps/api/Dockerfile": [("COPY packages/db/package.json packages/db/\n", "")],  # D3
    "apps/worker/Dockerfile": [
        ('--frozen-lockfile --filter suite --filter "@suite/worker..."',
         '--frozen-lockfile --prod --filter suite --filter "@suite/worker..."'),  # D4
        ("--filter=@suite/worker", "--filter=worker"),  # D5
    ],
    "pnpm-lock.yaml": [("      pg:\n        specifier: 'catalog:'", "      pg:\n        specifier: ^8.22.0")],  # D6
    "packages/ui/src/html.ts": [  # D9
        ("/** Text that", 'import { page } from "./page.js";\nexport const again = page;\n/** Text that')
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Access:
    """Where the rig's registry is, and how to push to it."""

    address: str
    username: str
    token: Secret


@pytest.fixture(scope="module")
def pnpm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The package manager that the suite pins, at hand for this module: the folder with the program."""
    folder = tmp_path_factory.mktemp("pnpm")
    words = ["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", f"--prefix={folder}"]
    subprocess.run([*words, f"pnpm@{PNPM}"], check=True, timeout=120)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}/node_modules/.bin:{before}"
    yield os.environ["PATH"]
    os.environ["PATH"] = before


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """The example suite under a name of its own, broken in every way."""
    repo = check_cases.copy(tmp_path / "suite")
    contract = repo / "ikoma.release.json"
    contract.write_text(
        re.sub(r'"app": "[^"]+"', f'"app": "nine-{secrets.token_hex(4)}"', contract.read_text(), count=1)
    )
    for name, pairs in BROKEN.items():
        text = (repo / name).read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text, f"{name} does not hold {old!r}"
            text = text.replace(old, new)
        (repo / name).write_text(text, encoding="utf-8")
    (repo / ".dockerignore").unlink()  # D7
    (repo / "apps/website/src/._main.ts").write_bytes(b"\0\5\x16\7")  # D7
    leftover = repo / "apps/website/convex/schema.ts"  # D8
    leftover.parent.mkdir()
    leftover.write_text('import { defineSchema } from "convex/server";\nexport default defineSchema({});\n')
    return repo


def rows(report: Report) -> set[str]:
    return {all_rules()[finding.rule].row for finding in report.findings}


def errors(report: Report) -> list[str]:
    return [f"{f.rule} {f.file}:{f.line} {f.message}" for f in report.findings if f.severity is Severity.ERROR]


def by_hand(repo: Path, report: Report) -> None:
    """Do what the report says for the faults that ``--fix`` leaves to people, in the words of the report."""
    for finding in report.findings:
        file = repo / finding.file
        if finding.rule == "IKB202":
            lines = file.read_text().splitlines(keepends=True)
            added = finding.fix.removeprefix("Add before it:\n") + "\n"
            file.write_text("".join([*lines[: finding.line - 1], added, *lines[finding.line - 1 :]]))
        elif finding.rule == "IKB103":
            flag = re.search(r"Install with (\S+)", finding.fix)
            assert flag is not None
            file.write_text(file.read_text().replace("--prod --filter suite", f"{flag[1]} --filter suite"))
        elif finding.rule in ("IKB205", "IKB112"):
            file.unlink()


def test_nine_faults_are_listed_at_once_repaired_and_the_images_then_build(
    suite: Path, pnpm: str, rig: dict[str, str]
) -> None:
    found = engine.check(suite)
    assert rows(found) >= {f"D{number}" for number in range(1, 10)}

    said: list[str] = []
    with pytest.raises(IkomaError) as stopped:
        checking.inspect(Project.open(suite), (), said.append)
    assert stopped.value.id == "check.errors"
    assert stopped.value.exit_code == 1

    repaired = fixing.fix(suite, Scope(), said.append, dry_run=False)
    assert "pnpm-lock.yaml: renewed by pnpm" in said
    assert rows(repaired) & {"D2", "D5", "D6"} == set()
    by_hand(suite, repaired)
    assert errors(engine.check(suite)) == []
    again: list[str] = []
    fixing.fix(suite, Scope(), again.append, dry_run=False)
    assert again == []

    lines: list[str] = []
    project, environ = Project.open(suite), {**os.environ, **rig, "SESSION_SECRET": "x", "DATABASE_URL": "x"}
    access = Access(rig["BRIDGE_REGISTRY"], rig["BRIDGE_REGISTRY_USER"], Secret(rig["BRIDGE_REGISTRY_TOKEN"]))
    images = build(project, access, (), lines.append, images=Images(project, access, environ=environ))
    assert {name for name, image in images.items() if image.built} >= {"website", "api", "worker"}, "\n".join(lines)
