"""Roll-outs for real: a host in a box, its own engine, the reverse proxy, users who keep asking."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import replace
from typing import Any

import pytest

from agent.model.release import ReleaseMigration
from agent.protocol import Event
from tests.integration.rollout_fixtures import GOOD, JOB, SERVE, Shop, busybox, shop, users

__all__ = ["busybox", "shop"]


def healthy(result: dict[str, Any]) -> dict[str, Any]:
    assert result["status"] == "HEALTHY", result
    return result


def test_a_first_release_answers_through_its_route(shop: Shop) -> None:
    result = healthy(shop.deploy(shop.version("one")))
    assert shop.ask() == "one"
    assert {name: item["action"] for name, item in result["services"].items()} == {"web": "started", "jobs": "started"}
    assert shop.read("apps.status")["dockerRunning"] is True
    assert shop.read("artifact.verify_release")["verified"] is True


def test_deploying_what_already_runs_touches_no_container(shop: Shop) -> None:
    healthy(shop.deploy(shop.version("one")))
    before, since = shop.containers(), time.time()
    result = healthy(shop.deploy(shop.version("one")))
    assert shop.containers() == before
    assert shop.events(since) == []
    assert {item["action"] for item in result["services"].values()} == {"unchanged"}
    assert result["steps"] == []


def test_a_new_release_takes_over_without_a_failed_request(shop: Shop) -> None:
    healthy(shop.deploy(shop.version("one")))
    jobs = shop.containers()["jobs"]
    with users(shop) as answers:
        result = healthy(shop.deploy(shop.version("two")))
    assert answers.failures == []
    assert set(answers.bodies) == {"one", "two"}
    assert answers.bodies[-1] == "two"
    assert {name: item["action"] for name, item in result["services"].items()} == {
        "web": "replaced",
        "jobs": "unchanged",
    }
    assert shop.containers()["jobs"] == jobs
    assert shop.number_of_containers() == 2


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        ("echo 'cannot open the widget store'; exit 7", "health.restarts", "cannot open the widget store"),
        (SERVE + "sleep 1.5; echo 'lost the widget store'; exit 9", "health.restarts", "lost the widget store"),
        (GOOD.replace("echo ok > /www/health;", "").replace("; echo ok > /www/health", ""), "health.unhealthy", "404"),
        (GOOD.replace("wait $$child; wait", "sleep 1; rm /www/health; wait $$child; wait"), "health.unhealthy", "404"),
    ],
    ids=["crashes at once", "crashes after a while", "never gets healthy", "falls ill inside the window"],
)
def test_a_bad_release_is_seen_by_nobody(shop: Shop, script: str, error: str, said: str) -> None:
    healthy(shop.deploy(shop.version("one")))
    before = shop.containers()
    with users(shop) as answers:
        result = shop.deploy(shop.version("two", script))
    assert result["status"] == "ROLLED_BACK"
    assert result["error"]["id"] == error
    assert said in result["error"]["message"] + result["error"]["remedy"]
    assert answers.failures == []
    assert set(answers.bodies) == {"one"}
    assert shop.containers() == before
    assert shop.number_of_containers() == 2
    assert shop.read("artifact.verify_release")["verified"] is True


def test_a_first_release_that_fails_leaves_nothing(shop: Shop) -> None:
    assert shop.deploy(shop.version("one", "exit 3"))["status"] == "ROLLED_BACK"
    assert shop.number_of_containers() == 0
    assert [item["Name"] for item in shop.engine.networks() if item["Name"].startswith(shop.name)] == []
    assert shop.read("apps.status")["release"] is None


def test_a_worker_stops_before_its_successor_starts_and_starts_once(shop: Shop) -> None:
    healthy(shop.deploy(shop.version("one")))
    since = time.time()
    healthy(shop.deploy(shop.version("one", jobs=("worker", shop.service("echo new; " + "while :; do sleep 1; done")))))
    happened = [(action, item) for action, service, item in shop.events(since) if service == "jobs"]
    (old,) = {item for action, item in happened if action == "die"}
    (new,) = {item for action, item in happened if action == "start"}
    assert happened.index(("die", old)) < happened.index(("start", new))
    assert [action for action, item in happened if item == new].count("start") == 1


def test_a_service_that_publishes_a_port_stops_before_its_successor_starts(shop: Shop) -> None:
    def published(version: str) -> Any:
        ports = [{"target": 8080, "published": "18080", "protocol": "tcp", "mode": "ingress"}]
        return shop.version(version, db=("routed", shop.service(GOOD, version, healthy=True, ports=ports)))

    healthy(shop.deploy(published("one")))
    since = time.time()
    healthy(shop.deploy(published("two")))
    happened = [(action, item) for action, service, item in shop.events(since) if service == "db"]
    (old,) = {item for action, item in happened if action == "die"}
    (new,) = {item for action, item in happened if action == "start"}
    assert happened.index(("die", old)) < happened.index(("start", new))


def test_a_service_that_publishes_a_port_comes_back_when_its_successor_fails(shop: Shop) -> None:
    def published(version: str, script: str) -> Any:
        ports = [{"target": 8080, "published": "18081", "protocol": "tcp", "mode": "ingress"}]
        return shop.version("one", db=("routed", shop.service(script, version, healthy=True, ports=ports)))

    healthy(shop.deploy(published("one", GOOD)))
    before = shop.containers()
    assert shop.deploy(published("two", "exit 4"))["status"] == "ROLLED_BACK"
    assert shop.containers() == before
    assert shop.number_of_containers() == 3


def test_a_one_shot_runs_to_its_end_before_the_others_start(shop: Shop) -> None:
    def seeded(version: str, script: str) -> Any:
        return shop.version(version, seed=("one-shot", shop.service(script, version, restart="no")))

    result = healthy(shop.deploy(seeded("one", "echo planted")))
    assert result["services"]["seed"]["state"] == "completed"
    result = shop.deploy(seeded("two", "echo 'no soil'; exit 5"))
    assert (result["status"], result["error"]["id"]) == ("ROLLED_BACK", "health.one_shot")
    assert "no soil" in result["error"]["remedy"]
    assert shop.ask() == "one"


def test_a_service_that_holds_data_is_replaced_only_when_it_is_named(shop: Shop) -> None:
    def stored(version: str) -> Any:
        return shop.version("one", db=("stateful", shop.service(GOOD, version, healthy=True)))

    healthy(shop.deploy(stored("one")))
    before = shop.containers()["db"]
    healthy(shop.deploy(stored("two")))
    assert shop.containers()["db"] == before
    healthy(shop.deploy(stored("three"), accept=["replace:db"]))
    assert shop.containers()["db"] != before


def test_a_service_that_holds_data_and_stands_still_starts_again_as_it_is(shop: Shop) -> None:
    def stored(version: str, script: str = GOOD) -> Any:
        return shop.version(version, script, db=("stateful", shop.service(GOOD, version, healthy=True)))

    healthy(shop.deploy(stored("one")))
    before = shop.containers()["db"]
    assert shop.perform("deploy.down")["status"] == "DONE"
    assert shop.deploy(stored("two", "exit 4"))["status"] == "ROLLED_BACK"
    assert shop.containers() == {}
    healthy(shop.deploy(stored("two")))
    assert shop.containers()["db"] == before
    assert shop.perform("deploy.down")["status"] == "DONE"
    healthy(shop.perform("deploy.up"))
    assert shop.containers()["db"] == before


def test_a_service_that_holds_data_is_removed_only_when_it_is_named(shop: Shop) -> None:
    stored = shop.version("two", db=("stateful", shop.service(GOOD, healthy=True)))
    healthy(shop.deploy(shop.version("one")))
    healthy(shop.deploy(stored))
    before = shop.containers()["db"]
    result = shop.deploy(shop.version("three"))
    assert [reason["id"] for reason in result["error"]["reasons"]] == ["plan.data_dropped"]
    assert [item["id"] for item in shop.read("deploy.plan", manifest=shop.version("three").to_json())["problems"]] == [
        "plan.data_dropped"
    ]
    healthy(shop.perform("deploy.rollback"))
    assert (shop.ask(), shop.containers()["db"]) == ("one", before)
    assert shop.read("apps.health")["health"] == "healthy"
    healthy(shop.deploy(shop.version("three"), accept=["replace:db"]))
    assert "db" not in shop.containers()
    assert shop.number_of_containers() == 2


def test_two_services_never_write_to_the_same_data(shop: Shop) -> None:
    """A service is renamed, and gets its name back: whoever starts finds a volume that nobody writes to."""
    alone = "if [ -e /data/held ]; then exit 7; fi; touch /data/held; trap 'rm /data/held; exit 0' TERM\n"
    script = alone + "while :; do sleep 1 & wait $$!; done"

    def stored(version: str, name: str) -> Any:
        keeper = shop.service(script, volumes=[{"type": "volume", "source": "data", "target": "/data"}])
        return shop.release({
            "web": ("routed", shop.service(GOOD, version, healthy=True)), name: ("stateful", keeper),
        }, volumes={"data": {}})  # fmt: skip

    try:
        healthy(shop.deploy(stored("one", "db")))
        healthy(shop.deploy(stored("two", "database"), accept=["replace:db"]))
        assert set(shop.containers()) == {"web", "database"}
        healthy(shop.perform("deploy.rollback"))
        assert set(shop.containers()) == {"web", "db"}
    finally:
        shop.perform("deploy.down")
        for item in shop.engine.containers(shop.name):
            shop.engine.remove(item["Id"])
        shop.engine.remove_volume(f"{shop.name}_data")


def test_an_established_connection_survives_the_switch(shop: Shop) -> None:
    """The new website talks to a store over one connection from before its switch until after it."""
    store = "sleep 100000 | nc -l -p 9000 > /tmp/heard"
    speak = "(n=0; while :; do n=$$((n+1)); echo $$n; sleep 0.1; done) | nc store 9000 &\n"
    kept = ("stateful", shop.service(store))
    healthy(shop.deploy(shop.version("one", store=kept)))
    healthy(shop.deploy(shop.version("two", speak + GOOD, store=kept)))
    (container,) = shop.containers()["store"]
    first = int(shop.inside("docker", "exec", container, "tail", "-n1", "/tmp/heard"))
    time.sleep(2)
    second = int(shop.inside("docker", "exec", container, "tail", "-n1", "/tmp/heard"))
    assert shop.inside("docker", "exec", container, "head", "-n1", "/tmp/heard").strip() == "1"
    assert second > first > 10


def test_going_back_needs_neither_registry_nor_client(shop: Shop) -> None:
    first = healthy(shop.deploy(shop.version("one")))
    healthy(shop.deploy(shop.version("two")))
    with users(shop) as answers:
        result = healthy(shop.perform("deploy.rollback"))
    assert answers.failures == []
    assert shop.ask() == "one"
    assert result["release"] == first["release"]
    assert shop.read("apps.status")["release"] == first["release"]


def test_down_and_up_keep_the_containers(shop: Shop) -> None:
    healthy(shop.deploy(shop.version("one")))
    before = shop.containers()
    assert shop.perform("deploy.down")["status"] == "DONE"
    assert shop.containers() == {}
    assert shop.read("apps.health")["health"] == "stopped"
    healthy(shop.perform("deploy.up"))
    assert shop.containers() == before
    assert shop.ask() == "one"


def test_a_restart_makes_fresh_containers_without_a_failed_request(shop: Shop) -> None:
    healthy(shop.deploy(shop.version("one")))
    before = shop.containers()
    with users(shop) as answers:
        healthy(shop.perform("deploy.restart", service="web"))
    after = shop.containers()
    assert answers.failures == []
    assert after["web"] != before["web"]
    assert after["jobs"] == before["jobs"]


def test_what_the_policy_refuses_changes_nothing(shop: Shop) -> None:
    socket = [{"type": "bind", "source": "/var/run/docker.sock", "target": "/var/run/docker.sock"}]
    hostile = shop.version("one", spy=("worker", shop.service("sleep 9", privileged=True, volumes=socket, pid="host")))
    result = shop.deploy(hostile)
    assert result["status"] == "FAILED"
    assert {item["id"] for item in result["error"]["reasons"]} == {"policy.value", "policy.bind"}
    assert shop.number_of_containers() == 0


def test_a_plan_says_what_would_happen_and_changes_nothing(shop: Shop) -> None:
    healthy(shop.deploy(shop.version("one")))
    before = shop.containers()
    plan = shop.read("deploy.plan", manifest=shop.version("two").to_json())
    assert {item["service"]: item["action"] for item in plan["services"]} == {"web": "replaced", "jobs": "unchanged"}
    assert plan["problems"] == []
    assert shop.containers() == before


def test_a_plan_names_the_values_that_are_missing_and_tells_the_rest(shop: Shop) -> None:
    asking = shop.service(JOB, "${MOLLIE_KEY:?required}")
    release = shop.version("one", mailer=("worker", asking)).model_copy(update={"required_env": ["MOLLIE_KEY"]})
    plan = shop.read("deploy.plan", manifest=release.to_json())
    assert [problem["id"] for problem in plan["problems"]] == ["preflight.environment"]
    assert "MOLLIE_KEY" in plan["problems"][0]["message"]
    assert f"env push --app {shop.name}" in plan["problems"][0]["remedy"]
    assert {item["service"] for item in plan["services"]} == {"web", "jobs", "mailer"}
    assert plan["migrations"] == {"pending": [], "problems": [], "findings": [], "breaking": [], "closed": []}


def test_a_plan_tells_the_migrations_of_a_target_without_a_database(shop: Shop) -> None:
    files = [ReleaseMigration(file=f"{name}.sql", sha256="a" * 64) for name in ("0001_a", "0002_b")]
    release = shop.version("one").model_copy(update={"migrations": files})
    plan = shop.read("deploy.plan", manifest=release.to_json())
    assert plan["migrations"]["pending"] == ["0001_a", "0002_b"]
    assert shop.inside("sh", "-c", f"ls -d /srv/apps/{shop.name} 2>/dev/null || true") == ""  # who looks makes nothing


def test_a_hand_typed_compose_up_is_found_again_by_the_proxy(shop: Shop) -> None:
    healthy(shop.deploy(shop.version("one")))
    shop.inside("sh", "-c", f"cd /srv/apps/{shop.name} && docker compose up -d --force-recreate web")
    shop.inside("/opt/ikoma/current/bin/ikoma-agent", "recover")
    assert shop.ask() == "one"


def test_each_of_two_containers_is_found_again_by_the_proxy(shop: Shop) -> None:
    edge, live = f"{shop.name}-edge", "live"

    def named() -> list[str]:
        found = [shop.engine.container(item) or {} for item in shop.containers()["web"]]
        endpoints = {item["Id"]: item["NetworkSettings"]["Networks"].get(edge) or {} for item in found}
        return sorted(name for name, on in endpoints.items() if any(live in word for word in on.get("Aliases") or []))

    twice = shop.service(GOOD, "one", healthy=True, deploy={"replicas": 2})
    healthy(shop.deploy(shop.release({"web": ("routed", twice)})))
    both = shop.containers()["web"]
    assert named() == both
    shop.engine.disconnect(edge, both[0])
    assert named() == both[1:]
    shop.inside("/opt/ikoma/current/bin/ikoma-agent", "recover")
    assert named() == both
    assert shop.ask() == "one"


def test_being_routed_moves_no_way_out_and_opens_none(shop: Shop) -> None:
    """Of the networks of a container the Engine sends what goes out over the first by name, unless it leads nowhere."""

    def way_out(container: str) -> str:
        pid = shop.inside("docker", "inspect", "--format", "{{.State.Pid}}", container).strip()
        return shop.inside("nsenter", "--target", pid, "--net", "ip", "-4", "route", "show", "default")

    def leads_into(route: str, network: str) -> bool:
        subnet = (shop.engine.network(network) or {})["IPAM"]["Config"][0]["Subnet"]
        return ipaddress.ip_address(route.split()[2]) in ipaddress.ip_network(subnet)

    healthy(shop.deploy(shop.version("zero")))
    first = replace(shop, name=f"a{shop.name}")
    try:
        with users(shop) as answers:
            healthy(first.deploy(first.version("one")))
        assert answers.failures == []
        assert leads_into(way_out("ikoma-proxy"), "bridge")
        (web,) = first.containers()["web"]
        assert leads_into(way_out(web), f"{first.name}_default")
        closed = first.service(GOOD, "two", healthy=True, networks=["closed"])
        release = first.release({"web": ("routed", closed)}, networks={"closed": {"internal": True}})
        healthy(first.deploy(release))
        (web,) = first.containers()["web"]
        assert way_out(web) == ""
        assert first.ask() == "two"
    finally:
        first.remove()


@pytest.mark.parametrize("moment", ["starting beside", "switching", "replacing"])
def test_a_worker_killed_in_the_middle_leaves_the_old_release_whole(shop: Shop, moment: str) -> None:
    def both(version: str) -> Any:
        return shop.version(version, jobs=("worker", shop.service(f"echo {version}; while :; do sleep 1; done")))

    healthy(shop.deploy(both("one")))
    before = shop.containers()

    def kill(event: Event) -> None:
        if event.kind == "progress" and moment in event.data["text"]:
            time.sleep(0.3)
            shop.inside("sh", "-c", f"kill -9 $(cat /var/lib/ikoma/locks/op-{event.op}.lock)")

    with users(shop) as answers:
        result = shop.deploy(both("two"), on_event=kill)
    assert result["status"] == "INTERRUPTED"
    assert answers.failures == []
    assert shop.ask() == "one"
    assert shop.containers() == before
    assert shop.number_of_containers() == 2
    healthy(shop.deploy(both("two")))
    assert shop.ask() == "two"
