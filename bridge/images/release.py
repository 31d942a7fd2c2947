"""From a project and its images to the release manifest and the bundle that carries it to a host."""

from __future__ import annotations

import copy
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from agent.host.files import write_json
from agent.host.mounts import Mounted, mounted, users
from agent.model import migrations as migration_sets
from agent.model.contract import Proof, Service
from agent.model.errors import IkomaError, Misuse
from agent.model.kinds import kinds, rollout
from agent.model.names import PRODUCTION
from agent.model.release import Release, ReleaseMigration, ReleaseService, parse
from bridge.images import names
from bridge.images.build import BuiltImage, check_services
from bridge.images.registry import Client
from bridge.images.render import Rendered, render, required_env
from bridge.workspace import git
from bridge.workspace.project import Project

MAX_FILES: Final = 128 * 1024 * 1024
"""Bytes of migrations and mounted files that a bundle may carry."""


def make_release(
    project: Project,
    images: Mapping[str, BuiltImage],
    *,
    base: Release | None = None,
    only: Collection[str] = (),
    refresh: bool = False,
    rendered: Rendered | None = None,
    client: Client | None = None,
) -> Release:
    """Return the manifest of what the project is now.

    Args:
        images: our images by service, as ``build`` returned them.
        base: the release that is deployed now, if any. Images of others keep its digests while their tag text is
            the same.
        only: the services that may change; all others stay as ``base`` has them.
        refresh: ask the registries anew for images of others.

    Raises:
        Misuse: ``build.only_first``, ``build.unknown_service``, ``release.*``, and what rendering raises.
        IkomaError: ``registry.*``, ``migration.*``.
    """
    found = rendered or render(project)
    _check(project, found, only, base)
    services = _services(project, found, images, only, None if refresh else base, client or Client())
    compose = _compose(found, services)
    if base is None or not only:
        return _manifest(project, services, compose)
    services, compose = _merged(base, services, compose, only)
    part = _manifest(project, services, compose)
    _same_files(base, part, only)
    return _same_logs(base, part)


def _manifest(project: Project, services: dict[str, ReleaseService], compose: dict[str, Any]) -> Release:
    settings = project.settings
    return Release(
        app=project.app, environment=project.environment, platform=settings.platform, compose=compose,
        services=services, routes=settings.routes, migrations=_migrations(project), schemas=_schemas(project),
        proof=_proof(project),
        required_env=required_env(compose), files=[item.file for item in _mounted(compose, project)],
        health=settings.health, retention=settings.retention, maintenance=settings.maintenance,
        backups=settings.backups, provenance=project.provenance,
    )  # fmt: skip


def _mounted(compose: dict[str, Any], project: Project) -> list[Mounted]:
    folder = project.compose_folder
    return mounted(compose, folder, lambda: git.tracked(folder))


def _check(project: Project, rendered: Rendered, only: Collection[str], base: Release | None) -> None:
    check_services(rendered, only, project)
    check_services(rendered, project.settings.services, project)
    check_services(rendered, [upstream.rpartition(":")[0] for upstream in project.settings.routes.values()], project)
    if only and base is None:
        where = "" if project.environment == PRODUCTION else f" ({project.environment})"
        raise Misuse("build.only_first", app=project.app + where)


def _services(
    project: Project, rendered: Rendered, images: Mapping[str, BuiltImage], only: Collection[str],
    base: Release | None, client: Client,
) -> dict[str, ReleaseService]:  # fmt: skip
    wanted = {name for name in rendered.compose["services"] if not only or name in only}
    theirs = _images_of_others({n: i for n, i in rendered.images.items() if n in wanted}, base, client)
    found = {}
    for name, kind in kinds(rendered.compose["services"], rendered.images, project.settings).items():
        if name in wanted:
            stated = project.settings.services.get(name, Service())
            ours = images.get(rendered.shared.get(name, name))
            if name not in theirs and ours is None:
                raise IkomaError("build.incomplete", services=name)
            found[name] = ReleaseService(
                image=theirs[name] if ours is None else ours.ref, tag="" if ours is None else ours.tag, kind=kind,
                probe=stated.probe, rollout=rollout(rendered.compose["services"][name], stated), drain=stated.drain,
            )  # fmt: skip
    return found


def _images_of_others(images: Mapping[str, str], base: Release | None, client: Client) -> dict[str, str]:
    """Pin images of others: as written, as the last release has them, or as their registry answers now."""
    references = {name: names.parse(text) for name, text in images.items()}
    known = {service.image.partition("@")[0]: service.image for service in base.services.values()} if base else {}
    pinned = {name: known[item.tagged] for name, item in references.items() if not item.digest and item.tagged in known}
    digests = client.resolve_all(item for name, item in references.items() if name not in pinned)
    return pinned | {name: item.pinned(digests[item]) for name, item in references.items() if name not in pinned}


