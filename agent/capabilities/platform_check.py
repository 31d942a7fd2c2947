"""``platform.check``: is this host fit to be deployed to? Reads only; every problem comes with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from agent.capabilities.call import Call
from agent.docker.engine import Engine
from agent.host import platform, process
from agent.model.errors import IkomaError, Misuse
from agent.model.names import Target
from agent.releases.proxy import NAME
from agent.releases.site import Site

_COMPOSE_SECONDS: Final = 20.0


def run(call: Call) -> dict[str, Any]:
    """Return ``healthy``, ``checks`` (name → whether it is well), ``facts`` (name → what was seen) and ``problems``."""
    checks: dict[str, bool] = {}
    seen: dict[str, dict[str, Any]] = {}
    problems: list[dict[str, str]] = []
    for name, check in CHECKS.items():
        facts: dict[str, Any] = {}
        found = list(_caught(check(call, facts)))
        checks[name], seen[name] = not found, facts
        told = [problem["message"] for problem in problems]
        shown = [_shown(problem, call.lang) for problem in found]
        problems += [{"check": name, **problem} for problem in shown if problem["message"] not in told]
    warnings = [_shown(found, call.lang) for found in (*overdue(call), *lost(call))]
    return {"healthy": not problems, "checks": checks, "facts": seen, "problems": problems, "warnings": warnings}


def overdue(call: Call) -> Iterator[IkomaError]:
    """Tell of apps whose newest backup set is too old. A host without a place for them is not asked for any."""
    if not call.settings.backup_repository:
        return
    from agent.database.backup import age

    for slug in _slugs(call.paths.apps):
        if _may_know(call, slug) and (found := age.overdue(call.paths, call.settings, slug)):
            yield found


def lost(call: Call) -> Iterator[IkomaError]:
    """Tell of images that a rollback would need and the Engine has no more."""
    from agent.releases import kept

    targets = [Target.from_slug(slug) for slug in _slugs(call.paths.apps) if _is_target(slug) and _may_know(call, slug)]
    with suppress(IkomaError):  # an Engine that does not answer is told of as such
        yield from kept.lost(Engine(call.settings.docker_socket), [Site.of(call, target) for target in targets])


def _caught(found: Iterator[IkomaError]) -> Iterator[IkomaError]:
    try:
        yield from found
    except IkomaError as error:
        yield error


def _shown(error: IkomaError, lang: str) -> dict[str, str]:
    return {"id": error.id, "message": error.message(lang), "remedy": error.remedy(lang)}


def _docker(call: Call, facts: dict[str, Any]) -> Iterator[IkomaError]:
    info = Engine(call.settings.docker_socket).info()
    facts |= {"version": info.get("ServerVersion"), "architecture": platform.architecture()}
    facts |= {"root": info.get("DockerRootDir"), "free_mb": platform.free_mb(Path(info.get("DockerRootDir", "/")))}
    yield from _enough(facts["free_mb"], Path(str(facts["root"])), call)


def _compose(_call: Call, facts: dict[str, Any]) -> Iterator[IkomaError]:
    facts["version"] = process.run(["docker", "compose", "version", "--short"], timeout=_COMPOSE_SECONDS).stdout.strip()
    yield from ()


def _apps_root(call: Call, facts: dict[str, Any]) -> Iterator[IkomaError]:
    folder = call.paths.apps
    facts |= {"path": str(folder), "free_mb": platform.free_mb(folder)}
    facts["targets"] = [slug for slug in _slugs(folder) if _may_know(call, slug)]
    if not platform.writable(folder):
        yield IkomaError("platform.folder", folder=folder)
    yield from _enough(facts["free_mb"], folder, call)


def _slugs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _may_know(call: Call, slug: str) -> bool:
    try:
        return call.grant.everything or call.grant.may_act_on(Target.from_slug(slug))
    except Misuse:  # a folder of somebody else
        return False


def _is_target(slug: str) -> bool:
    try:
        return bool(Target.from_slug(slug))
    except Misuse:  # a folder of somebody else, which a key for the whole host sees as well
        return False


def _enough(free: int, folder: Path, call: Call) -> Iterator[IkomaError]:
    if free < call.settings.min_free_mb:
        wanted, known = call.settings.min_free_mb, platform.size_mb(call.paths.backups)
        yield IkomaError("platform.disk", free=free, folder=folder, needed=wanted, backups=known, images=_unused(call))


def _unused(call: Call) -> int | str:
    """Return how many MiB the images take that no container uses, at most; "?" where the engine does not say."""
    engine = Engine(call.settings.docker_socket)
    try:
        used = {str(item.get("ImageID")) for item in engine.all_containers()}
        return sum(int(item["Size"]) for item in engine.images() if item["Id"] not in used) >> 20
    except IkomaError:
        return "?"


def _postgres(call: Call, facts: dict[str, Any]) -> Iterator[IkomaError]:
    """Ask the administrator's connection and, when an app is named, the app's own."""
    from agent.database import target
    from agent.database.connect import session
    from agent.model import dsn as dsns

    found = {"administrator": dsns.parse(call.settings.admin_dsn, "admin_dsn")} if call.settings.admin_dsn else {}
    if call.target and (own := target.dsn(call.paths.target(call.target))):
        found["app"] = own
    facts["provision"] = call.settings.provision
    for name, dsn in found.items():
        facts[name] = dsn.where
        with session(dsn, "ikoma:platform.check") as connection:
            facts["version"] = connection.info.parameter_status("server_version")
    yield from ()


def _ports(call: Call, facts: dict[str, Any]) -> Iterator[IkomaError]:
    held = platform.listeners()
    for port in (call.settings.http_port, call.settings.https_port):
        holder = held.get(port)
        facts[str(port)] = str(holder) if holder else None
        if holder and not _ours(call, port):
            yield IkomaError("platform.port", port=port, holder=holder)
    yield from _door(call, facts)


def _door(call: Call, facts: dict[str, Any]) -> Iterator[IkomaError]:
    """The port of our own HTTP door, where that is on."""
    if not call.settings.http_door:
        return
    port = call.settings.door_port
    holder = platform.holder(port)
    facts[str(port)] = str(holder) if holder else None
    if holder and holder.program != platform.HTTP_DOOR:
        yield IkomaError("platform.port", port=port, holder=holder)


def _ours(call: Call, port: int) -> bool:
    """Whether a container of ours publishes the port: the proxy's, whose helper process belongs to the Engine."""
    for container in Engine(call.settings.docker_socket).all_containers():
        names = [name.lstrip("/") for name in container.get("Names", [])]
        published = {item.get("PublicPort") for item in container.get("Ports", [])}
        if NAME in names and port in published:
            return True
    return False


def _clock(_call: Call, facts: dict[str, Any]) -> Iterator[IkomaError]:
    """A wrong clock harms certificates and audit, not a deployment: it is told, and no problem."""
    facts["synchronised"] = platform.clock_synchronised()
    yield from ()


CHECKS: Final = {
    "docker": _docker,
    "compose": _compose,
    "postgres": _postgres,
    "appsRoot": _apps_root,
    "ports": _ports,
    "clock": _clock,
}
