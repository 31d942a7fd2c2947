"""The rig itself: hosts that are really separate, and that leave nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

import paramiko
import psycopg
import pytest

from tests.rig import box as boxes
from tests.rig import cgroups, network
from tests.rig import state as states
from tests.rig.commands import wait_until
from tests.rig.fixtures import CHECKOUT, command, exports

MACHINE = ("/etc", "/srv", "/opt", "/var/lib/docker")


def docker(
    *words: str, host: str, check: bool = True, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **(variables or {}), "DOCKER_HOST": host}
    line = ["timeout", "120", "docker", *words]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def inside(*words: str, name: str = "host") -> str:
    return command("exec", "--name", name, "--", *words).stdout


def login(folder: Path, rig: dict[str, str], user: str, token: str) -> str:
    """A folder for DOCKER_CONFIG that holds one credential."""
    secret = b64encode(f"{user}:{token}".encode()).decode()
    states.write_private(folder / "config.json", json.dumps({"auths": {rig["BRIDGE_REGISTRY"]: {"auth": secret}}}))
    return str(folder)


@pytest.fixture
def pusher(rig: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The variables with which Docker's client may push."""
    config = login(tmp_path / "push", rig, rig["BRIDGE_REGISTRY_USER"], rig["BRIDGE_REGISTRY_TOKEN"])
    return {"DOCKER_CONFIG": config, "SSL_CERT_FILE": rig["SSL_CERT_FILE"]}


@pytest.fixture
def reader(rig: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The variables with which Docker's client may only pull."""
    config = login(tmp_path / "read", rig, rig["RIG_READONLY_USER"], rig["RIG_READONLY_TOKEN"])
    return {"DOCKER_CONFIG": config, "SSL_CERT_FILE": rig["SSL_CERT_FILE"]}


@pytest.fixture
def image(rig: dict[str, str], pusher: dict[str, str], tmp_path: Path) -> str:
    """An image built by the builder's engine and pushed to the registry."""
    (tmp_path / "Dockerfile").write_text(f"FROM {rig['RIG_BUSYBOX_IMAGE']}\nRUN echo {time.time_ns()} >/made\n")
    name = f"{rig['BRIDGE_REGISTRY']}/rig-test/made:{time.time_ns()}"
    docker("buildx", "build", "--push", "--tag", name, str(tmp_path), host=rig["DOCKER_HOST"], variables=pusher)
    return name


def test_an_image_built_outside_is_absent_inside_until_it_is_pulled(
    rig: dict[str, str], image: str, reader: dict[str, str]
) -> None:
    host = rig["RIG_DOCKER_HOST"]
    assert docker("image", "inspect", image, host=host, check=False).returncode != 0
    docker("pull", "--quiet", image, host=host, variables=reader)
    assert docker("run", "--rm", image, "cat", "/made", host=host).stdout.strip().isdigit()


def test_the_registry_refuses_a_push_by_a_reader(rig: dict[str, str], image: str, reader: dict[str, str]) -> None:
    done = docker("push", image, host=rig["DOCKER_HOST"], check=False, variables=reader)
    assert done.returncode != 0
    assert "denied" in done.stderr.lower() or "forbidden" in done.stderr.lower()


def test_the_registry_asks_for_a_token_in_the_shape_of_ghcr(rig: dict[str, str]) -> None:
    trust = ssl.create_default_context(cafile=rig["RIG_CA"])
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"https://{rig['BRIDGE_REGISTRY']}/v2/base/node/tags/list", context=trust)
    asked = refused.value.headers["Www-Authenticate"]
    assert refused.value.code == 401
    assert asked.startswith('Bearer realm="https://')
    assert 'scope="repository:base/node:pull"' in asked


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_token_server_gives_nothing_without_credentials(rig: dict[str, str], method: str) -> None:
    trust = ssl.create_default_context(cafile=rig["RIG_CA"])
    realm = f"https://{rig['BRIDGE_REGISTRY'].split(':')[0]}:5001/token?scope=repository:base/node:pull"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(realm, method=method, data=b""), context=trust)
    assert refused.value.code == {"GET": 401, "POST": 404}[method]