def _compose(rendered: Rendered, services: Mapping[str, ReleaseService]) -> dict[str, Any]:
    """Return the compose document as it is sent: images pinned, nothing about building, nothing unused."""
    compose = copy.deepcopy(rendered.compose)
    compose["services"] = {name: compose["services"][name] for name in services}
    for name, service in compose["services"].items():
        service.pop("build", None)
        service["image"] = services[name].image
    for section in ("configs", "secrets"):
        used = {_source(item) for service in compose["services"].values() for item in service.get(section) or []}
        compose[section] = {name: value for name, value in (compose.get(section) or {}).items() if name in used}
    return {key: value for key, value in compose.items() if value or key == "services"}


def _source(item: Any) -> str:
    return str(item["source"]) if isinstance(item, dict) else str(item)


def _merged(
    base: Release, services: dict[str, ReleaseService], compose: dict[str, Any], only: Collection[str]
) -> tuple[dict[str, ReleaseService], dict[str, Any]]:
    """Put the chosen services into the deployed release; the others keep image and definition."""
    old = base.compose
    merged = {
        section: {**(old.get(section) or {}), **(compose.get(section) or {})}
        for section in ("services", "networks", "volumes", "configs", "secrets")
    }
    document = {key: value for key, value in {**old, **compose, **merged}.items() if value or key == "services"}
    return {**base.services, **{name: services[name] for name in only}}, document


def _same_files(base: Release, fresh: Release, only: Collection[str]) -> None:
    """The contents of mounted files come from the work tree: those of the services that stay must be unchanged."""
    now = {file.path: file for file in fresh.files}
    for file in base.files:
        if file.path in now and now[file.path] != file and not _mounted_by_all(file.path, fresh, only):
            raise Misuse("release.only_files", path=file.path, release=base.id)


def _same_logs(base: Release, fresh: Release) -> Release:
    """The log policy is the whole app's: a new one would replace the services that are to stay."""
    retention = fresh.retention.model_copy(update={"logs": base.retention.logs})
    return fresh.model_copy(update={"retention": retention})


def _mounted_by_all(path: str, release: Release, only: Collection[str]) -> bool:
    """Whether nobody but the chosen services mounts ``path``."""
    return users(release.compose, path) <= set(only)


def _migrations(project: Project) -> list[ReleaseMigration]:
    folder = project.migrations_folder
    if folder is None:
        return []
    if not folder.is_dir():
        raise Misuse("release.no_migrations", folder=folder, file=project.contract_file)
    files = sorted(path.name for path in folder.iterdir() if path.suffix == ".sql" and not path.name.startswith("."))
    if problems := migration_sets.set_problems(files):
        raise problems[0]
    return [
        ReleaseMigration(file=name, sha256=hashlib.sha256((folder / name).read_bytes()).hexdigest())
        for name in migration_sets.in_order(files)
    ]


def _proof(project: Project) -> Proof:
    migrations = project.settings.migrations
    return migrations.proof if migrations is not False else "auto"


def _schemas(project: Project) -> list[str]:
    migrations = project.settings.migrations
    return list(migrations.schemas) if migrations is not False else []


def make_bundle(project: Project, release: Release) -> bytes:
    """Return the tar.gz that a host gets: manifest, migrations, mounted files. The same release gives the same bytes.

    Raises:
        Misuse: ``release.changed`` when a file is no longer what the manifest says, ``release.too_large``.
    """
    content = {"release.json": json.dumps(release.to_json(), indent=1, ensure_ascii=False).encode()}
    folder = project.migrations_folder
    for migration in release.migrations if folder is not None else []:
        content[f"migrations/{migration.file}"] = _unchanged(Path(folder or "") / migration.file, migration.sha256)
    for file in release.files:
        content[f"files/{file.sha256}"] = _unchanged(project.compose_folder / file.path, file.sha256)
    total = sum(map(len, content.values()))
    if total > MAX_FILES:
        raise Misuse("release.too_large", megabytes=total >> 20, limit=MAX_FILES >> 20)
    return pack(content)


def _unchanged(path: Path, sha256: str) -> bytes:
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise Misuse("release.changed", path=path)
    return raw


def pack(content: Mapping[str, bytes]) -> bytes:
    """Return a tar.gz of ``content`` that depends on nothing else: no time, no owner, names in order."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(content):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content[name]), 0o644
            archive.addfile(entry, io.BytesIO(content[name]))
    return gzip.compress(raw.getvalue(), compresslevel=6, mtime=0)


def save(release: Release, file: Path) -> None:
    """Write the manifest, to be deployed again or compared later."""
    write_json(file, release.to_json())


def load(file: Path) -> Release:
    """Read a stored manifest. Raises ``Misuse("release.invalid")``."""
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise Misuse("release.invalid", reason=f"{file}: {error}") from None
    return parse(data)
