"""The one place that knows where things live on a host."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from agent.model.names import Target


@dataclass(frozen=True, slots=True)
class TargetPaths:
    """Folders and files of one target below ``/srv/apps/<slug>``."""

    base: Path

    @property
    def app_env(self) -> Path:
        """Values given to compose, 0600."""
        return self.base / "app.env"

    @property
    def agent_env(self) -> Path:
        """Values for the agent alone (``SUPABASE_DB_DSN``), 0600; never given to a container."""
        return self.base / "agent.env"

    @property
    def compose(self) -> Path:
        """The compose file that runs: plain ``docker compose up -d`` in this folder works with it."""
        return self.base / "docker-compose.yml"

    @property
    def dotenv(self) -> Path:
        """Symbolic link to ``app.env`` so that plain compose finds the values."""
        return self.base / ".env"

    @property
    def releases(self) -> Path:
        return self.base / "releases"

    @property
    def files(self) -> Path:
        """Files that compose mounts, by content hash."""
        return self.base / "files"

    @property
    def current(self) -> Path:
        """JSON: the release that serves (id, operation, since)."""
        return self.base / "current.json"

    def release(self, release: str) -> Path:
        """Folder of one release's record: ``release.json``, ``record.json``, ``docker-compose.yml``, ``app.env``."""
        return self.releases / release


@dataclass(frozen=True, slots=True)
class Paths:
    """All paths of the agent below one root (``/``; tests use a temporary folder)."""

    root: Path = Path("/")

    @classmethod
    def from_environment(cls) -> Paths:
        """Return the paths below ``IKOMA_ROOT``, by default ``/``."""
        return cls(Path(os.environ.get("IKOMA_ROOT", "/")))

    @property
    def etc(self) -> Path:
        return self.root / "etc/ikoma"

    @property
    def settings(self) -> Path:
        return self.etc / "settings.json"

    @property
    def keys(self) -> Path:
        return self.etc / "keys.json"

    @property
    def policies(self) -> Path:
        """When targets may be deployed to; only root can write it."""
        return self.etc / "policies.json"

    @property
    def faults(self) -> Path:
        """Fault injection for tests; only root can write it."""
        return self.etc / "faults.json"

    @property
    def apps(self) -> Path:
        return self.root / "srv/apps"

    @property
    def state(self) -> Path:
        return self.root / "var/lib/ikoma"

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    @property
    def tick(self) -> Path:
        """Touched after every committed event; followers watch it with inotify."""
        return self.state / "tick"

    @property
    def locks(self) -> Path:
        return self.state / "locks"

    @property
    def incoming(self) -> Path:
        """Verified request bodies and bundles, one folder an operation."""
        return self.state / "incoming"

    @property
    def hash_key(self) -> Path:
        """Key of the HMAC in service hashes: a label must not allow guessing values."""
        return self.state / "hash.key"

    @property
    def proxy(self) -> Path:
        """Caddy's configuration and data, written by the agent."""
        return self.state / "proxy"

    @property
    def backups(self) -> Path:
        return self.root / "var/backups/ikoma"

    def repository(self, target: Target) -> Path:
        """The clone that ``ikoma deploy up`` keeps in step with the app's repository."""
        return self.state / "repositories" / target.slug

    @property
    def log(self) -> Path:
        return self.root / "var/log/ikoma"

    @property
    def audit(self) -> Path:
        return self.log / "audit.jsonl"

    @property
    def api_keys(self) -> Path:
        """SHA-256 sums of API secrets, and which keys are revoked: what calls may change about keys."""
        return self.state / "api-keys.json"

    @property
    def alerts(self) -> Path:
        """To whom alerts go: addresses that hold secrets, 0600."""
        return self.state / "alerts.json"

    @property
    def alert_state(self) -> Path:
        """What alerts were told, and what waits to be sent; no address and no secret."""
        return self.state / "alerts-state.json"

    @property
    def audit_head(self) -> Path:
        """Number and hash of the last line of the history, noted away from it."""
        return self.state / "audit.head"

    @property
    def opt(self) -> Path:
        return self.root / "opt/ikoma"

    def target(self, target: Target) -> TargetPaths:
        return TargetPaths(self.apps / target.slug)
