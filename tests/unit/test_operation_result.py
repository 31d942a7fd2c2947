"""The object that ends an operation, as data."""

from typing import Any

import pytest

from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.model.secret import Redactor
from agent.operations import result
from agent.operations.journal import StepRow
from agent.operations.record import Record

SHAPE = {
    "status", "message", "app", "environment", "release", "previous", "operation", "seconds", "steps", "services",
    "migrations", "error", "warnings",
}  # fmt: skip


def row(name: str, status: str = "done", facts: dict[str, Any] | None = None, **result: Any) -> StepRow:
    return StepRow(name, status, 1.23456, f"about {name}", facts or {}, result)


def assemble(status: str, *rows: StepRow, **more: Any) -> dict[str, Any]:
    return result.assemble(status=status, operation="op", target=Target("shop", "staging"), rows=rows, **more)


@pytest.mark.parametrize("status", ["HEALTHY", "DONE", "FAILED", "ROLLED_BACK", "INTERRUPTED"])
def test_every_status_has_the_whole_shape_and_a_message_in_both_languages(status: str) -> None:
    error = None if status in ("HEALTHY", "DONE") else IkomaError("operation.disk_full", step="pull")
    english, french = (assemble(status, row("pull"), error=error, lang=lang) for lang in ("en", "fr"))
    assert set(english) == SHAPE
    assert english["message"] != french["message"]
    assert "operation.end" not in english["message"]
    assert "{" not in english["message"] + french["message"]


def test_steps_are_listed_with_what_they_said() -> None:
    assert assemble("HEALTHY", row("pull"))["steps"] == [
        {"name": "pull", "status": "done", "seconds": 1.235, "detail": "about pull"}
    ]


def test_what_steps_add_is_merged_and_what_was_undone_is_left_out() -> None:
    migrations = {"applied": ["0001_a"], "pending": []}
    found = assemble(
        "ROLLED_BACK",
        row("migrate", migrations=migrations),
        row("roll-out", "undone", services={"web": {"action": "replaced"}}),
        row("health", "failed"),
        error=IkomaError("operation.disk_full", step="health"),
    )
    assert found["migrations"] == migrations
    assert found["services"] == {}
    assert found["error"]["step"] == "health"


def test_a_failed_step_leaves_what_stays() -> None:
    stays = {"result": {"migrations": {"applied": ["0001_a"], "pending": ["0002_b"]}}}
    found = assemble("FAILED", row("migrate", "failed", stays), error=IkomaError("operation.disk_full"))
    assert found["migrations"]["applied"] == ["0001_a"]


def test_no_step_can_change_what_is_not_its_own() -> None:
    found = assemble(
        "FAILED", row("liar", status="HEALTHY", error=None, steps=[]), error=IkomaError("operation.disk_full")
    )
    assert found["status"] == "FAILED"
    assert found["error"]["id"] == "operation.disk_full"
    assert len(found["steps"]) == 1


def test_secrets_are_masked_everywhere_but_in_names() -> None:
    record = Record(None, "op", Redactor(["website", "hunter2-secret"]))  # type: ignore[arg-type]
    masked = record.masked(
        {
            "step": "website",
            "detail": "website said hunter2-secret",
            "services": {"website": {"log": ["hunter2-secret"]}},
        }
    )
    assert masked == {"step": "website", "detail": "*** said ***", "services": {"website": {"log": ["***"]}}}
