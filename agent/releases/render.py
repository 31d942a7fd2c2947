"""From a release's manifest to the compose file that runs on this host. Pure but for ``materialise``.

The text keeps its ``${NAME}``: values stay in ``app.env``, so that an ordinary ``docker compose up -d`` in the
target's folder means the same as what the agent does.
"""

from __future__ import annotations

import copy
import hashlib
import posixpath
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agent.model.contract import Logs
from agent.model.names import fingerprint
from agent.model.release import MountedFile, Release

HASH: Final = "ikoma.hash"
TAG_VARIABLE: Final = "IKOMA_IMAGE_TAG"
_LONG_RUNNING: Final = ("routed", "worker", "stateful")

Compose = dict[str, Any]


def compose_file(
    release: Release, slug: str, subnets: Mapping[str, str] | None = None, hashes: Mapping[str, str] | None = None
) -> Compose:
    """Return the compose file of ``release`` on this host.

    Args:
        subnets: network of the file → its subnet; given to networks that declare no addresses themselves.
        hashes: service → its hash, for its label; without them the file is the one that is judged and hashed.
    """
    document = copy.deepcopy(release.compose)
    document["name"] = slug
    places = Places(release.files)
    for name, service in document["services"].items():
        _service(release, name, service, places)
        if hashes is not None:
            _our_labels(release, slug, service, hashes[name])
    for kind in ("configs", "secrets"):
        for entry in (document.get(kind) or {}).values():
            if isinstance(entry, dict) and "file" in entry:
                entry["file"] = places.source(entry["file"])
    _addresses(document, subnets or {})
    return document


def networks_of(compose: Compose) -> list[str]:
    """Return the networks of a compose file that need a subnet from this host."""
    declared = dict(compose.get("networks") or {})
    if any(_uses_default(service) for service in compose["services"].values()):
        declared.setdefault("default", None)
    return sorted(name for name, network in declared.items() if _needs_addresses(network))


def _service(release: Release, name: str, service: Compose, places: Places) -> None:
    facts = release.services[name]
    service["image"] = facts.image
    service.pop("build", None)
    if facts.tag:
        service["environment"] = {**mapping(service.get("environment")), TAG_VARIABLE: facts.tag}
    if facts.kind in _LONG_RUNNING and "restart" not in service:
        service["restart"] = "unless-stopped"
    service.setdefault("logging", _logging(release.retention.logs))
    service["volumes"] = [places.volume(item) for item in service.get("volumes") or []]
    if service.get("env_file"):
        service["env_file"] = _env_files(service["env_file"], places)
    _alias(name, service, "container_name")
    if facts.kind == "routed" and facts.rollout == "start-first":
        _alias(name, service, "hostname")


def _logging(kept: Logs) -> Compose:
    return {"driver": "json-file", "options": {"max-size": kept.max_size, "max-file": str(kept.files)}}


def _alias(name: str, service: Compose, key: str) -> None:
    """Keep a name as an alias, which the agent moves when the gate is passed.

    A fixed container name forbids a second container beside the first, and the Engine's DNS hands out a container's
    host name from the moment it starts.
    """
    fixed = service.pop(key, None)
    if fixed and fixed != name and not service.get("network_mode"):
        networks = service.get("networks") or {"default": None}
        if isinstance(networks, list):
            networks = dict.fromkeys(networks)
        service["networks"] = {
            key: {**(value or {}), "aliases": [*((value or {}).get("aliases") or []), fixed]}
            for key, value in networks.items()
        }


def _env_files(value: Any, places: Places) -> list[str]:
    """Return where the environment files lie; an optional one that the release does not bring is left out."""
    found = []
    for entry in value if isinstance(value, list) else [value]:
        path, must = (entry["path"], entry.get("required", True)) if isinstance(entry, dict) else (entry, True)
        place = "app.env" if posixpath.normpath(path) in (".env", "app.env") else places.source(path)
        if must or not place.startswith("./data"):
            found.append(place)
    return found


def _our_labels(release: Release, slug: str, service: Compose, digest: str) -> None:
    service["labels"] = {
        **mapping(service.get("labels")),
        HASH: digest,
        "ikoma.target": slug,
        "ikoma.app": release.app,
        "ikoma.environment": release.environment,
    }


def _addresses(document: Compose, subnets: Mapping[str, str]) -> None:
    if not subnets:
        return
    networks = document.setdefault("networks", {}) or {}
    document["networks"] = networks
    for name, subnet in subnets.items():
        upper = subnet.replace(".0/24", ".128/25")
        networks[name] = {**(networks.get(name) or {}), "ipam": {"config": [{"subnet": subnet, "ip_range": upper}]}}


