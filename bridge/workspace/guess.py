"""The smallest contract for a repository that has none, and why each thing in it was guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.host.files import write_atomic
from agent.model import messages
from agent.model.contract import FILE
from agent.model.contract import load as load_contract
from agent.model.errors import Misuse
from agent.model.names import MIGRATION_FILE, NAME
from bridge.workspace.dockerfile import parse

DEFAULT_COMPOSE: Final = "docker-compose.yml"
_COMPOSE: Final = (
    "docker-compose.prod.yml", "docker-compose.production.yml", "compose.prod.yaml", "compose.production.yaml",
    "compose.yaml", "compose.yml", DEFAULT_COMPOSE, "docker-compose.yaml",
)  # fmt: skip
_SKIPPED: Final = frozenset({"node_modules", ".git", ".venv", "dist", ".next", ".turbo"})
_PUBLIC: Final = ("website", "web", "www", "site", "frontend", "front", "app", "client")
_GENERIC: Final = frozenset({"root", "monorepo", "workspace", "repo", "app", "project"})
_SCHEMA = re.compile(r"^\s*CREATE\s+SCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?\"?([a-z_][a-z0-9_]*)", re.I | re.M)
_UNQUALIFIED = re.compile(r"^\s*CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?\"?[a-z_][a-z0-9_]*\"?\s*\(", re.I | re.M)
_DEEPEST: Final = 4


@dataclass(slots=True)
class Guess:
    """A contract as plain data, and the reasons as (message id, parameters)."""

    contract: dict[str, Any] = field(default_factory=dict)
    reasons: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def because(self, message_id: str, **params: object) -> None:
        """Note a reason."""
        self.reasons.append((message_id, params))

    @property
    def text(self) -> str:
        """The contract as it is written."""
        return json.dumps(self.contract, indent=2, ensure_ascii=False) + "\n"

    def lines(self, lang: str | None = None) -> list[str]:
        """Return the reasons as sentences."""
        return [messages.text(message_id, _translated(params, lang), lang) for message_id, params in self.reasons]


def _translated(params: dict[str, object], lang: str | None) -> dict[str, object]:
    """A reason inside a reason is a message too."""
    known = messages.catalogue()
    return {name: messages.text(str(value), {}, lang) if value in known else value for name, value in params.items()}


def propose(repo: Path, app: str = "") -> Guess:
    """Return a contract for ``repo``; nothing is written.

    Raises:
        Misuse: ``guess.exists`` when there is one already, ``guess.no_compose``, ``name.bad``.
    """
    if (repo / FILE).exists():
        raise Misuse("guess.exists", file=repo / FILE)
    guess = Guess()
    _app(guess, repo, app)
    services = _compose(guess, repo)
    _migrations(guess, repo)
    _routes(guess, repo, services)
    _advise(guess, repo, services)
    load_contract(guess.text)
    return guess


def write(repo: Path, guess: Guess) -> Path:
    """Write the contract and return its path. Raises ``Misuse("guess.exists")``."""
    file = repo / FILE
    if file.exists():
        raise Misuse("guess.exists", file=file)
    write_atomic(file, guess.text)
    return file


def _app(guess: Guess, repo: Path, asked: str) -> None:
    package = _name(str(_json(repo / "package.json").get("name", "")).rpartition("/")[2])
    if asked:
        name, why = asked, "guess.asked"
    elif package and package not in _GENERIC:
        name, why = package, "guess.package_name"
    else:
        name, why = _name(repo.resolve().name) or "app", "guess.folder_name"
    guess.contract["app"] = name
    guess.because("guess.app", value=name, why=why)


def _name(text: str) -> str:
    cleaned = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-0123456789")[:31].strip("-")
    return cleaned if NAME.fullmatch(cleaned) else ""


def _json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _compose(guess: Guess, repo: Path) -> dict[str, dict[str, Any]]:
    """Choose the compose file and return its services."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    name = next((name for name in _COMPOSE if (repo / name).is_file()), None)
    if name is None:
        raise Misuse("guess.no_compose", repo=repo)
    if name != DEFAULT_COMPOSE:
        guess.contract["compose"] = name
        guess.because("guess.compose", value=name)
    try:
        document = YAML(typ="safe").load(repo / name)
    except YAMLError as error:
        raise Misuse("compose.broken", file=repo / name, said=" ".join(str(error).split())[:300]) from None
    services = document.get("services") if isinstance(document, dict) else None
    return {str(key): value or {} for key, value in (services or {}).items()}


