"""The app's repository on this host: brought in step by a read-only deploy key, asked which commit a name means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from agent.host import process
from agent.model import contract
from agent.model.errors import IkomaError, Misuse
from agent.releases.site import Site

REF: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,198}[A-Za-z0-9])?")
SECONDS: Final = 120.0
KNOWN_HOSTS: Final = "git_known_hosts"
PROTOCOLS: Final = "ssh:https:file"
_KEYS: Final = frozenset({"url", "key"})


def check_ref(ref: str) -> str:
    """Return a branch, tag or commit as git may be told it. Raises ``Misuse("source.ref")``."""
    if not REF.fullmatch(ref) or ".." in ref or "//" in ref:
        raise Misuse("source.ref", ref=ref[:80])
    return ref


def repository(site: Site) -> dict[str, str]:
    """Return where the app's repository is, as the host settings say. Raises ``Misuse("source.none")``."""
    found: Any = site.settings.repositories.get(site.target.app)
    if not isinstance(found, dict) or not found.get("url") or set(found) - _KEYS or str(found["url"]).startswith("-"):
        raise Misuse("source.none", app=site.target.app)
    return {str(name): str(value) for name, value in found.items()}


def sync(site: Site, ref: str) -> str:
    """Bring the repository here up to ``ref`` and return the commit that it means.

    Raises:
        IkomaError: ``source.git`` with git's own last lines.
    """
    known, folder = repository(site), site.paths.repository(site.target)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not (folder / "HEAD").exists():
        _git(site, known, ["init", "--quiet", "--bare", str(folder)])
    words = ["-C", str(folder), "fetch", "--quiet", "--depth=1", "--no-tags", "--force", "--", known["url"]]
    _git(site, known, [*words, check_ref(ref)])
    return _git(site, known, ["-C", str(folder), "rev-parse", "--verify", "FETCH_HEAD^{commit}"]).strip()


def checkout(site: Site, commit: str, into: Path) -> None:
    """Write the files of a commit that was synced into a new folder. Raises ``IkomaError("source.git")``."""
    into.mkdir(parents=True, mode=0o700)
    folder, index = site.paths.repository(site.target), into.parent / "index"
    words = ["-C", str(folder), "--work-tree", str(into), "checkout", "--quiet", "--force", commit, "--", "."]
    _git(site, {}, words, {"GIT_INDEX_FILE": str(index)})
    index.unlink(missing_ok=True)


def check_contract(site: Site, commit: str) -> None:
    """Refuse a repository whose contract is about another app; one that keeps it in a folder is taken at its word.

    Raises:
        Misuse: ``source.other_app``, and what the contract raises.
    """
    folder = site.paths.repository(site.target)
    shown = process.run(["git", "-C", str(folder), "show", f"{commit}:{contract.FILE}"], check=False, timeout=SECONDS)
    if shown.ok and (found := contract.load(shown.stdout).app) != site.target.app:
        raise Misuse("source.other_app", app=site.target.app, found=found)


def _git(site: Site, known: dict[str, str], words: list[str], more: Mapping[str, str] = MappingProxyType({})) -> str:
    env = _environment(site, known.get("key", "")) | dict(more)
    done = process.run(["git", *words], env=env, timeout=SECONDS, check=False)
    if not done.ok:
        raise IkomaError("source.git", app=site.target.app, said=done.last_lines(3))
    return done.stdout


def _environment(site: Site, key: str) -> dict[str, str]:
    """Git asks nobody anything, runs nothing of the repository's, and believes only the hosts it was told."""
    hosts = site.paths.etc / KNOWN_HOSTS
    options = ["-F", "/dev/null", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"]
    options += ["-o", f"UserKnownHostsFile={hosts}", *(["-i", str(Path(key))] if key else [])]
    return {
        **process.MINIMAL,
        "HOME": str(site.paths.state),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        "GIT_SSH_COMMAND": " ".join(["ssh", *options]),
    }
