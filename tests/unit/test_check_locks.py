"""Lock files of every format: the same drifts are found in each, all at once, and none in a fresh one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.checks import drift
from bridge.checks.facts import Facts
from bridge.checks.rules import all_rules
from bridge.workspace import lock

WEB = {"name": "@x/web", "dependencies": {"@x/ui": "*", "left-pad": "^1.3.0"}, "devDependencies": {"p-map": "^4.0.0"}}
UI = {"name": "@x/ui", "version": "1.0.0", "dependencies": {"left-pad": "^1.3.0"}}

PNPM_9 = """lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .: {}

  apps/web:
    dependencies:
      '@x/ui':
        specifier: workspace:*
        version: link:../../packages/ui
      left-pad:
        specifier: ^1.3.0
        version: 1.3.0
    devDependencies:
      p-map:
        specifier: ^4.0.0
        version: 4.0.0

  packages/ui:
    dependencies:
      left-pad:
        specifier: ^1.3.0
        version: 1.3.0

packages:

  left-pad@1.3.0:
    resolution: {integrity: sha512-aaa}

  p-map@4.0.0:
    resolution: {integrity: sha512-bbb}

snapshots:

  left-pad@1.3.0: {}

  p-map@4.0.0: {}
"""

PNPM_6 = PNPM_9.replace("'9.0'", "'6.0'").replace("  left-pad@1.3.0:\n    res", "  /left-pad@1.3.0:\n    res").replace(
    "  p-map@4.0.0:\n    res", "  /p-map@4.0.0:\n    res"
).split("\nsnapshots:")[0]  # fmt: skip

NPM = json.dumps(
    {
        "name": "root",
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "root", "workspaces": ["apps/*", "packages/*"]},
            "apps/web": {key: value for key, value in WEB.items() if key != "name"},
            "packages/ui": {"name": "@x/ui", "version": "1.0.0", "dependencies": {"left-pad": "^1.3.0"}},
            "node_modules/@x/ui": {"resolved": "packages/ui", "link": True},
            "node_modules/@x/web": {"resolved": "apps/web", "link": True},
            "node_modules/left-pad": {"version": "1.3.0"},
            "apps/web/node_modules/p-map": {"version": "4.0.0", "dev": True},
        },
    },
    indent=2,
)

NPM_2 = json.dumps(
    {
        **json.loads(NPM),
        "lockfileVersion": 2,
        # what npm 6 reads: a second account of the same, which says nothing about the manifests
        "dependencies": {
            "@x/ui": {"version": "file:packages/ui", "requires": {"left-pad": "^1.3.0"}},
            "left-pad": {"version": "1.3.0"},
        },
    },
    indent=2,
)

BUN = """{
  "lockfileVersion": 1,
  "workspaces": {
    "": { "name": "root", },
    "apps/web": {
      "name": "@x/web",
      "dependencies": { "@x/ui": "*", "left-pad": "^1.3.0", },
      "devDependencies": { "p-map": "^4.0.0", },
    },
    "packages/ui": { "name": "@x/ui", "version": "1.0.0", "dependencies": { "left-pad": "^1.3.0", }, },
  },
  "packages": {
    "@x/ui": ["@x/ui@workspace:packages/ui"],
    "left-pad": ["left-pad@1.3.0", "", {}, "sha512-aaa"],
    "@x/web/p-map": ["p-map@4.0.0", "", { "dependencies": { "aggregate-error": "^3.0.0" } }, "sha512-bbb"],
  }
}
"""

YARN_1 = """# yarn lockfile v1


left-pad@^1.3.0:
  version "1.3.0"
  integrity sha512-aaa

p-map@^4.0.0:
  version "4.0.0"
  integrity sha512-bbb
"""

BERRY = """__metadata:
  version: 8
  cacheKey: 10c0

"@x/ui@npm:*, @x/ui@workspace:packages/ui":
  version: 0.0.0-use.local
  resolution: "@x/ui@workspace:packages/ui"
  dependencies:
    left-pad: "npm:^1.3.0"
  languageName: unknown
  linkType: soft

