"""IKB112: a left-over folder that belongs to no package, or to a framework that the app no longer uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks import resolve
from bridge.checks.model import Finding, Rule, Severity
from bridge.checks.resolve import Found
from bridge.checks.shown import is_shown
from bridge.workspace import builtins
from bridge.workspace.imports import SCRIPTS
from bridge.workspace.lock import FILES
from bridge.workspace.manifests import Manifest, package_of
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB112"

_KEPT = re.compile(
    r"^(?:src|app|apps|pages|lib|libs|components|public|server|client|scripts?|tests?|__tests__|e2e|docs?|examples?|"
    r"templates?|fixtures|stories|config|configs|types|typings|@types|styles|assets|functions|api|plugins|tools|bin|"
    r"\..*|node_modules|dist|build|out)$"
)


def check(facts: Facts) -> Iterable[Finding]:
    for repo in facts.repos:
        if repo.is_workspace:
            yield from _without_manifest(facts, repo)
            yield from _at_the_top(facts, repo)
        for manifest in repo.members.values():
            if manifest is not repo.root or not repo.is_workspace:
                yield from _strangers(facts, repo, manifest)


def _without_manifest(facts: Facts, repo: Monorepo) -> Iterator[Finding]:
    """Folders where the workspace's packages stand, with sources and without a package.json."""
    prefix = "" if repo.folder == "." else repo.folder + "/"
    parents = {
        pattern.removeprefix("./").removesuffix("/*") for pattern in repo.settings.patterns or [] if _plain(pattern)
    }
    for parent in sorted(parents):
        names = {path[len(prefix + parent) + 1 :].split("/")[0] for path in facts.tree.below(prefix + parent)}
        for name in sorted(names):
            folder = f"{prefix}{parent}/{name}"
            if folder in facts.tree.folders and not _has_manifest(facts, folder) and not name.startswith((".", "_")):
                code = [path for path in facts.tree.below(folder) if path.endswith(SCRIPTS)]
                if code and not _mentioned(facts, repo, folder):
                    message = f"{folder} has sources and no package.json, belongs to no package, and nothing names it."
                    yield _finding(code[0], folder, message)


_USUAL = re.compile(
    r"^(?:infra\w*|deploy\w*|ops|k8s|kubernetes|helm|charts?|terraform|pulumi|cdk|ansible|docker|nginx|supabase|prisma|db|"
    r"database|migrations?|seeds?|data|cypress|playwright|specs?|bench\w*|perf\w*|hack|dev|tooling|build\w*|ci|patches|"
    r"mocks?|locales?|i18n|static|vendor|third[_-]party|proto\w*|schemas?|hooks|utils|typing|evals?|cloud|workers?|"
    r"[\w-]*(?:scripts?|tests?|tools?|docs?|examples?|samples?|demos?|playground\w*|benchmarks?|fixtures|templates?))$",
    re.IGNORECASE,
)
"""Folders beside the packages that people run by hand, or that tools find by their names."""
_FOREIGN = re.compile(
    r"(?:^|/)(?:pyproject\.toml|requirements[\w.-]*\.txt|setup\.py|go\.mod|Cargo\.toml|pubspec\.yaml|Gemfile|deno\.jsonc?|"
    r"pom\.xml|build\.gradle(?:\.kts)?|project\.json|BUILD(?:\.bazel)?|[\w.-]+\.csproj|composer\.json|Package\.swift|"
    r"[\w-]+\.py|pnpm-lock\.yaml|package-lock\.json|yarn\.lock|bun\.lockb?)$"
)
"""What makes a folder a project of another language or tool, or one with an install of its own."""
_NAMING = re.compile(
    r"^[^/]+\.(?:json|jsonc|[cm]?[jt]s|ya?ml|toml|sh)$|^(?:Makefile|[Jj]ustfile|Procfile|Taskfile\.ya?ml)$"
    r"|^\.(?:github|gitlab|circleci|husky|changeset|vscode|devcontainer)[/\w.-]*|\.sh$|(?:^|/)tsconfig[\w.-]*\.json$"
    r"|(?:^|/)package\.json$|(?:^|/)[\w.-]+\.config\.[cm]?[jt]s$"
)


def _at_the_top(facts: Facts, repo: Monorepo) -> Iterator[Finding]:
    """Folders beside the packages, with sources or an own package.json, that belong to none and that nothing names."""
    prefix = "" if repo.folder == "." else repo.folder + "/"
    if any(f"{prefix}{name}" in facts.tree for name in ("nx.json", "rush.json", "deno.json", "deno.jsonc")):
        return  # their packages need no pattern
    tops = {
        path[len(prefix) :].partition("/")[0] for path in facts.tree.below(repo.folder) if "/" in path[len(prefix) :]
    }
    for name in sorted(tops):
        folder = f"{prefix}{name}"
        if _KEPT.match(name) or _USUAL.match(name) or name.startswith("_") or is_shown(f"{folder}/x"):
            continue
        files = facts.tree.below(folder)
        code = [path for path in files if path.endswith(SCRIPTS)]
        first = next(iter(code), f"{folder}/package.json")
        if first not in facts.tree or _is_lived_in(repo, folder, files):
            continue
        if not _mentioned(facts, repo, folder) and not _named(facts, repo, folder, name):
            message = f"{folder} lies beside the packages, belongs to none of the workspace, and nothing names it."
            yield _finding(first, folder, message)


