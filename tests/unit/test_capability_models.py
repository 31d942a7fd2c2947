"""Every capability says what it takes and answers; the reference and the OpenAPI document say the same."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from agent.capabilities import CAPABILITIES, models
from agent.capabilities.index import Capability
from agent.doors import http_openapi, mcp_tools, reference, schemas
from agent.host.keys import Grant
from agent.host.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
ALL = pytest.mark.parametrize("capability", CAPABILITIES.values(), ids=lambda one: one.name)
WRITE_THEM = "write them again: python -m agent.doors.reference docs"


@ALL
def test_a_capability_has_a_type_for_what_it_takes_and_answers(capability: Capability) -> None:
    assert models.is_typed(capability), f"give {capability.name} its classes in agent/capabilities/models"
    fields = models.arguments(capability).model_fields
    assert {field.alias or name for name, field in fields.items()} == set(capability.takes or ())


@ALL
def test_secret_arguments_are_marked_as_such(capability: Capability) -> None:
    properties = schemas.request_schema(capability)["properties"]
    assert all(properties[name].get("writeOnly") for name in capability.secret_args)


@ALL
def test_an_assistant_is_told_what_only_reads(capability: Capability) -> None:
    hints = mcp_tools.tool(capability).annotations
    assert hints is not None
    assert hints.read_only_hint is not (capability.changes or capability.writes)
    assert not (hints.read_only_hint and hints.destructive_hint)


def test_an_assistant_is_offered_what_its_role_may_call_and_no_more() -> None:
    offered = mcp_tools.table(CAPABILITIES, Grant("eye", "observer"))
    assert {one.role for one in offered.values()} == {"observer"}
    assert len(mcp_tools.table(CAPABILITIES, Grant("hand", "builder"))) == len(CAPABILITIES)


def test_the_checked_in_reference_is_the_generated_one() -> None:
    assert (DOCS / "capabilities.md").read_text() == reference.markdown(CAPABILITIES), WRITE_THEM


def test_the_checked_in_document_is_the_generated_one() -> None:
    assert json.loads((DOCS / "openapi.json").read_text()) == http_openapi.document(CAPABILITIES), WRITE_THEM


def test_the_checked_in_settings_are_the_generated_ones_and_none_is_without_a_word() -> None:
    text = (DOCS / "settings.md").read_text()
    assert text == reference.settings(), WRITE_THEM
    assert [field.name for field in fields(Settings) if f"`{field.name}`" not in text] == []


def test_the_index_is_plain_data_that_costs_no_model() -> None:
    code = (
        "import sys, agent.capabilities; print('pydantic' in sys.modules, 'agent.capabilities.models' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=DOCS.parent)
    assert done.stdout.split() == ["False", "False"]
