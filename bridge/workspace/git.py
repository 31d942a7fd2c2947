"""Facts from git: where a release comes from, and which files are as they were committed."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.host import process
from agent.model.errors import IkomaError

_SAFE: Final = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "safe.directory=*")
_CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")


@dataclass(frozen=True, slots=True)
class Facts:
    """Where a work tree stands. All empty when the folder is no git work tree. ``root`` is the tree's top folder."""

    root: Path | None = None
    commit: str = ""
    tag: str = ""
    author: str = ""
    time: str = ""
    dirty: bool = False
    repository: str = ""


def top(folder: Path) -> Path | None:
    """Return the top folder of the work tree around ``folder``, without asking git; None when there is none."""
    here = folder.resolve()
    return next((place for place in (here, *here.parents) if (place / ".git").exists()), None)


def facts(folder: Path) -> Facts:
    """Return the facts of the work tree around ``folder``. ``dirty`` looks at ``folder`` alone."""
    root = top(folder)
    if root is None:
        return Facts()
    log = _git(folder, "log", "-1", "--format=%H%x00%an%x00%cI%x00%D")
    commit, author, time, names = log.split("\0") if log else ("", "", "", "")
    dirty = bool(_git(folder, "status", "--porcelain=v1", "--untracked-files=normal", "--", "."))
    return Facts(root, commit, _tag(names), author, time, dirty, _repository(folder))


def _tag(names: str) -> str:
    """The tag that a release run was started for, else the first tag of the commit (``names`` as git lists them)."""
    if os.environ.get("GITHUB_REF_TYPE") == "tag" and (name := os.environ.get("GITHUB_REF_NAME")):
        return name
    return next((name.removeprefix("tag: ") for name in names.split(", ") if name.startswith("tag: ")), "")


def _repository(folder: Path) -> str:
    address = os.environ.get("GITHUB_REPOSITORY") or _git(folder, "config", "--get", "remote.origin.url")
    return _CREDENTIALS.sub("", address)  # an address may carry a token


def index(folder: Path) -> dict[str, tuple[str, str]]:
    """Return path → (mode, blob id) of the files below ``folder`` that are on disk as they stand in the index.

    Paths are relative to ``folder``. Files changed, flagged as unchanged by hand, or filtered on their way to the
    disk (as large-file storage does) are left out: they have to be read.
    """
    if top(folder) is None:
        return {}
    listing = _git(folder, "ls-files", "-z", "--stage", "-v", "--", ".")
    entries = [line.split("\t", 1) for line in listing.split("\0") if "\t" in line]
    found = {}
    for meta, path in entries:
        flag, mode, blob, stage = meta.split(" ")
        if flag == "H" and stage == "0" and mode in ("100644", "100755", "120000"):
            found[path] = (mode, blob)
    if not found or _has_filters(folder, found):
        return {}
    for path in _git(folder, "diff-files", "--name-only", "--relative", "-z", "--", ".").split("\0"):
        found.pop(path, None)
    return found


def _has_filters(folder: Path, entries: dict[str, tuple[str, str]]) -> bool:
    names = [path for path in entries if path == ".gitattributes" or path.endswith("/.gitattributes")]
    root = top(folder)
    above = [place / ".gitattributes" for place in folder.resolve().parents if root and place.is_relative_to(root)]
    files = [folder / name for name in names] + above
    return any(file.is_file() and re.search(rb"filter=|eol=|ident|text", file.read_bytes()) for file in files)


def tracked(folder: Path) -> set[str] | None:
    """Return the files below ``folder`` that are committed or could be (not ignored); None outside of git."""
    if top(folder) is None:
        return None
    listing = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".")
    return {path for path in listing.split("\0") if path}


def changed(folder: Path, revision: str) -> set[str] | None:
    """Return the files below ``folder`` that differ from ``revision``, new ones included; None for no such commit."""
    if not _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"):
        return None
    base = _git(folder, "merge-base", revision, "HEAD") or revision
    listing = _git(folder, "diff", "--name-only", "--relative", "--no-renames", "-z", base, "--", ".")
    new = _git(folder, "ls-files", "-z", "--others", "--exclude-standard", "--", ".")
    return {path for path in (*listing.split("\0"), *new.split("\0")) if path}


def forced(folder: Path) -> set[str]:
    """Return the files below ``folder`` that git has although ``.gitignore`` names them."""
    if top(folder) is None:
        return set()
    listing = _git(folder, "ls-files", "-z", "--cached", "--ignored", "--exclude-standard", "--", ".")
    return {path for path in listing.split("\0") if path}


def release_tags(folder: Path) -> list[str]:
    """Return this commit's last tag and, before it, where that is on this very commit, the one before."""
    if top(folder) is None:
        return []
    last = _git(folder, "describe", "--tags", "--abbrev=0", "HEAD")
    here = last and last in _git(folder, "tag", "--points-at", "HEAD").split()
    return [tag for tag in (last, _git(folder, "describe", "--tags", "--abbrev=0", "HEAD^") if here else "") if tag]


def _git(folder: Path, *words: str) -> str:
    """Return what git says, or an empty text when it fails: no git, no work tree, no commit yet."""
    env = process.MINIMAL | {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    env |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = process.run(["git", *_SAFE, "-C", str(folder), *words], env=env, check=False, timeout=60)
    except IkomaError:
        return ""
    return done.stdout.rstrip("\n") if done.ok else ""
