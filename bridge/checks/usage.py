"""Which packages each manifest's files import without declaring them, and where. The suspects of the first rule."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bridge.workspace import builtins, confirm
from bridge.workspace.confirm import Kind
from bridge.workspace.imports import STYLES, Site
from bridge.workspace.manifests import Manifest, package_of

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

_ASIDE: Final = re.compile(
    r"(?:^|/)\.(?!vitepress/|vuepress/|dumi/|umi/|server/|client/|well-known/)[\w-]+/"
    r"|(?:^|/)(?:__tests__|__mocks__|__fixtures__|tests?|e2e|cypress|playwright|\.storybook|stories|fixtures?|examples?|"
    r"templates?|_templates|(?:tests?|examples?|samples?|demos?)-[\w-]+|benchmarks?|scripts?|docs?|\.github|spec|specs|testing|playground|sandbox|storybook|demo|"
    r"seeds?|mocks?|evals?|test-utils?|integration-tests?|perf|hack|tools|tooling)/"
    r"|\.(?:test|spec|input|output|stories|story|e2e|bench|eval|cy|mock|fixture|d)\.[cm]?[jt]sx?$"
    r"|(?:^|/)(?:vitest|jest|playwright|cypress|eslint|prettier|commitlint|knip|lint-staged|stylelint|release|karma|"
    r"plop|lingui|i18next|codegen|graphql|crowdin|oxlint|oxfmt|turbo|syncpack|size-limit|sentry|checkly|wdio|trigger|"
    r"drizzle|prisma|changelog|renovate|dangerfile|gulpfile|Gruntfile)[\w.-]*\.[cm]?[jt]s$"
    r"|(?:^|/)\.[\w-]+rc\.[cm]?js$|(?:^|/)(?:setup-?tests?|test-?setup|jest-setup|vitest-setup)[\w.-]*\.[cm]?[jt]sx?$",
    re.IGNORECASE,
)


def is_aside(path: str) -> bool:
    """Return whether a file (relative to its package) is no part of what is built: tests, stories, tool settings."""
    return _ASIDE.search(path) is not None


@dataclass(frozen=True, slots=True)
class Use:
    """One confirmed import."""

    path: str
    line: int
    column: int
    kind: Kind
    aside: bool
    specifier: str
    aliased: bool = False


@dataclass
class Missing:
    """A package that files of ``manifest`` import and that it does not declare.

    ``others`` are files that the scan found and no parser has seen: enough were confirmed to say what is wrong.
    """

    manifest: Manifest
    name: str
    uses: list[Use] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


_ENOUGH: Final = 6
"""Files in which a suspect is confirmed at once; more are parsed only when these do not settle how bad it is."""


def suspects(facts: Facts) -> dict[tuple[str, str], list[str]]:
    """Return (folder of a manifest, package) → files that may import it undeclared, by the superset scan alone."""
    names: dict[str, str] = {}
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, specifiers in facts.imports.files.items():
        owner = facts.owners.of(path)
        if owner is None or _is_blind(facts, owner):
            continue
        for specifier in specifiers:
            name = names.get(specifier)
            if name is None:
                name = names[specifier] = "" if builtins.is_builtin(specifier) else package_of(specifier)
            if name and name not in owner.declared and name != owner.name:
                found[owner.folder, name].append(path)
    return found


def _is_blind(facts: Facts, owner: Manifest) -> bool:
    """Whether nobody can say what a package has declared: its manifest, or the root's, cannot be read."""
    repo = facts.repo_of(owner)
    return owner.problem is not None or (repo is not None and repo.root.problem is not None)


def missing(facts: Facts) -> list[Missing]:
    """Return every package that is imported and not declared, confirmed by a parser in enough of its files."""
    queue = suspects(facts)
    found = {key: Missing(facts.manifests[key[0]], key[1]) for key in queue}
    waiting = {key: sorted(set(paths), key=lambda path: (_aside(facts, path), path)) for key, paths in queue.items()}
    while waiting:
        batch = {key: paths[:_ENOUGH] for key, paths in waiting.items()}
        _confirm(facts, found, batch)
        waiting = {key: rest for key, paths in waiting.items() if (rest := paths[_ENOUGH:]) and not found[key].uses}
        for key, paths in batch.items():
            if key not in waiting:
                found[key].others = [path for path in queue[key] if path not in paths and path not in found[key].others]
    return [item for item in found.values() if item.uses]


