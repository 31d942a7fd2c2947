"""The HTTP door of a real host: through Caddy and on loopback, while a deployment runs, as row set B types it."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.app import App
from tests.faults.lab import Lab
from tests.fixtures.doors.assistant import speak

CALLERS = 200


@pytest.fixture(scope="module")
def lab(rig: dict[str, str]) -> Iterator[Lab]:
    """The running host; what the tests deployed is removed at the end."""
    lab = Lab(rig)
    lab.fault()
    before = lab.apps()
    yield lab
    lab.fault()
    lab.remove(lab.apps() - before)


@pytest.fixture(scope="module")
def app(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> App:
    """An app that serves."""
    app = App(tmp_path_factory.mktemp("doors"), "doors", {"0001_init": "create table t (id int);"})
    app.write("one")
    deployed = lab.deploy(app.repo)
    assert deployed.code == 0, deployed
    return app


def call(lab: Lab, capability: str, **content: Any) -> tuple[int, Any, float]:
    """Call a capability from outside, through the proxy; return status, answer and seconds."""
    began = time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(lab.env["RIG_HTTP"]).netloc, timeout=60)
    try:
        headers = {"X-Api-Key": lab.env["RIG_API_KEY"]}
        connection.request("POST", f"/execute/{capability}", json.dumps(content), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), time.monotonic() - began
    finally:
        connection.close()


def typed(lab: Lab, capability: str, role: str, body: str) -> Any:
    """Type the command as the runbook has it, in a shell on the host."""
    line = (
        f'curl -s -X POST http://localhost:3000/execute/{capability} -H "X-Api-Key: $API_KEY" -H "X-Role: {role}" '
        f"-H \"Content-Type: application/json\" -d '{body}'"
    )
    script = f"read -r API_KEY; {line}"
    return json.loads(lab.inside("bash", "-c", script, text=lab.env["RIG_API_KEY"] + "\n"))


def test_200_reads_at_once_are_all_answered_while_a_deployment_runs(
    lab: Lab, app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    app.write("two")
    lab.fault(sleep_at={"roll-out:before": 6})
    deploying = lab.start("pipeline", "run", "--repo", str(app.repo), "--json")
    try:
        lab.wait_until_running(app.name)
        with ThreadPoolExecutor(CALLERS) as pool:
            answers = list(pool.map(lambda _: call(lab, "apps.releases", appName=app.name), range(CALLERS)))
        running = call(lab, "status.get", appName=app.name)[1]["result"]["operation"]
    finally:
        lab.fault()
        out, err = deploying.communicate(timeout=120)
    assert running is not None, "the deployment ended before the last answer"
    assert [status for status, _, _ in answers] == [200] * CALLERS
    assert {answer["result"]["app"] for _, answer, _ in answers} == {app.name}
    assert deploying.returncode == 0, out + err
    seconds = [taken for _, _, taken in answers]
    p99 = statistics.quantiles(seconds, n=100)[98]
    with capsys.disabled():
        print(f"\n{CALLERS} reads during a deployment: median {statistics.median(seconds):.3f} s, p99 {p99:.3f} s")
    assert p99 < 30


def test_the_commands_of_row_set_b_answer_as_their_rows_say(lab: Lab, app: App) -> None:
    name = json.dumps({"appName": app.name})
    assert typed(lab, "apps.status", "observer", name)["result"]["dockerRunning"] is True
    assert typed(lab, "artifact.verify_release", "observer", name)["result"]["verified"] is True
    assert typed(lab, "apps.health", "observer", name)["result"]["health"] == "healthy"
    checked = typed(lab, "platform.check", "observer", "{}")["result"]
    assert checked["healthy"] is True
    assert {check: checked["checks"][check] for check in ("docker", "postgres", "appsRoot")} == {
        "docker": True, "postgres": True, "appsRoot": True,
    }  # fmt: skip
    valid = typed(lab, "apps.validate", "observer", name)["result"]
    assert (valid["valid"], valid["problems"]) == (True, [])
    assert "APP_SECRET=none" in typed(lab, "apps.env.example", "observer", name)["result"]
    restarted = typed(lab, "deploy.restart", "operator", name)["result"]
    assert restarted["status"] == "HEALTHY"
    refused = typed(lab, "deploy.restart", "observer", name)
    assert (refused["status"], refused["id"], "result" in refused) == (403, "wire.forbidden", False)


def test_an_assistant_checks_plans_reads_goes_back_and_deploys_over_ssh(lab: Lab, app: App) -> None:
    env, target = lab.env, {"appName": app.name}
    ssh = ["ssh", "-i", env["BRIDGE_SSH_KEY"], "-o", f"UserKnownHostsFile={env['BRIDGE_KNOWN_HOSTS']}",
           "-o", "BatchMode=yes", "-F", "/dev/null", f"ikoma@{env['BRIDGE_HOST']}", "mcp"]  # fmt: skip
    served = call(lab, "deploy.manifest", appName=app.name)[1]["result"]
    checked, state, plan, logs, back, again = speak(
        ssh,
        [
            {"do": "call", "name": "platform_check", "args": {}},
            {"do": "call", "name": "apps_status", "args": target},
            {"do": "call", "name": "deploy_plan", "args": target | {"manifest": served["manifest"]}},
            {"do": "read", "uri": f"ikoma://{app.name}/production/logs"},
            {"do": "call", "name": "deploy_rollback", "args": target},
            {"do": "call", "name": "deploy_apply", "args": target | {"release": served["release"]}},
        ],
    )
    assert checked["structuredContent"]["result"]["healthy"] is True
    assert state["structuredContent"]["result"]["release"] == served["release"]
    assert plan["structuredContent"]["result"]["problems"] == []
    assert json.loads(logs["contents"][0]["text"])["app"] == app.name
    before = state["structuredContent"]["result"]["previous"]
    assert (back["structuredContent"]["status"], back["structuredContent"]["result"]["release"]) == ("HEALTHY", before)
    assert again["structuredContent"]["result"]["release"] == served["release"]
    assert again["structuredContent"]["status"] == "HEALTHY"


def test_a_new_app_gets_its_folder_and_is_told_what_is_missing(lab: Lab) -> None:
    app = App(Path("/nowhere"), "fresh").name
    name = json.dumps({"appName": app})
    made = typed(lab, "apps.init", "builder", name)["result"]
    assert made["created"] == ["config", "migrations", "seeds", "docker-compose.yml"]
    assert typed(lab, "apps.init", "builder", name)["result"]["created"] == []
    assert typed(lab, "apps.validate", "observer", name)["result"]["valid"] is False
    compose = (
        "services: {web: {image: 'busybox:1', ports: ['22:80'], "
        "environment: {TOKEN: '${TOKEN:?from the bank}', LEVEL: '${LEVEL:-3}'}}}"
    )
    lab.inside("sh", "-c", f"cat > /srv/apps/{app}/docker-compose.yml", text=compose)
    template = typed(lab, "apps.env.example", "observer", name)["result"]
    assert "# from the bank\nTOKEN=\n" in template
    assert "LEVEL=3\n" in template
    judged = typed(lab, "apps.validate", "observer", name)["result"]
    assert judged["checks"] == {"contract": True, "compose": True, "environment": False, "ports": False}
    lab.inside("rm", "-r", f"/srv/apps/{app}")


def test_root_becomes_the_agents_user_and_keeps_what_is_meant_for_it(lab: Lab) -> None:
    app = App(Path("/nowhere"), "owned").name
    lab.inside("ikoma", "apps", "init", "--app", app)
    places = (f"/srv/apps/{app}", "/var/lib/ikoma/journal.db", "/var/lib/ikoma/locks", "/var/log/ikoma")
    assert lab.inside("find", *places, "-user", "root") == ""
    assert lab.inside("stat", "-c", "%U", f"/srv/apps/{app}/docker-compose.yml") == "ikoma\n"
    french = lab.inside("sh", "-c", f"IKOMA_LANG=fr ikoma apps logs --app {app} --tail 0 2>&1; true")
    assert "nombre" in french
    lab.inside("rm", "-r", f"/srv/apps/{app}")


def test_the_figures_stay_on_the_host(lab: Lab) -> None:
    assert "ikoma_http_calls_total" in lab.inside("curl", "-s", "http://localhost:3000/metrics")
    connection = http.client.HTTPConnection(urlsplit(lab.env["RIG_HTTP"]).netloc, timeout=10)
    connection.request("GET", "/metrics")
    assert connection.getresponse().status == 401
