"""Whatever lies in a repository, the check ends, and names what it could not read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bridge.checks import engine
from tests.unit import check_cases


def survives(repo: Path) -> engine.Report:
    """Check, and see that every rule ran to its end."""
    report = engine.check(repo)
    assert [finding.message for finding in report.findings if finding.rule == engine.UNFINISHED] == []
    return report


BROKEN = [
    "", "{", "[]", "null", "42", '"text"', "{]", '{"name": 1}', '{"dependencies": []}', '{"dependencies": {"a": 1}}',
    '{"workspaces": 5}', '{"workspaces": {"packages": "x"}}', '{"workspaces": ["["]}', '{"scripts": {"a": ["b"]}}',
    '{"packageManager": "pnpm@"}', '{"packageManager": 7, "pnpm": []}', '{"name": "x", "name": "y"}', "\ufeff{}",
    "[" * 5000, '{"exports": [[["./x.js"]]], "imports": 3, "name": "@suite/x"}',
]  # fmt: skip


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:24] or "empty")
@pytest.mark.parametrize("name", ["package.json", "packages/ui/package.json"])
def test_a_broken_manifest_is_a_finding_and_never_a_crash(name: str, text: str, tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    (repo / name).write_text(text, encoding="utf-8")
    survives(repo)


NAMES = [
    "pnpm-workspace.yaml", "pnpm-lock.yaml", "docker-compose.yml", "ikoma.release.json", "apps/api/Dockerfile",
    ".npmrc", "apps/api/tsconfig.json", "turbo.json", ".dockerignore", ".gitignore", "yarn.lock", "bun.lock",
    "package-lock.json", "apps/api/src/main.ts", "apps/api/src/x.vue", "apps/api/src/x.mdx", "apps/api/src/x.css",
    ".github/workflows/x.yml", "deploy.sh", "services/x/pyproject.toml",
]  # fmt: skip
TEXTS = ["", "\0\0\0", "a: [", "- - -", "{}", "\t:\t", "&a [*a]", "a: &x {<<: *x}", "x" * 100_000, "🙂: 🙂", "null"]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:12]))
@pytest.mark.parametrize("name", NAMES)
def test_any_text_in_any_file_is_survived(name: str, text: str, tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    (repo / name).parent.mkdir(parents=True, exist_ok=True)
    (repo / name).write_text(text, encoding="utf-8")
    survives(repo)


def test_bytes_that_are_no_utf8_are_survived(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    for name in ("apps/api/src/main.ts", "apps/api/package.json", "apps/api/Dockerfile", "docker-compose.yml"):
        file = repo / name
        file.write_bytes(file.read_bytes() + b"\n// \xff\xfe\x80\n")
    assert engine.check(repo).findings


def test_broken_sources_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    (repo / "apps/api/src/half.ts").write_text('import a from "p-map"; export const = {{{ a(', encoding="utf-8")
    report = engine.check(repo)
    assert [finding.package for finding in report.findings] == ["p-map"]


def test_a_generated_file_of_ten_megabytes_is_named_and_skipped(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    (repo / "apps/api/src/huge.ts").write_text('import "p-map";\n' * 700_000, encoding="utf-8")
    report = engine.check(repo)
    assert [(finding.rule, finding.file) for finding in report.findings] == [("IKB904", "apps/api/src/huge.ts")]


def test_loops_of_links_and_dead_links_are_survived(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    (repo / "apps/loop").symlink_to(repo, target_is_directory=True)
    (repo / "a").symlink_to("b")
    (repo / "b").symlink_to("a")
    (repo / "apps/api/src/gone.ts").symlink_to("nowhere.ts")
    report = engine.check(repo)
    assert {finding.rule for finding in report.findings} == {"IKB904"}
    assert {"a", "b", "apps/api/src/gone.ts"} <= {finding.file for finding in report.findings}


def test_names_that_are_no_utf8_are_named(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    with open(os.fsencode(repo) + b"/caf\xe9.ts", "wb") as stream:
        stream.write(b'import "x";')
    report = engine.check(repo)
    assert [finding.rule for finding in report.findings] == ["IKB904"]


def test_two_names_that_differ_in_case_alone_are_a_finding(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    (repo / "apps/api/src/Routes.ts").write_text("export {};\n", encoding="utf-8")
    report = engine.check(repo)
    assert [finding.rule for finding in report.findings] == ["IKB905"]


def test_folders_nested_deeper_than_calls_are_survived(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    here = Path.cwd()
    os.chdir(repo)
    try:
        for _ in range(1500):
            Path("d").mkdir()
            os.chdir("d")
        Path("x.ts").write_text('import "p-map";\n', encoding="utf-8")
        os.chdir(here)
        survives(repo)
    finally:
        os.chdir(here)
        subprocess.run(["rm", "-rf", str(repo / "d")], check=True)  # deeper than Python's own removal goes


def test_an_empty_folder_has_nothing_to_say(tmp_path: Path) -> None:
    assert engine.check(tmp_path).findings == []


def test_nothing_of_the_repository_is_run(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    mark = tmp_path / "was-run"
    program = f'require("fs").writeFileSync("{mark}", "")'
    for name in ("apps/api/vite.config.js", ".pnpmfile.cjs", "apps/api/next.config.mjs", "conftest.py", "setup.py"):
        (repo / name).write_text(program if not name.endswith("py") else f'open("{mark}", "w")\n', encoding="utf-8")
    (repo / "requirements.txt").write_text("requests\n", encoding="utf-8")
    survives(repo)
    assert not mark.exists()
