"""What is let go of, and what never is; look-alikes of other targets stand beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.host.files import read_json, write_json
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.names import Target
from agent.releases import records, retention
from agent.releases.site import Site


class Engine:
    """An Engine that remembers what it was asked to remove."""

    def __init__(self, used: list[str]) -> None:
        self.used, self.removed = used, list[str]()

    def all_containers(self) -> list[dict[str, Any]]:
        return [{"Image": image} for image in self.used]

    def containers(self, _project: str) -> list[dict[str, Any]]:
        return [{"Mounts": [{"Source": "/srv/apps/shop/files/mounted"}]}]

    def remove_image(self, reference: str) -> bool:
        self.removed.append(reference)
        return True


def image(number: int, app: str = "shop") -> str:
    return f"registry.example/{app}/web@sha256:{number:064x}"


def site_of(root: Path, target: Target) -> Site:
    found = Site(target, Paths(root), Settings())
    found.home.base.mkdir(parents=True, exist_ok=True)
    return found


def record(site: Site, number: int, *images: str, keep: int = 2) -> str:
    release = f"r-{number:012x}"
    site.home.release(release).mkdir(parents=True)
    services = {f"web{at}": {"image": name} for at, name in enumerate(images)}
    data = {"release": release, "deployed": f"2026-01-{number:02}", "services": services, "retention": keep}
    write_json(site.home.release(release) / records.RECORD, data)
    (site.home.release(release) / records.COMPOSE).write_text(f'"./files/of-{number}"')
    retention.hold(site, images)
    return release


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine([image(3)])
    monkeypatch.setattr(Site, "engine", property(lambda self: made))
    return made


@pytest.fixture
def shop(tmp_path: Path, engine: Engine) -> Site:
    """Six releases; the fifth serves, the second is the one before: somebody went back and forth."""
    site = site_of(tmp_path, Target("shop"))
    for number in range(1, 7):
        record(site, number, image(number), image(99))
    write_json(site.home.current, {"release": f"r-{5:012x}", "previous": f"r-{2:012x}", "status": "HEALTHY",
                                   "since": "", "operation": ""})  # fmt: skip
    return site


def test_what_a_rollback_needs_is_kept_whatever_the_policy_says(shop: Site, engine: Engine) -> None:
    retired = retention.retire(shop)
    assert sorted(retired.releases) == [f"r-{number:012x}" for number in (1, 3, 4)]
    assert engine.removed == [image(1), image(4)], "3 is used by a container; 2, 5, 6 are kept; 99 is everybody's"
    assert set(read_json(shop.home.base / retention.HELD)) == {image(2), image(5), image(6), image(99)}


def test_an_image_that_never_served_goes_as_well(shop: Site, engine: Engine) -> None:
    retention.hold(shop, [image(77)])
    assert image(77) in retention.retire(shop).images


def test_what_another_target_holds_or_recorded_stays(shop: Site, engine: Engine, tmp_path: Path) -> None:
    staging = site_of(tmp_path, Target("shop", "staging"))
    record(staging, 1, image(1))
    bank = site_of(tmp_path, Target("shop-b"))
    retention.hold(bank, [image(4)])
    stranger = image(1, "shop-b")
    before = {file: file.read_bytes() for other in (staging, bank) for file in other.home.base.rglob("*.json")}
    assert retention.retire(shop).images == []
    assert engine.removed == []
    assert stranger not in engine.removed
    assert {file: file.read_bytes() for file in before} == before


def test_files_that_nobody_mounts_go_and_those_of_kept_releases_stay(shop: Site, engine: Engine) -> None:
    shop.home.files.mkdir()
    for name in ("of-1", "of-2", "of-5", "mounted", "nobodys"):
        (shop.home.files / name).write_text("x")
    assert retention.retire(shop).files == 2
    assert sorted(entry.name for entry in shop.home.files.glob("*")) == ["mounted", "of-2", "of-5"]


def test_before_the_first_release_nothing_is_touched(tmp_path: Path, engine: Engine) -> None:
    site = site_of(tmp_path, Target("shop"))
    retention.hold(site, [image(1)])
    assert retention.retire(site) == retention.Retired()
    assert engine.removed == []