def test_sshd_answers_with_the_pinned_key(rig: dict[str, str]) -> None:
    client = paramiko.SSHClient()
    client.load_host_keys(rig["BRIDGE_KNOWN_HOSTS"])
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.connect(rig["BRIDGE_HOST"], int(rig["BRIDGE_PORT"]), rig["BRIDGE_ADMIN_USER"],
                   key_filename=rig["BRIDGE_ADMIN_KEY"], allow_agent=False, look_for_keys=False)  # fmt: skip
    try:
        _, output, _ = client.exec_command("hostname")
        assert output.read().decode().strip() == "host"
    finally:
        client.close()


def test_the_database_takes_the_administrator_from_outside_and_from_a_container(rig: dict[str, str]) -> None:
    with psycopg.connect(rig["RIG_DSN"].rpartition("/")[0] + "/postgres") as connection:
        assert connection.execute("SHOW server_version_num").fetchone()
    probe = f"exec 3<>/dev/tcp/{rig['RIG_ADDRESS']}/5432"
    docker("run", "--rm", rig["RIG_CADDY_IMAGE"], "bash", "-c", probe, host=rig["RIG_DOCKER_HOST"])


def test_a_host_has_no_route_out_of_the_rig_and_the_builder_has(rig: dict[str, str]) -> None:
    assert "default" not in inside("ip", "route")
    assert "default" in inside("ip", "route", name="builder")


def test_nothing_of_the_checkout_is_inside(rig: dict[str, str]) -> None:
    found = inside("sh", "-c", f"ls -d {CHECKOUT} {Path.home()}/.cache /run/rig/../../{CHECKOUT} 2>/dev/null; true")
    assert found == ""
    assert str(CHECKOUT) not in inside("cat", "/proc/mounts")


def test_exec_hands_back_the_exit_code_and_the_bytes_of_its_input(rig: dict[str, str]) -> None:
    entry = [str(CHECKOUT / "scripts/rig"), "exec", "--"]
    assert subprocess.run([*entry, "sh", "-c", "exit 7"], check=False).returncode == 7
    echoed = subprocess.run([*entry, "cat"], input="a b\n", capture_output=True, text=True, check=True)
    assert echoed.stdout == "a b\n"


def test_a_second_up_changes_nothing(rig: dict[str, str]) -> None:
    command("up")  # brings what changed in the agent since the fixture ran
    before = states.load().boxes["host"].pid
    command("up")
    assert states.load().boxes["host"].pid == before


def test_a_service_that_is_killed_runs_again(rig: dict[str, str]) -> None:
    first = inside("pgrep", "--exact", "sshd", "--oldest").strip()
    inside("kill", "-KILL", first)
    wait_until("sshd to run again", lambda: _oldest("sshd") not in ("", first), seconds=15)


def _oldest(program: str) -> str:
    return inside("sh", "-c", f"pgrep --exact {program} --oldest || true").strip()


def test_a_service_can_be_held_down_and_let_go(rig: dict[str, str]) -> None:
    hold = Path(rig["RIG_STATE"], "boxes/host/share/stop/postgres")
    hold.parent.mkdir(exist_ok=True)
    hold.touch()
    try:
        wait_until("PostgreSQL to end", lambda: _oldest("postgres") == "", seconds=20)
    finally:
        hold.unlink()
    wait_until("PostgreSQL to run again", lambda: _oldest("postgres") != "", seconds=20)


def test_taking_the_outer_link_down_cuts_the_host_off(rig: dict[str, str]) -> None:
    link = rig["RIG_OUTER_LINK"]
    subprocess.run(["ip", "link", "set", link, "down"], check=True)
    try:
        assert not _reaches(rig["RIG_ADDRESS"])
    finally:
        subprocess.run(["ip", "link", "set", link, "up"], check=True)
    wait_until("the host to be reachable again", lambda: _reaches(rig["RIG_ADDRESS"]))