def _is_lived_in(repo: Monorepo, folder: str, files: list[str]) -> bool:
    """Whether a folder holds packages, or is the business of another language or tool."""
    inside = any(known.startswith(folder + "/") or known == folder for known in repo.members)
    return inside or any(_FOREIGN.search(path) for path in files)


def _named(facts: Facts, repo: Monorepo, folder: str, name: str) -> bool:
    """Whether settings, scripts, workflows, manifests or the contract have the folder's name in them."""
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    prefix = "" if repo.folder == "." else repo.folder + "/"
    outside = (path for path in facts.tree.files if not path.startswith(folder + "/"))
    places = [path for path in outside if _NAMING.search(path.removeprefix(prefix))]
    places = [path for path in places if path.rpartition("/")[2] not in FILES]
    return any(word.search(facts.tree.text(path)) for path in places) or any(
        word.search(text) for text in facts.command_texts
    )


def _plain(pattern: str) -> bool:
    return re.fullmatch(r"(?:\./)?[\w.@/-]+/\*", pattern) is not None


def _has_manifest(facts: Facts, folder: str) -> bool:
    return any(known == folder or known.startswith(folder + "/") for known in facts.manifests)


def _mentioned(facts: Facts, repo: Monorepo, folder: str) -> bool:
    """Whether a script, a Dockerfile, a compose file or another source names the folder."""
    name = folder.rpartition("/")[2]
    texts = [text for manifest in repo.members.values() for text in manifest.scripts.values()]
    texts += [facts.tree.text(build.path) for build in facts.builds] + [item.text for item in facts.composes]
    if any(folder in text for text in texts) or any(build.path.startswith(folder + "/") for build in facts.builds):
        return True
    outside = [item for item in facts.imports.files.items() if not item[0].startswith(folder + "/")]
    if any(f"/{name}/" in f"{item}/" for _, specifiers in outside for item in specifiers if item.startswith(".")):
        return True
    leads = ((facts.aliases.target(item, path) or "") for path, specifiers in outside for item in specifiers)
    return any(target.startswith(folder + "/") for target in leads)


def _strangers(facts: Facts, repo: Monorepo, manifest: Manifest) -> Iterator[Finding]:
    """Folders of a package that nothing outside imports, and that import a framework which it does not declare."""
    prefix = "" if manifest.folder == "." else manifest.folder + "/"
    for name, paths in sorted(_top(facts, manifest, prefix).items()):
        if _KEPT.match(name):
            continue
        unknown = sorted({word for path in paths for word in _unknown(facts, repo, manifest, path)})
        dangling = any(_dangles(facts, path) for path in paths)
        if (name in unknown or dangling) and not _used(facts, manifest, prefix + name):
            what = name if name in unknown or not unknown else unknown[0]
            message = (
                f"{prefix}{name} is code for {what}, which {manifest.path} does not declare, and nothing outside of it "
                f"imports it: the framework compiles it all the same and trips."
            )
            yield _finding(min(paths), prefix + name, message)


def _dangles(facts: Facts, path: str) -> bool:
    """Whether a file imports generated code that nobody generates any more."""
    return any(
        "_generated" in item and item.startswith(".") and facts.graph.local(item, path) is None
        for item in facts.imports.files[path]
    )


def _top(facts: Facts, manifest: Manifest, prefix: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in facts.tree.below(manifest.folder):
        name, slash, _ = path[len(prefix) :].partition("/")
        if slash and path in facts.imports.files and facts.owners.of(path) is manifest:
            found.setdefault(name, []).append(path)
    return found


def _unknown(facts: Facts, repo: Monorepo, manifest: Manifest, path: str) -> set[str]:
    names = {package_of(item) for item in facts.imports.files[path] if not builtins.is_builtin(item)}
    found = {name for name in names if name and name not in manifest.declared and name != manifest.name}
    return {name for name in found if resolve.whole(repo, manifest, name) is not Found.ROOT}


def _used(facts: Facts, manifest: Manifest, folder: str) -> bool:
    return any(
        (target := facts.graph.local(item, path)) is not None and target.startswith(folder + "/")
        for path in facts.tree.below(manifest.folder)
        if not path.startswith(folder + "/")
        for item in facts.imports.files.get(path, ())
        if not package_of(item) or item.startswith("@")
    )


def _finding(path: str, folder: str, message: str) -> Finding:
    fix = f"Remove it (git rm -r {folder}), or make it a package of the workspace."
    return Finding(ID, Severity.WARNING, path, 1, 1, message, folder, fix=fix, about=frozenset({folder}))


RULE = Rule(
    ID,
    "left-over-folder",
    Severity.WARNING,
    "D8",
    "A folder that no package owns, or the remains of a framework inside an app (apps/website/convex after convex was "
    "removed), is still compiled, linted and type-checked by what globs the app: the build stops at code that nobody "
    "uses. It is reported when nothing imports it, no script names it, and what it imports is not declared.",
    check,
)
