"""Backup sets: all that an app is on this host, sent off by restic and brought back beside what is there.

A set holds ``database/`` (a backup, see ``store``), ``roles.sql``, ``volumes/<name>.tar``, ``env/`` and ``release/``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from agent.database.backup import dump, names, notes, store, tools
from agent.database.backup.source import Source
from agent.database.connect import session
from agent.docker.engine import Engine
from agent.host import process
from agent.host.files import write_json
from agent.host.paths import TargetPaths
from agent.host.restic import TAG, Repository
from agent.model.errors import IkomaError, Misuse

_RECORD: Final = ("release.json", "record.json", "baseline.json", "docker-compose.yml", "app.env")
_TO_FILE: Final = 'out="$1"; shift; exec "$@" >"$out"'
_ANONYMOUS: Final = 64


@dataclass(frozen=True, slots=True)
class Site:
    """What a set is made of.

    Attributes:
        source: its database; None where it has none.
        folder: where the target's backups lie.
        release: the release that serves.
    """

    slug: str
    home: TargetPaths
    folder: Path
    source: Source | None
    release: str
    docker_socket: str

    def stage(self, operation: str) -> Path:
        """Return where a set is put together."""
        return self.folder / f".set-{operation}"


@dataclass(frozen=True, slots=True)
class Pushed:
    """A set that left the host; ``fault`` is why older ones could not be forgotten."""

    snapshot: str
    parts: list[str]
    bytes: int
    fault: IkomaError | None = None


def push(site: Site, repository: Repository, keep: int, operation: str, say: Callable[[str], object]) -> Pushed:
    """Put a set together and send it off; older ones beyond ``keep`` are forgotten there.

    Raises:
        IkomaError: what ``dump.make`` and ``Repository.run`` raise; ``backup.disk_full``. Nothing stays here then.
    """
    stage = site.stage(operation)
    try:
        parts = _collected(site, stage, operation, say)
        size = sum(path.stat().st_size for path in stage.rglob("*") if path.is_file())
        said = repository.run("--json", "backup", "--host", site.slug, "--tag", f"{TAG},{site.slug}", ".", cwd=stage)
        return Pushed(_summary(said.stdout), parts, size, _forget(repository, site.slug, keep))
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def discard(site_folder: Path) -> None:
    """Remove what killed processes left of sets."""
    for folder in site_folder.glob(".set-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _collected(site: Site, stage: Path, operation: str, say: Callable[[str], object]) -> list[str]:
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700, parents=True)
    parts = []
    for part in _parts(site, stage, operation):
        say(part)
        parts.append(part)
    about = {"slug": site.slug, "release": site.release, "created": notes.now(), "parts": parts}
    write_json(stage / "set.json", about, store.MODE)
    return parts


def _parts(site: Site, stage: Path, operation: str) -> Iterator[str]:
    if site.source is not None:
        source = replace(site.source, folder=stage / "database")
        dump.make(source, dump.Wanted(names.fresh("set", operation), "fetched", site.release))
        yield "database"
        _roles(source, stage / "roles.sql")
        yield "roles"
    yield from _volumes(site, stage / "volumes")
    for folder, files in (("env", (site.home.app_env, site.home.agent_env)), ("release", _recorded(site))):
        (stage / folder).mkdir(mode=0o700)
        for file in files:
            if file.is_file():
                shutil.copy2(file, stage / folder / file.name)
        yield folder


def _recorded(site: Site) -> tuple[Path, ...]:
    folder = site.home.release(site.release)
    return tuple(folder / name for name in _RECORD) if site.release else ()


def _roles(source: Source, out: Path) -> None:
    """Write the cluster's roles; their passwords only where an administrator's connection may read them."""
    with session(source.strongest, source.session_name) as connection:
        row: Any = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
        major = connection.info.server_version // 10000
    options = ["--roles-only"] if row[0] else ["--roles-only", "--no-role-passwords"]
    _private(out)
    programs = tools.of(source.strongest, major, source.docker_socket)
    programs.write(out, programs.argv("pg_dumpall", *options))


def _volumes(site: Site, folder: Path) -> Iterator[str]:
    """Write the named volumes that containers of the app mount; the database server's own is in the dump."""
    seen = set[str]()
    for container in Engine(site.docker_socket).containers(site.slug) if site.docker_socket else []:
        if site.source is not None and tools.serves(container, site.source.dsn):
            continue
        for name, inside in volumes(container):
            if name not in seen:
                seen.add(name)
                folder.mkdir(mode=0o700, exist_ok=True)
                _archive(site, str(container["Id"]), inside, folder / f"{name}.tar")
                yield f"volume {name}"


