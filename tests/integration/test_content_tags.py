"""A content tag changes with what an image takes in, and with nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.images import render as rendering
from bridge.images.render import render
from bridge.images.tags import Reader, content_tag, document, pins, recipe
from bridge.workspace.project import Project

SUITE = Path(__file__).parents[2] / "docs/examples/suite"
ALL = {"api", "website", "worker"}
DIGEST = "sha256:" + "0" * 64
EXECUTABLE = 0o755


@pytest.fixture(autouse=True, scope="module")
def _compose_reads_each_text_once() -> Iterator[None]:
    """What Compose says depends on the text of the file alone here, and asking it takes a tenth of a second."""
    known: dict[str, str] = {}
    ask = rendering._config

    def config(file: Path) -> dict[str, Any]:
        text = file.read_text()
        if text not in known:
            known[text] = json.dumps(ask(file))
        found: dict[str, Any] = json.loads(known[text])
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "_config", config)
        yield


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example suite, committed in a repository of its own."""
    root = tmp_path_factory.mktemp("committed") / "suite"
    shutil.copytree(SUITE, root, ignore=shutil.ignore_patterns("node_modules", "dist", ".turbo"))
    commit(root)
    return root


@pytest.fixture
def suite(committed: Path, tmp_path: Path) -> Path:
    """A copy of the suite's work tree; git looks at its files anew."""
    shutil.copytree(committed, tmp_path / "suite", symlinks=True)
    return tmp_path / "suite"


def git(root: Path, *words: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "-C", str(root), *identity, *words], check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "all")


def tags(root: Path, environ: Mapping[str, str] | None = None, digest: str = DIGEST) -> dict[str, str]:
    project = Project.open(root)
    builds = render(project, environ or {}).builds
    reader = Reader()
    recipes = {name: recipe(build, project.settings.platform, reader) for name, build in builds.items()}

    def tag(name: str) -> str:
        return content_tag(recipes[name], dict.fromkeys(recipes[name].images, digest), tag)

    return {name: tag(name) for name in recipes}


def changed(root: Path, change: Callable[[Path], object], **after: str) -> set[str]:
    """The services whose tags are others after ``change``."""
    before = tags(root)
    change(root)
    now = tags(root, after)
    return {name for name in before if before[name] != now[name]}


def append(name: str, text: str = "\n// edited\n") -> Callable[[Path], object]:
    def change(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with (root / name).open("a") as stream:
            stream.write(text)

    return change


def replace(name: str, old: str, new: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new))

    return change


PG_PROTOCOL = "pg-protocol@1.16.1:\n    resolution:"
API_FILE = "dockerfile: apps/api/Dockerfile"
SENSITIVITY = {
    "editing the API leaves the web app alone": (append("apps/api/src/main.ts"), {"api"}),
    "editing the web app leaves the API alone": (append("apps/website/src/main.ts"), {"website"}),
    "a shared package changes those that stand on it": (append("packages/db/src/index.ts"), {"api", "worker"}),
    "a package of the web app alone": (append("packages/ui/src/page.ts"), {"website"}),
    "a file at the root that all copy": (append("tsconfig.base.json", " "), ALL),
    "an untracked file in a copied folder": (append("apps/api/src/new.ts"), {"api"}),
    "an ignored file": (append("apps/api/.env.local"), set()),
    "what the operating system leaves behind": (append("apps/api/src/.DS_Store"), set()),
    "built output": (append("packages/db/dist/index.js"), set()),
    "a file that nobody copies": (append("NOTES.md"), set()),
    "a migration": (append("migrations/0014_more.sql", "SELECT 1;"), set()),
    "an instruction of one Dockerfile": (append("apps/worker/Dockerfile", "ENV X=1\n"), {"worker"}),
    "a comment in a Dockerfile": (append("apps/worker/Dockerfile", "# nothing\n"), set()),
    "a file becomes executable": (lambda root: (root / "apps/api/src/main.ts").chmod(EXECUTABLE), {"api"}),
    "a link in place of a file": (
        lambda root: (root / "apps/api/src/link.ts").symlink_to("main.ts"),
        {"api"},
    ),
    "a dependency of the API in the lock file": (
        replace("pnpm-lock.yaml", f"{PG_PROTOCOL} {{integrity: ", f"{PG_PROTOCOL} {{integrity: x"),
        {"api", "worker"},
    ),
    "a setting of the whole lock file": (
        replace("pnpm-lock.yaml", "excludeLinksFromLockfile: false", "excludeLinksFromLockfile: true"),
        ALL,
    ),
    "the ignore file, where it changes nothing": (append(".dockerignore", "\nnothing-like-this\n"), set()),
    "the ignore file, where it leaves a source out": (append(".dockerignore", "\napps/api/src/routes.ts\n"), {"api"}),
    "an environment value of a service": (
        replace("docker-compose.yml", "SITE_TITLE:-Suite", "SITE_TITLE:-Other"),
        set(),
    ),
    "a build argument in the compose file": (
        replace("docker-compose.yml", f"{API_FILE}\n", f"{API_FILE}\n      target: build\n"),
        {"api"},
    ),
    "the platform": (replace("ikoma.release.json", '"app":', '"platform": "linux/arm64", "app":'), ALL),
}  # fmt: skip


