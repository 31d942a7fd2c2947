"""``bridge mcp``: what an authoring assistant may do in a repository, over the Model Context Protocol."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Annotated

import typer

from agent.model.errors import Misuse

Repo = Annotated[Path, typer.Option("--repo", metavar="DIR", help="The repository, or a folder in it.")]
Remote = Annotated[str, typer.Option("--remote", metavar="NAME", help="The git remote that is on GitHub.")]
Write = Annotated[bool, typer.Option("--write", help="Offer the tools that write drafts; without it, it only reads.")]


def mcp(repo: Repo = Path(), remote: Remote = "origin", write: Write = False) -> None:
    """Serve an authoring assistant: check, drafts as pull requests, notes of versions to come.

    It speaks the Model Context Protocol on standard input and output; an assistant's program starts it. A draft is
    a branch draft/<name> and a draft pull request; merging and publishing stay with people. The token comes from
    GITHUB_TOKEN or GH_TOKEN, and git pushes with your own credentials.

    \b
    Examples:
      python -m bridge mcp
      GITHUB_TOKEN=$(gh auth token) python -m bridge mcp --repo ../shop --write
    """
    if importlib.util.find_spec("mcp") is None:
        raise Misuse("draft.no_mcp")
    if not repo.is_dir():
        raise Misuse("check.no_folder", path=repo)
    from bridge.authoring.server import serve
    from bridge.authoring.tools import Desk

    serve(Desk(repo, remote, dict(os.environ)), write=write)
