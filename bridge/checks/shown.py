"""Which folders show something instead of shipping it: examples, templates, what a generator writes elsewhere. Pure."""

from __future__ import annotations

import re
from typing import Final

_FOLDER: Final = re.compile(
    r"(?:^|/)(?:examples?|samples?|templates?|_templates?|starters?|boilerplates?|demos|playgrounds?|sandbox(?:es)?|e2e|"
    r"tests?)/"
)
_GENERATED: Final = re.compile(r"(?:^|/)src/(?=(?:.*/)?(?:[\w.-]*\.)?[Dd]ockerfile[\w.-]*$)")
"""A Dockerfile among sources is what a generator writes into the projects of others."""


def shown(path: str) -> str:
    """Return the outermost folder of this kind around ``path``, with a slash; empty when there is none."""
    match = _FOLDER.search(path) or _GENERATED.search(path)
    return path[: match.end()] if match else ""


def is_shown(path: str) -> bool:
    """Return whether ``path`` lies in such a folder."""
    return bool(shown(path))
