"""An app that lies in its folder on the host, as a release: nothing is built, every image is pinned by digest."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.host import envfile, platform
from agent.host.files import write_json
from agent.model import contract, policy
from agent.model.contract import Settings
from agent.model.errors import Misuse
from agent.model.kinds import kinds, rollout
from agent.model.migrations import in_order, set_problems
from agent.model.release import MountedFile, Release, ReleaseMigration, ReleaseService
from agent.protocol import Credentials
from agent.releases import folder, images, prepare, values
from agent.releases.folder import Found
from agent.releases.images import Say
from agent.releases.site import Site

_OURS: Final = ("app.env", ".env")
_DIGEST: Final = "@sha256:"


@dataclass(frozen=True, slots=True)
class Lying:
    """A release that was read from the folder, and where its parts lie until it is recorded."""

    release: Release
    folder: Path


def check(site: Site) -> Found:
    """Return the compose file that lies there.

    Raises:
        Misuse: ``apps.no_compose``, ``apps.no_services``, ``apps.build`` for what would have to be built here.
    """
    found = folder.look(site)
    if found is None:
        raise Misuse("apps.no_compose", target=site.target, folder=site.home.base)
    if not found.services:
        raise Misuse("apps.no_services", file=site.home.compose)
    for name, service in found.services.items():
        if not isinstance(service, dict) or "build" in service or not service.get("image"):
            raise Misuse("apps.build", service=name, file=site.home.compose)
    return found


def make(site: Site, into: Path, migrations: dict[str, bytes], credentials: Credentials | None, say: Say) -> Lying:
    """Read the folder and write the release into ``into``; images that are not here are pulled to know their digests.

    Args:
        migrations: the files that lie in the folder.

    Raises:
        Misuse: what ``check`` raises, ``apps.outside``, and what the contract raises.
        IkomaError: ``image.…``, ``migration.…``, ``policy.…``, ``compose.invalid``.
    """
    found, settings = check(site), _settings(site)
    lacking = [value.name for value in folder.values(found) if value.required]
    normalised = _normalised(site, found, lacking)
    services = _services(site, normalised, settings, credentials, say)
    files = sorted(_files(site, found.document, into), key=lambda item: item.path)
    for problem in set_problems(migrations):
        raise problem
    release = Release(
        app=site.target.app, environment=site.target.environment, platform=f"linux/{platform.architecture()}",
        compose=_document(found, services), services=services, routes=settings.routes,
        migrations=_migrations(migrations, into), required_env=sorted(lacking), files=files,
        schemas=list(settings.migrations.schemas) if settings.migrations is not False else [],
        health=settings.health, retention=settings.retention, backups=settings.backups,
        maintenance=settings.maintenance,
    )  # fmt: skip
    write_json(into / "release.json", release.to_json())
    return Lying(release, into)


def _settings(site: Site) -> Settings:
    file = site.home.base / contract.FILE
    if not file.exists():
        return Settings()
    loaded = contract.load(file.read_text(errors="replace"), str(file))
    if loaded.app != site.target.app:
        raise Misuse("apps.other_contract", file=file, found=loaded.app, app=site.target.app)
    return loaded.settings(site.target.environment)


def _normalised(site: Site, found: Found, wanted: list[str]) -> dict[str, Any]:
    """Return what Compose makes of the file with the target's values; a made-up word stands for one that is missing."""
    document = {**found.document, "name": site.slug}
    for finding in policy.unread(document, site.settings.allow, os.path.realpath):
        raise finding.error()
    missing = sorted(set(wanted) - set(envfile.read(site.home.app_env)))
    with values.standing_in(site, missing) as file:
        return prepare.interpolate(site, document, file)