@pytest.mark.parametrize("case", SENSITIVITY)
def test_a_tag_changes_with_its_inputs_alone(suite: Path, case: str) -> None:
    change, expected = SENSITIVITY[case]
    assert changed(suite, change) == expected


def test_a_build_argument_changes_the_tag_by_its_value(suite: Path) -> None:
    assert changed(suite, lambda root: None, BASE_IMAGE="other:1") == ALL
    assert changed(suite, lambda root: None, UNRELATED="1") == set()


def test_the_digest_of_a_base_image_changes_the_tag(suite: Path) -> None:
    before, after = tags(suite), tags(suite, digest="sha256:" + "1" * 64)
    assert all(before[name] != after[name] for name in ALL)


def test_a_tag_is_the_same_clean_dirty_and_without_git(suite: Path) -> None:
    git(suite, "status")
    clean = tags(suite)
    (suite / "apps/api/src/main.ts").touch()
    (suite / "apps/website/src/main.ts").write_bytes((suite / "apps/website/src/main.ts").read_bytes())
    assert tags(suite) == clean
    shutil.rmtree(suite / ".git")
    assert tags(suite) == clean


def test_a_tag_is_the_same_in_a_clone_at_another_place(suite: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(suite), str(tmp_path / "clone"))
    assert tags(tmp_path / "clone") == tags(suite)


def test_a_file_marked_as_unchanged_by_hand_is_read_all_the_same(suite: Path) -> None:
    git(suite, "update-index", "--assume-unchanged", "apps/api/src/main.ts")
    assert changed(suite, append("apps/api/src/main.ts")) == {"api"}


def test_a_filter_of_git_does_not_hide_what_is_on_disk(suite: Path) -> None:
    (suite / ".gitattributes").write_text("*.bin filter=large\n")
    (suite / "apps/api/src/model.bin").write_text("one")
    git(suite, "add", "--all")
    assert changed(suite, lambda root: (root / "apps/api/src/model.bin").write_text("two")) == {"api"}


def test_a_tag_has_the_shape_that_is_documented(suite: Path) -> None:
    for tag in tags(suite).values():
        prefix, digits = tag[:3], tag[3:]
        assert prefix == "in-"
        assert len(digits) == 16
        assert set(digits) <= set("0123456789abcdef")


def project(root: Path, dockerfile: str, build: str = "{context: .}", **files: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "ikoma.release.json").write_text('{"app": "x"}')
    (root / "docker-compose.yml").write_text(f"services:\n  web:\n    build: {build}\n")
    (root / "Dockerfile").write_text(dockerfile)
    for name, text in files.items():
        place = root / name.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root


def test_copying_everything_takes_in_everything_that_is_not_ignored_but_the_history(tmp_path: Path) -> None:
    root = project(tmp_path / "p", "FROM a\nCOPY . .\n", a="1", sub__b="2")
    (root / ".dockerignore").write_text("secret\n")
    commit(root)
    assert changed(root, append("anything")) == {"web"}
    assert changed(root, append("secret")) == set()
    assert changed(root, lambda root: git(root, "commit", "--quiet", "--allow-empty", "-m", "x")) == set()


def test_only_the_chosen_target_counts(tmp_path: Path) -> None:
    text = "FROM a AS one\nCOPY a .\nFROM a AS two\nCOPY b .\n"
    root = project(tmp_path / "p", text, "{context: ., target: one}", a="1", b="2")
    assert changed(root, append("b")) == set()
    assert changed(root, append("a")) == {"web"}


def test_a_named_context_counts_where_it_is_used(tmp_path: Path) -> None:
    build = "{context: app, dockerfile: ../Dockerfile, additional_contexts: {assets: ./assets, unused: ./unused}}"
    root = project(
        tmp_path / "p",
        "FROM a\nCOPY --from=assets img /\n",
        build,
        app__x="",
        assets__img__i="1",
        assets__j="",
        unused__k="",
    )
    assert changed(root, append("assets/img/i")) == {"web"}
    assert changed(root, append("assets/j")) == set()
    assert changed(root, append("unused/k")) == set()