def _migrations(guess: Guess, repo: Path) -> None:
    folders: dict[str, list[Path]] = {}
    for file in _sql_files(repo, repo, 0):
        folders.setdefault(file.parent.relative_to(repo).as_posix(), []).append(file)
    if not folders:
        guess.contract["migrations"] = False
        guess.because("guess.no_migrations")
        return
    folder = max(sorted(folders), key=lambda name: (len(folders[name]), name == "migrations"))
    schemas = _schemas(folders[folder])
    stated = ({"folder": folder} if folder != "migrations" else {}) | ({"schemas": schemas} if schemas else {})
    if stated:
        guess.contract["migrations"] = stated
    guess.because("guess.migrations", value=folder, count=len(folders[folder]))
    if schemas:
        guess.because("guess.schemas", value=", ".join(schemas))


def _sql_files(repo: Path, folder: Path, depth: int) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            if depth < _DEEPEST and entry.name not in _SKIPPED:
                yield from _sql_files(repo, entry, depth + 1)
        elif MIGRATION_FILE.fullmatch(entry.name):
            yield entry


def _schemas(files: list[Path]) -> list[str]:
    """Return the schemas that the migrations own when they are others than ``public`` alone."""
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    made = dict.fromkeys(name.lower() for text in texts for name in _SCHEMA.findall(text))
    if made and any(_UNQUALIFIED.search(text) for text in texts):
        made = {"public": None, **made}
    return list(made) if list(made) != ["public"] else []


def _routes(guess: Guess, repo: Path, services: dict[str, dict[str, Any]]) -> None:
    ports = {name: port for name, service in services.items() if "build" in service and (port := _port(repo, service))}
    public = [name for name in ports if name in _PUBLIC or name.split("-")[-1] in _PUBLIC]
    faces = public or list(ports)
    if len(faces) == 1:
        host, upstream = f"{guess.contract['app']}.localhost", f"{faces[0]}:{ports[faces[0]]}"
        guess.contract["routes"] = {host: upstream}
        guess.because("guess.route", host=host, upstream=upstream)
    else:
        guess.because("guess.no_route", services=", ".join(faces) or "-")


def _port(repo: Path, service: dict[str, Any]) -> str:
    """Return the port that a service listens on: as exposed, as published, or as its Dockerfile says."""
    for item in service.get("expose") or []:
        return str(item).partition("/")[0]
    for item in service.get("ports") or []:
        target = str(item.get("target")) if isinstance(item, dict) else str(item).rpartition(":")[2]
        return target.partition("/")[0]
    return next(iter(_exposed(repo, service["build"])), "")


def _exposed(repo: Path, build: Any) -> list[str]:
    section = build if isinstance(build, dict) else {"context": build}
    file = repo / str(section.get("context", ".")) / str(section.get("dockerfile", "Dockerfile"))
    try:
        instructions = parse(file.read_text(encoding="utf-8")).instructions
    except (OSError, Misuse):
        return []
    words = [word for item in instructions if item.keyword == "EXPOSE" for word in item.words]
    return [word.partition("/")[0] for word in words if word.partition("/")[0].isdigit()]


def _advise(guess: Guess, repo: Path, services: dict[str, dict[str, Any]]) -> None:
    text = json.dumps([service.get("environment") for service in services.values()], default=str)
    for name, service in services.items():
        if "build" not in service:
            continue
        if service.get("ports"):
            guess.because("guess.ports", service=name)
        needed = any(name in (other.get("depends_on") or []) for other in services.values())
        if not _port(repo, service) and not needed and f"//{name}:" not in text:
            guess.because("guess.worker", service=name)
        elif "healthcheck" not in service:
            guess.because("guess.no_health", service=name)
