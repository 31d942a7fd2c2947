"""A host may answer whatever it likes: how it ended is still told, on every face."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from agent.model.names import Target
from bridge import cli
from bridge.reports import final, model, shapes, summary
from bridge.reports.console import Console
from bridge.reports.github import Run, Start, Story
from bridge.reports.model import PlanReport

TARGET = Target("shop")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def odd(**known: Any) -> st.SearchStrategy[Any]:
    """Return mappings in which each key is what it should be, or anything, or missing."""
    return st.fixed_dictionaries({}, optional={name: good | VALUES for name, good in known.items()})


WORD = st.text(max_size=6)
GAPS = st.floats() | st.sampled_from([float("inf"), float("nan"), -1.0, 10**400])
STEPS = st.lists(odd(name=WORD, status=WORD, seconds=st.floats(), detail=WORD), max_size=3)
SERVICES = st.dictionaries(WORD, odd(action=WORD, state=WORD, cut=st.integers(), gap=st.floats()), max_size=3)
RESULTS = odd(
    status=st.sampled_from(["HEALTHY", "FAILED", "ROLLED_BACK", "RUNNING"]), message=WORD, release=WORD, previous=WORD,
    operation=WORD, seconds=st.floats(), steps=STEPS, services=SERVICES, routes=st.lists(WORD, max_size=2),
    warnings=st.lists(odd(message=WORD, remedy=WORD), max_size=2), migrations=odd(applied=st.lists(WORD)),
    error=odd(id=WORD, step=WORD, message=WORD, remedy=WORD),
)  # fmt: skip
PLANS = odd(
    services=st.lists(odd(service=WORD, action=st.just("replaced"), how=st.just("stop-first"), gap_seconds=GAPS)),
    lines=st.lists(WORD, max_size=2), problems=st.lists(odd(message=WORD, remedy=WORD), max_size=2),
)  # fmt: skip


def told(story: Story) -> str:
    """Return all that people would read of a story on GitHub; it can be written to a file."""
    said = summary.comment(story, "en") + summary.job(story, "fr") + summary.check_text(story, "en")
    return said.encode().decode()


@given(RESULTS)
def test_however_odd_an_ending_is_it_is_told(result: dict[str, Any]) -> None:
    report = model.deployment(TARGET, result)
    assert report["status"]
    assert told(Story(TARGET, Run(), start=Start("op"), end=report))
    assert final.deployment(report, Console(environ={}, out=io.StringIO(), err=io.StringIO()))


@given(PLANS)
def test_however_odd_a_plan_is_it_is_told(plan: dict[str, Any]) -> None:
    report: PlanReport = {"app": "shop", "environment": "production", "release": None, "images": {},
                          "host": shapes.plan(plan), "migrations": None}  # fmt: skip
    assert told(Story(TARGET, Run(), plan=report))
    assert final.plan(report, Console(environ={}, out=io.StringIO(), err=io.StringIO()))


def test_what_a_host_says_rightly_stays_as_it_is() -> None:
    result = {
        "status": "HEALTHY", "message": "m", "release": "r-1", "previous": None, "operation": "op", "seconds": 2,
        "steps": [{"name": "pull", "status": "done", "seconds": 0.5, "detail": "2", "more": 1}],
        "services": {"api": {"action": "replaced", "state": "healthy", "cut": 2, "gap": 0.4}},
        "migrations": {"applied": ["0001"], "pending": []}, "routes": ["https://x"], "warnings": [{"id": "w"}],
        "error": {"id": "a.b", "step": None, "message": "m", "remedy": "r"}, "later": {"a": 1},
    }  # fmt: skip
    report = model.deployment(TARGET, result)
    assert {key: report[key] for key in result} == result  # type: ignore[literal-required]


DOCUMENTED = {
    part.partition("\n")[0]: part
    for part in (Path(__file__).parents[2] / "docs/json.md").read_text(encoding="utf-8").split("\n## ")[1:]
}


@pytest.mark.parametrize(
    ("heading", "shape"),
    [("A deployment", model.DeploymentReport), ("`status`", model.StatusReport), ("`plan`", model.PlanReport)],
)
def test_what_is_documented_is_typed(heading: str, shape: type) -> None:
    text = next(text for title, text in DOCUMENTED.items() if title.startswith(heading))
    rows = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(shape.__annotations__)


def test_every_command_says_what_it_prints() -> None:
    headings = {name for title in DOCUMENTED for name in re.findall(r"`([^`]+)`", title)}
    top: Any = typer.main.get_command(cli.app)
    words = {
        f"{name} {word}".strip()
        for name, command in top.commands.items()
        for word in getattr(command, "commands", {"": None})
        if not command.hidden
    }
    assert words - headings == set()


def test_a_status_says_where_one_could_go_back_to_and_what_is_wrong() -> None:
    report = model.status(TARGET, {"previous": "r-1", "warnings": [{"id": "w"}, "odd"]})
    assert (report["previous"], report["warnings"]) == ("r-1", [{"id": "w"}])
    assert (model.status(TARGET, {})["previous"], model.status(TARGET, {})["warnings"]) == (None, [])
