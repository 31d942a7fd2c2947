"""The files of a build context as they are on disk after ``.dockerignore``, each with a digest of its content."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from bridge.workspace import git
from bridge.workspace.dockerignore import Ignore, character_class

HISTORY: Final = ".git"
"""Left out whatever .dockerignore says: it changes with every commit and every git command, content does not."""

_WILD = re.compile(r"[*?\[]")
Entry = tuple[str, str, str]
"""(path, mode, content id): mode as git has it, 100644, 100755 or 120000; the id is git's blob id."""


class Context:
    """One folder that a build may copy from. Untracked, ignored and changed files count: Docker sends them too."""

    def __init__(self, folder: Path, ignore: Ignore) -> None:
        self.folder, self.ignore = folder, ignore
        self._ids: dict[str, Entry] = {}

    @cached_property
    def paths(self) -> list[str]:
        """All files and symbolic links, sorted; relative, with ``/``."""
        return sorted(self._walk(self.folder, ""))

    @cached_property
    def _index(self) -> dict[str, tuple[str, str]]:
        return git.index(self.folder)

    def _walk(self, folder: Path, prefix: str) -> Iterator[str]:
        with os.scandir(folder) as entries:
            for entry in entries:
                path = prefix + entry.name
                if entry.name == HISTORY:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if not self.ignore.prunes(path):
                        yield from self._walk(Path(entry.path), path + "/")
                elif (entry.is_file() or entry.is_symlink()) and not self.ignore.ignores(path):
                    yield path

    @cached_property
    def holds_history(self) -> bool:
        """Whether the history would be copied along with everything else."""
        return (self.folder / HISTORY).exists() and not self.ignore.ignores(HISTORY)

    def select(self, pattern: str) -> set[str]:
        """Return the files that ``COPY <pattern>`` takes: a file, a folder with all below it, or a Go-style pattern."""
        clean = os.path.normpath("/" + pattern.replace("/./", "/")).lstrip("/")
        if clean in ("", "."):
            return set(self.paths)
        if not _WILD.search(clean):
            return {path for path in self.paths if path == clean or path.startswith(clean + "/")}
        regex = re.compile(f"(?:{_glob(clean)})(?:/.*)?")
        return {path for path in self.paths if regex.fullmatch(path)}

    def entries(self, paths: Iterable[str]) -> list[Entry]:
        """Return path, mode and content id of ``paths``, sorted."""
        return [self._entry(path) for path in sorted(paths)]

    def _entry(self, path: str) -> Entry:
        if path not in self._ids:
            known = self._index.get(path)
            self._ids[path] = (path, *known) if known else (path, *_read(self.folder / path))
        return self._ids[path]


def _read(file: Path) -> tuple[str, str]:
    """Return mode and blob id of a file or link, computed as git does."""
    if file.is_symlink():
        return "120000", blob_id(os.fsencode(file.readlink()))
    mode = "100755" if file.stat().st_mode & 0o100 else "100644"
    return mode, blob_id(file.read_bytes())


def blob_id(content: bytes) -> str:
    """Return git's id of ``content``, so that a file has the same one whether it is read or looked up."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _glob(pattern: str) -> str:
    """Translate the patterns of COPY: ``*`` and ``?`` stay inside one folder, ``**`` (with --parents) does not."""
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**/", at):
            out, at = out + "(?:.*/)?", at + 3
        elif char == "[" and (end := pattern.find("]", at + 2)) > 0:
            out, at = out + character_class(pattern[at : end + 1]), end + 1
        elif char == "\\" and at + 1 < len(pattern):
            out, at = out + re.escape(pattern[at + 1]), at + 2
        else:
            out, at = out + {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)), at + 1
    return out
