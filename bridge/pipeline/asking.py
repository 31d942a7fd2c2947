"""What an app asks of its environment file, found in its compose file and its sources."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from agent.host import process
from agent.model.errors import IkomaError, Misuse
from agent.model.names import PRODUCTION
from bridge.pipeline import appenv
from bridge.pipeline.settings import Where

_SOURCES: Final = frozenset({".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".py", ".vue", ".svelte"})
_TESTS: Final = frozenset({"test", "tests", "__tests__", "spec", "e2e", "scripts"})
_LARGEST: Final = 1024 * 1024


def file_of(where: Where, given: str) -> Path:
    """Return the environment file meant: the one given, else ``app.env`` (``app.ENV.env``) in the repository."""
    if given:
        return Path(given).expanduser()
    name = "app.env" if where.environment == PRODUCTION else f"app.{where.environment}.env"
    return where.flags.repo / name


def read(path: Path) -> str:
    """Return the file's text. Raises ``Misuse("cli.unreadable")``."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise Misuse("cli.unreadable", path=path, reason=reason) from None


def values(path: Path) -> dict[str, str | None]:
    """Return what the file assigns, as ``appenv.parse``."""
    return appenv.parse(read(path), str(path))


def wanted(where: Where) -> list[appenv.Wanted]:
    """Return what compose and code ask for; what compose sets itself is not asked for."""
    from bridge.images.render import render, required_env, texts
    from bridge.workspace.project import Project

    project = Project.open(where.flags.repo, where.environment)
    compose = without_builds(render(project).compose)
    code = _names_in_sources(project.root) - _set_by_compose(compose)
    return appenv.wanted(required_env(compose), texts(compose), code)


def without_builds(compose: dict[str, Any]) -> dict[str, Any]:
    """Return the document without what only an image build uses."""
    services = {
        name: {key: value for key, value in service.items() if key not in ("build", "image")}
        for name, service in compose["services"].items()
    }
    return compose | {"services": services}


def _set_by_compose(compose: dict[str, Any]) -> set[str]:
    names: set[str] = set()
    for service in compose["services"].values():
        environment = service.get("environment") or {}
        names |= set(environment) if isinstance(environment, dict) else {item.partition("=")[0] for item in environment}
    return names


def _names_in_sources(root: Path) -> set[str]:
    from bridge.workspace import git

    tracked = git.tracked(root)
    files: Iterable[str] = tracked if tracked is not None else ()
    found: set[str] = set()
    for name in files:
        path = root / name
        if path.suffix in _SOURCES and _TESTS.isdisjoint(Path(name).parts) and path.is_file():
            found |= appenv.names_in_code(_head(path))
    return found


def _head(path: Path) -> str:
    with path.open("rb") as stream:
        return stream.read(_LARGEST).decode(errors="replace")


def is_exposed(path: Path) -> bool:
    """Say whether git would commit the file: it stands in a work tree and nothing ignores it."""
    folder = str(path.resolve().parent)
    try:
        inside = process.run(["git", "-C", folder, "rev-parse", "--is-inside-work-tree"], check=False)
        ignored = process.run(["git", "-C", folder, "check-ignore", "--quiet", path.name], check=False)
    except IkomaError:  # no git here: nothing is committed either
        return False
    return inside.ok and not ignored.ok
