"""What is known of releases that served: one folder each, and which of them serves now. Standard library only."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agent.host import hashkey
from agent.host.files import read_json, sync_folder, write_atomic, write_json
from agent.releases.hashing import keyed
from agent.releases.site import Site

COMPOSE: Final = "docker-compose.yml"
VALUES: Final = "app.env"
MANIFEST: Final = "release.json"
RECORD: Final = "record.json"
BASELINE: Final = "baseline.json"
"""What the database is built on (``agent.database.proof.baseline``), where it was looked at."""
DOWN: Final = "down.json"
"""Stands in the target's folder while somebody wants it stopped: whatever happens to the host, nobody starts it."""


@dataclass(frozen=True, slots=True)
class Current:
    """The release that serves."""

    release: str
    previous: str | None
    status: str
    since: str
    operation: str

    @classmethod
    def of(cls, data: dict[str, Any]) -> Current:
        return cls(data["release"], data.get("previous"), data["status"], data["since"], data["operation"])


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def current(site: Site) -> Current | None:
    """Return the release that serves, or None before the first."""
    data = read_json(site.home.current)
    return Current.of(data) if data else None


def down(site: Site) -> dict[str, Any] | None:
    """Return who stopped the target and when, or None when it is meant to run."""
    found: dict[str, Any] | None = read_json(site.home.base / DOWN)
    return found


def set_down(site: Site, mark: dict[str, Any] | None) -> None:
    """Make it durable that the target is meant to stand still; with None, that it is meant to run."""
    file = site.home.base / DOWN
    if mark is not None:
        write_json(file, mark)
    elif file.exists():
        file.unlink()
        sync_folder(site.home.base)


def values_hash(site: Site, file: Path | None = None) -> str:
    """Return a keyed hash of the target's values (or of those in ``file``)."""
    file = file or site.home.app_env
    return keyed(hashkey.load(site.paths), file.read_bytes() if file.exists() else b"")


def record(site: Site, release: str) -> dict[str, Any] | None:
    """Return the record of a release that served on this host, or None."""
    found: dict[str, Any] | None = read_json(site.home.release(release) / RECORD)
    return found


def built_here(site: Site) -> bool:
    """Say whether the images of the release that serves were built on this host."""
    now_serving = current(site)
    found = (record(site, now_serving.release) or {}) if now_serving else {}
    return bool((found.get("provenance") or {}).get("built_here"))


def all_records(site: Site) -> list[dict[str, Any]]:
    """Return the records of all releases that served, the latest first."""
    files = site.home.releases.glob(f"r-*/{RECORD}")
    return sorted((read_json(file) for file in files), key=lambda item: str(item["deployed"]), reverse=True)


def keep_former(site: Site, release: str, operation: str) -> Path | None:
    """Set the record of the same release aside before it is written anew; return where."""
    folder, aside = site.home.release(release), site.home.releases / f".before-{operation}"
    if aside.exists() or not folder.exists():
        return aside if aside.exists() else None
    partial = aside.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(folder, partial)
    partial.rename(aside)
    return aside


def restore_former(site: Site, release: str, operation: str) -> None:
    """Undo ``write`` for the folder of one release."""
    folder, aside = site.home.release(release), site.home.releases / f".before-{operation}"
    shutil.rmtree(folder, ignore_errors=True)
    if aside.exists():
        aside.rename(folder)
    if site.home.releases.exists():
        sync_folder(site.home.releases)


def forget_former(site: Site, operation: str) -> None:
    """Drop what ``keep_former`` set aside."""
    shutil.rmtree(site.home.releases / f".before-{operation}", ignore_errors=True)


def write(site: Site, source: Path, staged: Path, facts: dict[str, Any]) -> None:
    """Write the record of a release.

    Args:
        source: the folder with its manifest, migrations and mounted files.
        staged: the folder with the compose file and the values it runs with.
        facts: what ``record.json`` says, without the time.
    """
    folder = site.home.release(facts["release"])
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("migrations", "files"):
        if source != folder and (source / part).is_dir():
            shutil.copytree(source / part, folder / part, dirs_exist_ok=True)
    if source != folder and (source / BASELINE).exists():
        write_atomic(folder / BASELINE, (source / BASELINE).read_bytes(), 0o600)
    write_atomic(folder / MANIFEST, (source / MANIFEST).read_bytes())
    write_atomic(folder / COMPOSE, (staged / COMPOSE).read_bytes(), 0o600)
    write_atomic(folder / VALUES, (staged / VALUES).read_bytes(), 0o600)
    write_json(folder / RECORD, {**facts, "deployed": now()})


def serve(site: Site, now_serving: Current) -> None:
    """Make a recorded release the current one, and its compose file the one that plain compose finds."""
    folder = site.home.release(now_serving.release)
    write_atomic(site.home.compose, (folder / COMPOSE).read_bytes(), 0o600)
    if not site.home.app_env.exists():
        write_atomic(site.home.app_env, b"", 0o600)
    if not site.home.dotenv.is_symlink() and not site.home.dotenv.exists():
        site.home.dotenv.symlink_to(VALUES)
    write_json(site.home.current, asdict(now_serving))


def serve_again(site: Site, before: Current | None) -> None:
    """Undo ``serve``."""
    if before is not None and (site.home.release(before.release) / COMPOSE).exists():
        serve(site, before)
    elif before is None:
        for file in (site.home.current, site.home.compose):
            file.unlink(missing_ok=True)


def retire(site: Site, keep: int, needed: set[str]) -> list[str]:
    """Remove records beyond the latest ``keep``, never one that is needed; return their names."""
    gone = [item["release"] for item in all_records(site)[keep:] if item["release"] not in needed]
    for release in gone:
        remove(site.home.release(release))
    return gone


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it. One that is gone is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
