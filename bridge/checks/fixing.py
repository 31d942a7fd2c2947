"""``--fix``: makes the edits that findings carry, renews lock files where it can, and checks everything again."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from agent.host import process
from agent.host.files import write_atomic
from agent.model.errors import IkomaError
from bridge.checks import engine
from bridge.checks.engine import Report
from bridge.checks.model import Edit, Finding, Severity
from bridge.checks.rules import lock_drift
from bridge.checks.scope import Scope
from bridge.workspace import jsontext
from bridge.workspace.monorepo import Monorepo

_RELOCK: Final = {
    "pnpm": ("install", "--lockfile-only", "--ignore-scripts", "--no-frozen-lockfile"),
    "npm": ("install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"),
    "bun": ("install", "--lockfile-only", "--ignore-scripts"),
    "yarn": ("install", "--mode=update-lockfile"),
}
_PASSED: Final = ("HOME", "PATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "PNPM_HOME", "COREPACK_HOME",
                  "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE",
                  "NODE_EXTRA_CA_CERTS")  # fmt: skip
_PREFIXES: Final = ("npm_config_", "NPM_CONFIG_", "YARN_", "PNPM_", "COREPACK_", "BUN_CONFIG_")
_SECONDS: Final = 300.0
_MARK: Final = "\ufeff"
_ROUNDS: Final = 3
"""A repair may uncover the next fault, as a lock file does that could not be read before."""


def fix(root: Path, scope: Scope, say: Callable[[str], None], *, dry_run: bool) -> Report:
    """Repair what findings know how to repair, and return what is left. With ``dry_run`` only the changes are shown."""
    report = engine.check(root, scope)
    if dry_run:
        for path, (old, new) in changes(report).items():
            say(diff(path, old, new))
        return report
    fixed: list[str] = []
    for _ in range(_ROUNDS):
        made = changes(report)
        for path, (_, new) in made.items():
            _write(report.facts.root / path, new)
        renewed = [line for folder in _stale(report, made) if (line := _relock(report, folder))]
        if not made and not renewed:
            break
        fixed += [f"{path}: changed" for path in made] + renewed
        report = engine.check(root, scope)
    report.fixed = list(dict.fromkeys(fixed))
    for line in [*report.fixed, *_by_hand(report)]:
        say(line)
    return report


def changes(report: Report) -> dict[str, tuple[str, str]]:
    """Return path → (old text, new text) of what the findings' edits change."""
    texts: dict[str, str] = {}
    for finding in report.findings:
        for edit in finding.edits if finding.severity > Severity.INFO else ():
            old = texts.get(edit.file, _text(report, edit.file))
            texts[edit.file] = _changed(edit, old)
    originals = {path: _text(report, path) for path in texts}
    return {path: (originals[path], new) for path, new in sorted(texts.items()) if new != originals[path]}


def _changed(edit: Edit, old: str) -> str:
    """Return the text after one edit, which sees no byte-order mark; a text that it cannot read stays as it is."""
    mark = _MARK if old.startswith(_MARK) else ""
    try:
        return mark + edit.change(old.removeprefix(mark))
    except jsontext.Broken:
        return old


def _text(report: Report, path: str) -> str:
    """The text as it is, byte-order mark and line ends included: only what is edited may change."""
    file = report.facts.root / path
    return file.read_bytes().decode("utf-8", "surrogateescape") if file.is_file() else ""


def _write(file: Path, text: str) -> None:
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
    write_atomic(file, text.encode("utf-8", "surrogateescape"), mode)


def diff(path: str, old: str, new: str) -> str:
    """Return the change as a unified diff."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return "\n".join(lines)


def _stale(report: Report, made: Iterable[str]) -> list[str]:
    """The workspaces whose lock file has to be renewed."""
    changed = set(made)
    return sorted({f.relock for f in report.findings if f.relock and _wants(f, changed)})


def _wants(finding: Finding, changed: set[str]) -> bool:
    return not finding.edits or any(edit.file in changed for edit in finding.edits)


def _relock(report: Report, folder: str) -> str:
    """Renew the lock file of one workspace; return what was done, empty when nothing could be."""
    repo = next((item for item in report.facts.repos if item.folder == folder), None)
    if repo is None or repo.lock is None or _installs(repo) or not at_hand(repo):
        return ""
    file = report.facts.root / repo.lock.path
    before = file.read_bytes()
    cwd = report.facts.root / folder
    try:
        process.run([repo.manager.name, *_RELOCK[repo.manager.name]], env=_environment(), cwd=cwd, timeout=_SECONDS)
    except IkomaError:
        file.write_bytes(before)
        return ""
    return f"{repo.lock.path}: renewed by {repo.manager.name}" if file.read_bytes() != before else ""


def _installs(repo: Monorepo) -> bool:
    """Whether the package manager renews a lock file only by installing everything: yarn 1 knows nothing less."""
    return repo.manager.name == "yarn" and (repo.manager.major or 1) < 2


def _by_hand(report: Report) -> list[str]:
    """What is said of lock files that are still to be renewed, by somebody who wants the whole install."""
    stale = set(_stale(report, ()))
    repos = [repo for repo in report.facts.repos if repo.folder in stale and _installs(repo)]
    return [f"{repo.lock.path}: not renewed, run: {lock_drift.command(repo)}" for repo in repos if repo.lock]


def at_hand(repo: Monorepo) -> bool:
    """Return whether the package manager is installed in the version that the workspace pins (its major number)."""
    program = shutil.which(repo.manager.name)
    if program is None:
        return False
    try:
        said = process.run([program, "--version"], env=_environment(), cwd=Path("/"), timeout=30).stdout.strip()
    except IkomaError:
        return False
    major = said.split(".")[0].lstrip("v")
    return major.isdigit() and (repo.manager.major is None or int(major) == repo.manager.major)


def _environment() -> dict[str, str]:
    passed = {name: value for name, value in os.environ.items() if name in _PASSED or name.startswith(_PREFIXES)}
    return process.MINIMAL | passed | {"COREPACK_ENABLE_DOWNLOAD_PROMPT": "0"}
