"""Somebody whose key may only look at one app tries to get further: through SSH, through a plan, as an assistant."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.app import App
from tests.faults.lab import Lab
from tests.fixtures.doors.assistant import speak
from tests.integration.sshd import key_pair

SECRET = "Zebra77-long/Quilted:Thing@Mango99xy"
PIECES = ("zebra77", "quilted", "mango99xy")


@dataclass(frozen=True)
class Stranger:
    """The key ``stranger``: an observer of ``app`` on a host that has ``other`` as well."""

    lab: Lab
    key: Path
    app: str
    other: str

    def client(self, *words: str, program: str = "ssh") -> list[str]:
        env = self.lab.env
        options = ["-i", str(self.key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-F", "/dev/null",
                   "-o", f"UserKnownHostsFile={env['BRIDGE_KNOWN_HOSTS']}"]  # fmt: skip
        return [program, *options, *words]

    @property
    def place(self) -> str:
        return f"ikoma@{self.lab.env['BRIDGE_HOST']}"

    def run(self, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.client(*words), input=text, capture_output=True, text=True, timeout=60)

    def copies(self) -> int:
        """Try to list the host's files by sftp; return the exit code."""
        words = self.client(self.place, program="sftp")
        return subprocess.run(words, input="ls /\n", capture_output=True, text=True, timeout=60).returncode

    def ask(self, capability: str, app: str | None = None, **args: Any) -> dict[str, Any]:
        body = json.dumps({"app": app or self.app, "args": args})
        done = self.run(self.place, f"v1 {capability}", text=f"{len(body.encode())}\n{body}")
        assert done.stdout, done
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told

    def history(self) -> list[dict[str, Any]]:
        """The lines of this key's assistant."""
        lines = map(json.loads, self.lab.inside("cat", "/var/log/ikoma/audit.jsonl").splitlines())
        return [line for line in lines if (line["key"], line["door"]) == ("stranger", "mcp")]

    def manifest(self) -> dict[str, Any]:
        """The manifest of the release that serves, to be changed."""
        found: dict[str, Any] = self.ask("deploy.manifest")["result"]["manifest"]
        found.pop("release", None)
        return found


