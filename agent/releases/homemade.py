"""A release made of an app's sources on this host itself, where its settings allow that (``allow_build``).

What a build may reach is the checkout and nothing else of the host: a service whose build asks for more is refused by
name. Images get names below ``ikoma.local``, a registry that nobody can pull from, and are released by digest as ever.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.docker import compose
from agent.host import mounts, process
from agent.host.files import write_json
from agent.model import contract as contracts
from agent.model import migrations as migration_sets
from agent.model.contract import Service, Settings
from agent.model.errors import IkomaError, Misuse
from agent.model.kinds import kinds, rollout
from agent.model.names import PRODUCTION
from agent.model.release import Provenance, Release, ReleaseMigration, ReleaseService
from agent.protocol import Credentials
from agent.releases import carried, folder, fromfolder, source
from agent.releases.site import Site

PREFIX: Final = "ikoma.local"
SECONDS: Final = 3600.0
_MAY: Final = frozenset({"context", "dockerfile", "dockerfile_inline", "target", "args", "labels", "shm_size", "tags",
                         "cache_from", "cache_to", "no_cache", "platforms", "pull"})  # fmt: skip
_TAKEN: Final = frozenset({"context", "dockerfile", "dockerfile_inline", "target", "args", "labels", "shm_size"})

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sources:
    """A checkout of one commit, and what its contract says for the target's environment."""

    root: Path
    commit: str
    settings: Settings

    @property
    def compose(self) -> Path:
        return inside(self.root, self.settings.compose)


def make(site: Site, commit: str, place: Path, credentials: Credentials | None, say: Say) -> Release:
    """Build what a commit's compose file builds, and leave a bundle in ``place``; return the release.

    Args:
        credentials: the host's own login at its registry, for images of others that lie there.

    Raises:
        IkomaError: ``homemade.…``, ``image.classic_store``, and what contract and compose file are refused for.
    """
    if not carried.keeps_names(site.engine.info()):
        raise IkomaError("image.classic_store")
    root = place.resolve() / "sources"
    source.checkout(site, commit, root)
    sources = Sources(root, commit, _settings(site, root))
    services, document = _read(site, sources)
    built = _build(site, sources, services, say)
    pinned = built | _others(site, services, built, credentials, say)
    release = _release(site, sources, document, pinned)
    _pack(sources, release, place)
    shutil.rmtree(root, ignore_errors=True)
    return release


def inside(root: Path, path: str) -> Path:
    """Return a path of the checkout, wherever links lead. Raises ``Misuse("homemade.outside")``."""
    found = (root / path).resolve()
    if not found.is_relative_to(root.resolve()):
        raise Misuse("homemade.outside", path=path[:200])
    return found


def _settings(site: Site, root: Path) -> Settings:
    file = inside(root, contracts.FILE)
    if not file.is_file():
        raise Misuse("contract.missing", file=contracts.FILE, repo=site.target.app)
    found, environment = contracts.load(file.read_text(encoding="utf-8"), contracts.FILE), site.target.environment
    if environment != PRODUCTION and environment not in found.environments:
        known = ", ".join(sorted({PRODUCTION, *found.environments}))
        raise Misuse("contract.environment", file=contracts.FILE, environment=environment, known=known)
    return found.settings(environment)


def _read(site: Site, sources: Sources) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the services, and the whole document, as compose reads the file; nothing is interpolated."""
    if not sources.compose.is_file():
        raise Misuse("compose.missing", file=sources.settings.compose, contract=contracts.FILE)
    _alone(folder.parse(sources.compose))
    argv = compose.read(sources.compose)
    done = process.run(argv, cwd=sources.compose.parent, env=site.environment(), check=False, timeout=60)
    if not done.ok:
        raise Misuse("compose.broken", file=sources.settings.compose, said=done.last_lines())
    document = {key: value for key, value in json.loads(done.stdout).items() if key != "name" and key[:2] != "x-"}
    services = {name: item for name, item in (document.get("services") or {}).items() if not item.get("profiles")}
    return services, document | {"services": services}


def _alone(document: Mapping[str, Any]) -> None:
    """Refuse a compose file that names others: compose would read them with the agent's rights, wherever they lie."""
    if document.get("include"):
        raise Misuse("homemade.refused", service=contracts.FILE, key="include")
    services = document.get("services")
    for name, service in services.items() if isinstance(services, dict) else ():
        extends = service.get("extends") if isinstance(service, dict) else None
        if isinstance(extends, dict) and extends.get("file"):
            raise Misuse("homemade.refused", service=name, key="extends.file")


def _build(site: Site, sources: Sources, services: Mapping[str, Any], say: Say) -> dict[str, str]:
    """Build what is to be built; return service → image by digest."""
    wanted = {name: item["build"] for name, item in services.items() if "build" in item}
    if not wanted:
        return {}
    names = {name: f"{PREFIX}/{site.target.app}/{name}:{sources.commit[:16]}" for name in wanted}
    entries = {name: {"image": names[name], "build": _allowed(name, build, sources)} for name, build in wanted.items()}
    file = sources.root.parent / "build.json"
    write_json(file, {"name": site.slug, "services": entries}, 0o600)
    argv = process.with_parent(compose.build(file, sources.compose.parent))
    done = process.run(argv, env=site.environment(), check=False, timeout=SECONDS, on_line=_told(say))
    file.unlink()
    if not done.ok:
        raise IkomaError("homemade.failed", said=done.last_lines(10))
    return {name: f"{text.rpartition(':')[0]}@{_digest(site, text)}" for name, text in names.items()}


