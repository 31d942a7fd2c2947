"""The reference of the contract is what its models say, and its example is a contract."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from agent.model.contract import load
from agent.model.errors import Misuse
from bridge.checks.rules import all_rules
from bridge.workspace import schema

DOCS = Path(__file__).parents[2] / "docs"


def test_the_checked_in_schema_is_the_generated_one() -> None:
    assert (DOCS / schema.SCHEMA).read_text() == schema.schema_text()


def test_the_checked_in_page_is_the_generated_one() -> None:
    assert (DOCS / schema.PAGE).read_text() == schema.page()


def examples() -> list[str]:
    return re.findall(r"```json\n(.*?)```", (DOCS / schema.PAGE).read_text(), re.DOTALL)


def test_the_documented_examples_are_contracts_by_the_models_and_by_the_schema() -> None:
    assert len(examples()) == 2
    for text in examples():
        assert load(text).app == "shop"
        jsonschema.validate(json.loads(text), schema.schema())


def test_the_long_example_uses_every_key_of_the_top_level() -> None:
    documented = set(json.loads(examples()[1]))
    assert set(schema.schema()["properties"]) - documented == {"$schema"}


def test_the_long_example_silences_a_rule_that_exists() -> None:
    assert {entry["rule"] for entry in json.loads(examples()[1])["silence"]} <= set(all_rules())


WRONG = [
    '{"app": "Shop"}',
    '{"app": "shop", "rutes": {}}',
    '{"app": "shop", "platform": "windows"}',
    '{"app": "shop", "health": {"timeout": "soon"}}',
    '{"app": "shop", "health": {"timeout": 999999}}',
    '{"app": "shop", "services": {"web": {"kind": "robot"}}}',
    '{"app": "shop", "retention": {"logs": {"max_size": "lots"}}}',
    '{"app": "shop", "retention": {"logs": {"files": 0}}}',
    '{"app": "shop", "environments": {"Bad Name": {}}}',
]


@pytest.mark.parametrize("text", WRONG)
def test_what_the_models_refuse_the_schema_refuses_too(text: str) -> None:
    with pytest.raises(Misuse):
        load(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(text), schema.schema())


def test_every_key_has_a_meaning() -> None:
    page = (DOCS / schema.PAGE).read_text()
    assert "|  |\n" not in page
