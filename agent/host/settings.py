"""Host settings, ``/etc/ikoma/settings.json``, written by ``host bootstrap``. Standard library only: fast path."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from agent.host.files import read_json
from agent.host.paths import Paths
from agent.model.errors import Misuse
from agent.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Settings:
    """What an administrator decides for a host.

    Attributes:
        provision: a first deployment makes database, roles and connections by itself.
        admin_dsn: administrator's connection to PostgreSQL, only for ``provision``.
        database_hosts: ``host`` or ``host:port`` of the servers that a key limited to an app may connect it to.
        audit_mb, log_mb: size at which the history begins a new file, and the agent's log starts anew.
        audit_days, journal_days: how long the history and ended operations are kept.
        database_address: ``host:port`` by which containers reach PostgreSQL.
        caddy_image: image of the reverse proxy, by digest.
        http_port, https_port: where Caddy listens on the host.
        public_tls: certificates from a public authority; otherwise Caddy's internal one.
        docker_socket: the Engine's socket.
        min_free_mb: below this a deployment does not start.
        reserve_mb: free space that only journal, clean-up and rollback may use.
        max_bundle_mb: the largest release that may bring its images along, where the registry is out of reach.
        parallel_pulls: images pulled at the same time, by all deployments of the host together.
        address_pool: private network from which each target's networks get a subnet.
        backup_repository: where backup sets go, as restic names it: a folder, ``sftp:…``, ``rest:…``, ``s3:…``.
        backup_password: what they are encrypted with.
        backup_every_hours: how often each app's set is sent; 0: only when asked.
        backup_keep: how many sets of an app stay there.
        registry: prefix of the images this host may deploy by itself, such as ``ghcr.io/acme``.
        registry_user, registry_token: its own read-only login there.
        repositories: app → ``{"url": …, "key": …}``: its repository, and the file of a read-only deploy key.
        allow_build: a commit of which CI published no release may be built on this host; recorded as such.
        allow: compose policy exceptions, e.g. ``["privileged:cadvisor"]``.
        http_door: whether the agent answers over HTTP too, on loopback.
        door_port: its port on loopback.
        door_name: a public name (or address) under which Caddy serves the door as well; empty: it does not.
        door_rate, door_burst: requests that one key may make a second, and at once.
        alert_free_mb: below this an alert is sent; 0: below twice ``min_free_mb``.
        alert_backup_hours: age of a database's newest backup on the host above which an alert is sent; 0: never.
    """

    provision: bool = False
    admin_dsn: Secret = field(default_factory=lambda: Secret(""))
    database_address: str = ""
    caddy_image: str = ""
    http_port: int = 80
    https_port: int = 443
    public_tls: bool = True
    docker_socket: str = "/var/run/docker.sock"
    min_free_mb: int = 1024
    reserve_mb: int = 64
    max_bundle_mb: int = 4096
    parallel_pulls: int = 2
    address_pool: str = "10.213.0.0/16"
    allow: tuple[str, ...] = ()
    allow_build: bool = False
    registry: str = ""
    registry_user: str = ""
    registry_token: Secret = field(default_factory=lambda: Secret(""))
    repositories: dict[str, Any] = field(default_factory=dict)
    backup_repository: Secret = field(default_factory=lambda: Secret(""))
    backup_password: Secret = field(default_factory=lambda: Secret(""))
    backup_every_hours: int = 24
    backup_keep: int = 14
    database_hosts: tuple[str, ...] = ()
    audit_mb: int = 16
    audit_days: int = 730
    journal_days: int = 180
    log_mb: int = 16
    http_door: bool = False
    door_port: int = 3000
    door_name: str = ""
    door_rate: int = 50
    door_burst: int = 400
    alert_free_mb: int = 0
    alert_backup_hours: int = 168


def load(paths: Paths) -> Settings:
    """Return the host's settings (defaults when there is no file).

    Raises:
        Misuse: ``settings.invalid`` for a damaged file, an unknown key or a value of the wrong type.
    """
    try:
        data = read_json(paths.settings, default={})
    except ValueError as error:
        raise Misuse("settings.invalid", file=paths.settings, reason=str(error)) from None
    return parse(data, str(paths.settings))


def parse(data: Any, name: str) -> Settings:
    """Return the settings in ``data``; see ``load``."""
    if not isinstance(data, dict):
        raise Misuse("settings.invalid", file=name, reason="it is no JSON object")
    known = {item.name: item for item in fields(Settings)}
    defaults = Settings()
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key not in known:
            raise Misuse("settings.invalid", file=name, reason=f"unknown key “{key}”")
        values[key] = _typed(key, value, getattr(defaults, key), name)
    return Settings(**values)


def _typed(key: str, value: Any, default: Any, name: str) -> Any:
    if isinstance(default, Secret) and isinstance(value, str):
        return Secret(value)
    if isinstance(default, tuple) and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if type(value) is type(default):
        return value
    raise Misuse("settings.invalid", file=name, reason=f"“{key}” must be a {type(default).__name__}")
