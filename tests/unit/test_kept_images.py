"""Images of kept releases that are gone are told of before a rollback needs them, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.capabilities import platform_check
from agent.capabilities.call import Call
from agent.docker.engine import Engine
from agent.host.files import write_json
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.releases import records

SEEN = Grant("me", "observer")


class Told(Engine):
    """An Engine that lists images by their digests, knows some by other names, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__("")
        self.here, self.known, self.asked = list[str](), list[str](), list[str]()

    def images(self) -> list[dict[str, Any]]:
        self.asked.append("*")
        return [{"RepoDigests": self.here, "RepoTags": None}, {"RepoDigests": None}, {"RepoTags": ["other:1"]}]

    def image(self, reference: str) -> dict[str, Any] | None:
        self.asked.append(reference)
        return {"Id": reference} if reference in self.known else None


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Told:
    made = Told()
    monkeypatch.setattr(platform_check, "Engine", lambda _socket: made)
    return made


@pytest.fixture
def call(tmp_path: Path) -> Call:
    return Call(None, {}, Paths(tmp_path), Settings(), grant=SEEN)


def image(number: int, app: str = "shop", registry: str = "registry.example") -> str:
    return f"{registry}/{app}/web@sha256:{number:064x}"


def keep(call: Call, slug: str, number: int, *images: str, **more: Any) -> str:
    release = f"r-{number:012x}"
    folder = call.paths.target(Target.from_slug(slug)).release(release)
    folder.mkdir(parents=True)
    services = {f"web{at}": {"image": name} for at, name in enumerate(images)}
    record = {"release": release, "deployed": f"2026-01-{number:02}", "services": services, **more}
    write_json(folder / records.RECORD, record)
    return release


def said(call: Call) -> list[tuple[str, Mapping[str, Any]]]:
    return [(error.id, error.params) for error in platform_check.lost(call)]


def test_a_host_that_has_all_images_is_asked_for_one_list(call: Call, engine: Told) -> None:
    for number in (1, 2, 3):
        keep(call, "shop", number, image(number), image(9))
    keep(call, "shop_staging", 1, image(1))
    engine.here = [image(number) for number in (1, 2, 3, 9)]
    assert said(call) == []
    assert engine.asked == ["*"]


def test_an_image_that_is_gone_is_told_once_with_the_releases_that_need_it(call: Call, engine: Told) -> None:
    first, second = keep(call, "shop", 1, image(1), image(9)), keep(call, "shop", 2, image(2), image(1))
    keep(call, "bank_staging", 3, image(3))
    engine.here = [image(2), image(9)]
    assert [(params["slug"], params["image"], params["releases"]) for _, params in said(call)] == [
        ("bank_staging", image(3), f"r-{3:012x}"),
        ("shop", image(1), f"{second}, {first}"),
    ]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_remedy_names_the_image_and_the_target(call: Call, engine: Told, lang: str) -> None:
    release = keep(call, "shop_staging", 1, image(1))
    (error,) = platform_check.lost(call)
    assert all(word in error.message(lang) for word in ("shop_staging", release, image(1)))
    assert f"docker pull {image(1)}" in error.remedy(lang)
    assert "deploy apply --app shop --env staging --release FILE --bundle" in error.remedy(lang)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_what_was_built_here_is_not_to_be_fetched_but_built_again(call: Call, engine: Told, lang: str) -> None:
    keep(call, "shop", 1, image(1, registry="ikoma.local"), provenance={"commit": "c0ffee", "built_here": True})
    (error,) = platform_check.lost(call)
    assert error.id == "image.lost_homemade"
    assert "docker pull" not in error.remedy(lang)
    assert "deploy.up --app shop ref=c0ffee" in error.remedy(lang)


def test_an_image_that_the_engine_lists_under_another_name_is_here(call: Call, engine: Told) -> None:
    """The Engine says ``postgres`` where a release says ``docker.io/library/postgres:16``."""
    digest = f"sha256:{1:064x}"
    long = f"docker.io/library/postgres:16@{digest}"
    keep(call, "shop", 1, long)
    engine.here, engine.known = [f"postgres@{digest}"], [long]
    assert said(call) == []


def test_another_image_with_the_same_digest_or_name_is_no_substitute(call: Call, engine: Told) -> None:
    keep(call, "shop", 1, image(1))
    engine.here = [image(1, "shop2"), image(2), image(1).replace("registry.example/", "")]
    assert [params["image"] for _, params in said(call)] == [image(1)]


def test_what_is_no_record_of_a_target_is_passed_over_and_hides_no_other(call: Call, engine: Told) -> None:
    keep(call, "shop", 1, image(1))
    folder = call.paths.apps / "shop/releases"
    for name, text in (("r-empty", "{}"), ("r-list", "[]"), ("r-cut", '{"services"'), (".before-op", "{}")):
        (folder / name).mkdir()
        (folder / name / records.RECORD).write_text(text)
    (folder / "r-partial").mkdir()
    (call.paths.apps / "lost+found").mkdir()
    (call.paths.apps / "empty").mkdir()
    assert [params["slug"] for _, params in said(call)] == ["shop"]


def test_a_key_for_some_apps_is_told_of_these(call: Call, engine: Told) -> None:
    for slug in ("shop", "shop_staging", "shop-b"):
        keep(call, slug, 1, image(1))
    limited = replace(call, grant=Grant("me", "observer", ("shop",), ("production",)))
    assert [params["slug"] for _, params in said(limited)] == ["shop"]
    assert len(said(call)) == 3


def test_a_host_without_releases_is_not_asked_at_all(call: Call, engine: Told) -> None:
    (call.paths.apps / "shop").mkdir(parents=True)
    assert said(call) == []
    assert engine.asked == []


def test_an_engine_that_does_not_answer_is_told_by_its_own_check(
    call: Call, engine: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> list[dict[str, Any]]:
        raise IkomaError("engine.absent", socket="", reason="")

    keep(call, "shop", 1, image(1))
    monkeypatch.setattr(engine, "images", silent)
    assert said(call) == []


def test_it_is_a_warning_and_leaves_the_host_healthy(call: Call, engine: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(call, "shop", 1, image(1))
    monkeypatch.setattr(platform_check, "CHECKS", {})
    answer = platform_check.run(call)
    assert answer["healthy"]
    assert [item["id"] for item in answer["warnings"]] == ["image.lost"]