def _reaches(address: str) -> bool:
    probe = ["bash", "-c", f"exec 3<>/dev/tcp/{address}/22"]
    return subprocess.run(["timeout", "1", *probe], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def second(rig: dict[str, str]) -> Iterator[dict[str, str]]:
    """Another host beside the first, on a small disk."""
    command("up", "--name", "two", "--disk", "900M")
    yield exports("two")
    command("down", "--name", "two")


def test_a_second_host_is_another_machine(rig: dict[str, str], second: dict[str, str]) -> None:
    assert second["RIG_ADDRESS"] != rig["RIG_ADDRESS"]
    assert second["BRIDGE_REGISTRY"] == rig["BRIDGE_REGISTRY"]
    assert Path(second["BRIDGE_KNOWN_HOSTS"]).read_text().split()[2] not in Path(rig["BRIDGE_KNOWN_HOSTS"]).read_text()
    inside("touch", "/srv/only-here", name="two")
    assert inside("ls", "/srv").find("only-here") == -1


def test_a_small_disk_is_small(second: dict[str, str]) -> None:
    sizes = inside("df", "--output=size", "-BM", "/", "/var/lib/docker", name="two").split()[1:]
    assert sizes == ["900M", "900M"]


def test_a_host_whose_first_process_died_comes_back_with_its_disk(second: dict[str, str]) -> None:
    inside("touch", "/srv/kept", name="two")
    known = Path(second["BRIDGE_KNOWN_HOSTS"]).read_text()
    pid = states.load().boxes["two"].pid
    assert pid is not None
    os.kill(pid, 9)
    command("up", "--name", "two")
    assert inside("ls", "/srv/kept", name="two").strip() == "/srv/kept"
    assert Path(second["BRIDGE_KNOWN_HOSTS"]).read_text() == known


def test_a_host_that_is_taken_down_leaves_nothing(rig: dict[str, str]) -> None:
    command("up", "--name", "gone", "--disk", "900M")
    state = states.load()
    box = state.boxes["gone"]
    spaces = {str(Path(f"/proc/{box.pid}/ns/{kind}").readlink()) for kind in ("pid", "net", "mnt")}
    command("down", "--name", "gone")
    assert not _processes_in(spaces)
    assert not cgroups.named(boxes.cgroup(state, box))
    assert not states.box_home("gone").exists()
    assert str(states.box_home("gone")) not in Path("/proc/mounts").read_text()
    assert network.outer_link(state, box) not in _links()
    command("down", "--name", "gone")


def _processes_in(spaces: set[str]) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for kind in ("pid", "net", "mnt"):
            try:
                if str((process / "ns" / kind).readlink()) in spaces:
                    found.append(process.name)
            except OSError:
                continue
    return found


def _links() -> set[str]:
    listed = subprocess.run(["ip", "-json", "link"], capture_output=True, text=True, check=True).stdout
    return {link["ifname"] for link in json.loads(listed)}


def _traces(rig_id: str) -> list[str]:
    """Everything on this machine that bears the name of a rig."""
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    places = [*Path("/proc/mounts").read_text().splitlines(), *rules.splitlines(), *_links(), *_command_lines()]
    found = [place for place in places if rig_id in place]
    return (
        found
        + sorted(cgroups.named(f"ikoma-rig-{rig_id}"))
        + [str(each) for each in states.all_rigs().glob(f"*{rig_id}*")]
    )


def _command_lines() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended while we looked
            found.append(path.read_bytes().decode(errors="replace"))
    return found


def _listing() -> dict[str, list[str]]:
    """Names and times of change of all that the machine itself keeps in the folders a host would use."""
    found = {}
    for top in MACHINE:
        paths = sorted(Path(top).rglob("*")) if Path(top).exists() else []
        found[top] = [f"{path} {path.lstat().st_mtime_ns}" for path in paths if path.exists()]
    return found


def test_a_whole_rig_comes_and_goes_without_touching_the_machine(
    rig: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = _listing()
    monkeypatch.setenv("IKOMA_RIG", "passing")
    name = states.rig_id()
    try:
        command("up")
        assert _traces(name)
    finally:
        command("down")
    assert _traces(name) == []
    assert _listing() == machine
    command("down")
    assert subprocess.run([str(CHECKOUT / "scripts/rig"), "status"], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("seconds", [0.7, 1.5, 3.0])
def test_an_up_that_was_killed_halfway_is_finished_by_the_next_and_cleared_by_down(
    rig: dict[str, str], monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setenv("IKOMA_RIG", "killed")
    name = states.rig_id()
    halfway = subprocess.Popen([str(CHECKOUT / "scripts/rig"), "up"], stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    halfway.kill()
    halfway.wait()
    try:
        if seconds > 1:
            command("up")
    finally:
        command("down")
    assert _traces(name) == []


def test_what_a_rig_that_lost_its_memory_left_is_removed_all_the_same(
    rig: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IKOMA_RIG", "forgetful")
    name = states.rig_id()
    try:
        command("up")
        (states.home() / "state.json").unlink()
    finally:
        command("down")
    assert _traces(name) == []
