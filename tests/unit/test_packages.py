"""Facts about a workspace: its packages, who stands on whom, and each one's part of the lock file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bridge.workspace import packages, pnpmlock
from bridge.workspace.packages import Workspace

SUITE = Path(__file__).parents[2] / "docs/examples/suite"

LOCK = """lockfileVersion: '9.0'

settings:
  autoInstallPeers: true

catalogs:
  default:
    react:
      specifier: ^19.0.0
      version: 19.0.0

importers:

  .:
    devDependencies:
      turbo:
        specifier: ^2.0.0
        version: 2.0.0

  apps/api:
    dependencies:
      '@acme/db':
        specifier: workspace:*
        version: link:../../packages/db
      wide:
        specifier: npm:string-width@4.2.3
        version: string-width@4.2.3

  apps/web:
    dependencies:
      '@scope/ui':
        specifier: ^1.0.0
        version: 1.0.0(react@19.0.0)
      react:
        specifier: 'catalog:'
        version: 19.0.0

  packages/db:
    dependencies:
      pg:
        specifier: ^8.0.0
        version: 8.0.0

packages:

  '@scope/ui@1.0.0':
    resolution: {integrity: sha512-ui}
    peerDependencies:
      react: '>=18'

  deep@1.0.0:
    resolution: {integrity: sha512-deep}

  pg@8.0.0:
    resolution: {integrity: sha512-pg}

  react@19.0.0:
    resolution: {integrity: sha512-react}

  string-width@4.2.3:
    resolution: {integrity: sha512-width}

  turbo@2.0.0:
    resolution: {integrity: sha512-turbo}

snapshots:

  '@scope/ui@1.0.0(react@19.0.0)':
    dependencies:
      react: 19.0.0
    optionalDependencies:
      deep: 1.0.0

  deep@1.0.0: {}

  pg@8.0.0: {}

  react@19.0.0: {}

  string-width@4.2.3:
    dependencies:
      deep: 1.0.0

  turbo@2.0.0: {}
