"""The compose file as Compose itself understands it: what is built, what is pulled, what a host must know."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.host import process
from agent.model.errors import Misuse
from bridge.workspace import git
from bridge.workspace.project import Project
from bridge.workspace.words import interpolate, required_names

_INHERITED: Final = ("PATH", "HOME", "DOCKER_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR", "TMPDIR")
_IGNORED_BUILD: Final = {"cache_from", "cache_to", "no_cache", "platforms", "pull", "tags"}
_KNOWN_BUILD: Final = {
    "additional_contexts", "args", "context", "dockerfile", "dockerfile_inline", "labels", "network", "secrets",
    "shm_size", "ssh", "target", "ulimits",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Build:
    """How one service's image is built. Paths are absolute, arguments have their values."""

    service: str
    context: Path
    dockerfile: Path
    inline: str = ""
    target: str = ""
    args: dict[str, str] = field(default_factory=dict)
    contexts: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """As buildx takes them: ``id=ca,src=/path`` or ``id=token,env=NAME``."""
    extra: dict[str, Any] = field(default_factory=dict)
    """``network``, ``shm-size``, ``ssh``, ``ulimits``, as bake takes them."""

    @property
    def text(self) -> str:
        """The Dockerfile's text. Raises ``Misuse("dockerfile.missing")``."""
        if self.inline:
            return self.inline
        try:
            return self.dockerfile.read_text(encoding="utf-8")
        except OSError:
            raise Misuse("dockerfile.missing", service=self.service, file=self.dockerfile) from None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A compose file after Compose has read it, nothing interpolated: services of a profile left out."""

    compose: dict[str, Any]
    builds: dict[str, Build]
    images: dict[str, str]
    """Service → image reference, for those that are not built."""
    shared: dict[str, str] = field(default_factory=dict)
    """Service → the service that builds the image it uses too, under the name that both give it."""


def render(project: Project, environ: Mapping[str, str] | None = None) -> Rendered:
    """Return the project's compose file, rendered.

    Args:
        environ: values for build arguments and image names (``os.environ``). Everything else stays as written:
            only the host interpolates, from its own values.

    Raises:
        Misuse: ``compose.broken``, ``compose.missing``, ``compose.no_image``, ``compose.profile``,
            ``build.context``, ``build.unsupported``, ``build.variable``.
    """
    values = os.environ if environ is None else environ
    compose = _without_profiles(_config(project.compose_file))
    builds: dict[str, Build] = {}
    named: dict[str, str] = {}
    for name, service in compose["services"].items():
        if "build" in service:
            builds[name] = _build(name, service["build"], project, compose, values)
        elif not service.get("image"):
            raise Misuse("compose.no_image", service=name, file=project.compose_file)
        if service.get("image"):
            named[name] = interpolate(str(service["image"]), values, f"services.{name}.image")
    builder = {image: name for name, image in named.items() if name in builds}
    others = {name: image for name, image in named.items() if name not in builds}
    shared = {name: builder[image] for name, image in others.items() if image in builder}
    return Rendered(compose, builds, {name: image for name, image in others.items() if name not in shared}, shared)


def _config(file: Path) -> dict[str, Any]:
    argv = ["docker", "compose", "--file", file.name, "--project-directory", ".", "--env-file", os.devnull]
    argv += ["--project-name", "render", "config"]
    # Without --no-normalize, Compose would write the project's name into networks and volumes.
    argv += ["--no-interpolate", "--no-path-resolution", "--no-normalize", "--format", "json"]
    done = process.run(argv, cwd=file.parent, env=environment(), check=False, timeout=60)
    if not done.ok:
        raise Misuse("compose.broken", file=file, said=done.last_lines())
    compose = json.loads(done.stdout)
    compose.setdefault("services", {})
    return {key: value for key, value in compose.items() if key != "name" and not key.startswith("x-")}


def environment() -> dict[str, str]:
    """Return the environment for the Docker client: what it needs to find its engine, nothing else."""
    return process.MINIMAL | {name: os.environ[name] for name in _INHERITED if name in os.environ}


def _without_profiles(compose: dict[str, Any]) -> dict[str, Any]:
    services = compose["services"]
    kept = {name: service for name, service in services.items() if not service.get("profiles")}
    for name, service in kept.items():
        for other, condition in list(service.get("depends_on", {}).items()):
            if other in services and other not in kept:
                if condition.get("required", True):
                    raise Misuse("compose.profile", service=name, other=other)
                del service["depends_on"][other]
    return compose | {"services": kept}


def _build(
    name: str, build: dict[str, Any], project: Project, compose: dict[str, Any], values: Mapping[str, str]
) -> Build:
    if unknown := sorted(build.keys() - _KNOWN_BUILD - _IGNORED_BUILD):
        raise Misuse("build.unsupported", service=name, key=unknown[0])

    def value(key: str) -> str:
        return interpolate(str(build.get(key) or ""), values, f"services.{name}.build.{key}")

    context = _folder(name, value("context") or ".", project)
    dockerfile = context / (value("dockerfile") or "Dockerfile")
    inline = value("dockerfile_inline")
    if not inline and not dockerfile.is_file():
        raise Misuse("dockerfile.missing", service=name, file=dockerfile)
    return Build(
        name, context, dockerfile, inline, value("target"),
        _pairs(build.get("args"), values, f"services.{name}.build.args"),
        _contexts(name, build.get("additional_contexts"), project, values),
        _pairs(build.get("labels"), values, f"services.{name}.build.labels"),
        tuple(_secrets(build.get("secrets") or [], project, compose)), _extra(build),
    )  # fmt: skip


def _folder(service: str, text: str, project: Project) -> Path:
    folder = (project.compose_folder / text).resolve()
    if "://" in text or not folder.is_dir() or not folder.is_relative_to(git.top(project.root) or project.root):
        raise Misuse("build.context", service=service, context=text)
    return folder


def _contexts(service: str, listed: Any, project: Project, values: Mapping[str, str]) -> dict[str, str]:
    """Named contexts: folders become absolute; images, addresses and ``service:`` stay."""
    pairs = _pairs(listed, values, f"services.{service}.build.additional_contexts")
    return {
        name: text if ":" in text else str(_folder(service, text, project)) for name, text in pairs.items()
    }  # fmt: skip


def _pairs(listed: Any, values: Mapping[str, str], where: str) -> dict[str, str]:
    """Read a mapping, or a list of ``NAME=value`` and ``NAME`` (its value comes from the environment, if any)."""
    if isinstance(listed, list):
        split = [str(item).partition("=") for item in listed]
        listed = {name: value if equals else None for name, equals, value in split}
    found = {}
    for name, value in (listed or {}).items():
        if value is not None:
            found[str(name)] = interpolate(_text(value), values, f"{where}.{name}")
        elif name in values:
            found[str(name)] = values[name]
    return found


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _secrets(listed: list[Any], project: Project, compose: dict[str, Any]) -> Iterator[str]:
    for item in listed:
        source = item["source"] if isinstance(item, dict) else str(item)
        name = (item.get("target") if isinstance(item, dict) else None) or source
        definition = compose.get("secrets", {}).get(source, {})
        if "file" in definition:
            yield f"id={name},src={(project.compose_folder / definition['file']).resolve()}"
        else:
            yield f"id={name},env={definition.get('environment', source)}"


def _extra(build: dict[str, Any]) -> dict[str, Any]:
    names = {"network": "network", "shm_size": "shm-size"}
    extra: dict[str, Any] = {ours: str(build[theirs]) for theirs, ours in names.items() if build.get(theirs)}
    if build.get("ssh"):
        extra["ssh"] = [str(item) for item in build["ssh"]]
    if build.get("ulimits"):
        extra["ulimits"] = [f"{name}={_limit(value)}" for name, value in sorted(build["ulimits"].items())]
    return extra


def _limit(value: Any) -> str:
    return f"{value['soft']}:{value['hard']}" if isinstance(value, dict) else str(value)


def required_env(compose: Mapping[str, Any]) -> list[str]:
    """Return the names of the values without which a host cannot run ``compose``, sorted."""
    return sorted(set().union(*(required_names(text) for text in texts(compose))))


def texts(value: Any) -> Iterator[str]:
    """Yield every text inside a compose value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