def _services(
    site: Site, normalised: dict[str, Any], settings: Settings, credentials: Credentials | None, say: Say
) -> dict[str, ReleaseService]:
    described = normalised["services"]
    named = {name: str(service["image"]) for name, service in described.items()}
    found = {}
    for name, kind in kinds(described, named, settings).items():
        stated = settings.services.get(name, contract.Service())
        found[name] = ReleaseService(
            image=pinned(site, named[name], credentials, say), kind=kind, probe=stated.probe,
            rollout=rollout(described[name], stated), drain=stated.drain,
        )  # fmt: skip
    return found


def pinned(site: Site, reference: str, credentials: Credentials | None, say: Say) -> str:
    """Return an image by digest, as this host's engine knows it. Raises ``image.…`` for one that cannot be had."""
    if _DIGEST in reference:
        return reference
    if site.engine.image(reference) is None:
        images.pull(site, [reference], f"linux/{platform.architecture()}", credentials, say)
    repository = _repository(reference)
    known = (site.engine.image(reference) or {}).get("RepoDigests") or []
    for digest in known:
        if _familiar(digest.partition("@")[0]) == _familiar(repository):
            return f"{repository}@{digest.partition('@')[2]}"
    raise images.explain(reference, "not found: no registry has given this image a digest")


def _repository(reference: str) -> str:
    head, slash, last = reference.rpartition("/")
    return head + slash + last.partition(":")[0]


def _familiar(repository: str) -> str:
    return repository.removeprefix("docker.io/").removeprefix("library/")


def _document(found: Found, services: dict[str, ReleaseService]) -> dict[str, Any]:
    kept = {key: value for key, value in found.document.items() if key not in ("name", "version")}
    kept = {key: value for key, value in kept.items() if not key.startswith("x-")}
    kept["services"] = {name: {**found.services[name], "image": services[name].image} for name in services}
    return kept


def _migrations(texts: dict[str, bytes], into: Path) -> list[ReleaseMigration]:
    (into / "migrations").mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in texts.items():
        (into / "migrations" / name).write_bytes(content)
    return [ReleaseMigration(file=name, sha256=hashlib.sha256(texts[name]).hexdigest()) for name in in_order(texts)]


def _files(site: Site, document: dict[str, Any], into: Path) -> Iterator[MountedFile]:
    """Yield the files of the folder that the compose file mounts, and copy them by content."""
    (into / "files").mkdir(mode=0o700, parents=True, exist_ok=True)
    found = {path: place for text in _paths(document) for path, place in _below(site, text)}
    for path, place in found.items():
        digest = hashlib.sha256(place.read_bytes()).hexdigest()
        shutil.copyfile(place, into / "files" / digest)
        yield MountedFile(path=path, sha256=digest, executable=bool(place.stat().st_mode & 0o100))


def _below(site: Site, text: str) -> Iterator[tuple[str, Path]]:
    """Yield what one path mounts. It must lie in ``config/``, behind links too: the agent's files lie beside it."""
    base = site.home.base.resolve()
    top = base / text
    for place in [top] if top.is_file() else sorted(top.rglob("*")):
        if not place.resolve().is_relative_to(base / "config"):
            raise Misuse("apps.outside", path=text, file=site.home.compose)
        if place.is_file():
            yield Path(os.path.normpath(place)).relative_to(base).as_posix(), place


def _paths(document: dict[str, Any]) -> Iterator[str]:
    """Yield the paths that are mounted: binds of ``config/`` (others are data), configs, secrets, env files."""
    for service in document["services"].values():
        for item in service.get("volumes") or []:
            source = str(item.get("source", "") if isinstance(item, dict) else str(item).partition(":")[0])
            if os.path.normpath(source).partition("/")[0] == "config":
                yield source
        for item in service.get("env_file") or []:
            path = str(item["path"] if isinstance(item, dict) else item)
            if os.path.normpath(path) not in _OURS:
                yield path
    for section in ("configs", "secrets"):
        for entry in (document.get(section) or {}).values():
            if isinstance(entry, dict) and entry.get("file"):
                yield str(entry["file"])
