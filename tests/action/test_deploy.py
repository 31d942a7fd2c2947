"""Releases and rollbacks through the workflows as they stand: real build, registry, SSH and host; GitHub's double.

One app lives through all of it in this order: planned, released, released again, broken, rolled back, released twice
at once.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.action import events
from tests.action.engine import Engine
from tests.action.runner import Ended, Runner
from tests.faults.app import GOOD, App
from tests.faults.lab import Lab
from tests.github.double import JOB_TOKEN
from tests.github.server import Fault, Kind, Server, serve

HOSTILE = "<img src=x> [x](https://evil.example) ::set-output name=status::HEALTHY"
HOSTILE_FILE = "::error::<img src=x> ##(add-mask)a (x) @everyone </details>\u202e| "
CRASHING = f"echo '::error::{HOSTILE}'; echo '##[add-mask]web'; printf '\\033[2J::stop-commands::x\\n'; exit 7\n"


@dataclass
class Story:
    """One app, its host, and what GitHub has of it."""

    lab: Lab
    app: App
    github: Server
    engine: Engine
    root: Path
    machine: Path
    runs: int = 0
    first_release: str = ""
    first_commit: str = ""
    first_artifacts: Path = Path()

    def runner(self, context: dict[str, Any]) -> Runner:
        """Return a fresh job with the app checked out."""
        self.runs += 1
        root = self.root / f"run-{self.runs}"
        root.mkdir()
        (root / "temp").symlink_to(self.machine)
        event = root / "event.json"
        event.write_text(json.dumps(context["event"]))
        builder = {name: self.lab.env[name] for name in ("DOCKER_HOST", "SSL_CERT_FILE")}
        made = Runner(root, self.engine, context | {"actor": self.lab.env["BRIDGE_REGISTRY_USER"]}, event, builder)
        made.workspace.rmdir()
        subprocess.run(["git", "clone", "-q", str(self.app.repo), str(made.workspace)], check=True)
        return made

    @property
    def head(self) -> str:
        done = subprocess.run(["git", "-C", str(self.app.repo), "rev-parse", "HEAD"], capture_output=True, text=True)
        return done.stdout.strip()

    @property
    def place(self) -> dict[str, str]:
        """The inputs that say where it goes."""
        host, key = self.lab.env["BRIDGE_HOST"], Path(self.lab.env["BRIDGE_KNOWN_HOSTS"]).read_text().split("\n")[0]
        return {"host": host, "host-key": key.partition(" ")[2], "registry": self.lab.env["BRIDGE_REGISTRY"]}

    @property
    def secrets(self) -> dict[str, str]:
        return {
            "BRIDGE_SSH_KEY": Path(self.lab.env["BRIDGE_SSH_KEY"]).read_text(),
            "BRIDGE_REGISTRY_TOKEN": self.lab.env["BRIDGE_REGISTRY_TOKEN"],
        }

    def release(self, tag: str, **more: Any) -> Ended:
        """Run the deploy workflow for a pushed tag."""
        return self.job(events.tag(self.github.url, JOB_TOKEN, tag, self.head, run=str(9000 + self.runs)), **more)

    def job(self, context: dict[str, Any], **more: Any) -> Ended:
        base = {"build-values": f"BASE_IMAGE={self.lab.env['RIG_BUSYBOX_IMAGE']}"}
        return self.runner(context).job("deploy.yml", "deploy", self.place | base | more, self.secrets)

    def traces(self, secret: str) -> list[Path]:
        """Return the files of all runs, and of the folder for temporary files, that hold ``secret``."""
        roots = (self.root, self.machine)
        files = [file for root in roots for file in root.rglob("*") if file.is_file() and "/venv/" not in str(file)]
        return [file for file in files if secret.encode() in file.read_bytes()]

    def states(self) -> list[str | None]:
        """Return the state of each deployment that GitHub knows, the oldest first."""
        return [
            self.github.double.state(item["id"])
            for item in sorted(self.github.double.deployments, key=lambda item: item["id"])
        ]


@pytest.fixture(scope="module")
def story(
    rig: dict[str, str], engine: Engine, machine: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("story")
    lab = Lab(rig)
    lab.fault()
    before = lab.apps()
    app = App(root / "app", "action", {"0001_init": "create table visits (id bigint primary key);"})
    app.write("one")
    with serve() as github:
        yield Story(lab, app, github, engine, root, machine)
        assert not github.violations
    lab.remove(lab.apps() - before)


def test_a_pull_request_tells_what_would_be_built_before_anything_is(story: Story) -> None:
    story.github.double.open_pull(7, story.head)
    runner = story.runner(events.pull_request(story.github.url, JOB_TOKEN, head=story.head))
    values = {"build-values": f"BASE_IMAGE={story.lab.env['RIG_BUSYBOX_IMAGE']}"}
    ended = runner.job("check.yml", "check", story.place | values, story.secrets)
    assert ended.outputs["status"] == "PLANNED", ended.log.shown
    [comment] = story.github.double.comments[7]
    assert "builds 2 of 2 images" in comment["body"]
    assert not story.lab.containers(story.app.name)


def test_pushed_again_with_180_faults_of_hostile_names_it_keeps_its_one_comment(story: Story) -> None:
    """A report of more than 100 kB, from a branch and of files whose names are commands and markup."""
    second, branch = "d" * 40, "x::set-output name=status::HEALTHY `</details>@everyone"
    story.github.double.open_pull(7, second)
    runner = story.runner(events.pull_request(story.github.url, JOB_TOKEN, head=second, branch=branch))
    copies = [f'COPY ["{HOSTILE_FILE}{number}-{"long-" * 150}.txt", "/x/"]\n' for number in range(180)]
    (runner.workspace / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n" + "".join(copies))
    values = {"build-values": f"BASE_IMAGE={story.lab.env['RIG_BUSYBOX_IMAGE']}"}
    ended = runner.job("check.yml", "check", story.place | values, story.secrets)
    assert not ended.ok
    assert int(ended.outputs["findings"]) >= 180
    assert len(ended.summary.encode()) > 100_000
    [comment] = story.github.double.comments[7]
    assert 50_000 < len(comment["body"].encode()) < 65_536
    newest = max(story.github.double.notes)
    assert len([note for note in story.github.double.notes[newest] if note["path"] == "Dockerfile"]) == 180
    assert {command.name for command in ended.log.commands} <= {"group", "endgroup", "add-mask", "error", "warning"}
    for text in (comment["body"], ended.summary):
        outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
        for markup in ("<img", "</details><", "](https://evil", "@everyone", "\u202e"):
            assert markup not in outside


def test_a_release_tag_is_built_deployed_and_recorded(story: Story) -> None:
    ended = story.release("v1.0.0")
    assert ended.ok, ended.log.shown
    assert ended.outputs["status"] == "HEALTHY"
    assert story.lab.ask(story.app.host) == (200, "one")
    assert story.states() == ["success"]
    assert ended.steps["Keep the release"] == "success"
    assert "HEALTHY" in ended.summary or ended.outputs["release"] in ended.summary
    story.first_release, story.first_commit = ended.outputs["release"], story.head
    story.first_artifacts = story.root / f"run-{story.runs}/artifacts"
    for secret in (*story.secrets.values(), JOB_TOKEN):
        assert secret not in ended.log.shown
        assert secret.splitlines()[-1] not in ended.log.shown


def test_the_release_is_attached_to_the_release_of_the_tag(story: Story) -> None:
    story.github.double.publish("v1.0.0")
    runner = story.runner(events.tag(story.github.url, JOB_TOKEN, "v1.0.0", story.head))
    (runner.root / "artifacts").rmdir()
    (runner.root / "artifacts").symlink_to(story.first_artifacts)
    outputs = {"status": "HEALTHY", "release": story.first_release}
    ended = runner.job("deploy.yml", "attach", story.place, {}, deploy={"outputs": outputs})
    assert ended.ok, ended.log.shown
    [asset] = story.github.double.releases["v1.0.0"]["assets"]
    assert asset["name"] == f"{story.app.name}-production.ikoma-release.tar.gz"


@pytest.mark.parametrize("named", ["by its file", "by its commit"])
def test_a_release_that_exists_is_deployed_again_without_a_build_and_changes_nothing(story: Story, named: str) -> None:
    """The kept file, or the commit under which it stands in the registry; that needs not even a checkout."""
    runner = story.runner(events.tag(story.github.url, JOB_TOKEN, "v1.0.0", story.head, run=str(9100 + story.runs)))
    release, place = story.head, {name.replace("-", "_"): value for name, value in story.place.items()}
    if named == "by its file":
        kept = next((story.first_artifacts).glob("*/*.tar.gz"))
        (runner.workspace / "kept.tar.gz").write_bytes(kept.read_bytes())
        release = "kept.tar.gz"
    else:
        shutil.rmtree(runner.workspace)
        runner.workspace.mkdir()
    ended = runner.action(command="deploy", release=release, app=story.app.name,
                          ssh_key=story.secrets["BRIDGE_SSH_KEY"],
                          registry_token=story.secrets["BRIDGE_REGISTRY_TOKEN"], **place)  # fmt: skip
    assert ended.ok, ended.log.shown
    assert ended.outputs["release"] == story.first_release
    assert "::group::build" not in ended.log.raw
    head = json.loads(Path(ended.outputs["report"]).read_text())["audit_head"]
    held = story.lab.bridge("audit", "--verify", "--anchor", head, "--json")
    assert (held.code, held.json["ok"], held.json["seen"]) == (0, True, head)


def test_the_next_release_makes_the_one_before_inactive(story: Story) -> None:
    story.app.write("two")
    ended = story.release("v1.1.0")
    assert ended.ok, ended.log.shown
    assert story.lab.ask(story.app.host) == (200, "two")
    assert story.states()[-1] == "success"
    assert set(story.states()[:-1]) == {"inactive"}


def test_a_release_that_crashes_is_put_back_and_its_words_are_only_words(story: Story) -> None:
    story.app.write("three")
    (story.app.repo / "serve.sh").write_text(CRASHING)
    story.app._commit("crash")
    ended = story.release("v1.2.0")
    assert not ended.ok
    assert ended.outputs["status"] == "ROLLED_BACK"
    assert story.lab.ask(story.app.host) == (200, "two")
    assert story.states()[-1] == "failure"
    assert {command.name for command in ended.log.commands} <= {"group", "endgroup", "add-mask", "error", "warning"}
    assert "web" not in ended.log.masks
    assert "\033" not in ended.log.raw
    assert "<img" not in ended.summary
    assert "](https://evil.example)" not in ended.summary


def test_a_rollback_by_hand_goes_to_the_release_before_or_to_the_one_that_was_chosen(story: Story) -> None:
    """GitHub's record names the tag that comes back, not the branch from which the rollback was started."""
    for to, page, tag in (("", "one", "v1.0.0"), ("", "two", "v1.1.0"), (story.first_release, "one", "v1.0.0")):
        inputs = {"to": to, "host": story.place["host"], "host-key": story.place["host-key"]}
        runner = story.runner(events.dispatch(story.github.url, JOB_TOKEN, inputs, run=str(9250 + story.runs)))
        ended = runner.job("rollback.yml", "rollback", inputs, {"BRIDGE_SSH_KEY": story.secrets["BRIDGE_SSH_KEY"]})
        assert ended.ok, ended.log.shown
        assert ended.outputs["status"] == "HEALTHY"
        assert (ended.outputs["release"] == story.first_release) is (page == "one")
        assert story.lab.ask(story.app.host) == (200, page)
        assert story.states()[-1] == "success"
        assert max(story.github.double.deployments, key=lambda item: item["id"])["ref"] == tag


