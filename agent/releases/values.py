"""The values a release asks of its host: which are missing, and how to look at the rest without them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.host import envfile
from agent.host.paths import TargetPaths
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.model.release import Release


def lacking(home: TargetPaths, release: Release) -> list[str]:
    """Return the names without which compose refuses ``release`` and that ``app.env`` does not have, sorted."""
    return sorted(set(release.required_env) - set(envfile.read(home.app_env)))


def problem(target: Target, names: list[str]) -> IkomaError:
    """Return the error that names them and says how to send them."""
    keys = ", ".join(names)
    return IkomaError("preflight.environment", keys=keys, app=target.app, environment=target.environment)


@contextmanager
def standing_in(home: TargetPaths, names: list[str]) -> Iterator[Path]:
    """Yield a copy of ``app.env`` in which a made-up word stands for each of ``names``; it is gone at the end."""
    home.base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.base, prefix=".preflight-") as folder:
        values = Path(folder) / "app.env"
        envfile.write(values, envfile.read(home.app_env) | dict.fromkeys(names, "missing"))
        yield values
