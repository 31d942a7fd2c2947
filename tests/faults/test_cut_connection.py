"""The connection is cut while a deployment runs: the host goes on, and the client gets every event once, in order."""

import json
import random
import time
from pathlib import Path
from typing import Any

from tests.faults.app import App
from tests.faults.lab import Lab, kill


def events_of(lab: Lab, operation: str, *, after: int = 0) -> list[dict[str, Any]]:
    """Attach with the ordinary command and return the events it prints."""
    ran = lab.bridge("attach", operation, "--after", str(after), "--events")
    return [json.loads(line) for line in ran.stdout.splitlines()]


def is_whole(events: list[dict[str, Any]], *, after: int = 0) -> bool:
    """Every event once, in order, one end."""
    numbers = [event["seq"] for event in events]
    ends = [event for event in events if event["kind"] == "end"]
    return numbers == list(range(after + 1, after + 1 + len(events))) and len(ends) == 1 and events[-1] == ends[0]


def test_a_link_that_is_down_for_twenty_seconds_does_not_stop_a_deployment(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "link", {"0001_init": "create table t (id int);"})
    app.write("one")
    lab.fault(sleep_at={"roll-out:before": 4})
    client = lab.start("pipeline", "run", "--repo", str(app.repo), "--json")
    lab.wait_until_running(app.name)
    with lab.link_down():
        time.sleep(20)
    out, err = client.communicate(timeout=120)
    assert client.returncode == 0, err
    result = json.loads(out)
    assert result["status"] == "HEALTHY"
    assert is_whole(events_of(lab, result["operation"]))


def test_a_host_that_stays_away_is_left_with_the_command_that_attaches_again(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "away")
    app.write("one")
    lab.fault(sleep_at={"roll-out:before": 25})
    client = lab.start("pipeline", "run", "--repo", str(app.repo), "--json", BRIDGE_GIVE_UP="8")
    lab.wait_until_running(app.name)
    with lab.link_down():
        out, _ = client.communicate(timeout=90)
    assert client.returncode == 3
    operation = json.loads(out)["operation"]
    assert f"attach {operation}" in json.loads(out)["error"]["remedy"]
    attached = lab.bridge("attach", operation, "--json")
    assert attached.code == 0, attached
    assert attached.json["status"] == "HEALTHY"


def test_clients_killed_at_random_moments_lose_no_event_and_no_deployment(
    lab: Lab, tmp_path: Path, chance: random.Random, long: bool
) -> None:
    app = App(tmp_path, "cuts")
    for number in range(50 if long else 6):
        app.write(f"v{number}")
        client = lab.start("pipeline", "run", "--repo", str(app.repo), "--json")
        operation = lab.wait_until_running(app.name)
        time.sleep(chance.uniform(0, 5))
        kill(client)
        whole = events_of(lab, operation)
        assert is_whole(whole), whole
        assert whole[-1]["data"]["status"] == "HEALTHY", whole[-1]
        middle = chance.randrange(1, len(whole))
        assert is_whole(events_of(lab, operation, after=middle), after=middle)
        assert lab.ask(app.host) == (200, f"v{number}")
