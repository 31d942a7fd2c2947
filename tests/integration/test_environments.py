"""Three apps and two environments on one host: each has its own, and nothing of one reaches the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agent.docker.engine import PROJECT
from agent.model.names import Target
from agent.model.release import Release
from agent.protocol import Body
from tests.integration.rollout_fixtures import GOOD, JOB, Shop, busybox

__all__ = ["busybox"]

KEPT = 2
APPS = (("alpha", "production"), ("alpha", "staging"), ("beta", "production"), ("gamma", "production"))


@dataclass
class Spot(Shop):
    """One target among others; its images are its own."""

    app: str = ""
    environment: str = "production"

    @property
    def host(self) -> str:
        return f"{self.environment}.{self.app}.localhost"

    def named(self, version: str) -> Release:
        """Return a release whose website tells its version and its environment's own value."""
        serve = GOOD.replace('echo "$$VERSION"', 'echo "$$VERSION $$SECRET"')
        values = {"VERSION": version, "SECRET": "${SHOP_SECRET}", "URL": "${DATABASE_URL}"}
        web = self.service(serve, healthy=True) | {"environment": values}
        found = self.release({"web": ("routed", web), "jobs": ("worker", self.service(JOB))})
        content = found.model_dump() | {
            "app": self.app, "environment": self.environment, "retention": {"releases": KEPT},
            "required_env": ["DATABASE_URL", "SHOP_SECRET"], "health": {"timeout": 90, "window": 1},
        }  # fmt: skip
        return Release.model_validate(content)

    def made(self, number: int) -> Release:
        """Return a release with an image that no other release has, on the host already."""
        name = f"local.test/{self.app}/web"
        before = f"made-{self.name}"
        self.inside("docker", "create", "--name", before, self.base, "/bin/sh")
        self.inside("docker", "commit", "--change", f"LABEL made={self.name}-{number}", before, f"{name}:v{number}")
        self.inside("docker", "rm", before)
        digest = self.inside("docker", "image", "inspect", "--format", "{{.Id}}", f"{name}:v{number}").strip()
        self.image = f"{name}@{digest}"
        return self.named(f"v{number}")

    base: str = ""

    def _body(self, args: dict[str, Any]) -> Body:
        body = super()._body(args)
        body.app, body.environment = self.app, self.environment
        return body


@pytest.fixture(scope="module")
def spots(rig: dict[str, str], busybox: str) -> Iterator[list[Spot]]:
    """All targets, each serving its first release."""
    made = [
        Spot(rig, Target(f"{app}-e", environment).slug, busybox, f"{app}-e", environment, busybox)
        for app, environment in APPS
    ]
    for spot in made:
        spot.remove()
        spot.perform("env.push", values={"SHOP_SECRET": f"secret-of-{spot.name}"})
        result = spot.deploy(spot.named("v0"))
        assert result["status"] == "HEALTHY", result
    yield made
    uproot(made[0])
    for spot in made:
        spot.perform("apps.remove", confirm=spot.name, volumes=True, database=True)


def test_each_has_its_own_route_and_its_own_values(spots: list[Spot]) -> None:
    assert [spot.ask() for spot in spots] == [f"v0 secret-of-{spot.name}" for spot in spots]


def test_each_has_a_database_that_the_others_cannot_open(spots: list[Spot]) -> None:
    urls = [values(spot, "app.env")["DATABASE_URL"] for spot in spots]
    assert len({url.partition("@")[0] for url in urls}) == len(spots), "roles are shared"
    for number, url in enumerate(urls):
        for other in (url, urls[number - 1]):
            base = url.rpartition("/")[0]
            reached = spots[0].inside(
                "sh", "-c", f"psql '{base}/{other.rpartition('/')[2]}' -Atc 'select 1' 2>&1; true"
            )
            assert (reached == "1\n") is (url == other), reached


def test_no_container_of_one_reaches_another(spots: list[Spot]) -> None:
    for spot in spots:
        others = [address for other in spots if other is not spot for address in addresses(other)]
        names = [
            name for other in spots if other is not spot for name in (f"web.{other.name}.live", f"{other.name}-web-1")
        ]
        (web,) = spot.containers()["web"]
        own = addresses(spot)
        script = "; ".join(f"(wget -q -T 3 -O /dev/null http://{place}:8080/ && echo {place}) &" for place in
                           (*own, *others, *names)).replace("&;", "&")  # fmt: skip
        reached = spot.inside("docker", "exec", web, "sh", "-c", f"{script} wait").split()
        assert set(own) <= set(reached), "the question itself must be answered where it may be"
        assert set(reached) <= set(own), f"{spot.name} reaches others"


