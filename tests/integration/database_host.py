"""A host's folders below a temporary root, and operations on one target of it, against a real PostgreSQL."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from agent.capabilities.call import Call
from agent.database import target as targets
from agent.database.connect import connect
from agent.database.provision import Names
from agent.host import envfile, platform
from agent.host.keys import LOCAL
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model import dsn as dsns
from agent.model.dsn import Dsn
from agent.model.names import Target
from agent.model.release import Release, ReleaseMigration
from agent.operations.step import Context
from agent.operations.steps import provision
from agent.protocol import EventKind
from tests.integration.postgres import Cluster

IMAGE = "registry.example/suite/web@sha256:" + "0" * 64
FILES = {
    "0001_app.sql": "create schema app; create table app.notes (id int generated always as identity, text text);\n",
    "0002_public.sql": "create table visits (n int); create view app.all_notes as select * from app.notes;\n",
}


class Notebook:
    """The durable side of an operation, kept in memory."""

    def __init__(self) -> None:
        self.events: list[tuple[EventKind, dict[str, Any]]] = []
        self.noted: dict[str, dict[str, Any]] = {}

    def emit(self, kind: EventKind, data: dict[str, Any]) -> None:
        self.events.append((kind, data))

    def note(self, step: str, facts: dict[str, Any]) -> None:
        self.noted.setdefault(step, {}).update(facts)

    def notes(self, step: str) -> dict[str, Any]:
        return self.noted.get(step, {})

    def progress(self) -> list[str]:
        return [data["text"] for kind, data in self.events if kind == "progress"]


class Host:
    """A host's folders below a temporary root, and operations on one target of it."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.paths, self.settings, self.target = Paths(root), settings, Target("suite", "staging")
        self.home = self.paths.target(self.target)
        self.home.base.mkdir(parents=True)
        self.paths.state.mkdir(parents=True)
        self.notebook = Notebook()

    def bundle(self, files: dict[str, str], **changes: Any) -> tuple[Path, Release]:
        migrations = [
            ReleaseMigration(file=name, sha256=hashlib.sha256(text.encode()).hexdigest())
            for name, text in files.items()
        ]
        values: dict[str, Any] = {
            "app": "suite", "environment": "staging", "platform": f"linux/{platform.architecture()}",
            "compose": {"services": {"web": {"image": IMAGE}}}, "services": {"web": {"image": IMAGE, "kind": "routed"}},
            "schemas": ["public", "app"],
        }  # fmt: skip
        release = Release.model_validate(values | {"migrations": migrations} | changes)
        folder = self.paths.incoming / release.id
        (folder / "migrations").mkdir(parents=True, exist_ok=True)
        (folder / "release.json").write_text(json.dumps(release.to_json()))
        for name, text in files.items():
            (folder / "migrations" / name).write_text(text)
        return folder, release

    def context(self, files: dict[str, str] | None = None, lang: str = "en", **changes: Any) -> Context:
        folder, release = self.bundle(FILES if files is None else files, **changes)
        args = {"release": release.id}
        return Context("op-1", self.target, self.paths, self.settings, args, folder, self.notebook, lang, step="probe")

    def call(self, **args: Any) -> Call:
        return Call(self.target, args, self.paths, self.settings, grant=LOCAL)

    def dsn(self) -> Dsn:
        return targets.required(self.home, self.target)


@pytest.fixture
def host(tmp_path: Path, cluster: Cluster) -> Host:
    settings = Settings(
        provision=True,
        admin_dsn=cluster.admin.url(),
        database_address=f"127.0.0.1:{cluster.admin.port}",
        docker_socket=str(tmp_path / "no-engine.sock"),
        min_free_mb=1,
    )
    found = Host(tmp_path, settings)
    yield_names = Names.of(found.target.slug)
    with connect(cluster.admin, "tests") as admin:
        admin.execute(f'drop database if exists "{yield_names.database}" with (force)'.encode())
        for role in (yield_names.app, yield_names.migrator):
            admin.execute(f'drop role if exists "{role}"'.encode())
    return found


def provisioned(host: Host) -> Context:
    ctx = host.context()
    assert provision.needed(ctx)
    provision.Provision().apply(ctx)
    return ctx


def as_app(host: Host) -> Dsn:
    return dsns.parse(envfile.read(host.home.app_env)["DATABASE_URL"])
