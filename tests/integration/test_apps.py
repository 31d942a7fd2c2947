"""Apps on a host, for real: taken over, listed, followed, removed; and what a rollback needs stays."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from agent.model.errors import IkomaError
from agent.model.release import Release
from bridge.remote.client import Agent
from tests.integration.rollout_fixtures import GOOD, JOB, Shop, busybox, shop

__all__ = ["busybox", "shop"]


def healthy(result: dict[str, Any]) -> dict[str, Any]:
    assert result["status"] == "HEALTHY", result["error"]
    return result


@pytest.fixture
def by_hand(shop: Shop) -> Iterator[str]:
    """A compose project of the shop's name that somebody started by hand, with data in a volume."""
    healthy(shop.deploy(shop.version("zero")))  # the image is here then
    shop.remove()
    folder = f"/root/{shop.name}"
    service = shop.service("echo precious > /data/kept; " + GOOD, "zero", volumes=["data:/data"])
    text = json.dumps({"name": shop.name, "services": {"web": service}, "volumes": {"data": {}}})
    shop.inside("sh", "-c", f"mkdir -p {folder} && cat > {folder}/compose.json <<'EOF'\n{text}\nEOF")
    shop.inside("docker", "compose", "--file", f"{folder}/compose.json", "up", "--detach")
    yield folder
    shop.remove()  # a volume that a container holds would stay
    shop.inside("sh", "-c", f"docker volume rm -f {shop.name}_data; rm -rf {folder}")


def with_data(shop: Shop, version: str) -> Release:
    mounted = shop.service(GOOD, version, healthy=True, volumes=["data:/data"])
    return shop.release({"web": ("routed", mounted), "jobs": ("worker", shop.service(JOB))}, volumes={"data": {}})


def test_a_project_that_runs_is_taken_over_with_its_data_and_only_when_asked(shop: Shop, by_hand: str) -> None:
    release = with_data(shop, "one")
    refused = shop.deploy(release)
    assert refused["status"] == "FAILED"
    assert [item["id"] for item in refused["error"]["reasons"]] == ["adopt.first"]
    adopted = shop.perform("apps.adopt")
    assert adopted["status"] == "DONE", adopted
    assert adopted["keeps"]["volumes"] == [f"{shop.name}_data"]
    assert adopted["keeps"]["networks"] == [f"{shop.name}_default"]
    healthy(shop.deploy(release))
    assert shop.ask() == "one"
    (web,) = shop.containers()["web"]
    assert shop.inside("docker", "exec", web, "cat", "/data/kept").strip() == "precious"
    assert shop.number_of_containers() == 2
    with pytest.raises(IkomaError, match="already"):
        shop.perform("apps.adopt")


def test_a_volume_that_would_start_empty_beside_one_of_its_name_is_refused(shop: Shop) -> None:
    other = f"old{shop.name}"
    labels = [f"--label=com.docker.compose.project={other}", "--label=com.docker.compose.volume=data"]
    shop.inside("docker", "volume", "create", *labels, f"{other}_data")
    try:
        refused = shop.deploy(with_data(shop, "one"))
        assert [item["id"] for item in refused["error"]["reasons"]] == ["adopt.empty_volume"]
        assert f"{other}_data" in refused["error"]["message"]
        healthy(shop.deploy(with_data(shop, "one"), accept=["empty:data"]))
    finally:
        shop.inside("docker", "volume", "rm", f"{other}_data")
    assert shop.perform("apps.remove", confirm=shop.name, volumes=True)["status"] == "DONE"


def test_an_app_is_removed_only_under_its_name_typed_again_and_a_look_alike_stays(shop: Shop) -> None:
    alike = Shop(shop.env, f"{shop.name}-b", shop.image)
    alike.remove()
    for each in (shop, alike):
        healthy(each.deploy(with_data(each, "one")))
    listed = {item["app"]: item for item in shop.read("apps.list")["apps"]}
    assert (listed[shop.name]["status"], listed[shop.name]["routes"]) == ("HEALTHY", [shop.host])
    with pytest.raises(IkomaError, match="typed again"):
        shop.perform("apps.remove", confirm=alike.name)
    before = alike.containers()
    result = shop.perform("apps.remove", confirm=shop.name)
    assert result["status"] == "DONE", result
    assert shop.number_of_containers() == 0
    assert [item["Name"] for item in shop.engine.networks() if item["Name"].startswith(f"{shop.name}_")] == []
    assert shop.engine.volume(f"{shop.name}_data") is not None, "volumes go only when told"
    assert shop.name not in {item["app"] for item in shop.read("apps.list")["apps"]}
    assert alike.containers() == before
    assert alike.ask() == "one"
    assert shop.engine.image(shop.image) is not None, "the look-alike holds the same image"
    alike.perform("apps.remove", confirm=alike.name, volumes=True)
    assert shop.engine.volume(f"{alike.name}_data") is None
    shop.inside("docker", "volume", "rm", f"{shop.name}_data")


def test_logs_are_followed_without_a_gap_and_without_a_line_twice(shop: Shop) -> None:
    count = "n=0; while :; do n=$$((n+1)); echo line $$n; sleep 0.05; done"
    healthy(shop.deploy(shop.version("one", jobs=("worker", shop.service(count)))))
    seen: list[int] = []
    with Agent(shop.destination) as agent:
        cursor = ""
        while len(seen) < 60:
            args = {"service": "jobs", "wait": 5, "tail": 2000} | ({"cursor": cursor} if cursor else {})
            answer = agent.read("apps.logs", shop._body(args))
            cursor = answer["cursor"]
            seen += [int(line["line"].split()[1]) for line in answer["lines"]]
    assert seen == list(range(1, len(seen) + 1))


def test_three_apps_deploy_at_once_and_none_spoils_the_health_of_another(shop: Shop) -> None:
    shops = [shop, *(Shop(shop.env, f"{shop.name}-{letter}", shop.image) for letter in "xy")]
    results: dict[str, object] = {}

    def deploy(each: Shop) -> None:
        each.remove()
        results[each.name] = each.deploy(each.version("one"))["status"]

    threads = [threading.Thread(target=deploy, args=[each]) for each in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {each.name: "HEALTHY" for each in shops}
    assert [each.ask() for each in shops] == ["one"] * 3
    (web,), (other,) = shops[1].containers()["web"], shops[2].containers()["web"]
    address = json.loads(shop.inside("docker", "inspect", other))[0]["NetworkSettings"]["Networks"]
    for network in address.values():
        reach = ["docker", "exec", web, "wget", "-q", "-T", "1", "-O", "-", f"http://{network['IPAddress']}:8080/"]
        with pytest.raises(AssertionError):
            shop.inside(*reach)
    for each in shops[1:]:
        each.remove()
