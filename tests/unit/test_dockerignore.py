"""What Docker would leave out of a build context, we leave out; an integration test asks a real builder the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.workspace.context import Context
from bridge.workspace.dockerignore import Ignore, for_dockerfile

CASES = [
    ("node_modules", ["node_modules/a.js", "node_modules"], ["apps/web/node_modules/a.js"]),
    ("**/node_modules", ["node_modules/a", "apps/web/node_modules/x/y"], ["apps/node_modules_not/a"]),
    ("*.md", ["README.md"], ["docs/README.md", "README.mdx"]),
    ("**/*.md", ["README.md", "docs/deep/README.md"], ["README.txt"]),
    ("*.md\n!README.md", ["CHANGES.md"], ["README.md"]),
    ("!README.md\n*.md", ["README.md"], []),
    ("docs\n!docs/keep", ["docs/a", "docs/b/c"], ["docs/keep", "docs/keep/x"]),
    ("**\n!src/**", ["package.json", "apps/x"], ["src/a", "src/b/c"]),
    ("*\n!package.json", ["a", "src/b"], ["package.json"]),
    ("/dist/", ["dist/x"], ["apps/dist/x"]),
    ("./dist", ["dist/x"], []),
    ("apps/*/dist", ["apps/web/dist/x"], ["apps/web/src/dist", "apps/dist"]),
    ("file?", ["file1"], ["file", "file12"]),
    ("[a-c].txt", ["b.txt"], ["d.txt"]),
    ("# comment\n\n  spaced  ", ["spaced"], ["# comment"]),
    ("app/(auth)/x", ["app/(auth)/x"], ["app/auth/x"]),
    ("a+b.txt", ["a+b.txt"], ["aab.txt"]),
    ("foo/**/bar", ["foo/bar", "foo/x/y/bar", "foo/bar/below"], ["bar", "foox/bar"]),
    ("foo/**", ["foo/a", "foo/a/b"], ["foo", "fooo"]),
    ("\\!important", ["!important"], ["important"]),
    ("temp*", ["temporary/sub/file", "temp"], ["sub/temp"]),
    ("a/../b", ["b", "b/c"], ["a"]),
    (".", [], ["a", "b/c"]),
    ("**/.env*\n!**/.env.example", [".env", "apps/.env.local"], [".env.example", "apps/.env.example"]),
]


@pytest.mark.parametrize(("text", "left_out", "kept"), CASES, ids=[repr(case[0]) for case in CASES])
def test_the_last_matching_pattern_decides(text: str, left_out: list[str], kept: list[str]) -> None:
    ignore = Ignore(text)
    assert [path for path in left_out + kept if ignore.ignores(path)] == left_out


@pytest.mark.parametrize(("text", "left_out", "kept"), CASES, ids=[repr(case[0]) for case in CASES])
def test_a_folder_that_is_not_read_holds_nothing_that_counts(text: str, left_out: list[str], kept: list[str]) -> None:
    ignore = Ignore(text)
    for path in kept:
        parts = path.split("/")
        assert not any(ignore.prunes("/".join(parts[:length])) for length in range(1, len(parts)))


def test_folders_with_nothing_to_take_back_are_not_read() -> None:
    assert Ignore("node_modules\n!src").prunes("node_modules")
    assert Ignore("**/node_modules").prunes("apps/web/node_modules")
    assert not Ignore("docs\n!docs/keep").prunes("docs")


def test_the_rules_of_a_dockerfile_stand_before_those_of_the_context(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "web.Dockerfile").write_text("FROM x\n")
    (tmp_path / "web.Dockerfile.dockerignore").write_text("\ufeffb\n")
    own, common = (for_dockerfile(tmp_path / f"{name}.Dockerfile", tmp_path) for name in ("web", "api"))
    assert (own.ignores("a"), own.ignores("b")) == (False, True)
    assert (common.ignores("a"), common.ignores("b")) == (True, False)


def files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


SELECTED = [
    (".", {"a.txt", "apps/web/package.json", "apps/web/src/x.ts", "apps/api/package.json", "packages/[odd]/y"}),
    ("./", {"a.txt", "apps/web/package.json", "apps/web/src/x.ts", "apps/api/package.json", "packages/[odd]/y"}),
    ("apps/web", {"apps/web/package.json", "apps/web/src/x.ts"}),
    ("/apps/web/", {"apps/web/package.json", "apps/web/src/x.ts"}),
    ("apps/*/package.json", {"apps/web/package.json", "apps/api/package.json"}),
    ("apps/w?b", {"apps/web/package.json", "apps/web/src/x.ts"}),
    ("*.txt", {"a.txt"}),
    ("apps/./web/src", {"apps/web/src/x.ts"}),
    ("../a.txt", {"a.txt"}),
    ("packages/[[]odd]/y", {"packages/[odd]/y"}),
    ("**/package.json", {"apps/web/package.json", "apps/api/package.json"}),
    ("nothing", set()),
]


@pytest.mark.parametrize(("pattern", "expected"), SELECTED, ids=[case[0] for case in SELECTED])
def test_a_copy_takes_the_files_its_pattern_names(tmp_path: Path, pattern: str, expected: set[str]) -> None:
    files(tmp_path, "a.txt", "apps/web/package.json", "apps/web/src/x.ts", "apps/api/package.json", "packages/[odd]/y")
    assert Context(tmp_path, Ignore()).select(pattern) == expected
