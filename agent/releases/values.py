"""The values a release asks of its host: which are missing, and how to look at the rest without them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.host import envfile
from agent.host.paths import TargetPaths
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.model.release import Release
from agent.model.secret import MASK

if TYPE_CHECKING:
    from agent.releases.site import Site

_SHORTEST: Final = 4
_PORT: Final = re.compile(r"[0-9]{0,5}")
_PARTS: Final = re.compile(r"[^A-Za-z0-9_]+")


def lacking(home: TargetPaths, release: Release) -> list[str]:
    """Return the names without which compose refuses ``release`` and that ``app.env`` does not have, sorted."""
    return sorted(set(release.required_env) - set(envfile.read(home.app_env)))


def problem(target: Target, names: list[str]) -> IkomaError:
    """Return the error that names them and says how to send them."""
    keys = ", ".join(names)
    return IkomaError("preflight.environment", keys=keys, app=target.app, environment=target.environment)


@contextmanager
def standing_in(site: Site, names: list[str]) -> Iterator[Path]:
    """Yield a copy of ``app.env`` in which a made-up word stands for each of ``names``; it is gone at the end."""
    with tempfile.TemporaryDirectory(dir=site.workplace, prefix=".preflight-") as folder:
        values = Path(folder) / "app.env"
        envfile.write(values, envfile.read(site.home.app_env) | dict.fromkeys(names, "missing"))
        yield values


def veil(home: TargetPaths, known: str) -> Callable[[Any], Any]:
    """Return a function that hides the target's values in what is told of a release that somebody sent.

    Whoever may look at a plan writes the compose file that is planned, and so where a value goes: into the name of a
    volume that is refused, or cut up at its colons into a port that is none. What stands in that file anyway,
    ``known``, is no news to him and stays readable.
    """
    found = {value for value in envfile.read(home.app_env).values() if not _PORT.fullmatch(value)}
    parts = {part for value in found for part in (value, *_PARTS.split(value))}
    forms = {form for part in parts for form in (part, part.lower(), part.replace('"', '\\"'))}
    hidden = sorted((form for form in forms if len(form) >= _SHORTEST and form not in known), key=len, reverse=True)

    def shown(told: Any) -> Any:
        if isinstance(told, dict):
            return {name: shown(value) for name, value in told.items()}
        if isinstance(told, list):
            return [shown(value) for value in told]
        for form in hidden if isinstance(told, str) else ():
            told = told.replace(form, MASK)
        return told

    return shown
