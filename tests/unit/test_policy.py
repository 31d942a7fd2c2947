"""What a compose file may ask of a host, as cases: a fragment and what is refused of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.model.policy import held, judge, unread

CASES = json.loads((Path(__file__).parents[1] / "fixtures/policy/cases.json").read_text())
FOLDERS = ["/srv/apps/shop/files", "/srv/apps/shop/data"]
LINKS = {"/srv/apps/shop/data/link": "/etc"}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_policy_refuses_exactly(case: dict[str, Any]) -> None:
    document = {"name": "shop", "services": {"web": case.get("service", {})}, **case.get("top", {})}
    found = judge(document, "shop", FOLDERS, case.get("allow", []), lambda path: LINKS.get(path, path),
                  case.get("written", []))  # fmt: skip
    said = sorted(f"{item.id} {item.service} {item.key} {item.value}" for item in found)
    assert said == sorted(case["refused"])


def test_every_finding_has_a_sentence_and_a_remedy_in_both_languages() -> None:
    for case in CASES:
        document = {"name": "shop", "services": {"web": case.get("service", {})}, **case.get("top", {})}
        for finding in judge(document, "shop", FOLDERS, [], lambda path: path):
            for lang in ("en", "fr"):
                assert "{" not in finding.error().message(lang)
                assert finding.error().remedy(lang)


OWN = "./files/" + "0" * 64


@pytest.mark.parametrize(
    ("service", "top", "refused"),
    [
        ({"env_file": ["app.env", OWN, {"path": OWN + "-x"}]}, {}, []),
        ({"env_file": ["/srv/apps/bank/agent.env"]}, {}, ["policy.bind web env_file /srv/apps/bank/agent.env"]),
        ({"env_file": ["../bank/app.env"]}, {}, ["policy.bind web env_file ../bank/app.env"]),
        ({"env_file": ["agent.env"]}, {}, ["policy.bind web env_file agent.env"]),
        ({"env_file": ["./data/link"]}, {}, ["policy.bind web env_file ./data/link"]),
        ({"env_file": [OWN + "/../../x"]}, {}, [f"policy.bind web env_file {OWN}/../../x"]),
        ({"env_file": ["${FILE}"]}, {}, ["policy.bind web env_file ${FILE}"]),
        ({"env_file": ["/etc/shared.env"]}, {}, []),
        ({"env_file": ["/etc/linked.env"]}, {}, ["policy.bind web env_file /etc/linked.env"]),
        ({"label_file": ["/etc/x"]}, {}, ["policy.key web label_file "]),
        ({"extends": {"file": "/etc/x", "service": "web"}}, {}, ["policy.key web extends "]),
        ({"profiles": ["hidden"], "privileged": True}, {}, ["policy.key web profiles "]),
        ({}, {"include": ["/srv/apps/bank/docker-compose.yml"]}, ["policy.key  include "]),
        ({"profiles": [], "extends": None}, {"include": []}, []),
    ],
)
def test_compose_is_not_given_what_makes_it_read_files_of_others(
    service: dict[str, Any], top: dict[str, Any], refused: list[str]
) -> None:
    links = {"/etc/linked.env": "/srv/apps/bank/app.env"}
    document = {"services": {"web": service}, **top}
    found = unread(document, ["bind:/etc/shared.env", "bind:/etc/linked.env"], lambda path: links.get(path, path))
    assert [f"{item.id} {item.service} {item.key} {item.value}" for item in found] == refused


STAGING = {
    "name": "shop",
    "services": {},
    "volumes": {"a": {"name": "shop_staging_data"}, "b": {"name": "shop_data"}, "c": {"name": "shop_stagingdata"}},
    "networks": {"n": {"name": "shop_staging_default"}},
}


def test_a_target_may_not_name_what_belongs_to_another_environment_of_its_app() -> None:
    found = judge(STAGING, "shop", [], [], str, others=["shop_staging", "bank", "shop_b"])
    assert {item.value for item in found} == {"shop_staging_data", "shop_staging_default"}
    assert {item.id for item in found} == {"policy.foreign"}
    assert judge(STAGING, "shop", [], [], str, others=["bank"]) == []
    assert judge(STAGING | {"networks": {}}, "shop", [], ["volume:a"], str, others=["shop_staging"]) == []


def test_what_exists_and_belongs_to_another_project_is_not_taken_over() -> None:
    owners = {
        "volume:shop_staging_data": "shop",
        "volume:shop_staging_db": "shop_staging",
        "volume:shop_staging_old": "",
        "network:shop_staging_x": "hand",
    }
    document = {
        "volumes": {key: {"name": f"shop_staging_{key}"} for key in ("data", "db", "old", "new")},
        "networks": {"x": {"name": "shop_staging_x"}},
    }
    found = held(document, "shop_staging", [], owners)
    assert [item.value for item in found] == ["shop_staging_data", "shop_staging_x"]
    assert held(document, "shop_staging", ["volume:data", "network:shop_staging_x"], owners) == []