"""


def workspace(root: Path, patterns: str, **manifests: dict[str, Any]) -> Workspace:
    (root / "pnpm-workspace.yaml").write_text(patterns)
    (root / "package.json").write_text('{"name": "root"}')
    for folder, manifest in manifests.items():
        place = root / folder.replace("__", "/")
        place.mkdir(parents=True)
        (place / "package.json").write_text(json.dumps(manifest))
    return packages.read(root)


def shop(root: Path) -> Workspace:
    return workspace(
        root,
        "packages:\n  - apps/*\n  - 'packages/**'\n  - '!packages/old'\n",
        apps__web={"name": "@acme/web", "dependencies": {"@acme/ui": "workspace:*", "react": "1"}},
        apps__api={"name": "@acme/api", "dependencies": {"@acme/db": "workspace:*"}},
        packages__ui={"name": "@acme/ui", "devDependencies": {"@acme/config": "workspace:*"}},
        packages__db={"name": "@acme/db"},
        packages__tools__config={"name": "@acme/config"},
        packages__old={"name": "@acme/old"},
        packages__db__node_modules__pg={"name": "pg"},
    )


def test_the_patterns_of_a_pnpm_workspace_find_its_packages(tmp_path: Path) -> None:
    assert shop(tmp_path).folders == {
        "apps/web": "@acme/web", "apps/api": "@acme/api", "packages/ui": "@acme/ui", "packages/db": "@acme/db",
        "packages/tools/config": "@acme/config",
    }  # fmt: skip


def test_npm_workspaces_are_found_in_package_json(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "root", "workspaces": {"packages": ["./libs/*"]}}')
    (tmp_path / "libs/a").mkdir(parents=True)
    (tmp_path / "libs/a/package.json").write_text('{"name": "a"}')
    assert packages.read(tmp_path).folders == {"libs/a": "a"}


def test_a_folder_without_packages_is_an_empty_workspace(tmp_path: Path) -> None:
    assert packages.read(tmp_path).packages == {}


def test_a_package_stands_on_its_dependencies_to_any_depth_dev_ones_included(tmp_path: Path) -> None:
    assert shop(tmp_path).closure({"@acme/web"}) == {"@acme/web", "@acme/ui", "@acme/config"}


def test_a_file_belongs_to_the_nearest_package(tmp_path: Path) -> None:
    found = shop(tmp_path)
    assert found.owner("packages/tools/config/src/x.ts") == "@acme/config"
    assert found.owner("packages/tools/notes.md") is None
    assert found.owner("package.json") is None


FILTERS = [
    ("@acme/api", {"@acme/api", "@acme/db"}),
    ("@acme/api...", {"@acme/api", "@acme/db"}),
    ("api", {"@acme/api", "@acme/db"}),
    ("./apps/api", {"@acme/api", "@acme/db"}),
    ("{apps/api}...", {"@acme/api", "@acme/db"}),
    ("@acme/d*", {"@acme/db"}),
    ("root", {"root"}),
    ("...@acme/db", None),
    ("!@acme/db", None),
    ("[main]", None),
    ("@acme/api^...", None),
    ("@acme/nobody", None),
]


@pytest.mark.parametrize(("selector", "expected"), FILTERS)
def test_a_filter_selects_packages_or_says_that_it_is_not_understood(
    tmp_path: Path, selector: str, expected: set[str] | None
) -> None:
    assert shop(tmp_path).select(selector) == expected


def names(part: str | None) -> set[str]:
    assert part is not None
    return set(re.findall(r"integrity: sha512-(\w+)", part))


def test_the_part_of_a_package_is_what_it_reaches_and_nothing_else() -> None:
    assert names(pnpmlock.part(LOCK, ["apps/web"])) == {"ui", "react", "deep"}
    assert names(pnpmlock.part(LOCK, ["apps/api", "packages/db"])) == {"width", "deep", "pg"}
    assert names(pnpmlock.part(LOCK, ["."])) == {"turbo"}


def test_what_concerns_all_packages_stays_in_every_part() -> None:
    part = pnpmlock.part(LOCK, ["."])
    assert part is not None
    assert "autoInstallPeers: true" in part
    assert "catalogs:" in part
    assert "apps/web" not in part


def test_the_whole_file_counts_when_a_part_is_not_certain() -> None:
    assert pnpmlock.part(LOCK.replace("'9.0'", "'6.0'"), ["."]) is None
    assert pnpmlock.part(LOCK, ["apps/unknown"]) is None
    assert pnpmlock.part(LOCK.replace("  turbo@2.0.0: {}\n", ""), ["."]) is None
    assert pnpmlock.part("", ["."]) is None


def reached(document: Any, folder: str) -> set[str]:
    """The snapshots below an importer, by a YAML parser instead of by indentation."""

    def keys(entry: Any, versions: Any) -> list[str]:
        pairs = [(n, versions(v)) for s in ("dependencies", "devDependencies", "optionalDependencies")
                 for n, v in (entry.get(s) or {}).items()]  # fmt: skip
        return [f"{name}@{version}" for name, version in pairs if not version.startswith("link:")]

    pending, seen = keys(document["importers"][folder], lambda value: value["version"]), set()
    while pending:
        if (key := pending.pop()) not in seen:
            seen.add(key)
            pending += keys(document["snapshots"][key] or {}, str)
    return seen


@pytest.mark.parametrize("folder", [".", "apps/api", "apps/website", "apps/worker", "packages/db", "packages/ui"])
def test_the_part_in_a_real_lock_file_is_what_a_yaml_parser_finds(folder: str) -> None:
    text = (SUITE / "pnpm-lock.yaml").read_text()
    part = pnpmlock.part(text, [folder])
    assert part is not None
    document = YAML(typ="safe", pure=True).load(text)
    listed = [key for key in document["snapshots"] if re.search(rf"^  '?{re.escape(key)}'?:", part, re.MULTILINE)]
    assert set(listed) >= reached(document, folder)
    integrity = {
        document["packages"][key.partition("(")[0]]["resolution"]["integrity"] for key in reached(document, folder)
    }
    assert set(re.findall(r"integrity: ([^,}\s]+)", part)) == integrity
