"""The agent on a real host: installed, looked at, brought up to date and back, and taken away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sshd import key_pair
from tests.rig.fixtures import CHECKOUT, command, exports

HOST = "install"


@dataclass
class Host:
    """A host of this module's own."""

    env: dict[str, str]
    home: Path

    def bridge(self, *words: str, code: int = 0, home: Path | None = None) -> dict[str, Any]:
        """Run ``python -m bridge host …`` of a project (by default this one) to its end and return its JSON."""
        home = home or self.home
        done = subprocess.run(
            [sys.executable, "-m", "bridge", "host", *words, "--json"],
            cwd=home,
            env={**os.environ, **self.env, "IKOMA_LANG": "en", "PYTHONPATH": str(home)},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def inside(self, *words: str) -> str:
        """Run a command on the host as root."""
        return command("exec", "--name", HOST, "--", *words).stdout

    def shell(self, script: str) -> str:
        return self.inside("sh", "-c", script)

    def ssh(self, line: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Log in with the restricted key, by OpenSSH's own client."""
        words = [*self._client("ssh", *options), *([line] if line else [])]
        return subprocess.run(words, capture_output=True, text=True, input="", timeout=30)

    def sftp(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._client("sftp"), capture_output=True, text=True, input="ls /\n", timeout=30)

    def _client(self, program: str, *more: str) -> list[str]:
        options = ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", self.env["BRIDGE_SSH_KEY"]]
        options += ["-o", f"UserKnownHostsFile={self.env['BRIDGE_KNOWN_HOSTS']}", "-F", "none"]
        return [program, *options, *more, f"ikoma@{self.env['BRIDGE_HOST']}"]


def copy_project(home: Path) -> Path:
    """Copy what runs, so that the version of the agent stays the same while somebody works on the sources."""
    for name in ("agent", "bridge"):
        shutil.copytree(CHECKOUT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    return home


@pytest.fixture(scope="module")
def host(rig: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    command("up", "--name", HOST)
    host = Host(exports(HOST), copy_project(tmp_path_factory.mktemp("project")))
    host.bridge("bootstrap", "--yes")
    yield host
    command("down", "--name", HOST)


def test_the_supervised_unit_is_one_that_systemd_accepts(host: Host) -> None:
    units = [f"/etc/systemd/system/ikoma-agent-{name}" for name in ("recover.service", "recover.timer", "http.service")]
    assert host.inside("systemd-analyze", "verify", *units) == ""


def test_a_second_bootstrap_changes_nothing(host: Host) -> None:
    answer = host.bridge("bootstrap", "--yes")
    assert (answer["changed"], answer["plan"]) == (False, [])


def test_a_dry_run_shows_what_would_change_and_changes_nothing(host: Host) -> None:
    host.shell("chmod 777 /etc/ikoma/settings.json")
    answer = host.bridge("bootstrap", "--dry-run")
    assert answer["changed"] is False
    assert [entry["change"] for entry in answer["plan"]] == ["change"]
    assert host.inside("stat", "-c", "%a", "/etc/ikoma/settings.json") == "777\n"
    refused = host.bridge("bootstrap", code=2)
    assert refused["error"]["id"] == "remote.need_yes"
    assert host.bridge("bootstrap", "--yes")["changed"] is True
    assert host.inside("stat", "-c", "%a %U %G", "/etc/ikoma/settings.json") == "640 root ikoma\n"


def test_check_sees_the_engine_the_database_the_ports_and_the_agent(host: Host) -> None:
    before = host.shell("find /etc/ikoma /opt/ikoma -printf '%p %T@ %m\\n' | sort")
    answer = host.bridge("check")
    assert answer["error"] is None
    assert answer["machine"] in ("x86_64", "aarch64")
    assert answer["engine"]
    assert answer["compose"]
    assert answer["agent"].startswith("0.")
    assert any(":5432" in found["reached"] for found in answer["databases"])
    assert abs(answer["skew_seconds"]) < 5
    assert host.shell("find /etc/ikoma /opt/ikoma -printf '%p %T@ %m\\n' | sort") == before


def test_check_names_who_holds_port_80(host: Host) -> None:
    host.inside("docker", "rm", "--force", "ikoma-proxy")  # it serves the agent's HTTP door on this port
    script = "import http.server; http.server.test(http.server.SimpleHTTPRequestHandler, port=80, bind='127.0.0.1')"
    pid = host.shell(f'python3 -c "{script}" >/dev/null 2>&1 & echo $!').strip()
    try:
        deadline = time.monotonic() + 10
        while (answer := host.bridge("check"))["ports"]["80"] is None:
            assert time.monotonic() < deadline
        assert answer["ports"]["80"].startswith("python3")
    finally:
        host.shell(f"kill {pid}")


def test_the_restricted_key_opens_no_shell_no_sftp_and_no_forwarding(host: Host) -> None:
    for line in ("", "id", "v1 hello; id", "sh -c id", "v1 hello\nid", "$(id)"):
        answer = host.ssh(line)
        assert "uid=" not in answer.stdout + answer.stderr
        assert '"t":"hello"' in answer.stdout, answer.stderr
    assert "PTY allocation request failed" in host.ssh("id", "-tt").stderr
    assert host.sftp().returncode != 0
    forwarded = host.ssh("", "-W", "127.0.0.1:5432")
    assert "administratively prohibited" in forwarded.stderr or "forwarding failed" in forwarded.stderr
    assert host.inside("getent", "shadow", "ikoma").split(":")[1] == "*"


def test_nobody_but_the_agent_reads_its_settings(host: Host) -> None:
    paths = ("/etc/ikoma/settings.json", "/etc/ikoma/authorized_keys", "/var/lib/ikoma", "/var/backups/ikoma")
    for path in paths:
        assert "denied" in host.shell(
            f"runuser -u nobody -- ls {path}/ 2>&1; runuser -u nobody -- cat {path} 2>&1; true"
        )
    assert host.shell("find /opt/ikoma ! -user root | head -1") == ""


def test_another_user_with_sudo_and_another_port_serve_as_well(host: Host, tmp_path: Path) -> None:
    private, public = key_pair()
    (tmp_path / "admin").touch(mode=0o600)
    (tmp_path / "admin").write_text(private.reveal())
    known = Path(host.env["BRIDGE_KNOWN_HOSTS"]).read_text().split()
    (tmp_path / "known_hosts").write_text(f"[{host.env['BRIDGE_HOST']}]:2222 {known[1]} {known[2]}\n")
    host.shell(
        "useradd --create-home --shell /bin/bash --password '*' maria && install -d -m 700 -o maria /home/maria/.ssh"
        f" && echo '{public}' > /home/maria/.ssh/authorized_keys && printf 'Port 22\\nPort 2222\\n' >"
        " /etc/ssh/sshd_config.d/10-port.conf && kill -HUP $(cat /run/sshd.pid)"
    )
    admin = ("--admin-user", "maria", "--admin-key", str(tmp_path / "admin"))
    elsewhere = ("--port", "2222", "--known-hosts", str(tmp_path / "known_hosts"))
    try:
        assert host.bridge("bootstrap", *admin, *elsewhere, "--yes", code=1)["error"]["id"] == "remote.sudo"
        host.shell("echo 'maria ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/maria; rm -f /usr/local/bin/ikoma")
        answer = host.bridge("bootstrap", *admin, *elsewhere, "--yes")
        assert [entry["change"] for entry in answer["plan"]] == ["create"]
    finally:
        host.shell(
            "rm -f /etc/sudoers.d/maria /etc/ssh/sshd_config.d/10-port.conf; kill -HUP $(cat /run/sshd.pid);"
            " userdel --remove maria"
        )


def test_a_drop_in_that_locks_the_agent_out_is_taken_back(host: Host) -> None:
    before = host.shell("rm /etc/ssh/sshd_config.d/50-ikoma.conf; cat /etc/ikoma/authorized_keys")
    host.shell("echo 'DenyUsers ikoma' > /etc/ssh/sshd_config.d/10-deny.conf; kill -HUP $(cat /run/sshd.pid)")
    try:
        answer = host.bridge("bootstrap", "--yes", code=1)
        assert answer["error"]["id"] == "remote.login_failed"
        assert "DenyUsers" in answer["error"]["remedy"]
        assert host.shell("ls /etc/ssh/sshd_config.d/") == "10-deny.conf\n"
        assert host.shell("cat /etc/ikoma/authorized_keys") == before
    finally:
        host.shell("rm -f /etc/ssh/sshd_config.d/10-deny.conf; kill -HUP $(cat /run/sshd.pid)")
    assert host.bridge("bootstrap", "--yes")["changed"] is True
    assert '"t":"hello"' in host.ssh("v1 hello").stdout


def test_a_drop_in_that_sshd_does_not_read_is_refused(host: Host) -> None:
    host.shell("rm /etc/ssh/sshd_config.d/50-ikoma.conf; cp /etc/ssh/sshd_config /root/kept")
    host.shell("sed -i '/^Include/d' /etc/ssh/sshd_config")
    try:
        answer = host.bridge("bootstrap", "--yes", code=1)
        assert answer["error"]["id"] == "remote.sshd_refused"
        assert host.shell("ls /etc/ssh/sshd_config.d/") == ""
    finally:
        host.shell("mv /root/kept /etc/ssh/sshd_config")
    assert host.bridge("bootstrap", "--yes")["changed"] is True


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A copy of this project whose agent has another version."""
    home = copy_project(tmp_path / "newer")
    init = home / "agent/__init__.py"
    init.write_text(init.read_text().replace('__version__ = "', '__version__ = "9.'))
    return home


def serving(host: Host) -> str:
    return host.inside("readlink", "/opt/ikoma/current").strip().rpartition("/")[2]


def test_an_upgrade_is_refused_during_an_operation_and_one_command_takes_it_back(host: Host, newer: Path) -> None:
    former = serving(host)
    host.shell('echo \'{"operation": "0199", "since": "now", "client": {}}\' > /var/lib/ikoma/locks/suite.lock')
    pid = host.shell("flock --no-fork /var/lib/ikoma/locks/suite.lock sleep 60 >/dev/null 2>&1 & echo $!").strip()
    refused = host.bridge("upgrade", "--yes", home=newer, code=1)
    assert refused["error"]["id"] == "remote.host_busy"
    assert "suite" in refused["error"]["message"]
    assert serving(host) == former
    host.shell(f"kill {pid}; rm /var/lib/ikoma/locks/suite.lock")

    assert host.bridge("upgrade", "--yes", home=newer)["changed"] is True
    assert serving(host).startswith("9.")
    assert json.loads(host.ssh("v1 hello").stdout)["version"].startswith("9.")
    assert host.bridge("upgrade", "--yes", home=newer)["changed"] is False

    assert host.bridge("upgrade", "--back", "--yes")["version"] == former
    assert serving(host) == former
    assert not json.loads(host.ssh("v1 hello").stdout)["version"].startswith("9.")


def test_only_three_versions_are_kept(host: Host, newer: Path) -> None:
    init = newer / "agent/__init__.py"
    for number in range(3):
        init.write_text(f'__version__ = "9.{number}"\n')
        host.bridge("upgrade", "--yes", home=newer)
        assert len(host.inside("ls", "/opt/ikoma/versions").split()) <= 3
    assert serving(host).startswith("9.2-")
    host.bridge("upgrade", "--yes")


def test_an_agent_that_fails_its_own_test_never_serves(host: Host, newer: Path) -> None:
    former = serving(host)
    (newer / "agent/doors/cli.py").write_text("raise SystemExit('broken on purpose')\n")
    answer = host.bridge("upgrade", "--yes", home=newer, code=1)
    assert answer["error"]["id"] == "remote.action_failed"
    assert "broken on purpose" in answer["error"]["message"]
    assert serving(host) == former
    assert host.shell("ls -A /opt/ikoma/versions | grep -c partial; true") == "0\n"
    assert '"t":"hello"' in host.ssh("v1 hello").stdout


def test_taking_the_agent_away_leaves_data_and_a_second_installation_takes_them_over(host: Host) -> None:
    host.shell(
        "mkdir -p /srv/apps/suite /srv/apps/foreign && echo '{}' > /srv/apps/suite/current.json"
        " && echo A=1 > /srv/apps/suite/app.env && chmod 600 /srv/apps/suite/app.env"
        " && printf kept > /var/lib/ikoma/journal.db && chown ikoma:ikoma /var/lib/ikoma/journal.db"
        " && chown -R ikoma:ikoma /srv/apps/suite && chown -R daemon /srv/apps/foreign"
    )
    before = host.inside("docker", "ps", "-aq")
    assert host.bridge("uninstall", "--yes")["changed"] is True
    assert host.bridge("uninstall", "--yes")["changed"] is False
    gone = "ls -d /opt/ikoma /etc/ikoma /usr/local/bin/ikoma /etc/ssh/sshd_config.d/50-ikoma.conf 2>/dev/null; true"
    assert host.shell(gone) == ""
    assert host.shell("getent passwd ikoma; ls /etc/systemd/system/ikoma* 2>/dev/null; true") == ""
    assert host.ssh("v1 hello").returncode == 255
    assert host.inside("stat", "-c", "%U %a", "/srv/apps/suite/app.env") == "root 600\n"
    assert host.inside("docker", "ps", "-aq") == before
    assert host.inside("cat", "/var/lib/ikoma/journal.db") == "kept"

    key = f"{host.env['BRIDGE_SSH_KEY']}.pub"
    assert host.bridge("bootstrap", "--key-name", "rig", "--public-key", key, "--yes")["changed"] is True
    assert host.inside("stat", "-c", "%U", "/srv/apps/suite/app.env") == "ikoma\n"
    assert host.inside("stat", "-c", "%U", "/srv/apps/foreign") == "daemon\n"
    assert host.inside("stat", "-c", "%U", "/var/lib/ikoma/journal.db") == "ikoma\n"
    assert '"t":"hello"' in host.ssh("v1 hello").stdout