"@x/web@workspace:apps/web":
  version: 0.0.0-use.local
  resolution: "@x/web@workspace:apps/web"
  dependencies:
    "@x/ui": "npm:*"
    left-pad: "npm:^1.3.0"
    p-map: "npm:^4.0.0"
  languageName: unknown
  linkType: soft

"left-pad@npm:^1.3.0":
  version: 1.3.0
  resolution: "left-pad@npm:1.3.0"
  languageName: node
  linkType: hard

"p-map@npm:^4.0.0":
  version: 4.0.0
  resolution: "p-map@npm:4.0.0"
  languageName: node
  linkType: hard

"root@workspace:.":
  version: 0.0.0-use.local
  resolution: "root@workspace:."
  languageName: unknown
  linkType: soft
"""

FORMATS = {
    "pnpm 9": ("pnpm-lock.yaml", PNPM_9, "pnpm@10.1.0"),
    "pnpm 6": ("pnpm-lock.yaml", PNPM_6, "pnpm@8.1.0"),
    "npm 2": ("package-lock.json", NPM_2, "npm@8.0.0"),
    "npm 3": ("package-lock.json", NPM, "npm@11.0.0"),
    "bun": ("bun.lock", BUN, "bun@1.3.0"),
    "yarn 1": ("yarn.lock", YARN_1, "yarn@1.22.22"),
    "yarn 4": ("yarn.lock", BERRY, "yarn@4.5.0"),
}


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=2), encoding="utf-8")


def repository(root: Path, form: str, web: Mapping[str, object] | None = None) -> Facts:
    name, text, manager = FORMATS[form]
    manifest = json.loads(json.dumps(web or WEB))
    if name == "pnpm-lock.yaml":
        write(root / "pnpm-workspace.yaml", "packages:\n  - apps/*\n  - packages/*\n")
        manifest["dependencies"]["@x/ui"] = "workspace:*"
    write(root / "package.json", {"name": "root", "workspaces": ["apps/*", "packages/*"], "packageManager": manager})
    write(root / "apps/web/package.json", manifest)
    write(root / "packages/ui/package.json", UI)
    write(root / name, text)
    return Facts(root)


@pytest.mark.parametrize("form", FORMATS)
def test_a_fresh_lock_file_has_no_drift(form: str, tmp_path: Path) -> None:
    facts = repository(tmp_path, form)
    assert facts.main is not None
    assert facts.main.lock is not None
    assert [item.message for item in drift.drifts(facts.main)] == []


@pytest.mark.parametrize("form", FORMATS)
def test_every_drift_of_a_stale_one_is_found_at_once(form: str, tmp_path: Path) -> None:
    stale = {
        "name": "@x/web",
        "dependencies": {"@x/ui": "*", "left-pad": "^1.4.0", "zod": "^3.0.0"},
        "devDependencies": {},
    }
    facts = repository(tmp_path, form, stale)
    assert facts.main is not None
    names = {item.name for item in drift.drifts(facts.main)}
    # yarn 1 records no workspaces: what is no longer wanted cannot be told.
    assert names >= {"left-pad", "zod"} if form == "yarn 1" else names == {"left-pad", "zod", "p-map"}


@pytest.mark.parametrize("form", FORMATS)
def test_versions_are_known_by_name(form: str) -> None:
    name, text, _ = FORMATS[form]
    versions = lock.read(name, text).versions
    assert versions["left-pad"] == ["1.3.0"]
    assert versions["p-map"] == ["4.0.0"]


@pytest.mark.parametrize("form", ["npm 2", "npm 3", "bun"])
def test_a_hoisting_lock_file_says_what_is_found_from_where(form: str) -> None:
    name, text, _ = FORMATS[form]
    graph = lock.read(name, text).graph
    assert graph is not None
    assert graph.locate("left-pad", "packages/ui") == "node_modules/left-pad"
    assert graph.locate("p-map", "apps/web") == "apps/web/node_modules/p-map"
    assert graph.locate("p-map", "packages/ui") is None


@pytest.mark.parametrize(
    ("selector", "name", "specifier", "changed"),
    [
        ("nanoid@<3.1.31", "nanoid", "^3.0.0", True),
        ("nanoid@>=3.0.0 <3.1.31", "nanoid", "^4.0.0", False),
        ("express@^4>body-parser", "body-parser", "^1.0.0", False),
        ("@x/web>left-pad", "left-pad", "^1.0.0", True),
        ("@types/node", "@types/node", "20", True),
        ("react@^18", "react", "^17.0.0", False),
    ],
)
def test_an_override_rewrites_what_the_lock_file_records(
    selector: str, name: str, specifier: str, changed: bool, tmp_path: Path
) -> None:
    web = {"name": "@x/web", "dependencies": {"@x/ui": "*", name: specifier}}
    facts = repository(tmp_path, "pnpm 9", web)
    manifest = facts.manifests["apps/web"]
    got = drift._overridden(manifest, name, specifier, {selector: "9.9.9"})
    assert got == ("9.9.9" if changed else specifier)


@pytest.mark.parametrize("form", ["npm 2", "npm 3", "bun"])
@pytest.mark.parametrize(
    ("left_pad", "stops"), [("^1.3.0", None), ("^1.2.0", False), (">=1 <2", False), ("^2.0.0", True), ("next", True)]
)
def test_npm_and_bun_go_on_while_the_locked_version_fits(
    form: str, left_pad: str, stops: bool | None, tmp_path: Path
) -> None:
    web = {**WEB, "dependencies": {"@x/ui": "*", "left-pad": left_pad}}
    facts = repository(tmp_path, form, web)
    assert facts.main is not None
    assert [item.stops for item in drift.drifts(facts.main)] == ([] if stops is None else [stops])


@pytest.mark.parametrize(("form", "stops"), [("npm 3", False), ("bun", True)])
def test_a_removed_dependency_stops_bun_and_not_npm(form: str, stops: bool, tmp_path: Path) -> None:
    facts = repository(tmp_path, form, {**WEB, "devDependencies": {}})
    assert facts.main is not None
    assert [(item.name, item.stops) for item in drift.drifts(facts.main)] == [("p-map", stops)]


def root(folder: Path, **entries: object) -> Facts:
    """The repository with more in its root manifest."""
    file = folder / "package.json"
    write(file, {**json.loads(file.read_text()), **entries})
    return Facts(folder)


@pytest.mark.parametrize(
    ("form", "entries", "drifted"),
    [
        ("bun", {"overrides": {"left-pad": "1.3.0"}}, ["left-pad"]),
        ("bun", {"patchedDependencies": {"left-pad@1.3.0": "patches/x.patch"}}, ["left-pad@1.3.0"]),
        ("npm 3", {"overrides": {"left-pad": "^1.0.0"}}, []),
        ("npm 3", {"overrides": {"left-pad": "2.0.0"}}, ["left-pad"]),
        ("yarn 4", {"resolutions": {"left-pad": "1.2.0"}}, ["left-pad"]),
        ("yarn 4", {"resolutions": {"left-pad": "^1.3.0"}}, []),
        ("yarn 1", {"resolutions": {"left-pad": "1.2.0"}}, []),
        ("pnpm 9", {"pnpm": {"overrides": {"left-pad": "1.2.0"}}}, ["left-pad"]),
        ("pnpm 9", {"pnpm": {"patchedDependencies": {"left-pad@1.3.0": "x.patch"}}}, ["left-pad@1.3.0"]),
    ],
)
def test_overrides_and_patches_belong_to_the_lock_file(
    form: str, entries: dict[str, object], drifted: list[str], tmp_path: Path
) -> None:
    repository(tmp_path, form)
    facts = root(tmp_path, **entries)
    assert facts.main is not None
    assert sorted({item.name for item in drift.drifts(facts.main)}) == drifted


def test_pnpm_takes_its_own_overrides_before_resolutions(tmp_path: Path) -> None:
    repository(tmp_path, "pnpm 9")
    facts = root(tmp_path, resolutions={"ms": "1.0.0"}, pnpm={"overrides": {"ms": "2.0.0"}})
    assert facts.main is not None
    assert facts.main.settings.overrides == {"ms": "2.0.0"}


def test_yarn_reads_the_linker_of_the_folders_above(tmp_path: Path) -> None:
    write(tmp_path / ".yarnrc.yml", "nodeLinker: node-modules\n")
    facts = repository(tmp_path / "www", "yarn 4")
    assert facts.main is not None
    assert facts.main.manager.linker == "pnp"
    write(tmp_path / "package.json", {"name": "above"})
    assert [repo.manager.linker for repo in Facts(tmp_path).repos] == ["hoisted"]


def catalogued(folder: Path, yarnrc: str, **entries: object) -> Facts:
    """A repository of yarn 4 whose app takes p-map from the catalog."""
    listed = BERRY.replace('    p-map: "npm:^4.0.0"', '    p-map: "catalog:"')
    repository(folder, "yarn 4", {**WEB, "devDependencies": {"p-map": "catalog:"}})
    write(folder / "yarn.lock", listed)
    write(folder / ".yarnrc.yml", yarnrc)
    return root(folder, **entries)


def test_yarn_locks_what_its_catalog_makes_of_a_range(tmp_path: Path) -> None:
    facts = catalogued(tmp_path, "nodeLinker: node-modules\ncatalog:\n  p-map: ^4.0.0\n")
    assert facts.main is not None
    assert list(drift.drifts(facts.main)) == []
    moved = catalogued(tmp_path, "catalog:\n  p-map: ^5.0.0\n")
    assert moved.main is not None
    assert [(item.name, item.keys) for item in drift.drifts(moved.main)] == [("p-map", ("devDependencies", "p-map"))]


def test_a_range_that_yarns_catalog_does_not_have_is_named(tmp_path: Path) -> None:
    facts = catalogued(tmp_path, "catalogs:\n  old:\n    p-map: ^4.0.0\n")
    found = [(finding.severity.word, finding.package) for finding in all_rules()["IKB105"].check(facts)]
    assert found == [("error", "p-map")]


def test_a_patch_of_yarn_belongs_to_the_lock_file(tmp_path: Path) -> None:
    selector, value = "p-map@npm:^4.0.0", "patch:p-map@npm%3A4.0.0#~/.yarn/patches/p-map.patch"
    yarnrc = "catalog:\n  p-map: ^4.0.0\n"
    facts = catalogued(tmp_path, yarnrc, resolutions={selector: value})
    assert facts.main is not None
    assert [item.name for item in drift.drifts(facts.main)] == ["p-map"]
    lock_file = tmp_path / "yarn.lock"
    patched = f'"p-map@{value}":\n  version: 4.0.0\n  resolution: "p-map@{value}::version=4.0.0&hash=5dc5a8"\n'
    lock_file.write_text(lock_file.read_text(encoding="utf-8") + "\n" + patched, encoding="utf-8")
    fresh = Facts(tmp_path)
    assert fresh.main is not None
    assert list(drift.drifts(fresh.main)) == []


def test_npm_lists_a_folder_beside_the_root_that_a_dependency_names(tmp_path: Path) -> None:
    write(tmp_path / "shared/package.json", {"name": "@x/shared"})
    own = {"name": "server", "dependencies": {"@x/shared": "file:../shared"}}
    write(tmp_path / "server/package.json", own)
    packages = {
        "": own,
        "../shared": {"name": "@x/shared"},
        "node_modules/@x/shared": {"resolved": "../shared", "link": True},
    }
    write(tmp_path / "server/package-lock.json", {"lockfileVersion": 3, "packages": packages})
    (repo,) = Facts(tmp_path).repos
    assert list(drift.drifts(repo)) == []
