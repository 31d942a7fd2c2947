"""The host is gone: another one serves the same rows and the same files, by the blocks of the runbook alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.app import KEEPING, App
from tests.faults.lab import Lab
from tests.fixtures.runbooks import Desk, parts
from tests.integration.sshd import key_pair
from tests.rig.fixtures import command, exports

BEFORE, AFTER = "Beforehand", "The host is gone"
SSHD = "/srv/elsewhere"
PORT = 2222
ROWS = 1000


@dataclass(frozen=True)
class Elsewhere:
    """A place off the host that takes files over SSH and nothing else: where the key opens it, what restic calls it."""

    address: str
    key: str
    host_key: str

    @property
    def repository(self) -> str:
        return f"sftp://root@{self.address}:{PORT}/{SSHD}/sets"

    def open_to(self, lab: Lab) -> None:
        """Lay the key and the pinned host key down where the runbook takes them from."""
        known = f"[{self.address}]:{PORT} {self.host_key}\n"
        lab.inside("sh", "-c", "umask 077; cat > /root/backup_key", text=self.key)
        lab.inside("sh", "-c", "cat > /root/backup_known_hosts", text=known)


@pytest.fixture(scope="module")
def elsewhere(rig: dict[str, str]) -> Iterator[Elsewhere]:
    """An sshd on the machine of the registry, which outlives every host."""
    machine = Lab(rig, "registry")
    key, public = key_pair()
    machine.inside("sh", "-ec", f"mkdir -p {SSHD} /run/sshd; ssh-keygen -q -t ed25519 -N '' -f {SSHD}/host_key")
    machine.inside("sh", "-c", f"cat > {SSHD}/authorized_keys", text=f"restrict {public}\n")
    options = [f"Port={PORT}", f"HostKey={SSHD}/host_key", f"AuthorizedKeysFile={SSHD}/authorized_keys",
               f"PidFile={SSHD}/pid", "StrictModes=no", "Subsystem=sftp internal-sftp",
               "ForceCommand=internal-sftp"]  # fmt: skip
    machine.inside("/usr/sbin/sshd", "-f", "/dev/null", *(word for option in options for word in ("-o", option)))
    host_key = " ".join(machine.inside("cat", f"{SSHD}/host_key.pub").split()[:2])
    yield Elsewhere(rig["BRIDGE_REGISTRY"].partition(":")[0], key.reveal(), host_key)
    machine.inside("sh", "-c", f"kill $(cat {SSHD}/pid); rm -rf {SSHD}")


@pytest.fixture
def first(rig: dict[str, str]) -> Iterator[Lab]:
    command("up", "--name", "first")
    yield Lab(exports("first"), "first")
    command("down", "--name", "first")


@pytest.fixture
def second(rig: dict[str, str]) -> Iterator[Lab]:
    command("up", "--name", "second")
    yield Lab(exports("second"), "second")
    command("down", "--name", "second")


def settings(lab: Lab, elsewhere: Elsewhere, folder: Path) -> Path:
    """Write the settings file that an operator keeps, as it is for this host."""
    known = json.loads(lab.inside("cat", "/etc/ikoma/settings.json"))
    known |= {"backup_repository": elsewhere.repository, "backup_password": "kept in a safe"}
    file = folder / "settings.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(known))
    return file


def install(desk: Desk) -> None:
    """Bring a host, on which the agent is, to where sets can leave it."""
    settings = Path(desk.more["SETTINGS"]).read_text()
    desk.lab.inside("sh", "-c", "cat > /etc/ikoma/settings.json", text=settings)
    desk.run("host-lost", parts("host-lost")[AFTER][1:2])


def psql(lab: Lab, text: str) -> str:
    return lab.inside("runuser", "-u", "postgres", "--", "psql", "-qAt", "--dbname=myapp", text=text).strip()


def test_from_repository_registry_and_sets_alone_another_host_serves_the_same_rows_and_files(
    first: Lab, second: Lab, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    (tmp_path / "app").mkdir()
    app = App(tmp_path / "app", "myapp", {"0001_letters": "create table letters (id int, text text);"}, KEEPING)
    app.name = "myapp"
    app.write("one")
    here = Desk(first, app.repo, tmp_path, {"SETTINGS": str(settings(first, elsewhere, tmp_path))})
    elsewhere.open_to(first)
    install(here)
    first.inside("sh", "-c", "mkdir -p /srv/apps/myapp && cat > /srv/apps/myapp/app.env && chown -R ikoma: /srv/apps",
                 text="APP_SECRET=the one that was\n")  # fmt: skip
    assert first.deploy(app.repo).json["status"] == "HEALTHY"
    psql(first, f"insert into letters select n, md5(n::text) from generate_series(1, {ROWS}) n;")
    web = next(iter(first.containers("myapp")))
    first.inside("docker", "exec", web, "sh", "-c", "mkdir /uploads/in; echo a photo > '/uploads/in/été 1.jpg'")
    rows = psql(first, "select count(*), md5(string_agg(text, '' order by id)) from letters;")
    here.run("host-lost", parts("host-lost")[BEFORE])
    gone = time.monotonic()
    command("down", "--name", "first")
    elsewhere.open_to(second)
    there = Desk(second, app.repo, tmp_path, {"SETTINGS": str(settings(second, elsewhere, tmp_path))})
    said = there.run("host-lost", parts("host-lost")[AFTER])
    took = time.monotonic() - gone
    print(f"HOST_LOST_SECONDS={took:.1f}")
    assert "HEALTHY" in said
    assert '"verified": true' in said
    assert psql(second, "select count(*), md5(string_agg(text, '' order by id)) from letters;") == rows
    (web,) = second.containers("myapp")
    assert second.inside("docker", "exec", web, "cat", "/uploads/in/été 1.jpg") == "a photo\n"
    assert second.inside("docker", "exec", web, "sh", "-c", "echo $APP_SECRET") == "the one that was\n"
    assert second.ask(app.host, "/")[1] == "one"
