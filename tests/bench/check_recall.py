"""Seeded deletions of dependencies in real repositories: how many the check notices.

    python -m tests.bench.check_recall FOLDER [--seed N] [--count 20] [--output FILE]

FOLDER holds one checkout a folder. A dependency that a package declares and imports is taken out of its manifest,
one at a time; the check has to report that package and that name. Nothing is written: the manifest is changed in
memory, with everything else as it is on disk.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from bridge.checks import engine, usage
from bridge.checks.facts import Facts
from bridge.checks.model import Severity
from bridge.checks.rules import undeclared
from bridge.workspace.manifests import INSTALLED, Manifest, package_of
from bridge.workspace.monorepo import Monorepo

SEED = 20261120


def candidates(facts: Facts) -> dict[str, list[str]]:
    """Return folder of a package → dependencies that it declares and that its files may import."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, specifiers in facts.imports.files.items():
        owner = facts.owners.of(path)
        if owner is None or facts.repo_of(owner) is None:
            continue
        declared = {name for section in INSTALLED for name in owner.sections[section]}
        found[owner.folder] |= {name for item in specifiers if (name := package_of(item)) in declared}
    return {folder: sorted(names) for folder, names in sorted(found.items()) if names}


def chosen(facts: Facts, count: int, seed: int) -> list[tuple[str, str]]:
    """Return ``count`` (folder, name) pairs that a parser confirms, round-robin over the packages."""
    source = random.Random(seed)
    pools = candidates(facts)
    for names in pools.values():
        source.shuffle(names)
    folders = sorted(pools)
    source.shuffle(folders)
    picked: list[tuple[str, str]] = []
    while len(picked) < count and any(pools.values()):
        for folder in folders:
            if pools[folder] and len(picked) < count:
                name = pools[folder].pop()
                if imported(facts, folder, name):
                    picked.append((folder, name))
    return picked


def imported(facts: Facts, folder: str, name: str) -> bool:
    """Return whether a parser sees an import of ``name`` in the package: a scan takes comments for imports."""
    from bridge.workspace import confirm

    for path in facts.tree.below(folder):
        owner = facts.owners.of(path)
        if owner is not None and owner.folder == folder and path in facts.imports.files:
            code, sites = facts.imports.sites(path)
            wanted = [site for site in sites if package_of(site.specifier) == name]
            if wanted and any(kind is not confirm.Kind.NONE for kind in confirm.kinds(path, code, wanted)):
                return True
    return False


def without(manifest: Manifest, name: str) -> Manifest:
    """Return the manifest as it would be without ``name``."""
    data = {
        key: {entry: value for entry, value in section.items() if entry != name}
        if key in (*INSTALLED, "peerDependencies") and isinstance(section, dict)
        else section
        for key, section in manifest.data.items()
    }
    return Manifest(manifest.path, manifest.text, data)


def replant(repo: Monorepo, old: Manifest, new: Manifest) -> None:
    """Put ``new`` where ``old`` was, and forget what was derived from it."""
    repo.members = {folder: new if member is old else member for folder, member in repo.members.items()}
    repo.root = new if repo.root is old else repo.root
    for name in ("by_name", "known"):
        repo.__dict__.pop(name, None)


def notice(root: Path, folder: str, name: str) -> str:
    """Return how the check reports ``name`` when ``folder`` does not declare it; empty when it does not."""
    facts = Facts(root)
    facts.__dict__["imports"] = _IMPORTS.setdefault(root, facts.imports)
    old = facts.manifests[folder]
    new = without(old, name)
    facts.manifests[folder] = new
    facts.owners = type(facts.owners)(facts.manifests)
    for repo in facts.repos:
        if folder in repo.members:
            replant(repo, old, new)
    for finding in undeclared.check(facts):
        owner = facts.owners.of(finding.file)
        if finding.package == name and owner is not None and owner.folder == folder:
            return finding.severity.word
    return ""


_IMPORTS: dict[Path, Any] = {}


def measure(root: Path, count: int, seed: int) -> dict[str, Any]:
    """Return the figures of one repository."""
    report = engine.check(root)
    facts = Facts(root)
    picked = chosen(facts, count, seed)
    noticed = {pair: notice(root, *pair) for pair in picked}
    rules: dict[str, dict[str, int]] = defaultdict(lambda: {severity.word: 0 for severity in Severity})
    for finding in report.findings:
        rules[finding.rule][finding.severity.word] += 1
    return {
        "files": report.files,
        "sources": len(facts.imports.files),
        "seconds": round(report.seconds, 2),
        "counts": report.counts,
        "rules": dict(sorted(rules.items())),
        "errors": [f"{f.rule} {f.file}:{f.line} {f.message}" for f in report.findings if f.severity is Severity.ERROR],
        "undeclared": len(list(usage.missing(facts))),
        "seeded": len(picked),
        "noticed": sum(1 for severity in noticed.values() if severity),
        "by_severity": {s.word: sum(1 for word in noticed.values() if word == s.word) for s in Severity},
        "missed": [f"{folder} {name}" for (folder, name), severity in noticed.items() if not severity],
    }


def main() -> None:
    """Measure every repository in the folder, and print or write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    found: dict[str, Any] = {"seed": options.seed, "repositories": {}}
    for root in sorted(path for path in options.folder.iterdir() if path.is_dir() and path.name[0] != "."):
        began = time.monotonic()
        found["repositories"][root.name] = entry = measure(root, options.count, options.seed)
        _IMPORTS.clear()
        print(f"{root.name}: {entry['noticed']}/{entry['seeded']}, errors {entry['counts']['error']}, "
              f"{entry['seconds']} s (all {time.monotonic() - began:.0f} s)", file=sys.stderr)  # fmt: skip
    found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    text = json.dumps(found, indent=2) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
