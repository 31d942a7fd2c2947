"""Repairs: made once, in the style of the file, shown before they are made."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bridge.checks import engine, fixing
from bridge.checks.fixes import jsonedit, yamledit
from bridge.checks.model import Severity
from bridge.checks.rules.ignored_files import completed
from bridge.checks.rules.wrong_section import moved
from bridge.checks.scope import Scope
from bridge.workspace import jsontext
from tests.unit import check_cases

NINE = next(case for case in check_cases.load() if case.kind == "nine")


def snapshot(repo: Path) -> dict[str, bytes]:
    return {str(path.relative_to(repo)): path.read_bytes() for path in sorted(repo.rglob("*")) if path.is_file()}


def fix(repo: Path, *, dry_run: bool = False) -> tuple[engine.Report, list[str]]:
    said: list[str] = []
    return fixing.fix(repo, Scope(), said.append, dry_run=dry_run), said


@pytest.fixture
def without_manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("without_manager")
def test_fix_repairs_what_it_says_and_nothing_the_second_time(tmp_path: Path) -> None:
    repo = check_cases.build(NINE, tmp_path / "repo")
    before = engine.check(repo)
    after, _ = fix(repo)
    rules = {finding.rule for finding in after.findings}
    assert {"IKB201", "IKB204", "IKB301"} <= {finding.rule for finding in before.findings}
    assert not rules & {"IKB201", "IKB204", "IKB301"}
    once = snapshot(repo)
    again, said = fix(repo)
    assert snapshot(repo) == once
    assert said == []
    assert again.counts == after.counts


@pytest.mark.usefixtures("without_manager")
def test_dry_run_shows_a_diff_and_changes_nothing(tmp_path: Path) -> None:
    repo = check_cases.build(NINE, tmp_path / "repo")
    before = snapshot(repo)
    report, said = fix(repo, dry_run=True)
    assert snapshot(repo) == before
    assert report.fixed == []
    text = "\n".join(said)
    assert "--- a/docker-compose.yml" in text
    assert "+      dockerfile: apps/website/Dockerfile" in text
    assert "+**/node_modules" in text


@pytest.mark.usefixtures("without_manager")
def test_without_the_package_manager_the_command_is_named(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    manifest = repo / "apps/website/package.json"
    manifest.write_text(manifest.read_text().replace('    "@suite/service": "workspace:*",\n', ""))
    report, _ = fix(repo)
    assert [finding for finding in report.findings if finding.rule == "IKB101"] == []
    assert manifest.read_text() == (check_cases.SUITE / "apps/website/package.json").read_text()


def test_a_package_manager_at_hand_renews_the_lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of the pinned version stands in for pnpm: it is called once, without scripts, in the right folder."""
    repo = check_cases.copy(tmp_path / "repo")
    lock = (repo / "pnpm-lock.yaml").read_text()
    (repo / "pnpm-lock.yaml").write_text(lock.replace("specifier: workspace:*", "specifier: workspace:^", 1))
    good = tmp_path / "good.yaml"
    good.write_text(lock)
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "pnpm"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo 10.99.0; exit; fi\n'
        f'echo "$PWD $*" >> {tmp_path}/calls\ncp {good} pnpm-lock.yaml\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    report, said = fix(repo)
    assert report.findings == []
    assert said == ["pnpm-lock.yaml: renewed by pnpm"]
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [f"{repo} install --lockfile-only --ignore-scripts --no-frozen-lockfile"]


def test_a_package_manager_of_another_version_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    lock = (repo / "pnpm-lock.yaml").read_text()
    (repo / "pnpm-lock.yaml").write_text(lock.replace("specifier: workspace:*", "specifier: workspace:^", 1))
    program = tmp_path / "pnpm"
    program.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo 9.1.0; exit; fi\necho ruined > pnpm-lock.yaml\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    report, _ = fix(repo)
    assert [finding.rule for finding in report.findings] == ["IKB401"]
    assert "ruined" not in (repo / "pnpm-lock.yaml").read_text()


