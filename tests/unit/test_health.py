"""What one look at a container says."""

from __future__ import annotations

from typing import Any

import pytest

from agent.model.contract import Probe
from agent.releases.health import Life, addresses, answer, interval, look, plain, port_of


def inspected(status: str = "running", restarts: int = 0, **state: Any) -> dict[str, Any]:
    base = {"Status": status, "Pid": 7, "StartedAt": "t1", "ExitCode": 0, "OOMKilled": False}
    return {"State": base | state, "RestartCount": restarts, "Config": {}}


def health(status: str, failing: int = 0, output: str = "") -> dict[str, Any]:
    return {"Status": status, "FailingStreak": failing, "Log": [{"Output": output}]}


FIRST = Life.of(inspected())


@pytest.mark.parametrize(
    ("seen", "state", "why"),
    [
        (None, "failed", "health.gone"),
        (inspected(), "ready", ""),
        (inspected("created"), "waiting", "health.not_running"),
        (inspected("exited", ExitCode=3), "failed", "health.exited"),
        (inspected("exited", ExitCode=0), "failed", "health.exited"),
        (inspected("restarting", ExitCode=1), "failed", "health.restarts"),
        (inspected(restarts=1), "failed", "health.restarts"),
        (inspected(Pid=8), "failed", "health.restarts"),
        (inspected(StartedAt="t2"), "failed", "health.restarts"),
        (inspected("exited", OOMKilled=True, ExitCode=137), "failed", "health.memory"),
        (inspected(Health=health("starting")), "waiting", "health.starting"),
        (inspected(Health=health("healthy")), "ready", ""),
        (inspected(Health=health("healthy", failing=1)), "waiting", "health.wavering"),
        (inspected(Health=health("unhealthy", failing=3)), "failed", "health.unhealthy"),
        (inspected(Health=health("none")), "ready", ""),
    ],
)
def test_a_look_is_judged(seen: dict[str, Any] | None, state: str, why: str) -> None:
    verdict = look(seen, FIRST)
    assert (verdict.state, verdict.id) == (state, why)


def test_a_check_that_prints_nothing_is_told_by_its_code() -> None:
    silent = {"Status": "unhealthy", "FailingStreak": 3, "Log": [{"ExitCode": 1, "Output": ""}]}
    assert look(inspected(Health=silent), FIRST).params == {"said": "code 1"}


def test_a_container_that_restarted_before_the_first_look_has_already_failed() -> None:
    assert look(inspected(restarts=2), None).state == "failed"


def test_an_older_container_may_have_restarted_before_the_watch() -> None:
    assert look(inspected(restarts=2), None, fresh=False).state == "ready"
    assert look(inspected("restarting", restarts=2), None, fresh=False).state == "failed"


def test_a_container_that_restarted_long_ago_is_judged_from_now_on() -> None:
    assert look(inspected(restarts=2), Life.of(inspected(restarts=2))).state == "ready"


def test_the_output_of_a_failing_check_is_told() -> None:
    verdict = look(inspected(Health=health("unhealthy", 3, "connection refused\n")), FIRST)
    assert verdict.params == {"said": "connection refused"}


@pytest.mark.parametrize(
    ("probe", "status", "body", "state"),
    [
        (Probe(), 200, "", "ready"),
        (Probe(), 302, "", "ready"),
        (Probe(), 404, "", "waiting"),
        (Probe(), 500, "", "waiting"),
        (Probe(status=401), 401, "", "ready"),
        (Probe(status=401), 200, "", "waiting"),
        (Probe(contains="ok"), 200, "all ok", "ready"),
        (Probe(contains="ok"), 200, "no", "waiting"),
    ],
)
def test_an_answer_to_a_probe_is_judged(probe: Probe, status: int, body: str, state: str) -> None:
    assert answer(probe, status, body).state == state


def test_a_probe_asks_the_stated_port_or_the_exposed_one() -> None:
    seen: dict[str, Any] = {"Config": {"ExposedPorts": {"3000/tcp": {}}}}
    assert port_of(Probe(), seen) == 3000
    assert port_of(Probe(port=8080), seen) == 8080
    assert port_of(Probe(), {"Config": {}}) == 80


def test_a_container_is_asked_on_addresses_it_has() -> None:
    networks = {"a": {"IPAddress": ""}, "b": {"IPAddress": "10.0.0.2"}}
    assert addresses({"NetworkSettings": {"Networks": networks}}) == ["10.0.0.2"]


def test_the_interval_of_a_health_check_counts_only_where_there_is_one() -> None:
    checked = inspected(Health=health("healthy")) | {"Config": {"Healthcheck": {"Interval": 2_000_000_000}}}
    assert interval(checked) == 2.0
    assert interval(inspected()) == 0.0


def test_foreign_output_cannot_move_the_cursor_or_flood_the_screen() -> None:
    assert plain("\x1b[31mred\x07\r") == "[31mred"
    assert len(plain("x" * 10_000)) == 240
