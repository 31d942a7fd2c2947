"""``ikoma supabase migrate --app NAME --repo DIR``: the versioned SQL files of a repository, a line a file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from agent.database import target
from agent.doors.local import Local
from agent.model import messages
from agent.model.contract import load
from agent.model.errors import Misuse
from agent.model.names import PRODUCTION
from agent.protocol import SUCCESS, Event

CONTRACT = "ikoma.release.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the words of the command that this one replaces."""
    parser.add_argument("--app", required=True)
    parser.add_argument("--environment", "--env", default=PRODUCTION)
    parser.add_argument("--repo", required=True, type=Path, help="the repository; its migrations folder is read")
    parser.add_argument("--accept", action="append", default=[], help="a file that may break the running release")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(at: Local) -> int:
    """Apply what is pending; a second run applies nothing. The connection is the environment's, else the target's.

    Raises:
        Misuse: ``supabase.no_folder``, and what the contract raises.
    """
    options = at.options
    folder = _folder(options.repo)
    files = {path.name: _text(path) for path in sorted(folder.glob("*.sql"))}
    if not files:
        raise Misuse("supabase.no_folder", folder=folder)
    args: dict[str, Any] = {"files": files, "accept": options.accept}
    if os.environ.get(target.DSN, "").strip():
        args["from_environment"] = True
    body = at.body(options.app, options.environment, args)
    return at.change("db.migrate", body, show=None if options.json else _show)


def _folder(repo: Path) -> Path:
    """Return the folder that the contract names, else the usual one."""
    stated = repo / CONTRACT
    if stated.is_file():
        migrations = load(stated.read_text(encoding="utf-8"), str(stated)).migrations
        if migrations is not False:
            return repo / migrations.folder
    places = (repo / "migrations", repo / "supabase/migrations")
    return next((place for place in places if place.is_dir()), places[0])


def _text(path: Path) -> str:
    """Return a file's text byte for byte: its checksum is taken over what the host gets."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise Misuse("migration.encoding", file=path.name, line=line) from None


def _show(event: Event) -> None:
    """Print the lines of the command that this one replaces: one a file, and one at the end."""
    data = event.data
    if event.kind == "progress" and data.get("step") == "migrate":
        print(data["text"], flush=True)
    elif event.kind == "warning":
        print(f"! {data['message']}", flush=True)
    elif event.kind == "end" and data["status"] in SUCCESS:
        print(messages.text("supabase.done", {}), flush=True)
    elif event.kind == "end":
        error = data["result"].get("error") or {}
        print("\n".join(line for line in (error.get("message"), error.get("remedy")) if line), flush=True)
