"""Whether there is nothing to do, and what is said of what runs."""

from __future__ import annotations

from typing import Any

import pytest

from agent.releases.observe import Observed
from agent.releases.status import healthy
from agent.releases.status import judge as states
from agent.releases.unchanged import judge
from agent.releases.verify import containers, migrations

RECORD = {
    "services": {
        "web": {"kind": "routed", "hash": "h1", "replicas": 1, "image": "i"},
        "seed": {"kind": "one-shot", "hash": "h2", "replicas": 1, "image": "i"},
    }
}


def container(service: str, digest: str, state: str = "running", health: str = "", code: int | None = None) -> Observed:
    return Observed(service, service, service, digest, "i", state, health, code)


WEB, SEED = container("web", "h1", health="healthy"), container("seed", "h2", "exited", code=0)


def test_all_as_recorded_is_nothing_to_do() -> None:
    found = judge(RECORD, [WEB, SEED])
    assert found is not None
    assert found["web"] == {"action": "unchanged", "state": "healthy", "kind": "routed"}


@pytest.mark.parametrize(
    "running",
    [
        [],
        [WEB],
        [container("web", "other"), SEED],
        [container("web", "h1", health="unhealthy"), SEED],
        [container("web", "h1", health="starting"), SEED],
        [container("web", "h1", "exited", code=0), SEED],
        [WEB, WEB, SEED],
        [WEB, SEED, container("intruder", "h9")],
        [WEB, container("seed", "h2", "exited", code=1)],
    ],
)
def test_anything_else_is_something_to_do(running: list[Observed]) -> None:
    assert judge(RECORD, running) is None


def test_the_record_is_compared_with_what_runs() -> None:
    services: dict[str, Any] = RECORD["services"]
    assert containers(services, [WEB, SEED]) == []
    assert containers(services, [container("web", "other"), SEED]) == [{"what": "definition", "where": "web"}]
    assert {"what": "unknown", "where": "x"} in containers(services, [WEB, SEED, container("x", "h")])
    assert {"what": "containers", "where": "seed"} in containers(services, [WEB])


def test_every_recorded_service_has_a_state() -> None:
    found = states(RECORD["services"], [SEED])
    assert found["web"]["state"] == "stopped"
    assert found["seed"]["state"] == "completed"


@pytest.mark.parametrize(
    ("found", "word"),
    [
        ([], "stopped"),
        (["stopped", "exited"], "stopped"),
        (["healthy", "running", "completed"], "healthy"),
        (["healthy", "starting"], "starting"),
        (["healthy", "unhealthy"], "unhealthy"),
        (["healthy", "exited"], "unhealthy"),
    ],
)
def test_one_word_for_an_app(found: list[str], word: str) -> None:
    assert healthy({str(at): {"state": state} for at, state in enumerate(found)}) == word


def test_a_database_is_compared_with_what_its_release_brought() -> None:
    record = {"migrations": ["0001_a", "0002_b"], "ahead": ["0003_c"]}
    assert migrations(record, ["0001_a", "0002_b", "0003_c"]) == []
    assert migrations(record, ["0001_a", "0004_d"]) == [
        {"what": "migration missing", "where": "0002_b"},
        {"what": "migration unknown", "where": "0004_d"},
    ]
