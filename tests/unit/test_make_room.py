"""Room on a short disk, and after a success: what of releases, images and restore points goes, and what never does."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from agent.database.backup import store
from agent.host import platform
from agent.host.files import read_json, write_json
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.operations.step import Context
from agent.operations.steps import make_room, retire
from agent.protocol import EventKind
from agent.releases import records, retention
from agent.releases.site import Site


class Engine:
    """An Engine with no container, which remembers what it was asked to remove."""

    def __init__(self) -> None:
        self.removed = list[str]()

    def info(self) -> dict[str, Any]:
        return {"DockerRootDir": "/docker"}

    def all_containers(self) -> list[dict[str, Any]]:
        return []

    def containers(self, _project: str) -> list[dict[str, Any]]:
        return []

    def remove_image(self, reference: str) -> bool:
        self.removed.append(reference)
        return True


class Journal:
    """A journal of an operation that has noted nothing."""

    def emit(self, _kind: EventKind, _data: dict[str, Any]) -> None:
        raise AssertionError("nothing is told")

    def note(self, _step: str, _facts: dict[str, Any]) -> None:
        raise AssertionError("nothing is noted")

    def notes(self, _step: str) -> dict[str, Any]:
        return {}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(Site, "engine", property(lambda self: made))
    return made


@pytest.fixture
def ctx(tmp_path: Path, engine: Engine) -> Context:
    """Three releases of which two are kept; the second was migrated to, and another app has its own backups."""
    made = Context("op-1", Target("shop"), Paths(tmp_path), Settings(min_free_mb=1000), {}, None, Journal())
    for number in (1, 2, 3):
        release(made, number, f"rp-{number}", backups={"keep": 2})
    current(made, 3, 2)
    for slug in ("shop", "shop-staging"):
        for number in range(1, 8):
            backup(made, slug, f"rp-{number}", number)
        backup(made, slug, "mine", 0, "manual")
    return made


def release(ctx: Context, number: int, point: str, **manifest: Any) -> None:
    site, name, image = Site.of(ctx, ctx.target), f"r-{number:012x}", f"registry.example/web@sha256:{number:064x}"
    site.home.release(name).mkdir(parents=True)
    write_json(site.home.release(name) / records.RECORD, {
        "release": name, "deployed": f"2026-01-{number:02}", "services": {"web": {"image": image}}, "retention": 2,
        "restore_point": point,
    })  # fmt: skip
    write_json(site.home.release(name) / records.MANIFEST, manifest)
    retention.hold(site, [image])


def current(ctx: Context, number: int, previous: int) -> None:
    write_json(ctx.home.current, {"release": f"r-{number:012x}", "previous": f"r-{previous:012x}", "status": "HEALTHY",
                                  "since": "", "operation": ""})  # fmt: skip


def backup(ctx: Context, slug: str, name: str, day: int, kind: store.Kind = "restore-point") -> None:
    folder = ctx.paths.backups / slug
    folder.mkdir(parents=True, exist_ok=True)
    made = store.Backup(name, kind, f"2026-01-{day + 1:02}", "shop", 15, 1, 1, "", 1.0)
    store.dump(folder, name).write_text("x")
    write_json(folder / f"{name}.json", asdict(made))


def names(ctx: Context, slug: str = "shop") -> list[str]:
    return sorted(item.name for item in store.all_of(ctx.paths.backups / slug))


def test_a_short_disk_gets_what_no_rollback_needs(ctx: Context, engine: Engine) -> None:
    done = make_room.MakeRoom().apply(ctx)
    assert done.status == "done"
    assert [item["release"] for item in records.all_records(Site.of(ctx, ctx.target))] == [f"r-{3:012x}", f"r-{2:012x}"]
    assert engine.removed == [f"registry.example/web@sha256:{1:064x}"]
    assert names(ctx) == ["mine", "rp-2", "rp-3", "rp-6", "rp-7"], "the latest two, two that releases need, one by hand"
    assert names(ctx, "shop-staging") == ["mine", *(f"rp-{number}" for number in range(1, 8))], "another target's"
    assert not store.dump(ctx.paths.backups / "shop", "rp-5").exists()
    assert make_room.MakeRoom().apply(ctx).status == "skipped", "once more there is nothing"


def test_a_success_retires_restore_points_as_well(ctx: Context) -> None:
    assert retire.Retire().apply(ctx).status == "done"
    assert names(ctx) == ["mine", "rp-2", "rp-3", "rp-6", "rp-7"]
    assert retire.Retire().apply(ctx).status == "skipped"


def test_a_contract_that_says_nothing_keeps_five(ctx: Context) -> None:
    write_json(ctx.home.release(f"r-{3:012x}") / records.MANIFEST, {})
    make_room.MakeRoom().apply(ctx)
    assert names(ctx) == ["mine", *(f"rp-{number}" for number in range(2, 8))]


def test_before_the_first_release_nothing_goes(ctx: Context, engine: Engine) -> None:
    ctx.home.current.unlink()
    before = names(ctx)
    assert make_room.MakeRoom().apply(ctx).status == "skipped"
    assert (names(ctx), engine.removed) == (before, [])
    assert read_json(Site.of(ctx, ctx.target).home.base / retention.HELD)


@pytest.mark.parametrize("short", ["state", "apps", "backups", "docker", ""])
def test_room_is_made_where_a_disk_is_short(ctx: Context, monkeypatch: pytest.MonkeyPatch, short: str) -> None:
    folders = {
        "state": ctx.paths.state,
        "apps": ctx.paths.apps,
        "backups": ctx.paths.backups,
        "docker": Path("/docker"),
    }
    monkeypatch.setattr(platform, "free_mb", lambda path: 999 if path == folders.get(short) else 1000)
    assert make_room.needed(ctx) == bool(short)


def test_an_engine_that_does_not_answer_is_told_by_preflight(
    ctx: Context, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> dict[str, Any]:
        raise IkomaError("engine.silent")

    monkeypatch.setattr(engine, "info", silent)
    monkeypatch.setattr(platform, "free_mb", lambda _path: 0)
    assert not make_room.needed(ctx)
