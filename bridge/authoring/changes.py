"""What a draft may be called, and which files it may change. Pure.

A draft is a branch of the repository itself: what its workflows do, they do with the repository's rights. So no draft
touches them, and none brings a secret or leaves the repository.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from agent.model.errors import Misuse

PREFIX: Final = "draft/"
MOST_FILES: Final = 200
MOST_BYTES: Final = 2 << 20
_MOST_NAMES: Final = 60_000
"""Bytes of all paths and of the folders above them: git takes them on its command line, which has a bound."""
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
_LONGEST_PATH: Final = 400
_LONGEST_LINE: Final = 200
_LONGEST_TEXT: Final = 60_000
# Workflows and local actions run with the repository's rights; the other two change what git itself does.
_CLOSED: Final = (".github", ".git", ".gitmodules", ".gitattributes")
_EXAMPLES: Final = (".example", ".sample", ".template", ".dist")


@dataclass(frozen=True, slots=True)
class Draft:
    """What an assistant asks for.

    Attributes:
        name: names the branch, ``draft/<name>``.
        title: the commit's message, and the title of the pull request that is opened for it.
        text: the pull request's description; empty leaves the one that is there.
        files: path from the top of the repository → the whole new text, None to remove the file.
    """

    name: str
    title: str
    text: str
    files: Mapping[str, str | None]

    @property
    def branch(self) -> str:
        """The branch on GitHub."""
        return branch_of(self.name)


def branch_of(name: str) -> str:
    """Return the branch of a draft. Raises ``Misuse("draft.name")``."""
    if not _NAME.fullmatch(name):
        raise Misuse("draft.name", name=name[:80])
    return f"{PREFIX}{name}"


def judged(draft: Draft) -> Draft:
    """Return the draft if it may be written.

    Raises:
        Misuse: ``draft.name``, ``draft.title``, ``draft.size``, ``draft.path``, ``draft.closed`` or ``draft.names``.
    """
    branch_of(draft.name)
    if not draft.title.strip() or len(draft.title) > _LONGEST_LINE or not draft.title.isprintable():
        raise Misuse("draft.title", most=_LONGEST_LINE)
    size = sum(len((text or "").encode(errors="surrogatepass")) for text in draft.files.values())
    if len(draft.files) > MOST_FILES or size > MOST_BYTES or len(draft.text) > _LONGEST_TEXT:
        raise Misuse("draft.size", files=len(draft.files), bytes=size, most_files=MOST_FILES, most_bytes=MOST_BYTES)
    for path in draft.files:
        _judge(path)
    names = {*draft.files, *(str(folder) for path in draft.files for folder in PurePosixPath(path).parents)}
    if (length := sum(len(name.encode(errors="surrogatepass")) for name in names)) > _MOST_NAMES:
        raise Misuse("draft.names", bytes=length, most=_MOST_NAMES)
    return draft


def _judge(path: str) -> None:
    parts = PurePosixPath(path).parts
    if (
        not parts
        or str(PurePosixPath(path)) != path
        or path.startswith(("/", ":"))
        or ".." in parts
        or "\\" in path
        or not path.isprintable()
        or len(path.encode(errors="surrogatepass")) > _LONGEST_PATH
    ):
        raise Misuse("draft.path", path=_shown(path))
    folded = [part.casefold().rstrip(". ") for part in parts]  # as disks that fold case and drop dots see it
    if any(part in _CLOSED or part.startswith("git~") for part in folded):
        raise Misuse("draft.closed", path=_shown(path), why="workflow")
    if _holds_secrets(folded[-1]):
        raise Misuse("draft.closed", path=_shown(path), why="secret")


def _holds_secrets(name: str) -> bool:
    if name.endswith(_EXAMPLES):
        return False
    return name in (".env", ".npmrc", "id_rsa", "id_ed25519") or name.startswith(".env.") or name.endswith(
        (".env", ".pem", ".key", ".p12", ".pfx")
    )  # fmt: skip


def _shown(path: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in path[:120])