def volumes(container: dict[str, Any]) -> list[tuple[str, str]]:
    """Return name and place of the named volumes that a container mounts. Pure."""
    found = [item for item in container.get("Mounts") or [] if item.get("Type") == "volume" and item.get("Name")]
    return sorted((str(item["Name"]), str(item["Destination"])) for item in found if not _anonymous(str(item["Name"])))


def _anonymous(name: str) -> bool:
    return len(name) == _ANONYMOUS and not set(name) - set("0123456789abcdef")


def _archive(site: Site, container: str, inside: str, out: Path) -> None:
    _private(out)
    argv = process.with_parent(["sh", "-c", _TO_FILE, "sh", str(out), "docker", "cp", f"{container}:{inside}", "-"])
    env = {**process.MINIMAL, "DOCKER_HOST": f"unix://{site.docker_socket}", "HOME": "/nonexistent"}
    done = process.run(argv, env=env, check=False)
    if not done.ok:
        raise tools.failure(done, ["docker cp"])


def _private(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, store.MODE))


def _summary(output: str) -> str:
    """Return the id in what ``restic backup --json`` said last."""
    for line in reversed(output.splitlines()):
        if '"snapshot_id"' in line:
            return str(json.loads(line)["snapshot_id"])[:8]
    return ""


def _forget(repository: Repository, slug: str, keep: int) -> IkomaError | None:
    """Forget older sets. The new one is safe by now: a fault here is told, and fails nothing."""
    words = ("forget", "--tag", f"{TAG},{slug}", "--group-by", "tags", "--keep-last", str(keep), "--prune")
    try:
        repository.run(*words, patience=60)
    except IkomaError as error:
        return error
    return None


def snapshots(repository: Repository, slug: str) -> list[dict[str, Any]]:
    """Return the sets of an app, the newest first. Raises what ``Repository.run`` raises."""
    found = repository.json("snapshots", "--tag", f"{TAG},{slug}") or []
    rows = [{"snapshot": item["short_id"], "created": item["time"][:19] + "Z"} for item in found]
    return sorted(rows, key=lambda row: str(row["created"]), reverse=True)


def fetch(site: Site, repository: Repository, snapshot: str) -> tuple[str, Path, str]:
    """Bring a set back, beside what is there.

    Returns:
        Its id, the folder it lies in, and the name of its database among the target's backups ("" if it has none).

    Raises:
        Misuse: ``backup.no_set``.
    """
    known = [str(row["snapshot"]) for row in snapshots(repository, site.slug)]
    wanted = snapshot or (known[0] if known else "")
    if wanted not in known:
        raise Misuse("backup.no_set", snapshot=wanted[:20] or "–", slug=site.slug)
    folder, partial = site.folder / "sets" / wanted, site.folder / f".set-{wanted}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    repository.run("restore", wanted, "--target", str(partial))
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return wanted, folder, _listed(site, folder / "database", f"fetched-{wanted}")


def _listed(site: Site, folder: Path, name: str) -> str:
    """Put the database of a set among the target's backups, under a name of its own."""
    found = store.all_of(folder)
    if not found:
        return ""
    if not store.exists(site.folder, name):
        for place in (store.dump, store.schema):
            shutil.copy2(place(folder, found[0].name), place(site.folder, name))
        final = store.dump(site.folder, name)
        sums = final.with_name(final.name + ".sha256")
        sums.write_text(f"{found[0].sha256}  {final.name}\n")
        sums.chmod(store.MODE)
        store.keep(site.folder, replace(found[0], name=name, verified=None))
    return name
