"""IKB101: a package is imported and its manifest does not declare it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from bridge.checks import resolve, usage
from bridge.checks.fixes import dependency
from bridge.checks.model import Finding, Rule, Severity
from bridge.checks.resolve import Found
from bridge.checks.usage import Missing, Use
from bridge.workspace.builds import Image
from bridge.workspace.confirm import Kind
from bridge.workspace.manifests import Manifest
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB101"

_ALIAS_LIKE: Final = re.compile(
    r"@(?:app|assets?|common|components?|config|constants|core|data|features?|helpers?|hooks|i18n|images|layouts?|lib|"
    r"libs|modules|pages|root|routes|server|services?|shared|src|stores?|styles?|types|ui|utils?|views|web)/"
)
"""Scopes that people give to folders of their own."""


def check(facts: Facts) -> Iterable[Finding]:
    for missing in usage.missing(facts):
        if (finding := _finding(facts, missing)) is not None:
            yield finding


def _finding(facts: Facts, missing: Missing) -> Finding | None:
    repo = facts.repo_of(missing.manifest)
    severity, how, images = _judge(facts, repo, missing)
    use = _first(missing)
    count = len(missing.uses) + len(missing.others) - 1
    more = f" (+{count} more)" if count else ""
    manifest = missing.manifest
    message = f"{missing.name} is imported here{more} and not declared in {manifest.path}: {how}."
    if severity is None:
        return None
    fix = dependency.propose(repo, manifest, missing.name, only_types=_only_types(missing))
    names = frozenset(image.name for image in images)
    return Finding(ID, severity, use.path, use.line, use.column, message, missing.name,
                   min(names) if names else manifest.label, names | {manifest.label},
                   fix.text, fix.edits, fix.relock)  # fmt: skip


def _judge(facts: Facts, repo: Monorepo | None, missing: Missing) -> tuple[Severity | None, str, list[Image]]:
    manifest, name = missing.manifest, missing.name
    if repo is None:
        return Severity.INFO, "its folder belongs to no workspace", []
    if _only_types(missing) and f"@types/{_typed(name)}" in manifest.declared:
        return Severity.INFO, f"only its types are used, and @types/{_typed(name)} is declared", []
    if name not in repo.known and f"@types/{_typed(name)}" in repo.known:
        return Severity.INFO, "a package of types alone, which the compiler finds", []
    images = [image for image in facts.images if image.repo is repo and manifest.label in image.members]
    built = [use for use in missing.uses if not use.aside]
    if not built:
        return Severity.INFO, "tests and tools use it, no image does", images
    if all(use.kind is Kind.OPTIONAL for use in built):
        return Severity.INFO, "the code copes with its absence", images
    return _resolved(facts, repo, missing, built, images)


def _resolved(
    facts: Facts, repo: Monorepo, missing: Missing, built: list[Use], images: list[Image]
) -> tuple[Severity | None, str, list[Image]]:
    manifest, name = missing.manifest, missing.name
    if all(_by_shim(repo, name, use) for use in built):
        return Severity.WARNING, "only the tool whose settings these are may find it", []
    if name not in repo.known and _ALIAS_LIKE.match(name):
        return Severity.WARNING, "no package that an install brings has this name: perhaps a plug-in makes an alias", []
    everywhere = resolve.whole(repo, manifest, name)
    broken = [image for image in images if resolve.in_image(repo, manifest, name, image) is Found.NOWHERE]
    if broken and not _needing(facts, broken, built):
        built = [use for use in usage.complete(facts, missing).uses if not use.aside]
    needing = _needing(facts, broken, built)
    if needing and f"@types/{_typed(name)}" in manifest.declared and not any(image.is_certain for image in needing):
        how = f"it compiles, for @types/{_typed(name)} is declared, and does not resolve when it runs"
        return Severity.WARNING, how, needing
    if needing:
        return Severity.ERROR, f"it does not resolve in the image of {_list(needing)}", needing
    if broken:
        return Severity.WARNING, f"it does not resolve in the image of {_list(broken)}, {_why_not(built)}", broken
    if everywhere in (Found.NOWHERE, Found.UNKNOWN):
        if not facts.images:
            loose = manifest is repo.root and repo.is_workspace
            stops = (
                not loose and _is_run(manifest) and any(_runs(use) and use.path in facts.built(repo) for use in built)
            )
            return Severity.ERROR if stops else Severity.WARNING, "it does not resolve", images
        return Severity.INFO, "it does not resolve, but no image contains this package", []
    if not images and facts.images:
        return Severity.INFO, "it resolves by hoisting, and no image contains this package", []
    by = f"{repo.root.path} declares it" if everywhere is Found.ROOT else "the install happens to put it within reach"
    return Severity.WARNING, f"it resolves only because {by}", images


def _needing(facts: Facts, images: list[Image], built: list[Use]) -> list[Image]:
    """Return the images whose build reaches one of these uses."""
    running = [use for use in built if _runs(use)]
    return [image for image in images if any(use.path in facts.reached(image) for use in running)] if running else []


def _is_run(manifest: Manifest) -> bool:
    """Whether something builds, starts or publishes a package, and not its authors alone."""
    named = any(name in manifest.data for name in ("main", "module", "exports", "bin"))
    return named or any(_WORK.match(name) for name in manifest.scripts) or not manifest.data.get("private")


_WORK = re.compile(r"(?:pre)?(?:build|start|deploy|bundle|compile|serve|dev|release)\b")
_LOADED = re.compile(r"(?:^|/)(?:uno|unocss|tailwind|postcss|metro|babel|nuxt)\.config\.\w+$")


def _by_shim(repo: Monorepo, name: str, use: Use) -> bool:
    """Whether a tool finds it for its settings: what pnpm links searches all packages, by require alone."""
    if repo.manager.name != "pnpm" or repo.lock is None or name not in repo.lock.versions:
        return False
    required = use.kind is Kind.REQUIRE and re.search(r"\.config\.c?js$", use.path) is not None
    return required or _LOADED.search(use.path) is not None


def _runs(use: Use) -> bool:
    return use.kind.runs and not use.aliased


def _why_not(built: list[Use]) -> str:
    if any(use.aliased for use in built):
        return "where an alias leads to its sources"
    return (
        "but only its types are used"
        if not any(map(_runs, built))
        else "but nothing that is built there reaches this file"
    )


def _list(images: list[Image]) -> str:
    names = sorted({image.name for image in images})
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _only_types(missing: Missing) -> bool:
    return all(use.kind in (Kind.TYPE, Kind.ELIDED) for use in missing.uses)


def _first(missing: Missing) -> Use:
    """The use to point at: one that is built and runs before one that is not."""
    return min(missing.uses, key=lambda use: (use.aside, not use.kind.runs, use.aliased))


def _typed(name: str) -> str:
    return name.removeprefix("@").replace("/", "__")


RULE = Rule(
    ID,
    "undeclared-import",
    Severity.ERROR,
    "D1",
    "A file imports a package that the package.json above it does not declare. On a laptop it may be found because "
    "another package installed it; in an image, where only the closure of one app is installed, it is not, and the "
    "build stops there, one package at a time. It is an error when the package does not resolve in an image that "
    "contains the file, a warning when it resolves only by hoisting or through the root manifest, and information for "
    "types whose @types package is declared, for tests and tools, and for packages that no image contains.",
    check,
    "adds the dependency with the version that the workspace, the catalog, the siblings or the lock file already use",
)
