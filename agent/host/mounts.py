"""The files of the repository that a compose file mounts: binds, configs, secrets, env files."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.model.errors import Misuse
from agent.model.release import MountedFile

HOST_VALUES: Final = ("app.env", ".env")
"""Env files that the host itself holds; they never leave it and are never sent."""


@dataclass(frozen=True, slots=True)
class Mounted:
    """A file to send, and where compose asks for it."""

    file: MountedFile
    where: str


@dataclass(frozen=True, slots=True)
class _Mount:
    """A path as the compose file has it, normalised. ``must`` says that without the file nothing works."""

    path: str
    where: str
    service: str
    must: bool


def mounted(compose: dict[str, Any], folder: Path, tracked: Callable[[], set[str] | None]) -> list[Mounted]:
    """Return the files that ``compose`` mounts and the repository has, sorted by path.

    A bound path that the repository does not have is data of the host; a config, secret or env file must exist.
    Files that git ignores are not sent.

    Args:
        folder: the folder to which the paths in the compose file are relative.
        tracked: the files below it that git knows; None: all that are there.

    Raises:
        Misuse: ``release.no_file``, ``release.outside``.
    """
    mounts = list(_mounts(compose))
    if not mounts:
        return []
    known = tracked()
    found: dict[str, Mounted] = {}
    for mount in mounts:
        for path in _files(mount, folder, known):
            found.setdefault(path, Mounted(_describe(folder, path, mount), mount.where))
    return [found[path] for path in sorted(found)]


def users(compose: dict[str, Any], path: str) -> set[str]:
    """Return the services that mount ``path`` or a folder around it."""
    return {mount.service for mount in _mounts(compose) if path == mount.path or path.startswith(mount.path + "/")}


def _mounts(compose: dict[str, Any]) -> Iterator[_Mount]:
    for name, service in compose["services"].items():
        yield from _binds(name, service)
        yield from _env_files(name, service)
        for section in ("configs", "secrets"):
            for item in service.get(section) or []:
                source = item["source"] if isinstance(item, dict) else item
                definition = (compose.get(section) or {}).get(source) or {}
                if file := definition.get("file"):
                    yield from _mount(str(file), f"{section}.{source}", name, must=True)


def _binds(name: str, service: dict[str, Any]) -> Iterator[_Mount]:
    for item in service.get("volumes") or []:
        if isinstance(item, dict):
            source = item.get("source", "") if item.get("type") == "bind" else ""
        else:
            source = str(item).partition(":")[0] if str(item).startswith(".") else ""
        yield from _mount(source, f"services.{name}.volumes", name, must=False)


def _env_files(name: str, service: dict[str, Any]) -> Iterator[_Mount]:
    listed = service.get("env_file") or []
    for item in listed if isinstance(listed, list) else [listed]:
        entry = item if isinstance(item, dict) else {"path": item}
        if posixpath.normpath(str(entry["path"])) not in HOST_VALUES:
            must = bool(entry.get("required", True))
            yield from _mount(str(entry["path"]), f"services.{name}.env_file", name, must=must)


def _mount(path: str, where: str, service: str, *, must: bool) -> Iterator[_Mount]:
    """Absolute paths and those with a variable in them are the host's business."""
    if path and not path.startswith(("/", "~")) and "$" not in path:
        yield _Mount(posixpath.normpath(path), where, service, must)


def _files(mount: _Mount, folder: Path, known: set[str] | None) -> list[str]:
    if mount.path.split("/")[0] == "..":
        raise Misuse("release.outside", path=mount.path, where=mount.where)
    place = folder / mount.path
    if place.is_file():
        inside = [mount.path]
    elif place.is_dir():
        inside = [file.relative_to(folder).as_posix() for file in sorted(place.rglob("*")) if file.is_file()]
    else:
        inside = []
    sent = [path for path in inside if known is None or path in known]
    if mount.must and not sent:
        raise Misuse("release.no_file", path=mount.path, where=mount.where)
    return sent


def _describe(folder: Path, path: str, mount: _Mount) -> MountedFile:
    file = folder / path
    if not file.resolve().is_relative_to(folder.resolve()):
        raise Misuse("release.outside", path=path, where=mount.where)
    executable = bool(file.stat().st_mode & 0o100)
    return MountedFile(path=path, sha256=hashlib.sha256(file.read_bytes()).hexdigest(), executable=executable)