@pytest.fixture(scope="module")
def stranger(rig: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    lab, folder = Lab(rig), tmp_path_factory.mktemp("stranger")
    lab.fault()
    before = lab.apps()
    app = App(folder / "repo", "fort")
    app.write("one")
    assert lab.deploy(app.repo).code == 0
    values = json.dumps({"APP_SECRET": SECRET})
    lab.inside("sh", "-c", f'ikoma call env.push app={app.name} values:="$(cat)"', text=values)
    other = f"{app.name}-2"
    lab.inside("ikoma", "apps", "init", "--app", other)
    private, public = key_pair()
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text(private.reveal())
    grant = f'ikoma keys put --name stranger --role observer --apps {app.name} --public-key "$(cat)"'
    lab.inside("sh", "-c", f"{grant} && {AUTHORIZE}", text=public)
    yield Stranger(lab, key, app.name, other)
    lab.inside("sh", "-c", f"ikoma keys remove --name stranger && {AUTHORIZE}; rm -r /srv/apps/{other}")
    lab.remove(lab.apps() - before)


AUTHORIZE = "ikoma keys authorized > /etc/ikoma/authorized_keys"

LINES = [
    "", "id", "mcp; id", "mcp x", " mcp", "MCP", "mcp\nid", "v1 hello; id", "v1 hello && id", "$(id)", "`id`", "sh",
    "v1 ../hello", "v2 hello", "v1 serve", "v1 hello x", "scp -f /etc/passwd", "/usr/lib/openssh/sftp-server",
    "rsync --server . /etc", "git-upload-pack /", "v1 attach ../../etc/passwd", "v1 apps.status\tid", "v1 аpps.status",
]  # fmt: skip


def test_no_line_is_a_command(stranger: Stranger) -> None:
    for line in LINES:
        done = stranger.run(stranger.place, *([line] if line else []))
        lines = [json.loads(told) for told in done.stdout.splitlines()]
        assert lines, (line, done)
        assert lines[0]["t"] == "hello", (line, done)
        assert [one["t"] for one in lines[1:]] == ["error"], (line, done)
        assert "uid=" not in done.stdout + done.stderr


@pytest.mark.parametrize("subsystem", ["sftp", "mcp", "v1 hello", "netconf"])
def test_no_subsystem_is_anything_but_the_agent(stranger: Stranger, subsystem: str) -> None:
    done = stranger.run("-s", stranger.place, subsystem, text="\0\0\0\5\1\0\0\0\3")
    assert not done.stdout or done.stdout.startswith("{"), done
    assert "uid=" not in done.stdout
    assert stranger.copies() != 0


def test_nothing_is_forwarded_in_either_direction(stranger: Stranger) -> None:
    for target in ("127.0.0.1:5432", "127.0.0.1:3000", "169.254.169.254:80"):
        done = stranger.run("-W", target, stranger.place)
        assert "administratively prohibited" in done.stderr, (target, done)
    for words in (("-R", "0:127.0.0.1:22"), ("-R", "/tmp/evil.sock:127.0.0.1:22")):
        done = stranger.run("-N", "-o", "ExitOnForwardFailure=yes", *words, stranger.place)
        assert done.returncode == 255, (words, done)


def test_no_variable_of_the_client_counts(stranger: Stranger) -> None:
    words = [
        "IKOMA_ROOT=/tmp",
        "PYTHONPATH=/tmp",
        "LD_PRELOAD=/tmp/x.so",
        "LC_ALL=../../../tmp",
        "LANG=$(id)",
        "BASH_ENV=/etc/passwd",
    ]
    for word in words:
        done = stranger.run("-o", f"SetEnv={word}", stranger.place, "v1 hello")
        assert json.loads(done.stdout.splitlines()[0])["key"] == "stranger", (word, done)
    assert "PTY allocation request failed" in stranger.run("-tt", stranger.place, "v1 hello").stderr


@pytest.mark.parametrize(
    "name", ["{other}", "../{other}", "{app}/../{other}", "{app}\n", "ｆort", "{app}\u200b", "..", "/etc"]
)
def test_no_spelling_of_a_name_is_another_app(stranger: Stranger, name: str) -> None:
    asked = name.format(app=stranger.app, other=stranger.other)
    for capability in ("status.get", "env.keys", "apps.env.example", "apps.logs"):
        told = stranger.ask(capability, asked)
        assert told["t"] == "error"
        assert told["error"]["id"] in ("wire.foreign_app", "name.bad"), told


def tricks() -> dict[str, dict[str, Any]]:
    """What a service may hold that puts a value, or a file of the host, where it is told."""
    word = "${APP_SECRET}"
    return {
        "bind": {"volumes": [f"/{word}:/x"]},
        "volume": {"volumes": [f"{word}:/x"]},
        "port": {"ports": [f"{word}:80"]},
        "memory": {"mem_limit": word},
        "cpus": {"cpus": word},
        "driver": {"logging": {"driver": word}},
        "hostname": {"hostname": f"{word}.live"},
        "privileged": {"privileged": word},
        "interval": {"healthcheck": {"interval": word}},
        "pid": {"pid": word},
        "sysctl": {"sysctls": {"kernel.x": word}},
        "user": {"user": word, "devices": [f"{word}:{word}"]},
        "file": {"env_file": ["/etc/ikoma/settings.json"]},
        "extends": {"extends": {"file": "/etc/ikoma/settings.json", "service": "web"}},
        "label": {"label_file": ["/etc/ikoma/settings.json"]},
        "other": {"env_file": ["../../etc/passwd"], "volumes": ["/etc/shadow:/x"]},
    }


@pytest.mark.parametrize("trick", sorted(tricks()))
def test_a_plan_tells_no_value_and_no_file_of_the_host(stranger: Stranger, trick: str) -> None:
    manifest = stranger.manifest()
    manifest["compose"]["services"]["web"] |= tricks()[trick]
    told = stranger.ask("deploy.plan", manifest=manifest)
    text = json.dumps(told).lower()
    assert [piece for piece in PIECES if piece in text] == [], told
    assert "root:" not in text
    assert "admin_dsn" not in text
    assert told["t"] == "result", told
    assert told["result"]["problems"] or trick == "hostname", told  # that one becomes an alias of the app's own network


def test_whoever_looks_uses_up_no_address_of_the_host(stranger: Stranger) -> None:
    before = stranger.lab.inside("cat", f"/srv/apps/{stranger.app}/networks.json")
    manifest = stranger.manifest()
    manifest["compose"]["networks"] = {f"n{number}": {} for number in range(40)}
    stranger.ask("deploy.plan", manifest=manifest)
    assert stranger.lab.inside("cat", f"/srv/apps/{stranger.app}/networks.json") == before


def test_an_assistant_reads_its_own_app_and_nothing_else(stranger: Stranger) -> None:
    addresses = [
        f"ikoma://{stranger.other}/production/logs", f"ikoma://{stranger.app}/../{stranger.other}/logs",
        f"ikoma://{stranger.app}/production/../../etc/passwd", f"ikoma://{stranger.app}/production/secrets",
        "file:///etc/passwd", f"ikoma://{stranger.app}%2f..%2f{stranger.other}/production/logs",
        f"IKOMA://{stranger.other}/production/logs", f"ikoma://{stranger.app}/production/logs\n",
    ]  # fmt: skip
    calls: list[dict[str, Any]] = [{"do": "read", "uri": uri} for uri in addresses]
    calls += [{"do": "call", "name": name, "args": {"appName": stranger.app}} for name in (
        "deploy_restart", "env_push", "../deploy_restart", "deploy.restart", "attach")]  # fmt: skip
    before = len(stranger.history())
    answers = speak(stranger.client(stranger.place, "mcp"), calls)
    for call, answer in zip(calls, answers, strict=True):
        assert "thrown" in answer or answer.get("isError"), (call, answer)
        assert "root:" not in json.dumps(answer)
    mine = stranger.history()[before:]
    assert len(mine) == len(calls)
    assert {line["result"] for line in mine} == {"refused", "error"}