@pytest.mark.parametrize(("fault", "method"), [("before", "GET"), ("after", "POST"), ("secondary", "POST")])
def test_github_fails_at_every_call_once_and_a_deployment_is_recorded_once(
    story: Story, fault: Kind, method: str
) -> None:
    """A release that exists, so that what takes time is GitHub alone."""
    before = len(story.states())
    story.github.faults.append(Fault(fault, method=method, turns=True, seconds=0.5))
    runner = story.runner(events.tag(story.github.url, JOB_TOKEN, "v1.0.0", story.head, run=str(9300 + story.runs)))
    runner.variables = {**runner.variables, "IKOMA_REPORT_SECONDS": "300"}
    ended = runner.job("deploy.yml", "deploy", story.place | {"release": story.first_commit}, story.secrets)
    story.github.faults.clear()
    assert ended.ok, ended.log.shown
    assert ended.outputs["release"] == story.first_release
    assert story.states()[before:] == ["success"]
    assert set(story.states()[:before]) <= {"inactive", "failure"}
    assert "is missing on GitHub" not in ended.log.shown


def test_a_job_that_is_cancelled_during_a_build_leaves_no_login_behind(story: Story) -> None:
    runner = story.runner(events.tag(story.github.url, JOB_TOKEN, "v1.2.9", story.head, run="9350"))
    with (runner.workspace / "Dockerfile").open("a") as dockerfile:
        dockerfile.write('RUN ["/bin/busybox", "sleep", "300"]\n')
    logins: list[Path] = []

    def cancel() -> None:
        deadline = time.monotonic() + 120
        while not logins and time.monotonic() < deadline:
            time.sleep(0.1)
            logins[:] = story.machine.glob("ikoma-docker-*/bake.json")
        runner.cancel()

    watcher = threading.Thread(target=cancel)
    watcher.start()
    base = {"build-values": f"BASE_IMAGE={story.lab.env['RIG_BUSYBOX_IMAGE']}"}
    ended = runner.job("deploy.yml", "deploy", story.place | base, story.secrets)
    watcher.join()
    assert logins
    assert not ended.ok
    assert ended.outputs["status"] == "FAILED"
    assert "Failed after" in ended.summary
    assert not list(story.machine.glob("ikoma-docker-*"))
    assert story.traces(story.secrets["BRIDGE_SSH_KEY"].splitlines()[2]) == []
    assert story.lab.ask(story.app.host) == (200, "one")