def complete(facts: Facts, item: Missing) -> Missing:
    """Confirm the files that were left out; return ``item``."""
    if item.others:
        paths, item.others = item.others, []
        _confirm(facts, {(item.manifest.folder, item.name): item}, {(item.manifest.folder, item.name): paths})
    return item


def _aside(facts: Facts, path: str) -> bool:
    owner = facts.owners.of(path)
    return is_aside(path if owner is None or owner.folder == "." else path[len(owner.folder) + 1 :])


def _confirm(facts: Facts, found: dict[tuple[str, str], Missing], batch: dict[tuple[str, str], list[str]]) -> None:
    """Parse each file once, for all packages that are asked about in it."""
    by_file: dict[str, set[str]] = defaultdict(set)
    for (_, name), paths in batch.items():
        for path in paths:
            by_file[path].add(name)
    for path in sorted(by_file):
        if (owner := facts.owners.of(path)) is not None:
            for name, use in _confirmed(facts, path, owner, by_file[path]):
                found[owner.folder, name].uses.append(use)


def _confirmed(facts: Facts, path: str, owner: Manifest, names: set[str]) -> list[tuple[str, Use]]:
    code, all_sites = facts.imports.sites(path)
    sites = [
        site for site in all_sites if package_of(site.specifier) in names and not _excused(facts, path, owner, site)
    ]
    if not sites:
        return []
    relative = path[len(owner.folder) + 1 :] if owner.folder != "." else path
    aside = is_aside(relative)
    found = []
    for site, kind in zip(sites, confirm.kinds(path, code, sites), strict=True):
        if kind is not Kind.NONE:
            line, column = _place(code, site)
            aliased = facts.aliases.target(site.specifier, path) is not None
            found.append((package_of(site.specifier), Use(path, line, column, kind, aside, site.specifier, aliased)))
    return found


def _place(code: bytes, site: Site) -> tuple[int, int]:
    start = code.rfind(b"\n", 0, site.start) + 1
    return code.count(b"\n", 0, site.start) + 1, len(code[start : site.start].decode("utf-8", "replace")) + 1


def _excused(facts: Facts, path: str, owner: Manifest, site: Site) -> bool:
    specifier = site.specifier
    if path.endswith(STYLES) and _is_partial(facts, path, owner, specifier):
        return True
    if builtins.is_builtin(specifier) or builtins.is_virtual(specifier):
        return True
    home = owner.path.rpartition("/")[0]
    if builtins.is_provided(specifier, owner.declared) or facts.aliases.mapped(specifier, path, home):
        return True
    repo = facts.repo_of(owner)
    if (repo is None or package_of(specifier) not in repo.known) and facts.aliases.claims(specifier, path):
        return True
    target = facts.aliases.target(specifier, path)
    return target is not None and _inside(facts, owner, target, package_of(specifier))


def _is_partial(facts: Facts, path: str, owner: Manifest, specifier: str) -> bool:
    """Whether a style sheet means a file: beside itself, or, for what no package is called, in a folder of its tool."""
    folder, name = path.rpartition("/")[0], specifier.partition("?")[0]
    head, _, last = name.rpartition("/")
    place = "/".join(part for part in (folder, head) if part)
    stems = [last, f"_{last}", f"{last}/index", f"{last}/_index"]
    endings = ["", ".scss", ".sass", ".less", ".css", ".pcss"]
    if any(f"{place}/{stem}{ending}".lstrip("/") in facts.tree for stem in stems for ending in endings):
        return True
    repo = facts.repo_of(owner)
    return path.endswith((".scss", ".sass", ".less")) and (repo is None or package_of(specifier) not in repo.known)


def _inside(facts: Facts, owner: Manifest, target: str, name: str) -> bool:
    """An alias excuses only inside its own package, or where no package of that name exists at all."""
    home = facts.owners.of(target if target in facts.tree else f"{target}/x")
    repo = facts.repo_of(owner)
    if home is None or home is owner:
        return True
    return repo is None or (name not in repo.by_name and not (repo.lock and name in repo.lock.versions))
