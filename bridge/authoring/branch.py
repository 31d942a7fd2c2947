"""Commits made beside the work tree: nothing that a person has open, staged or checked out is touched.

Objects are fetched and written, and branches named ``draft/…`` are pushed; no local branch, index or file changes.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.host import process
from agent.model.errors import IkomaError, Misuse
from bridge.authoring.changes import Draft

_SECONDS: Final = 120.0
# A variable of a hook that we run in would send git elsewhere; a question would be asked of nobody.
_NOT_OURS: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
_QUIET: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C.UTF-8",
    "GIT_LITERAL_PATHSPECS": "1",
}
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@\s]*@")
_FILES: Final = ("100644", "100755")
_FOLDER: Final = "040000"


@dataclass(frozen=True, slots=True)
class Commit:
    """What was made: ``id`` is its parent's where the draft's files are there already."""

    id: str
    parent: str
    new: bool


@dataclass(frozen=True)
class Git:
    """A work tree with a remote.

    Attributes:
        top: the work tree's top folder.
        remote: the remote's name.
    """

    top: Path
    remote: str

    def run(self, *words: str, env: Mapping[str, str] | None = None, check: bool = True) -> process.Completed:
        """Run git here. Raises ``IkomaError("draft.git")``."""
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
        try:
            done = process.run(["git", "-C", str(self.top), *words], env={**inherited, **_QUIET, **(env or {})},
                               check=False, timeout=_SECONDS)  # fmt: skip
        except IkomaError as error:
            raise self._failed(error.message()) from error
        if check and not done.ok:
            raise self._failed(done.last_lines())
        return done

    def _failed(self, said: str) -> IkomaError:
        said = _CREDENTIALS.sub("", said)[:600]
        return IkomaError("draft.git", repo=self.top, remote=self.remote, said=said)

    def address(self) -> str:
        """Return the remote's address without what it may hold of a password; empty where there is no such remote."""
        done = self.run("config", "--get", f"remote.{self.remote}.url", check=False)
        return _CREDENTIALS.sub("", done.stdout.strip()) if done.ok else ""

    def heads(self, *patterns: str) -> dict[str, str]:
        """Return branch → commit of the remote."""
        listed = self.run("ls-remote", "--quiet", "--heads", self.remote, *(f"refs/heads/{one}" for one in patterns))
        pairs = (line.split("\t", 1) for line in listed.stdout.splitlines() if "\t" in line)
        return {ref.removeprefix("refs/heads/"): commit for commit, ref in pairs}

    def main_branch(self) -> str:
        """Return the branch that the remote's HEAD names."""
        listed = self.run("ls-remote", "--quiet", "--symref", self.remote, "HEAD").stdout
        found = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", listed, re.MULTILINE)
        if not found:
            raise self._failed(listed or "no HEAD")
        return found[1]

    def fetch(self, *branches: str) -> None:
        """Bring the commits of branches here, without a ref of this repository moving."""
        refs = [f"refs/heads/{branch}" for branch in branches]
        self.run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", self.remote, *refs)

    def changed(self, base: str, commit: str) -> dict[str, str]:
        """Return path → A, M or D for what ``commit`` changes since it left ``base``."""
        fork = self.run("merge-base", base, commit).stdout.strip()
        words = self.run("diff", "--name-status", "--no-renames", "-z", fork, commit).stdout.split("\0")
        return {path: kind for kind, path in zip(words[::2], words[1::2], strict=False)}

    def commit(self, draft: Draft, parent: str) -> Commit:
        """Write the commit that makes the draft's files out of ``parent``'s.

        Raises:
            Misuse: ``draft.not_a_file``, ``draft.not_there``, ``draft.no_identity``.
            IkomaError: ``draft.git``.
        """
        with tempfile.TemporaryDirectory(prefix="ikoma-draft-") as place:
            index = {"GIT_INDEX_FILE": f"{place}/index"}
            self.run("read-tree", parent, env=index)
            modes = self._modes(draft, parent)
            self._fill(draft, modes, Path(place), index)
            tree = self.run("write-tree", env=index).stdout.strip()
            if tree == self.run("rev-parse", f"{parent}^{{tree}}").stdout.strip():
                return Commit(parent, parent, new=False)
            self._known_author()
            message = Path(place) / "message"
            message.write_text(f"{draft.title.strip()}\n", encoding="utf-8")
            made = self.run("commit-tree", tree, "-p", parent, "-F", str(message)).stdout.strip()
        return Commit(made, parent, new=True)

    def _modes(self, draft: Draft, parent: str) -> dict[str, str]:
        """Return path → mode of the draft's files that are there.

        Raises:
            Misuse: ``draft.not_a_file`` for what is no file, or lies below one; ``draft.not_there``.
        """
        above = {str(folder) for path in draft.files for folder in Path(path).parents} - {"."}
        named = sorted({*draft.files, *above})
        listed = self.run("ls-tree", "-z", "-t", "--full-tree", parent, "--", *named).stdout if named else ""
        entries = [entry.split("\t", 1) for entry in listed.split("\0") if "\t" in entry]
        modes = {path: meta.split(" ")[0] for meta, path in entries}
        if wrong := [path for path in above if modes.get(path, _FOLDER) != _FOLDER]:
            raise Misuse("draft.not_a_file", path=min(wrong))
        for path, text in draft.files.items():
            if modes.get(path, _FILES[0]) not in _FILES:
                raise Misuse("draft.not_a_file", path=path)
            if text is None and path not in modes:
                raise Misuse("draft.not_there", path=path, branch=draft.branch)
        return modes

    def _fill(self, draft: Draft, modes: Mapping[str, str], place: Path, index: Mapping[str, str]) -> None:
        written = [(path, text) for path, text in draft.files.items() if text is not None]
        for number, (_, text) in enumerate(written):
            (place / str(number)).write_bytes(text.encode())
        if written:
            files = [str(place / str(number)) for number in range(len(written))]
            blobs = self.run("hash-object", "-w", "--no-filters", "--", *files).stdout.split()
            entries = [
                f"{modes.get(path, _FILES[0])},{blob},{path}" for (path, _), blob in zip(written, blobs, strict=True)
            ]
            self.run(
                "update-index", "--add", *(word for entry in entries for word in ("--cacheinfo", entry)), env=index
            )
        if gone := [path for path, text in draft.files.items() if text is None]:
            self.run("update-index", "--force-remove", "--", *gone, env=index)

    def _known_author(self) -> None:
        if not self.run("var", "GIT_AUTHOR_IDENT", check=False).ok:
            raise Misuse("draft.no_identity", repo=self.top)

    @contextmanager
    def laid_out(self, commit: str) -> Iterator[Path]:
        """Yield a folder with the files of ``commit``; it is gone afterwards. No hook of the repository runs."""
        with tempfile.TemporaryDirectory(prefix="ikoma-draft-") as place:
            tree = Path(place) / "tree"
            self.run("-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", str(tree), commit)
            try:
                yield tree
            finally:
                self.run("worktree", "remove", "--force", str(tree), check=False)

    def push(self, branch: str, commit: str, expected: str) -> None:
        """Let the remote's ``branch`` be ``commit`` (empty: gone) if it still is ``expected`` (empty: not there).

        Raises:
            IkomaError: ``draft.moved`` when it is something else by now, or the remote refuses.
        """
        ref = f"refs/heads/{branch}"
        done = self.run("push", "--quiet", "--porcelain", f"--force-with-lease={ref}:{expected}", self.remote,
                        f"{commit}:{ref}", check=False)  # fmt: skip
        if not done.ok:
            said = "\n".join((done.stdout.strip(), done.stderr.strip())).strip()
            raise IkomaError("draft.moved", branch=branch, said=_CREDENTIALS.sub("", said)[-600:])