def test_two_runs_at_once_deploy_one_after_the_other(story: Story) -> None:
    story.app.write("four")
    (story.app.repo / "serve.sh").write_text(GOOD)
    story.app._commit("again")
    ends: list[Ended] = []
    contexts = [events.tag(story.github.url, JOB_TOKEN, f"v1.3.{n}", story.head, run=str(9200 + n)) for n in (0, 1)]
    lock = threading.Lock()

    def run(context: dict[str, Any]) -> None:
        ended = story.job(context)
        with lock:
            ends.append(ended)

    threads = [threading.Thread(target=run, args=(context,)) for context in contexts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    told = "\n\n".join(ended.log.shown for ended in ends)
    assert [ended.outputs["status"] for ended in ends] == ["HEALTHY", "HEALTHY"], told
    assert story.lab.ask(story.app.host) == (200, "four")
    assert story.states().count("success") == 1


def test_a_cut_line_is_reported_as_still_running_and_the_release_arrives_without_us(story: Story) -> None:
    story.app.write("five")
    runner = story.runner(events.tag(story.github.url, JOB_TOKEN, "v1.4.0", story.head, run="9400"))
    place = {name.replace("-", "_"): value for name, value in story.place.items()}
    with contextlib.ExitStack() as cable:
        pulled = threading.Event()

        def pull(method: str, path: str) -> None:
            """GitHub hears of the deployment while the host is at it: that is when the cable goes."""
            if method == "POST" and "/deployments" in path and not pulled.is_set():
                pulled.set()
                cable.enter_context(story.lab.link_down())

        story.github.before = pull
        ended = runner.action(command="deploy", give_up="1", ssh_key=story.secrets["BRIDGE_SSH_KEY"],
                              registry_token=story.secrets["BRIDGE_REGISTRY_TOKEN"],
                              build_values=f"BASE_IMAGE={story.lab.env['RIG_BUSYBOX_IMAGE']}", **place)  # fmt: skip
        story.github.before = lambda method, path: None
        assert pulled.is_set()
    assert not ended.ok
    assert ended.outputs["status"] == "RUNNING", ended.log.shown
    assert f"attach {ended.outputs['operation']}" in ended.summary
    assert ended.log.of("warning")
    assert not ended.log.of("error")
    assert story.states()[-1] == "in_progress"
    status = story.lab.wait_until_idle(story.app.name)
    assert status["release"] == ended.outputs["release"]
    assert story.lab.ask(story.app.host) == (200, "five")
