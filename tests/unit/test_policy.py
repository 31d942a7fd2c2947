"""What a compose file may ask of a host, as cases: a fragment and what is refused of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.model.policy import judge

CASES = json.loads((Path(__file__).parents[1] / "fixtures/policy/cases.json").read_text())
FOLDERS = ["/srv/apps/shop/files", "/srv/apps/shop/data"]
LINKS = {"/srv/apps/shop/data/link": "/etc"}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_policy_refuses_exactly(case: dict[str, Any]) -> None:
    document = {"name": "shop", "services": {"web": case.get("service", {})}, **case.get("top", {})}
    found = judge(document, "shop", FOLDERS, case.get("allow", []), lambda path: LINKS.get(path, path))
    said = sorted(f"{item.id} {item.service} {item.key} {item.value}" for item in found)
    assert said == sorted(case["refused"])


def test_every_finding_has_a_sentence_and_a_remedy_in_both_languages() -> None:
    for case in CASES:
        document = {"name": "shop", "services": {"web": case.get("service", {})}, **case.get("top", {})}
        for finding in judge(document, "shop", FOLDERS, [], lambda path: path):
            for lang in ("en", "fr"):
                assert "{" not in finding.error().message(lang)
                assert finding.error().remedy(lang)
