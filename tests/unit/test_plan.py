"""The plan of a roll-out, as cases: what is wanted, what runs, what happens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.model.release import Release
from agent.releases import plan
from agent.releases.observe import Observed, observed
from agent.releases.plan import Desired, Move, Plan

CASES = json.loads((Path(__file__).parents[1] / "fixtures/plan/cases.json").read_text())


def desired(name: str, kind: Any, digest: str, more: dict[str, Any] | None = None) -> Desired:
    return Desired(name, kind, digest, **(more or {}))


def container(name: str, service: str, digest: str, state: str, health: str, stores: Sequence[str] = ()) -> Observed:
    word, _, code = state.partition(" ")
    number = int(code) if code else None
    return Observed(name, name, service, digest, "image", word, health, number, stores=frozenset(stores))


def said(move: Move) -> str:
    touched = (*(f"-{item}" for item in move.old), *(f"+{item}" for item in move.wake))
    return " ".join(filter(None, (move.service, move.action, move.how, *touched)))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_plan_is(case: dict[str, Any]) -> None:
    made = plan.make(
        [desired(*item) for item in case["wanted"]],
        [container(*item) for item in case["observed"]],
        case.get("accept", []),
        case.get("fresh", []),
        case.get("data", {}),
    )
    assert [said(move) for move in made.moves] == case["plan"]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_move_can_be_said(lang: str) -> None:
    for case in CASES:
        wanted, there = [desired(*item) for item in case["wanted"]], [container(*item) for item in case["observed"]]
        made = plan.make(wanted, there, data=case.get("data", {}))
        for move, line in zip(made.moves, made.render(lang), strict=True):
            assert line.startswith(move.service)
            assert "{" not in line
            assert "plan." not in line


@pytest.mark.parametrize("stores", [[], ["shop_pg"]], ids=["dropped", "renamed"])
@pytest.mark.parametrize(("accept", "found"), [([], ["db"]), (["db"], [])])
def test_a_service_that_holds_data_is_missed_until_somebody_says_that_it_may_go(
    accept: list[str], found: list[str], stores: list[str]
) -> None:
    wanted = [desired("database", "stateful", "h1", {"stores": ["shop_pg"]})]
    there = [container("a", "db", "h2", "running", "", stores), container("b", "cron", "h3", "running", "")]
    assert plan.dropped(plan.make(wanted, there, accept, data={"db": 1}), accept) == found


def test_what_stays_makes_no_container() -> None:
    for digest, state in (("old", "exited 0"), ("h1", "exited 0"), ("old", "running")):
        made = plan.make([desired("db", "stateful", "h1")], [container("a", "db", digest, state, "")])
        assert made.of("stateful") == []


def test_a_service_writes_to_the_volumes_by_their_real_names_and_to_folders() -> None:
    volumes = [
        {"type": "volume", "source": "pg", "target": "/data"},
        {"type": "bind", "source": "/srv/dumps", "target": "/dumps"},
        {"type": "bind", "source": "/srv/conf", "target": "/conf", "read_only": True},
        {"type": "volume", "target": "/nameless"},
        {"type": "tmpfs", "target": "/tmp"},
    ]
    document = {"services": {"db": {"volumes": volumes}, "web": {}}, "volumes": {"pg": {"name": "shop_pg"}}}
    assert plan.stores(document, "db") == {"shop_pg", "/srv/dumps"}
    assert plan.stores(document, "web") == frozenset()


def test_the_engines_list_tells_where_a_container_writes() -> None:
    item = {"Id": "x", "Names": ["/shop-db-1"], "Labels": {}, "Image": "i", "State": "running", "Created": 1}
    mounts = [
        {"Type": "volume", "Name": "shop_pg", "Source": "/var/lib/docker/volumes/shop_pg/_data", "RW": True},
        {"Type": "bind", "Source": "/srv/dumps", "RW": True},
        {"Type": "bind", "Source": "/srv/conf", "RW": False},
    ]
    assert observed(item | {"Status": "Up 3 seconds", "Mounts": mounts}).stores == {"shop_pg", "/srv/dumps"}


def test_a_plan_without_a_change_says_so() -> None:
    assert Plan((Move("web", "routed", "unchanged"),)).nothing_to_do
    assert not Plan((Move("web", "routed", "unchanged", old=("leftover",)),)).nothing_to_do
    assert not Plan((Move("web", "routed", "replaced"),)).nothing_to_do


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ({}, ""),
        ({"ports": [{"target": 80}]}, ""),
        ({"ports": [{"target": 80, "published": "8080"}]}, "plan.reason.port"),
        ({"networks": {"default": {"ipv4_address": "10.0.0.5"}}}, "plan.reason.address"),
        ({"networks": {"default": None}}, ""),
        ({"mac_address": "02:42:ac:11:65:43"}, "plan.reason.address"),
    ],
)
def test_a_service_stops_first_only_where_two_cannot_stand_side_by_side(service: dict[str, Any], reason: str) -> None:
    assert plan.why_stop_first("start-first", service) == reason


def test_the_contract_may_ask_for_stop_first() -> None:
    assert plan.why_stop_first("stop-first", {}) == "plan.reason.stated"


@pytest.mark.parametrize(
    ("status", "health"),
    [("Up 3 seconds", ""), ("Up 3 seconds (healthy)", "healthy"), ("Up 1 second (health: starting)", "starting"),
     ("Up 2 minutes (unhealthy)", "unhealthy")],
)  # fmt: skip
def test_the_engines_list_tells_the_health_of_a_container(status: str, health: str) -> None:
    item = {"Id": "x", "Names": ["/shop-web-1"], "Labels": {}, "Image": "i", "State": "running", "Created": 1}
    assert observed(item | {"Status": status}).health == health


def test_a_finished_container_is_one_that_exited_with_zero() -> None:
    item = {"Id": "x", "Names": ["/shop-seed-1"], "Labels": {}, "Image": "i", "State": "exited", "Created": 1}
    assert observed(item | {"Status": "Exited (0) 3 seconds ago"}).finished
    assert not observed(item | {"Status": "Exited (137) 3 seconds ago"}).finished


@pytest.mark.parametrize(
    ("measured", "said"),
    [(3.2, "; a gap of about 3.2 s, as last time"), (None, "; a gap of 19 s at most")],
)
def test_a_service_that_stops_first_tells_how_long_it_will_be_away(measured: float | None, said: str) -> None:
    check = {"start_period": "3s", "interval": "1m30s"}
    gap = measured or plan.longest_gap(10.0, 5.0, {"healthcheck": check | {"interval": "1s"}})
    assert plan.longest_gap(10.0, 5.0, {"healthcheck": check}) == 108.0
    item = desired("db", "routed", "new", {"stop_first": "plan.reason.port", "gap": gap, "measured": bool(measured)})
    (move,) = plan.make([item], [container("old", "db", "old", "running", "")]).moves
    assert move.render("en").endswith(said)
    assert move.to_json()["gap_seconds"] == gap


def test_nothing_is_away_where_nothing_ran_or_the_new_one_starts_beside_the_old_one() -> None:
    first = desired("db", "routed", "new", {"stop_first": "plan.reason.port", "gap": 4.0})
    beside = desired("web", "routed", "new", {"gap": 4.0})
    made = plan.make([first, beside], [container("old", "web", "old", "running", "")])
    assert [move.gap for move in made.moves] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("routes", "ports", "found"),
    [({}, ["80"], ["front"]), ({}, [], []), ({"shop.example": "web:80"}, ["80"], [])],
    ids=["an app with a proxy of its own", "an app without users", "an app with routes"],
)
def test_the_plan_knows_an_app_that_brings_its_own_proxy(
    routes: dict[str, str], ports: list[str], found: list[str]
) -> None:
    services = {"front": {"ports": [{"target": 80, "published": port} for port in ports]}, "web": {}}
    image = "registry.example/x@sha256:" + "a" * 64
    release = Release.model_validate({
        "app": "shop", "environment": "production", "platform": "linux/amd64", "compose": {"services": services},
        "services": {name: {"image": image, "kind": "routed"} for name in services}, "routes": routes,
    })  # fmt: skip
    assert plan.own_proxies(release, {"services": services}) == found