def _told(say: Say) -> Callable[[str], None]:
    """Show each step of a build once, not its every line."""
    shown: set[str] = set()

    def tell(line: str) -> None:
        if (line := line.strip()) and "] " in line and line not in shown:
            shown.add(line)
            say(line[:200])

    return tell


def _allowed(name: str, build: Mapping[str, Any], sources: Sources) -> dict[str, Any]:
    """Return how a service is built, if the build reaches nothing but the checkout."""
    if unknown := sorted(build.keys() - _MAY):
        raise Misuse("homemade.refused", service=name, key=unknown[0])
    text = str(build.get("context") or ".")
    context = inside(sources.root, str(sources.compose.parent / text))
    if "://" in text or not context.is_dir():
        raise Misuse("homemade.outside", path=text[:200])
    if not build.get("dockerfile_inline"):
        inside(sources.root, str(context / str(build.get("dockerfile") or "Dockerfile")))
    return {key: build[key] for key in build if key in _TAKEN} | {"context": str(context)}


def _digest(site: Site, reference: str) -> str:
    found = site.engine.image(reference)
    if found is None or not str(found["Id"]).startswith("sha256:"):
        raise IkomaError("image.not_kept", image=reference)
    return str(found["Id"])


def _others(
    site: Site, services: Mapping[str, Any], built: Mapping[str, str], credentials: Credentials | None, say: Say
) -> dict[str, str]:
    """Return service → image by digest for what is not built: of a service that builds the same name, or of others."""
    made = {services[name].get("image"): reference for name, reference in built.items() if services[name].get("image")}
    found = {}
    for name, item in services.items():
        if name in built:
            continue
        text = str(item.get("image") or "")
        if not text or "$" in text:
            raise Misuse("compose.no_image", service=name, file=contracts.FILE)
        found[name] = made.get(text) or fromfolder.pinned(site, text, credentials, say)
    return found


def _release(site: Site, sources: Sources, document: dict[str, Any], pinned: Mapping[str, str]) -> Release:
    settings, services = sources.settings, document["services"]
    others = {name: str(item["image"]) for name, item in services.items() if "build" not in item}
    built = {name for name, item in services.items() if "build" in item}
    facts = {}
    for name, kind in kinds(services, others, settings).items():
        stated = settings.services.get(name, Service())
        facts[name] = ReleaseService(
            image=pinned[name], tag=sources.commit[:16] if name in built else "", kind=kind, probe=stated.probe,
            rollout=rollout(services[name], stated), drain=stated.drain,
        )  # fmt: skip
    whole = document | {"services": {
        name: {key: value for key, value in item.items() if key != "build"} | {"image": pinned[name]}
        for name, item in services.items()
    }}  # fmt: skip
    files = [item.file for item in mounts.mounted(whole, sources.compose.parent, lambda: None)]
    required = [value.name for value in folder.values(folder.Found("", whole)) if value.required]
    set_of = settings.migrations
    return Release(
        app=site.target.app, environment=site.target.environment, platform=settings.platform, compose=whole,
        services=facts, routes=settings.routes, migrations=_migrations(sources), required_env=required, files=files,
        schemas=list(set_of.schemas) if set_of is not False else [],
        proof=set_of.proof if set_of is not False else "auto",
        health=settings.health, retention=settings.retention, maintenance=settings.maintenance,
        backups=settings.backups, provenance=Provenance(commit=sources.commit, built_here=bool(built)),
    )  # fmt: skip


def _migrations(sources: Sources) -> list[ReleaseMigration]:
    if (place := _folder(sources)) is None:
        return []
    names = sorted(path.name for path in place.iterdir() if path.suffix == ".sql" and path.name[:1] != ".")
    if problems := migration_sets.set_problems(names):
        raise problems[0]
    return [
        ReleaseMigration(file=name, sha256=hashlib.sha256(inside(place, name).read_bytes()).hexdigest())
        for name in migration_sets.in_order(names)
    ]


def _folder(sources: Sources) -> Path | None:
    set_of = sources.settings.migrations
    place = inside(sources.root, set_of.folder) if set_of is not False else None
    return place if place is not None and place.is_dir() else None


def _pack(sources: Sources, release: Release, place: Path) -> None:
    """Leave manifest, migrations and mounted files where those of a sent bundle would lie."""
    write_json(place / "release.json", release.to_json())
    for part in ("migrations", "files"):
        (place / part).mkdir()
    for migration in release.migrations:
        shutil.copyfile((_folder(sources) or Path()) / migration.file, place / "migrations" / migration.file)
    for file in release.files:
        shutil.copyfile(inside(sources.root, str(sources.compose.parent / file.path)), place / "files" / file.sha256)
