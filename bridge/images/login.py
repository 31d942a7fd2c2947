"""A Docker configuration of our own for one build: the user's, with our login, gone afterwards."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from agent.host.files import read_json, write_json
from agent.host.process import MINIMAL
from bridge.images.registry import Access

_FOLDERS: Final = ("cli-plugins", "contexts", "tls")
_INHERITED: Final = (
    "PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION",
    "BUILDX_BUILDER", "BUILDKIT_HOST", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK", "SOURCE_DATE_EPOCH",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "XDG_RUNTIME_DIR", "TMPDIR",
)  # fmt: skip


@contextmanager
def logged_in(access: Access, environ: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Yield the environment for the Docker client, logged in to ``access`` for as long as the block runs.

    Plugins, contexts, builders and the user's other logins keep working; the user's own configuration is not
    touched. The folder is readable by its owner alone and is removed whatever happens.
    """
    outer = os.environ if environ is None else environ
    theirs = Path(outer.get("DOCKER_CONFIG") or Path(outer.get("HOME", "/root")) / ".docker")
    # 0700 by its nature; in CI where the runner tidies up even after a job that was killed.
    place = outer.get("RUNNER_TEMP", "")
    folder = Path(tempfile.mkdtemp(prefix="ikoma-docker-", dir=place if Path(place).is_dir() else None))
    try:
        for name in _FOLDERS:
            if (theirs / name).is_dir():
                (folder / name).symlink_to(theirs / name)
        write_json(folder / "config.json", configuration(_read(theirs / "config.json"), access), 0o600)
        env = MINIMAL | {name: outer[name] for name in _INHERITED if name in outer}
        yield env | {
            "DOCKER_CONFIG": str(folder),
            # Newer versions ask before they read outside the current folder; in CI nobody answers, and ours is
            # the definition.
            "BUILDX_BAKE_ENTITLEMENTS_FS": "0",
            "BUILDX_CONFIG": outer.get("BUILDX_CONFIG") or str(theirs / "buildx"),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(file: Path) -> dict[str, Any]:
    """A damaged configuration of the user is Docker's business, not ours."""
    try:
        value = read_json(file, default={})
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def configuration(theirs: Mapping[str, Any], access: Access) -> dict[str, Any]:
    """Return the user's configuration with our login in it. Pure.

    A credential store would be asked before our login, so the store is kept only for the registries that the
    user is logged in to.
    """
    ours = access.address.partition("/")[0]
    auths = dict(theirs.get("auths") or {})
    helpers = dict(theirs.get("credHelpers") or {})
    if store := theirs.get("credsStore"):
        helpers |= {name: store for name, login in auths.items() if not login}
    if access.token:
        login = f"{access.username}:{access.token.reveal()}".encode()
        auths[ours] = {"auth": base64.b64encode(login).decode()}
        helpers.pop(ours, None)
    kept = {key: value for key, value in theirs.items() if key not in ("auths", "credHelpers", "credsStore")}
    return kept | {"auths": auths} | ({"credHelpers": helpers} if helpers else {})