def test_what_is_closed_for_one_environment_is_open_for_the_other(spots: list[Spot]) -> None:
    production, staging = spots[0], spots[1]
    production.read("policy.freeze", reason="the shop is full of people")
    try:
        refused = production.deploy(production.named("v0-late"))
        assert refused["status"] == "FAILED", refused
        assert [item["id"] for item in refused["error"]["reasons"]] == ["policy.frozen"]
        assert "--env" not in refused["error"]["reasons"][0]["remedy"].replace("--env production", "")
        assert staging.deploy(staging.named("v0-early"))["status"] == "HEALTHY"
        assert production.ask() == f"v0 secret-of-{production.name}"
    finally:
        production.read("policy.thaw")


def test_retention_of_one_never_touches_what_looks_like_it(spots: list[Spot]) -> None:
    production, staging = spots[0], spots[1]
    planted = plant(production)
    shared = production.made(1)
    assert production.deploy(shared)["status"] == "HEALTHY"
    staging.image = production.image
    assert staging.deploy(staging.named("v1"))["status"] == "HEALTHY"
    alone = production.made(2).services["web"].image
    for number in (2, 3, 4):
        release = production.named("v2") if number == 2 else production.made(number)
        assert production.deploy(release)["status"] == "HEALTHY"
    kept = {item["release"] for item in production.read("apps.releases")["releases"]}
    assert len(kept) == KEPT
    assert staging.engine.image(shared.services["web"].image) is not None, "staging still runs it"
    assert production.engine.image(alone) is None, "nobody needs it any more"
    assert staging.ask() == f"v1 secret-of-{staging.name}"
    assert plant(production, look=True) == planted
    back = production.perform("deploy.rollback")
    assert back["status"] == "HEALTHY", back
    assert production.ask() == f"v3 secret-of-{production.name}"


def test_an_image_that_somebody_removed_is_told_before_a_rollback_needs_it(spots: list[Spot]) -> None:
    beta = spots[2]
    kept = beta.made(8)
    assert beta.deploy(kept)["status"] == "HEALTHY"
    assert beta.deploy(beta.made(9))["status"] == "HEALTHY"
    image = kept.services["web"].image
    assert lost(beta, spots) == []
    assert beta.engine.remove_image(image)
    (told,) = lost(beta, spots)
    assert all(word in told["message"] for word in (beta.name, kept.id, image)), told
    assert f"docker pull {image}" in told["remedy"]


def lost(spot: Spot, spots: list[Spot]) -> list[dict[str, str]]:
    """Return what the host says of images that our apps, or what looks like them, miss."""
    told = [item for item in spot.read("platform.check")["warnings"] if item["id"].startswith("image.lost")]
    return [item for item in told if any(item["message"].startswith(other.name) for other in spots)]


def values(spot: Spot, file: str) -> dict[str, str]:
    lines = spot.inside("cat", f"/srv/apps/{spot.name}/{file}").splitlines()
    return {name: value.strip("'\"") for name, _, value in (line.partition("=") for line in lines) if value}


def addresses(spot: Spot) -> list[str]:
    """Return the addresses of a target's website on each of its networks."""
    (web,) = spot.containers()["web"]
    networks = json.loads(spot.inside("docker", "inspect", web))[0]["NetworkSettings"]["Networks"]
    return [network["IPAddress"] for network in networks.values()]


def plant(spot: Spot, look: bool = False) -> list[str]:
    """Put things beside a target that look like its own (or look whether they are all there)."""
    name, repository = spot.name, f"local.test/{spot.app}/web"
    made = {
        f"docker volume inspect {name}_data2": f"docker volume create {name}_data2",
        f"docker volume inspect {name}2_data": f"docker volume create --label {PROJECT}={name}2 {name}2_data",
        f"docker network inspect {name}2_default": f"docker network create {name}2_default",
        f"docker inspect {name}-web-99": (
            f"docker create --name {name}-web-99 --label {PROJECT}={name}2 {spot.base} sh"
        ),
        f"docker image inspect {repository}:by-hand": (
            f"docker commit --change 'LABEL by=hand' {name}-web-99 {repository}:by-hand"
        ),
        f"test -e /srv/apps/{name}2/releases/r-aaaaaaaaaaaa/record.json": (
            f"mkdir -p /srv/apps/{name}2/releases/r-aaaaaaaaaaaa && "
            f"echo '{{}}' > /srv/apps/{name}2/releases/r-aaaaaaaaaaaa/record.json"
        ),
    }
    if not look:
        for command in made.values():
            spot.inside("sh", "-c", command)
    return [question for question in made if spot.inside("sh", "-c", f"{question} > /dev/null && echo there")]


def uproot(spot: Spot) -> None:
    """Take away what was planted."""
    name = spot.name
    spot.inside("sh", "-c", f"docker rm -f {name}-web-99; docker volume rm {name}_data2 {name}2_data; "
                f"docker network rm {name}2_default; docker rmi local.test/{spot.app}/web:by-hand; "
                f"rm -rf /srv/apps/{name}2")  # fmt: skip