def _uses_default(service: Compose) -> bool:
    return not service.get("networks") and not service.get("network_mode")


def _needs_addresses(network: Any) -> bool:
    return not network or not (network.get("external") or (network.get("ipam") or {}).get("config"))


def mapping(value: Any) -> dict[str, Any]:
    """Return an ``environment`` or ``labels`` section as a mapping, whichever of the two forms it has."""
    if isinstance(value, list):
        pairs = (item.partition("=") for item in value)
        return {key: rest if equals else None for key, equals, rest in pairs}
    return dict(value or {})


class Places:
    """Where the files that compose mounts lie in the target's folder."""

    def __init__(self, files: list[MountedFile]) -> None:
        self._files = {posixpath.normpath(item.path): item for item in files}

    def source(self, path: str) -> str:
        """Return the place of ``path``: by content when the release brings it, otherwise the target's own data."""
        if path.startswith(("/", "~", "$")):
            return path
        wanted = posixpath.normpath(path)
        if wanted.startswith(".."):
            return path
        if (file := self._files.get(wanted)) is not None:
            return f"./files/{file_name(file)}"
        if tree := self.tree(wanted):
            return f"./files/{tree_name(tree)}"
        return "./data" if wanted == "." else f"./data/{wanted}"

    def volume(self, item: Any) -> Any:
        """Return a mount with its source in place; named volumes stay."""
        if isinstance(item, dict):
            if item.get("type") != "bind":
                return item
            source = self.source(item["source"])
            return item | {"source": source} | ({"read_only": True} if _released(source) else {})
        source, colon, rest = str(item).partition(":")
        if not colon or not source.startswith((".", "/", "~")):
            return item
        source = self.source(source)
        return f"{source}:{_read_only(rest) if _released(source) else rest}"

    def tree(self, folder: str) -> dict[str, MountedFile]:
        """Return the files below ``folder`` by their path inside it."""
        prefix = "" if folder == "." else folder + "/"
        return {path[len(prefix) :]: file for path, file in self._files.items() if path.startswith(prefix)}


def _released(source: str) -> bool:
    """Whether a mount shows files of the release.

    A container may not write to them: the agent writes the next release through the same folders, and would follow a
    link that stands there.
    """
    return source.startswith("./files/")


def _read_only(rest: str) -> str:
    """Return ``target[:options]`` of a short mount with ``ro`` among its options."""
    target, _, options = rest.partition(":")
    kept = [option for option in options.split(",") if option not in ("", "rw", "ro")]
    return f"{target}:{','.join([*kept, 'ro'])}"


def file_name(file: MountedFile) -> str:
    """The name of a mounted file: its content, and whether it may be executed."""
    return file.sha256 + ("-x" if file.executable else "")


def tree_name(tree: Mapping[str, MountedFile]) -> str:
    """The name of a mounted folder: what is in it."""
    return "tree-" + fingerprint({path: file_name(file) for path, file in tree.items()})[:32]


def materialise(release: Release, source: Path, files: Path) -> None:
    """Put the files that ``release`` mounts from the folder ``source`` into ``files``. Repeatable."""
    if not release.files:
        return
    files.mkdir(parents=True, exist_ok=True)
    for file in release.files:
        _copy(source / "files" / file.sha256, files / file_name(file), file)
    places = Places(release.files)
    for folder in _mounted_folders(release):
        tree = places.tree(folder)
        for path, file in tree.items():
            _copy(source / "files" / file.sha256, files / tree_name(tree) / path, file)


def _mounted_folders(release: Release) -> set[str]:
    volumes = [item for service in release.compose["services"].values() for item in service.get("volumes") or []]
    sources = {item["source"] if isinstance(item, dict) else item.partition(":")[0]
               for item in volumes if not isinstance(item, dict) or item.get("type") == "bind"}  # fmt: skip
    return {posixpath.normpath(source) for source in sources if not source.startswith(("/", "~", "$"))}


def _copy(source: Path, target: Path, file: MountedFile) -> None:
    """Put a file there unless it is there already: what has its name and other content, a container wrote."""
    if target.is_file() and not target.is_symlink() and _sha256(target) == file.sha256:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    shutil.copyfile(source, partial)
    partial.chmod(0o755 if file.executable else 0o644)
    partial.replace(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