def test_yarn_1_which_would_install_everything_is_named_and_not_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes an option that it does not know for nothing, and installs with the scripts of all packages."""
    repo, programs = tmp_path / "repo", tmp_path / "bin"
    for folder in (repo, programs):
        folder.mkdir()
    (repo / "package.json").write_text('{"name": "a", "packageManager": "yarn@1.22.22", "dependencies": {"b": "^2"}}')
    lock = '# yarn lockfile v1\n\n\nb@^1:\n  version "1.0.0"\n'
    (repo / "yarn.lock").write_text(lock)
    (programs / "yarn").write_text(f'#!/bin/sh\n[ "$1" != --version ] || echo 1.22.22\necho "$*" >> {tmp_path}/calls\n')
    (programs / "yarn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    report, said = fix(repo)
    assert "IKB401" in {finding.rule for finding in report.findings}
    assert said == ["yarn.lock: not renewed, run: yarn install --ignore-scripts"]
    assert not (tmp_path / "calls").exists()
    assert (repo / "yarn.lock").read_text() == lock


WHOLE = 'FROM node:22-bookworm-slim\nWORKDIR /app\nCOPY . .\nRUN pnpm install --frozen-lockfile\nCMD ["node", "x.js"]\n'
SERVICE = '    "@suite/service": "workspace:*",\n'


@pytest.mark.usefixtures("without_manager")
@pytest.mark.parametrize("dry_run", [True, False], ids=["shown", "made"])
@pytest.mark.parametrize(
    "broken",
    [
        '{"name": "@suite/api", "dependencies": {},}\n',
        '["@suite/api"]\n',
        "",
        '{"name": "@suite/api", "dependencies": []}',
    ],
    ids=["comma", "list", "empty", "section"],
)
def test_a_manifest_that_cannot_be_edited_stays_and_the_others_are_mended(
    broken: str, dry_run: bool, tmp_path: Path
) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    (repo / "apps/api/Dockerfile").write_text(WHOLE)
    (repo / "apps/api/package.json").write_text(broken)
    website = repo / "apps/website/package.json"
    whole = website.read_text()
    website.write_text(whole.replace(SERVICE, ""))
    before = engine.check(repo)
    severe = [finding for finding in before.findings if finding.severity > Severity.INFO]
    edited = {edit.file for finding in severe for edit in finding.edits}
    assert ("apps/api/package.json" in edited) is broken.endswith("[]}")  # of the others nothing is known to be wrong
    _, said = fix(repo, dry_run=dry_run)
    assert (repo / "apps/api/package.json").read_text() == broken
    assert any(SERVICE.rstrip() in line for line in said) if dry_run else website.read_text() == whole


@pytest.mark.usefixtures("without_manager")
def test_a_byte_order_mark_is_no_hindrance_and_stays(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "repo")
    website = repo / "apps/website/package.json"
    whole = "\ufeff" + website.read_text()
    website.write_text(whole.replace(SERVICE, ""))
    fix(repo)
    assert website.read_bytes().decode() == whole


def section(*names: str, indent: str = "  ", end: str = "\n") -> str:
    """A manifest with these dependencies; ``b`` is the one that tests add, at version 2."""
    entries = ("," + end).join(f'{indent * 2}"{name}": "{2 if name == "b" else 1}"' for name in names)
    return f'{{{end}{indent}"dependencies": {{{end}{entries}{end}{indent}}}{end}}}{end}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (section("a"), section("a", "b")),
        (section("c"), section("b", "c")),
        (section("c", indent="\t"), section("b", "c", indent="\t")),
        (section("a", end="\r\n"), section("a", "b", end="\r\n")),
        (
            '{\n    "name": "x",\n    "devDependencies": {\n        "z": "1"\n    }\n}\n',
            '{\n    "name": "x",\n    "dependencies": {\n        "b": "2"\n    },\n'
            '    "devDependencies": {\n        "z": "1"\n    }\n}\n',
        ),
        ('{\n  "name": "x"\n}\n', '{\n  "name": "x",\n  "dependencies": {\n    "b": "2"\n  }\n}\n'),
        ('{"dependencies":{"a":"1"}}', '{"dependencies":{"a":"1","b": "2"}}'),
        ('{\n  "dependencies": {}\n}\n', section("b")),
    ],
)
def test_a_dependency_is_added_in_the_style_of_the_file(before: str, after: str) -> None:
    assert jsonedit.set_dependency(before, "dependencies", "b", "2") == after
    assert jsonedit.set_dependency(after, "dependencies", "b", "2") == after
    json.loads(after)


@pytest.mark.parametrize("text", ['{"dependencies": ["react"]}', '{"dependencies": null}', "[]"])
def test_a_section_of_the_wrong_shape_gets_no_second_one(text: str) -> None:
    with pytest.raises(jsontext.Broken):
        jsonedit.set_dependency(text, "dependencies", "b", "2")
    with pytest.raises(jsontext.Broken):
        moved(text, "b", "2")


def test_moving_a_dependency_keeps_everything_else() -> None:
    before = '{\n  "name": "x",\n  "devDependencies": {\n    "a": "1",\n    "b": "2"\n  },\n  "z": 1\n}\n'
    after = moved(before, "b", "2")
    assert json.loads(after) == {"name": "x", "dependencies": {"b": "2"}, "devDependencies": {"a": "1"}, "z": 1}
    assert moved(after, "b", "2") == after
    assert after.index('"dependencies"') < after.index('"devDependencies"')


def test_the_last_entry_of_a_section_takes_the_section_along() -> None:
    assert json.loads(jsonedit.remove('{"a": {"b": "1"}, "c": 1}', "a", "b")) == {"c": 1}


def test_a_dockerignore_is_completed_once() -> None:
    assert completed("node_modules", ["**/.git"]) == "node_modules\n**/.git\n"
    assert completed("node_modules\n**/.git\n", ["**/.git"]) == "node_modules\n**/.git\n"


def test_yaml_keeps_comments_and_quotes() -> None:
    before = (
        "# top\nservices:\n  web:  # the site\n    build: apps/web\n    ports:\n      - \"80:80\"\n    image: 'x'\n"
    )
    after = yamledit.set_build(before, "web", ".", "apps/web/Dockerfile")
    assert "# top" in after
    assert "# the site" in after
    assert '- "80:80"' in after
    assert "image: 'x'" in after
    assert yamledit.set_build(after, "web", ".", "apps/web/Dockerfile") == after