def test_an_image_built_on_another_service_follows_it(tmp_path: Path) -> None:
    root = project(
        tmp_path / "p", "FROM a AS base\nCOPY a .\n", a="1", sub__Dockerfile="FROM base\nCOPY b .\n", sub__b=""
    )
    (root / "docker-compose.yml").write_text(
        "services:\n  base: {build: .}\n  web: {build: {context: sub, additional_contexts: {base: 'service:base'}}}\n"
    )
    assert changed(root, append("a")) == {"base", "web"}
    assert changed(root, append("sub/b")) == {"web"}


PRUNE = (Path(__file__).parents[1] / "fixtures/dockerfiles/turbo_prune.Dockerfile").read_text()


def pruned(root: Path, dockerfile: str = PRUNE) -> Path:
    packages = {
        "apps/web": {"name": "@acme/web", "dependencies": {"@acme/ui": "workspace:*"}},
        "apps/api": {"name": "@acme/api"},
        "packages/ui": {"name": "@acme/ui"},
    }
    files = {f"{folder}/package.json": json.dumps(manifest) for folder, manifest in packages.items()}
    files |= {"pnpm-workspace.yaml": "packages: ['apps/*', 'packages/*']", "package.json": '{"name": "root"}'}
    project(root, dockerfile, **{name.replace("/", "__"): text for name, text in files.items()})
    return root


def test_turbo_prune_limits_an_image_to_its_part_of_the_workspace(tmp_path: Path) -> None:
    root = pruned(tmp_path / "p")
    assert changed(root, append("apps/api/index.ts")) == set()
    assert changed(root, append("packages/ui/index.ts")) == {"web"}
    assert changed(root, append("turbo.json")) == {"web"}


@pytest.mark.parametrize(
    "dockerfile",
    [
        PRUNE.replace("COPY --from=pruner /app/out/full/ .", "COPY --from=pruner /app .", 1),
        PRUNE.replace("turbo prune @acme/web", "turbo prune $UNKNOWN"),
        PRUNE.replace("turbo prune @acme/web", "turbo prune @acme/nobody"),
        PRUNE + "COPY --from=pruner /app/apps/api /api\n",
    ],
)
def test_a_prune_that_is_not_certain_limits_nothing(tmp_path: Path, dockerfile: str) -> None:
    assert dockerfile != PRUNE
    assert changed(pruned(tmp_path / "p", dockerfile), append("apps/api/index.ts")) == {"web"}


LOCKED = (
    "FROM a\nCOPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./\nRUN pnpm install --frozen-lockfile {filter}\n"
)
NARROW = [
    '--filter "@suite/website..."',
    "--filter=website",
    "-F ./apps/website",
    "--filter @suite/website --filter suite",
]
WIDE = [
    "",
    "--filter '...@suite/api'",
    "--filter $APP",
    "&& pnpm fetch",
    "--filter @suite/nobody",
    "--filter '@suite/*'",
]


@pytest.mark.parametrize("words", NARROW + WIDE)
def test_the_lock_file_counts_as_far_as_the_install_goes(suite: Path, words: str) -> None:
    (suite / "apps/website/Dockerfile").write_text(LOCKED.format(filter=words))
    bump = SENSITIVITY["a dependency of the API in the lock file"][0]
    assert ("website" in changed(suite, bump)) == (words in WIDE)


def test_the_frontend_counts_by_its_name_and_is_not_asked_for(tmp_path: Path) -> None:
    root = project(tmp_path / "p", "# syntax=docker/dockerfile:1\nFROM a\n")
    assert recipe(render(Project.open(root), {}).builds["web"], "linux/amd64").images == ["a"]
    assert changed(root, replace("Dockerfile", "dockerfile:1", "dockerfile:1.7-labs")) == {"web"}


def test_why_two_tags_differ_can_be_read_from_what_is_hashed(suite: Path) -> None:
    builds = render(Project.open(suite), {}).builds
    made = recipe(builds["api"], "linux/amd64")
    found = document(made, {"node:22-bookworm-slim": DIGEST}, str)
    assert ["", "apps/api/src/main.ts", "100644"] in [entry[:3] for entry in found["files"]]
    assert found["images"] == {"node:22-bookworm-slim": DIGEST}
    assert found["arguments"] == {"BASE_IMAGE": "node:22-bookworm-slim"}


def test_a_build_starts_from_exactly_the_base_that_was_hashed(suite: Path) -> None:
    made = recipe(render(Project.open(suite), {}).builds["api"], "linux/amd64")
    assert pins(made, {"node:22-bookworm-slim": DIGEST}) == {
        "node:22-bookworm-slim": f"docker-image://docker.io/library/node:22-bookworm-slim@{DIGEST}"
    }
