"""The files of a repository as they lie on disk: read once, listed once, and what could not be read by name."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from bridge.workspace import git
from bridge.workspace.gitignore import Rules

HEAVY: Final = frozenset({
    "node_modules", ".git", ".hg", ".svn", ".turbo", ".next", ".nuxt", ".output", ".svelte-kit", ".pnpm-store",
    ".yarn", ".venv", "venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".cache", ".nx",
    ".parcel-cache", ".vercel", ".docusaurus", ".expo", ".gradle", ".terraform",
})  # fmt: skip
"""Folders that tools make and nobody writes: never entered, only remembered."""

_FORCED: Final = frozenset({"package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb",
                            "npm-shrinkwrap.json", "Dockerfile", ".npmrc"})  # fmt: skip
"""Files worth asking git about when ``.gitignore`` names them."""

MAX_TEXT: Final = 1_500_000
"""Bytes of a source file beyond which nobody wrote it by hand."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A file that was not looked at, and why."""

    path: str
    reason: str


class Tree:
    """All files below ``root``: paths are relative with ``/``. Symbolic links to folders are never followed.

    Attributes:
        files: what git would have (nothing that ``.gitignore`` names), sorted.
        ignored: files on disk that ``.gitignore`` names, outside of heavy folders; Docker sees them all the same.
        heavy: folders that were not entered.
        skipped: what could not be read, with the reason.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.files: list[str] = []
        self.ignored: list[str] = []
        self.heavy: list[str] = []
        self.skipped: list[Skip] = []
        self._rules: list[tuple[str, Rules]] = []
        self._pending: list[tuple[str, str, list[tuple[str, Rules]], bool]] = [(str(self.root), "", [], False)]
        while self._pending:  # a list and no recursion: folders may be nested deeper than calls
            self._walk(*self._pending.pop())
        self._reclaim()
        self.files.sort()
        self._files = frozenset(self.files)
        self._folders = _folders(self.files)

    def _reclaim(self) -> None:
        """Take back what git has in spite of ``.gitignore``, such as a lock file that was added by force."""
        if any(path.rpartition("/")[2] in _FORCED for path in self.ignored):
            tracked = git.forced(self.root)
            self.files += [path for path in self.ignored if path in tracked]
            self.ignored = [path for path in self.ignored if path not in tracked]

    def _walk(self, folder: str, prefix: str, above: list[tuple[str, Rules]], ignored: bool) -> None:
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError as error:
            self.skipped.append(Skip(prefix.rstrip("/") or ".", error.strerror or "cannot be read"))
            return
        if not ignored and any(entry.name == ".gitignore" for entry in entries):
            above = [*above, (prefix, Rules(_read_text(f"{folder}/.gitignore")))]
            self._rules.append(above[-1])
        for entry in entries:
            self._take(entry, prefix, above, ignored)

    def _take(self, entry: os.DirEntry[str], prefix: str, above: list[tuple[str, Rules]], ignored: bool) -> None:
        name = entry.name
        path = prefix + name
        try:
            path.encode()
            is_folder = entry.is_dir(follow_symlinks=False)
            is_file = not is_folder and entry.is_file()
        except (OSError, UnicodeError) as error:
            self.skipped.append(Skip(path.encode("utf-8", "replace").decode(), _why(error)))
            return
        if is_folder and name in HEAVY:
            self.heavy.append(path)
            return
        hidden = ignored or _ignored(path, name, is_folder, above)
        if is_folder:
            self._pending.append((entry.path, path + "/", above, hidden))
        elif is_file:
            (self.ignored if hidden else self.files).append(path)
        elif entry.is_symlink() and not entry.is_dir():
            self.skipped.append(Skip(path, "a symbolic link that leads nowhere"))

    def __contains__(self, path: object) -> bool:
        return path in self._files

    def would_ignore(self, path: str) -> bool:
        """Return whether ``.gitignore`` names ``path`` or a folder above it, whether or not it exists."""
        parts = path.split("/")
        for length in range(1, len(parts) + 1):
            head = "/".join(parts[:length])
            above = [(prefix, rules) for prefix, rules in self._rules if head.startswith(prefix)]
            if _ignored(head, parts[length - 1], length < len(parts), sorted(above, key=lambda item: len(item[0]))):
                return True
        return False

    @property
    def folders(self) -> frozenset[str]:
        """All folders that hold a file, to any depth; without the root itself."""
        return self._folders

    def exists(self, path: str) -> bool:
        """Return whether ``path`` is a file or a folder of the repository (``.`` is), submodules and .yarn included."""
        return path in self._files or path in self._folders or path in ("", ".") or self._is_apart(path)

    def _is_apart(self, path: str) -> bool:
        if any(path == folder or path.startswith(folder + "/") for folder in self.submodules):
            return True
        if ".yarn" not in path:
            return False
        inside = any(path == folder or path.startswith(folder + "/") for folder in self.heavy)
        return inside and os.path.lexists(f"{self.root}/{path}")

    @cached_property
    def submodules(self) -> list[str]:
        """Folders of git submodules whose files are not here: nobody can say what they hold."""
        if ".gitmodules" not in self._files:
            return []
        found = re.findall(r"^\s*path\s*=\s*(\S+)\s*$", self.text(".gitmodules"), re.MULTILINE)
        return [path for path in found if path not in self._folders]

    def below(self, folder: str) -> list[str]:
        """Return the files below ``folder``."""
        if folder in ("", "."):
            return self.files
        start = bisect_left(self.files, folder + "/")
        end = bisect_left(self.files, folder + "0")  # "0" follows "/"
        return self.files[start:end]

    def read(self, path: str) -> bytes:
        """Return the bytes of a file; empty when it is gone or unreadable, which is then among ``skipped``."""
        try:
            with open(f"{self.root}/{path}", "rb", buffering=0) as stream:
                return stream.read() or b""
        except OSError as error:
            self.skipped.append(Skip(path, error.strerror or "cannot be read"))
            return b""

    def text(self, path: str) -> str:
        """Return the text of a file without its byte-order mark; bytes that are no UTF-8 become U+FFFD."""
        return self.read(path).decode("utf-8-sig", "replace")


def _why(error: Exception) -> str:
    return "its name is no UTF-8" if isinstance(error, UnicodeError) else str(getattr(error, "strerror", error))


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _ignored(path: str, name: str, is_folder: bool, above: list[tuple[str, Rules]]) -> bool:
    """The nearest ``.gitignore`` that says something decides."""
    for prefix, rules in reversed(above):
        if (verdict := rules.verdict(path[len(prefix) :], name, is_folder)) is not None:
            return verdict
    return False


def _folders(files: list[str]) -> frozenset[str]:
    found: set[str] = set()
    for path in files:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return frozenset(found)
